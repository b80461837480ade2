// A table in a frame of its own that scrolls where it must.

import { el } from "../dom.js";

/**
 * Rows of cells under headings: `heads` are `[text, isNumber]`, a cell is text, an element or a list of them.
 * The first cell of a row names it. `foot` is one more row.
 */
export function table(label, heads, rows, { foot = null } = {}) {
  const cells = (row) => row.map((cell, n) => el(n === 0 ? "th" : "td", { class: heads[n][1] ? "num" : null, ...(n === 0 ? { scope: "row" } : {}) }, cell));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, el("table", {},
    el("thead", {}, el("tr", {}, heads.map(([text, number]) => el("th", { scope: "col", class: number ? "num" : null }, text)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, cells(row)))),
    foot ? el("tfoot", {}, el("tr", {}, cells(foot))) : null));
}
