// What stands above the bookings: places kept and not booked yet, waiting for a place, and pickups that recur.

import { ask, newKey } from "../api.js";
import { edit } from "./edit.js";

const HERE = "/pages/bookings";
const of = (name) => [...document.querySelectorAll(`[data-${name}]`)];
// What went wrong is said above the list that the button stands in.
const shownBy = (button) => ({ out: button.closest("section").querySelector(".said"), next: HERE });

for (const button of of("withdraw")) {
  button.addEventListener("click", () => edit(button, async () => {
    await ask(`/waiting-list/${button.dataset.withdraw}/withdrawal`, { method: "POST", version: Number(button.dataset.version) });
  }, shownBy(button)));
}

for (const button of of("confirm")) {
  const key = newKey(); // one for the page: a second tap, or a second try, books nothing twice
  button.addEventListener("click", () => edit(button, async () => {
    const { body } = await ask(`/holds/${button.dataset.confirm}/confirmation`, { method: "POST", key });
    return `${HERE}/${body.id}?done=booked`;
  }, shownBy(button)));
}

for (const button of of("release")) {
  button.addEventListener("click", () => edit(button, async () => {
    await ask(`/holds/${button.dataset.release}`, { method: "DELETE" });
  }, shownBy(button)));
}

for (const button of of("end")) {
  button.addEventListener("click", () => edit(button, async () => {
    await ask(`/recurring-pickups/${button.dataset.end}/end`, { method: "POST", version: Number(button.dataset.version) });
  }, shownBy(button)));
}
