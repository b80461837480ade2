// A job asked for now, once however often the button is pressed.

import { ask, newKey } from "../api.js";
import { byId, once } from "../dom.js";

const form = byId("ask");
let key = newKey();
form.addEventListener("change", () => { key = newKey(); });
form.addEventListener("submit", (event) => {
  event.preventDefault();
  once(form.querySelector("button"), async () => {
    await ask("/job-runs", { body: Object.fromEntries(new FormData(form)), key });
    location.replace(location.pathname);
  }, byId("queued"));
});
