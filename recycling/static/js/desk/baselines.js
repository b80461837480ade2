// Baselines: stated from a document whose digest is made here, confirmed by somebody else.

import { ask, newKey } from "../api.js";
import { byId, once } from "../dom.js";
import { draft, dropDraft, keepDraft } from "../drafts.js";
import { say } from "../words.js";

const DRAFT = "baseline";
const form = document.getElementById("state");
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const typed = () => Object.fromEntries(new FormData(form));

/** Kilograms as typed, to the gram: by text, since 0.1 + 0.2 is not 0.3. */
export function gramsOf(text) {
  const [whole, rest = ""] = text.split(".");
  return Number(whole || "0") * 1000 + Number(rest.padEnd(3, "0").slice(0, 3));
}

if (form) {
  const kept = draft(DRAFT, { key: newKey(), values: {} });
  for (const [name, value] of Object.entries(kept.values)) if (form.elements[name]) form.elements[name].value = value;
  if (Object.keys(kept.values).length) form.closest("details").open = true;
  form.addEventListener("input", () => { kept.key = newKey(); keepDraft(DRAFT, { key: kept.key, values: typed() }); });
  byId("document").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (!file) return;
    if (!crypto.subtle) {
      byId("digest-hint").textContent = say("此浏览器不能计算摘要：请用 sha256sum 等工具计算后粘贴。", "This browser makes no digests: make it with a tool such as sha256sum and paste it.");
      return;
    }
    byId("document_sha256").value = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    form.dispatchEvent(new Event("input"));
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form.querySelector("button"), async () => {
      const { mass_kg: mass, year, units, ...texts } = typed();
      await ask("/baselines", { body: { ...texts, year: Number(year), units: Number(units), mass_g: gramsOf(mass) }, key: kept.key });
      dropDraft(DRAFT);
      location.replace(location.pathname);
    }, byId("stated"));
  });
}

const sure = byId("sure");
let asked = null;
for (const button of document.querySelectorAll("button.confirm")) {
  button.addEventListener("click", () => {
    asked = { id: button.dataset.id, key: newKey() };
    byId("sure-words").textContent = button.dataset.says;
    sure.showModal();
  });
}
byId("no").addEventListener("click", () => sure.close());
byId("yes").addEventListener("click", () => once(byId("yes"), async () => {
  try {
    await ask(`/baselines/${asked.id}/confirmation`, { method: "POST", body: {}, key: asked.key });
    location.replace(location.pathname);
  } finally {
    sure.close();
  }
}, byId("confirmed")));
