// One batch: what left, its transfer note, the processor's re-weigh, what came back, a difference settled.

import { ask, newKey } from "../api.js";
import { el, note, once } from "../dom.js";
import { count, day, kg, moment, say } from "../words.js";
import { facts, itemName, word } from "./facts.js";
import { choice, field, stepper } from "./form.js";
import { readLabel } from "./labels.js";
import { grams } from "./numbers.js";

const CODES = ["our_scale", "their_scale", "moisture", "lost_on_the_way", "other"];

export function batchCard(batch, processors, changed, { open = false } = {}) {
  const processor = processors.find((one) => one.key === batch.processor_key);
  const newest = batch.re_weighs.at(-1);
  const waits = newest?.held && !newest.resolution;
  return el("article", { class: "card", data: { batch: batch.id } },
    el("h3", {}, `${say(`批次 ${batch.number}`, `Batch ${batch.number}`)} · ${day(batch.day)} · ${processor ? say(processor.name_zh, processor.name_en) : batch.processor_key} `,
      el("span", { class: `chip ${batch.state === "held" ? "warn" : ""}` }, batch.state === "held" ? say("差异待处理", "difference held") : word(batch.state))),
    el("p", {}, el("strong", {}, kg(batch.net_g)), ` · ${say(`${count(batch.units)} 件`, `${count(batch.units)} units`)} · ${batch.plate}${batch.seal ? ` · ${say("封签", "seal")} ${batch.seal}` : ""}`),
    el("p", { class: "links no-print" }, el("a", { class: "button plain", href: `/hand-overs/${batch.id}/note.pdf`, target: "_blank", rel: "noopener" }, say("打印移交单", "Print the note"))),
    batch.re_weighs.map((one) => el("p", {}, say(`复磅 ${one.number}：${kg(one.net_g)}，差 ${signed(one.difference_g)}（${one.difference_per_mille}‰）`, `Re-weigh ${one.number}: ${kg(one.net_g)}, ${signed(one.difference_g)} (${one.difference_per_mille}‰)`),
      one.slip ? ` · ${one.slip}` : "", ` · ${moment(one.at)} `, one.resolution ? el("span", { class: "chip" }, `${word(one.resolution.code)}：${one.resolution.reason}`) : one.held ? el("span", { class: "chip warn" }, say("待处理", "to be settled")) : null)),
    el("details", { class: "no-print", open: open || Boolean(waits) }, el("summary", {}, say("明细与办理", "Details and what to do")),
      el("ul", { class: "items" }, batch.lines.map((line) => el("li", {}, `${itemName(line.item_type)} × ${count(line.units)} · ${kg(line.net_g)} · ${say("入库", "lot of")} ${line.lot_day}`))),
      batch.tags.length ? el("p", { class: "small tags" }, batch.tags.map((tag) => el("a", { class: "tag-way", href: `/pages/station/stock?label=${tag}` }, tag))) : null,
      batch.returned.map((one) => el("p", { class: "small" }, say(`退回 ${itemName(one.item_type)} × ${one.units} · ${one.day}`, `Sent back: ${itemName(one.item_type)} × ${one.units}, ${one.day}`))),
      waits ? settle(batch, newest, changed) : null, reWeigh(batch, changed), takeBack(batch, changed)));
}

const signed = (mass) => `${mass > 0 ? "+" : ""}${kg(mass)}`;

/** A form of one deed: `read` gives its body, or nothing while something is missing. */
function deed(title, address, fields, read, changed) {
  const fault = el("div");
  let key = newKey();
  const form = el("div", { class: "decide" }, fields);
  form.addEventListener("input", () => { key = newKey(); });
  form.addEventListener("click", (event) => { if (event.target !== send) key = newKey(); }); // steppers count too
  const send = el("button", { type: "button", onclick: () => once(send, async () => {
    const body = read();
    if (body) await changed((await ask(address, { body, key })).body);
  }, fault) }, title);
  form.append(send);
  return el("section", { class: "deed" }, el("h4", {}, title), form, fault);
}

function reWeigh(batch, changed) {
  const net = field(say("对方过磅净重 kg", "Their net, kg"), { digits: true });
  const slip = field(say("对方磅单号（可不填）", "Number of their slip (optional)"), { maxlength: 64 });
  return deed(say("登记复磅", "Write the re-weigh down"), `/hand-overs/${batch.id}/re-weighs`, [net, slip], () => {
    const mass = grams(net.input.value);
    const wrong = mass === null || Number.isNaN(mass);
    net.fault(wrong ? say("请填写净重，如 1250.5", "Give the net, such as 1250.5") : "");
    return wrong ? null : { net_g: mass, slip: slip.input.value.trim() || null };
  }, changed);
}

function settle(batch, newest, changed) {
  if ([batch.keeper_id, newest.by_id].includes(facts.me)) return note(say("差异须由移交人、复磅登记人以外的人员处理。", "Somebody who neither handed it over nor wrote the re-weigh down has to settle it."), "warn");
  const code = choice(say("差异原因", "Why it differs"), CODES.map((one) => [one, word(one)]), { empty: "–" });
  const why = field(say("说明（至少 4 个字）", "In words (4 characters at least)"), { maxlength: 200 });
  return deed(say("处理差异", "Settle the difference"), `/hand-overs/${batch.id}/resolution`, [code, why], () => {
    code.fault(code.input.value ? "" : say("请选择", "Choose one"));
    why.fault(why.input.value.trim().length >= 4 ? "" : say("请写明情况", "Say what was found"));
    return code.input.value && why.input.value.trim().length >= 4 ? { code: code.input.value, reason: why.input.value.trim() } : null;
  }, changed);
}

function takeBack(batch, changed) {
  const units = {};
  const boxes = batch.lines.map((line) => el("div", { class: "line-head" }, el("span", { class: "line-name" }, itemName(line.item_type), el("span", { class: "small" }, line.lot_day)),
    stepper(say(`退回 ${itemName(line.item_type)} 件数`, `Units of ${itemName(line.item_type)} sent back`), { value: 0, most: line.units, onchange: (number) => { units[line.position] = number; } })));
  const labels = field(say("退回件的标签（空格分隔）", "Labels sent back (spaces between)"));
  const why = field(say("退回说明（至少 4 个字）", "Why (4 characters at least)"), { maxlength: 200 });
  return el("details", {}, el("summary", {}, say("对方退回", "Sent back to us")), deed(say("登记退回", "Take it back"), `/hand-overs/${batch.id}/returns`, [...boxes, labels, why], () => {
    const tags = labels.input.value.split(/[\s,，、;；]+/).filter(Boolean).map(readLabel);
    const lines = batch.lines.filter((line) => units[line.position] > 0).map((line) => ({ item_type: line.item_type, units: units[line.position], day: line.lot_day }));
    labels.fault(tags.includes(null) ? say("有标签编号不对，请核对", "One of these is no label; compare it") : !lines.length && !tags.length ? say("请填写退回件数或标签", "Say how many of what, or which labels") : "");
    why.fault(why.input.value.trim().length >= 4 ? "" : say("请写明原因", "Say why"));
    return tags.includes(null) || (!lines.length && !tags.length) || why.input.value.trim().length < 4 ? null : { lines, tags, note: why.input.value.trim() };
  }, changed));
}
