// The rating of a visit: what is typed survives until it is sent.

import { ask } from "../api.js";
import { byId } from "../dom.js";
import { draft, keepDraft } from "../drafts.js";
import { edit } from "./edit.js";

export function rating(booking, here) {
  const form = byId("rate");
  const name = `rating:${booking.id}`;
  const said = () => ({
    stars: Number(new FormData(form).get("stars")) || null,
    reasons: new FormData(form).getAll("reasons"),
    words: form.elements.words.value,
  });
  const kept = draft(name, null);
  if (kept) {
    for (const star of form.querySelectorAll("[name=stars]")) star.checked = Number(star.value) === kept.stars;
    for (const tick of form.querySelectorAll("[name=reasons]")) tick.checked = kept.reasons.includes(tick.value);
    form.elements.words.value = kept.words;
  }
  form.addEventListener("input", () => keepDraft(name, said()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    edit(form.querySelector("button"), async () => {
      await ask(`/bookings/${booking.id}/rating`, { method: "PUT", body: said() });
    }, { out: byId("rate-said"), next: `${here}?done=rated`, drafts: [name] });
  });
}
