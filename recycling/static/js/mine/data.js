// One's own data: reminders on or off, saved addresses, sign-ins elsewhere.

import { ask } from "../api.js";
import { byId, fill, note, once } from "../dom.js";
import { say } from "../words.js";
import { edit } from "./edit.js";
import { keptForm } from "./kept_form.js";

const HERE = "/pages/my-data";
const out = byId("said");

const reminders = byId("reminders");
reminders.addEventListener("change", () => {
  const wanted = reminders.checked;
  once(reminders, async () => {
    try {
      await ask("/my-notices", { method: "PATCH", body: { reminders: wanted } });
    } catch (problem) {
      reminders.checked = !wanted; // it shows what holds
      throw problem;
    }
    fill(out, note(wanted ? say("已开启提醒。", "Reminders are on.") : say("已关闭提醒。", "Reminders are off.")));
  }, out);
});
// Of two taps the answers may come in the other sequence: the second waits until the first one's is there.
reminders.addEventListener("click", (event) => reminders.getAttribute("aria-busy") === "true" && event.preventDefault());

for (const form of document.querySelectorAll("[data-address]")) {
  const path = `/my-addresses/${form.dataset.address}`;
  const name = `address:${form.dataset.address}:${form.dataset.version}`;
  const said = { out: form.querySelector(".said"), next: HERE, drafts: [name] };
  keptForm(form, name);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { label, address, floor, has_lift: lift, note: words } = form.elements;
    const body = { label: label.value, address: address.value, floor: floor.valueAsNumber, has_lift: lift.checked, note: words.value };
    edit(form.querySelector("button"), async () => {
      await ask(path, { method: "PATCH", body, version: Number(form.dataset.version) });
    }, said);
  });
  form.querySelector("[data-delete]").addEventListener("click", ({ currentTarget }) => {
    if (!window.confirm(say("删除这个地址？", "Delete this address?"))) return;
    edit(currentTarget, async () => {
      await ask(path, { method: "DELETE" });
    }, said);
  });
}

for (const button of document.querySelectorAll("[data-sign-in]")) {
  button.addEventListener("click", () => edit(button, async () => {
    await ask(`/my-sign-ins/${button.dataset.signIn}`, { method: "DELETE" });
  }, { out, next: HERE }));
}
