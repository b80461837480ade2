// Making a report: the period by its kind, sent once however often the button is pressed.

import { ask, newKey } from "../api.js";
import { byId, once } from "../dom.js";

const form = document.getElementById("make");

const PERIOD = {
  month: (of) => of.month.value,
  quarter: (of) => `${of.year.value}-Q${of.quarter.value}`,
  year: (of) => of.year.value,
  span: (of) => `${of.first.value}..${of.last.value}`,
};

function showFields() {
  const kind = form.elements.kind.value;
  for (const field of form.querySelectorAll("[data-of]")) {
    const asked = field.dataset.of.split(" ").includes(kind);
    field.hidden = !asked;
    for (const input of field.querySelectorAll("input, select")) input.required = asked;
  }
}

if (form) {
  let key = newKey();
  form.addEventListener("change", () => { key = newKey(); showFields(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form.querySelector("button"), async () => {
      const { body } = await ask("/goal-reports", { body: { period: PERIOD[form.elements.kind.value](form.elements) }, key });
      key = newKey();
      location.assign(`/pages/reports/${body.id}`);
    }, byId("made"));
  });
  showFields();
}
