// A form whose fields keep what was typed until it is sent: over a reload, the back button, a sign-in that ended.

import { draft, keepDraft } from "../drafts.js";

/** Fill a form from its draft, show it where it is folded away, and keep the draft up to date. */
export function keptForm(form, name) {
  const fields = [...form.elements].filter((field) => field.name);
  const isTick = (field) => field.type === "checkbox" || field.type === "radio";
  const kept = draft(name, null);
  if (Array.isArray(kept) && kept.length === fields.length) {
    fields.forEach((field, at) => {
      if (isTick(field)) field.checked = kept[at];
      else field.value = kept[at];
    });
    unfold(form);
  }
  form.addEventListener("input", () => keepDraft(name, fields.map((field) => (isTick(field) ? field.checked : field.value))));
}

/** Show a form that is folded away. */
export function unfold(form) {
  const folded = form.closest("details");
  if (folded) folded.open = true;
}
