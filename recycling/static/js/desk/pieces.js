// What the bureau's pages share: amounts in a scope's unit, shares, tables of numbers, scripts loaded when wanted.

import { el } from "../dom.js";
import { count, kg, say } from "../words.js";

/** An amount in pieces or grams, as its measure has it; a dash for none. */
export const amount = (value, unit) =>
  value === null || value === undefined ? "–" : unit === "units" ? `${count(value)} ${say("台(套)/件", "units")}` : kg(value);

/** Basis points as a percentage. */
export const percent = (bp) => (bp === null || bp === undefined ? "–" : `${(bp / 100).toLocaleString("zh-CN", { maximumFractionDigits: 2 })} %`);

/** How far a figure is above or below another: "+12.3 %"; nothing can be said against zero. */
export function change(now, before) {
  if (now === null || before === null || before === undefined || before <= 0) return "–";
  const share = ((now - before) / before) * 100;
  return `${share > 0 ? "+" : ""}${share.toLocaleString("zh-CN", { maximumFractionDigits: 1 })} %`;
}

/** A table with a caption: columns are names, numeric ones marked; rows are cells. */
export function table(caption, columns, rows) {
  const cell = (tag, text, at, more = {}) => el(tag, { ...(columns[at].num ? { class: "num" } : {}), ...more }, text);
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {},
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, columns.map((column, at) => cell("th", column.name, at, { scope: "col" })))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map((text, at) => (at ? cell("td", text, at) : cell("th", text, at, { scope: "row" }))))))));
}

const loading = new Map();

/** Load a plain script once; resolves when it has run. */
export const script = (address) => loaded("script", { src: address });

/** Load a style sheet once; resolves when it holds. */
export const style = (address) => loaded("link", { rel: "stylesheet", href: address });

function loaded(name, attributes) {
  const address = attributes.src ?? attributes.href;
  if (!loading.has(address)) {
    loading.set(address, new Promise((done, failed) => {
      const tag = el(name, attributes);
      tag.addEventListener("load", done);
      tag.addEventListener("error", () => failed(new Error(say("图表未能加载，数据见表格。", "The charts could not be loaded; the tables have the numbers."))));
      document.head.append(tag);
    }));
  }
  return loading.get(address);
}

/** Run something when the page has nothing better to do. */
export const idly = (deed) => (window.requestIdleCallback ? window.requestIdleCallback(deed, { timeout: 2_000 }) : setTimeout(deed, 200));

const waiting = new Map();
const watcher = new IntersectionObserver((seen) => seen.filter((one) => one.isIntersecting).forEach((one) => run(one.target)), { rootMargin: "600px" });

function run(element) {
  const deed = waiting.get(element);
  waiting.delete(element);
  watcher.unobserve(element);
  deed?.();
}

/** Draw something once somebody comes near it, and at the latest before it is printed, if it is. */
export function whenNear(element, deed) {
  waiting.set(element, deed);
  watcher.observe(element);
}

addEventListener("beforeprint", () => [...waiting.keys()].filter((one) => !one.closest(".no-print")).forEach(run));

/** Resolves when an element has a size: a map that is made without one never finds its middle. */
export const sized = (element) => new Promise((done) => {
  const look = new ResizeObserver(() => {
    if (!element.clientWidth || !element.clientHeight) return;
    look.disconnect();
    done();
  });
  look.observe(element);
});

/** On paper nothing can be opened: what is folded is printed open. */
export function shownInFull() {
  const closed = () => [...document.querySelectorAll("details.numbers:not([open])")];
  let opened = [];
  addEventListener("beforeprint", () => { opened = closed(); opened.forEach((one) => { one.open = true; }); });
  addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
}
