// The rating of a visit: what is typed survives until it is sent.

import { ask } from "../api.js";
import { byId } from "../dom.js";
import { edit } from "./edit.js";
import { keptForm } from "./kept_form.js";

export function rating(booking, here) {
  const form = byId("rate");
  const name = `rating:${booking.id}`;
  keptForm(form, name);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const body = { stars: Number(given.get("stars")), reasons: given.getAll("reasons"), words: given.get("words") };
    edit(form.querySelector("button"), async () => {
      await ask(`/bookings/${booking.id}/rating`, { method: "PUT", body });
    }, { out: byId("rate-said"), next: `${here}?done=rated`, drafts: [name] });
  });
}
