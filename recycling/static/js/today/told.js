// What was done, said on the page that is loaded afterwards.

import { note } from "../dom.js";
import { draft, dropDraft, keepDraft } from "../drafts.js";

const NAME = "today-told";

/** Load the page again and say there what was done. */
export function again(text) {
  keepDraft(NAME, text);
  location.reload();
}

/** Say what was done before the page was loaded. */
export function told() {
  const text = draft(NAME, "");
  dropDraft(NAME);
  if (text) document.querySelector("h1").after(note(text));
}

/** Show and enable the fields of a form that belong to a choice, and no others: `data-for` lists the choices. */
export function fieldsFor(form, choice) {
  for (const field of form.querySelectorAll("[data-for]")) {
    const shown = field.dataset.for.split(" ").includes(choice);
    field.hidden = !shown;
    for (const input of field.querySelectorAll("input, select")) input.disabled = !shown;
  }
}
