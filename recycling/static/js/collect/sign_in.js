// The sign-in form tells this browser's own name, under which it counts what a collector records: records that were made
// before a sign-in ended and are sent after the next one then come from the device that made them.

import { deviceId } from "./store.js";

const field = document.getElementById("device-id");

field?.form.addEventListener("submit", async (event) => {
  if (field.value || field.dataset.asked) return;
  event.preventDefault();
  field.dataset.asked = "yes";
  try {
    field.value = await deviceId();
  } catch {
    // a browser that keeps nothing has no name: the server gives it one for this sign-in
  }
  field.form.requestSubmit(event.submitter);
});
