// Fields with their label and their fault beneath, choices, steppers, and a numeric pad for thumbs.

import { el } from "../dom.js";
import { say } from "../words.js";
import { plain } from "./numbers.js";

let made = 0;

/**
 * A labelled field. `.fault(text)` says at the field what is wrong with it, and `""` that nothing is.
 *
 * @returns {HTMLElement & {input: HTMLInputElement, fault: (text: string) => void}}
 */
export function field(label, { value = "", hint = "", kind = "text", digits = false, onchange = () => {}, ...more } = {}) {
  made += 1;
  const id = `field-${made}`;
  const fault = el("p", { id: `${id}-fault`, class: "fault", role: "alert", hidden: true });
  const input = el(kind === "area" ? "textarea" : "input", {
    id, value, autocomplete: "off", "aria-describedby": `${id}-fault${hint ? ` ${id}-hint` : ""}`,
    ...(kind === "area" ? { rows: 2 } : { type: kind }), ...(digits ? { inputmode: "decimal", class: "digits" } : {}), ...more,
  });
  input.addEventListener("input", () => { box.fault(""); onchange(input.value); });
  // Full-width digits become plain ones where they stand, so that what is shown is what is sent.
  if (digits) input.addEventListener("change", () => { input.value = plain(input.value); });
  const box = el("div", { class: "field" }, el("label", { for: id }, label), input, hint && el("p", { id: `${id}-hint`, class: "small" }, hint), fault);
  box.input = input;
  box.fault = (text) => {
    fault.textContent = text;
    fault.hidden = !text;
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  return box;
}

/** A choice among `[value, text]` pairs. */
export function choice(label, pairs, { value = "", empty = null, onchange = () => {} } = {}) {
  made += 1;
  const id = `field-${made}`;
  const fault = el("p", { id: `${id}-fault`, class: "fault", role: "alert", hidden: true });
  const options = [...(empty === null ? [] : [["", empty]]), ...pairs];
  const input = el("select", { id, "aria-describedby": `${id}-fault`, onchange: () => { box.fault(""); onchange(input.value); } },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  const box = el("div", { class: "field" }, el("label", { for: id }, label), input, fault);
  box.input = input;
  box.fault = (text) => { fault.textContent = text; fault.hidden = !text; };
  return box;
}

/** − number +, with thumbs in mind. */
export function stepper(label, { value, least = 0, most, onchange }) {
  const shown = el("output", { class: "count", "aria-live": "polite" }, String(value));
  let now = value;
  const step = (by) => () => {
    const next = Math.min(most, Math.max(least, now + by));
    if (next === now) return;
    now = next;
    shown.textContent = String(now);
    onchange(now);
  };
  return el("div", { class: "stepper", role: "group", "aria-label": label },
    el("button", { type: "button", class: "quiet", "aria-label": `${label} −1`, onclick: step(-1) }, "−"), shown,
    el("button", { type: "button", class: "quiet", "aria-label": `${label} +1`, onclick: step(1) }, "+"));
}

/** A pad that types into whichever of these inputs was last touched; the tablet's own keyboard stays away from them. */
export function pad(inputs) {
  let target = inputs[0];
  for (const input of inputs) {
    if (matchMedia("(pointer: coarse)").matches) input.inputMode = "none";
    input.addEventListener("focus", () => { target = input; });
  }
  const typed = (key) => () => {
    target.value = key === "⌫" ? target.value.slice(0, -1) : target.value + key;
    target.dispatchEvent(new Event("input"));
  };
  return el("div", { class: "pad", role: "group", "aria-label": say("数字键盘", "Numeric pad") },
    [..."789456123", ".", "0", "⌫"].map((key) =>
      el("button", { type: "button", class: "quiet", "aria-label": key === "⌫" ? say("删除一位", "Delete one digit") : key, onclick: typed(key) }, key)));
}

/** A field for a scanner that types and ends with Enter, or for a hand that does the same. */
export function scanField(label, onscan, verb = say("添加", "Add")) {
  const box = field(label, { autocapitalize: "characters", spellcheck: "false", enterkeyhint: "done" });
  const read = () => {
    const text = plain(box.input.value);
    box.input.value = "";
    if (text) onscan(text, box);
    box.input.focus();
  };
  box.input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // a scan is no reason to send the form
    read();
  });
  const button = el("button", { type: "button", class: "quiet", onclick: read }, verb);
  const row = el("div", { class: "scan" }, box, button);
  row.fault = box.fault;
  row.input = box.input;
  return row;
}

/** A scanner types into the page wherever it is: what is no other field's goes to the one that `input` names now. */
export function catchScans(input) {
  document.addEventListener("keydown", (event) => {
    const here = input();
    if (!here?.isConnected || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || event.key === " ") return;
    if (!event.target.closest?.("input, select, textarea, dialog")) here.focus();
  });
}

/** The first field with a fault gets the keys. */
export function toFault(root) {
  const first = root.querySelector("[aria-invalid='true']") ?? root.querySelector(".fault:not([hidden])");
  first?.scrollIntoView({ block: "center" });
  first?.focus?.();
}
