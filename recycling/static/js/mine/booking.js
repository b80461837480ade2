// One booking: take another window for a broken promise, rate, photos, change, cancel.

import { ask, newKey } from "../api.js";
import { byId, given } from "../dom.js";
import { changes } from "./change.js";
import { edit } from "./edit.js";
import { photos } from "./photos.js";
import { rating } from "./rate.js";

const booking = given("booking");
const here = `/pages/bookings/${booking.id}`;
const find = (id) => document.getElementById(id);

for (const button of document.querySelectorAll("[data-take]")) {
  const key = newKey();
  button.addEventListener("click", () => edit(button, async () => {
    const { body } = await ask(`/broken-promises/${button.dataset.take}/alternative`, { body: { number: Number(button.dataset.number) }, key });
    return `/pages/bookings/${body.id}?done=booked`;
  }, { out: byId("promise-said"), next: here }));
}

if (find("photo-list")) photos(booking, here);
if (find("rate")) rating(booking, here);
if (find("change-said")) changes(booking, here);
