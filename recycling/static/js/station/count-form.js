// Counting the stock: the shelf beside the books, a reason wherever they differ. What was typed stays until it is sent.

import { ask, newKey } from "../api.js";
import { el, fill, note, once } from "../dom.js";
import { draft, dropDraft, keepDraft } from "../drafts.js";
import { count, say } from "../words.js";
import { draftName, facts, itemName, word } from "./facts.js";
import { choice, field, toFault } from "./form.js";
import { readLabel } from "./labels.js";
import { grams, whole } from "./numbers.js";

const DRAFT = draftName("stock-count");
const REASONS = ["miscounted", "found", "lost", "stolen", "damaged", "other"];

/** A form over what the books say; `saved` hears what came of it. */
export function countForm(booked, saved) {
  let kept = draft(DRAFT, { key: newKey(), rows: {} });
  const fault = el("div");
  const rows = new Map();
  const list = el("div", { class: "count-rows" });
  const keys = new Set([...booked.map((one) => one.item_type), ...Object.keys(kept.rows)]);
  for (const key of keys) put(key);

  const more = choice(say("账上没有的品类", "Something the books do not have"), Object.keys(facts.item_types).filter((key) => facts.item_types[key].now).map((key) => [key, itemName(key)]), {
    empty: "–", onchange: (key) => { if (key && !rows.has(key)) put(key); more.input.value = ""; },
  });

  function keep(key, name, value) {
    kept.rows[key] = { ...kept.rows[key], [name]: value };
    kept.key = newKey(); // another content is another count
    keepDraft(DRAFT, kept);
  }

  function put(key) {
    const own = kept.rows[key] ?? {};
    const units = booked.find((one) => one.item_type === key)?.units ?? 0;
    const typed = (name) => (value) => keep(key, name, value);
    const row = {
      booked: units,
      units: field(say("点得件数", "Counted"), { digits: true, value: own.units, hint: say(`账上 ${count(units)}`, `books ${count(units)}`), onchange: typed("units") }),
      net: field(say("称得 kg（可不称）", "Weighed, kg (optional)"), { digits: true, value: own.net, onchange: typed("net") }),
      reason: choice(say("差异原因", "Why it differs"), REASONS.map((one) => [one, word(one)]), { value: own.reason, empty: "–", onchange: typed("reason") }),
      missing: field(say("缺失件的标签（空格分隔）", "Labels not found (spaces between)"), { value: own.missing, onchange: typed("missing") }),
      found: field(say("寻回件的标签", "Labels found again"), { value: own.found, onchange: typed("found") }),
    };
    rows.set(key, row);
    list.append(el("fieldset", { class: "card" }, el("legend", {}, itemName(key)), el("div", { class: "count-row" }, row.units, row.net, row.reason), el("details", { open: Boolean(own.missing || own.found) }, el("summary", {}, say("标签", "Labels")), row.missing, row.found)));
  }

  /** Labels of a field, or `null` when one is none. */
  function labels(box) {
    const read = box.input.value.split(/[\s,，、;；]+/).filter(Boolean).map(readLabel);
    if (read.includes(null)) {
      box.fault(say("有标签编号不对，请核对", "One of these is no label; compare it"));
      return null;
    }
    return read;
  }

  function readRow(key, row) {
    const units = whole(row.units.input.value);
    if (units === null) return undefined; // not counted
    const net = grams(row.net.input.value);
    row.units.fault(Number.isNaN(units) ? say("请填整数", "Give a whole number") : "");
    row.net.fault(Number.isNaN(net) ? say("请填数字，如 41.3", "Give a number such as 41.3") : "");
    const differs = units !== row.booked;
    row.reason.fault(differs && !row.reason.input.value ? say("与账面不同，请选原因", "It differs from the books: say why") : "");
    const [missing, found] = [labels(row.missing), labels(row.found)];
    if (Number.isNaN(units) || Number.isNaN(net) || (differs && !row.reason.input.value) || !missing || !found) return null;
    return { item_type: key, units, net_g: net, reason: row.reason.input.value || null, missing, found };
  }

  const send = el("button", { onclick: (event) => { event.preventDefault(); once(send, save, fault); } }, say("提交盘点", "Send the count"));
  async function save() {
    const read = [...rows].map(([key, row]) => readRow(key, row)).filter((one) => one !== undefined);
    if (read.includes(null)) return toFault(list);
    if (!read.length) return fill(fault, note(say("请至少填写一个品类的件数", "Count at least one item type"), "bad"));
    const { body } = await ask("/stock-counts", { body: { lines: read }, key: kept.key });
    dropDraft(DRAFT);
    kept = { key: newKey(), rows: {} };
    return saved(body);
  }
  return el("form", { novalidate: true, onsubmit: (event) => event.preventDefault() }, el("p", { class: "small" }, say("只填点过的品类；未填的视为未盘点。", "Fill in what was counted; the rest counts as not counted.")), list, more, fault, send);
}
