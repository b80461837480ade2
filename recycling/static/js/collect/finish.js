// What was taken at a door: items by tap, what was not booked, labels, and the proof that this visit needs.

import { el, fill, note } from "../dom.js";
import { say, yuan } from "../words.js";
import { confirmButton, keepDraft, lacking, lackingNote, openDraft, reword } from "./forms.js";
import { signaturePad } from "./pad.js";
import { field, named, photoField, stepName, stepper } from "./parts.js";
import { smallPhoto } from "./photo.js";

const MOST_MORE = 20; // of one item type above what was booked; beyond that the server takes it for a slip of the finger
const FIRST_REASON = "partially_completed";
const MOST_YUAN = 100_000;
const PRICES = {
  item_differs: ["物品与预约不同", "another item than was booked"], condition_differs: ["成色与预约不同", "another condition than was said"],
  missing_parts: ["缺件", "parts are missing"], weight_differs: ["重量不同", "another weight"], removal_needed: ["需要拆卸", "it has to be taken down"],
};

/** The screen. */
export async function finishScreen(app, step, { again = false } = {}) {
  const { pickup } = step;
  const booked = pickup.items.filter((item) => item.declared_units);
  const draft = await openDraft(app, `finish ${pickup.booking_id}`, {
    items: booked.map((item) => ({ item_type: item.item_type, units: item.declared_units, booked: item.declared_units })), tags: [],
    price: { reason: "", yuan: "", agreed: false },
  });
  const price = draft.price ??= { reason: "", yuan: "", agreed: false }; // a draft of an earlier version has none
  const typeOf = (key) => app.facts.item_types.find((one) => one.key === key);
  const nameOf = (key) => named(typeOf(key) ?? booked.find((item) => item.item_type === key)) || key;
  const reasons = app.facts.failed_visit_codes.filter((row) => row.for_partly);
  const taken = () => draft.items.filter((item) => item.units > 0);
  const isPartly = () => draft.items.some((item) => item.units < item.booked);
  const kind = () => isPartly() ? "partly" : "collected";
  const sealed = () => taken().filter((item) => typeOf(item.item_type)?.data_bearing);
  const missing = () => lacking(app, draft, {
    kind: kind(), value_fen: price.reason ? fenOf(price) : pickup.high_fen, items: taken().map((item) => ({ ...item, data_bearing: Boolean(typeOf(item.item_type)?.data_bearing) })),
  });
  const [rows, labels, why, said] = [el("div", { class: "rows" }), el("div", {}), el("div", {}), el("div", { "aria-live": "polite" })];

  // What is said of the form is said once it is kept.
  async function changed() {
    const full = await keepDraft(draft);
    fill(said, full, taken().length ? lackingNote(missing()) : note(say("一件未收请按“未收”登记。", "If nothing was taken, record “not collected”."), "warn"));
    const units = taken().reduce((sum, item) => sum + item.units, 0);
    reword(confirmed, isPartly() ? say(`部分完成 · ${units} 件`, `In part · ${units} ${units === 1 ? "unit" : "units"}`) : say(`完成 · ${units} 件`, `Done · ${units} ${units === 1 ? "unit" : "units"}`));
  }

  function paintItems() {
    fill(rows, draft.items.map((item) => el("div", { class: "row" },
      el("div", { class: "name" }, el("strong", {}, nameOf(item.item_type)), el("span", { class: "small" }, item.booked ? say(`预约 ${item.booked}`, `${item.booked} booked`) : say("未预约", "not booked"))),
      stepper(nameOf(item.item_type), item.units, { most: item.booked + MOST_MORE, change: (units) => { item.units = units; item.missing_parts = Math.min(item.missing_parts ?? 0, units) || undefined; paintRest(); changed(); } }),
      el("details", {}, el("summary", {}, say("称重、缺件", "Scale, missing parts")),
        field(`kg-${item.item_type}`, say("门口秤重（kg，可不填）", "Scale at the door (kg, if there is one)"), el("input", { inputmode: "decimal", value: item.doorstep_g ? item.doorstep_g / 1000 : "", oninput: (event) => { const grams = Math.round(Number(event.target.value.replace(",", ".")) * 1000); item.doorstep_g = grams > 0 && grams <= 10_000_000 ? grams : undefined; changed(); } })),
        el("p", {}, say("缺件数", "Stripped units")), stepper(say("缺件", "stripped"), item.missing_parts ?? 0, { most: item.booked + MOST_MORE, change: (count) => { item.missing_parts = Math.min(count, item.units) || undefined; changed(); } })))));
  }

  function paintRest() {
    const wanted = sealed().flatMap((item) => Array.from({ length: item.units }, () => item.item_type));
    draft.tags = wanted.map((item_type, place) => ({ item_type, tag: "", seal: "", ...(draft.tags[place]?.item_type === item_type ? draft.tags[place] : {}) }));
    fill(labels, wanted.length ? [el("h2", {}, say("标签和封签", "Labels and seals")), el("p", { class: "small" }, say("含数据的物品，每件贴标签、上封签。", "Each unit that holds data gets a label and a seal."))] : null,
      draft.tags.map((tag, place) => el("div", { class: "pair" },
        field(`tag-${place}`, say(`${nameOf(tag.item_type)} 标签`, `${nameOf(tag.item_type)}: label`), el("input", { value: tag.tag, maxlength: 32, autocapitalize: "characters", placeholder: "XC-", oninput: (event) => { tag.tag = event.target.value; changed(); } })),
        field(`seal-${place}`, say("封签号", "Seal"), el("input", { value: tag.seal, maxlength: 32, autocapitalize: "characters", oninput: (event) => { tag.seal = event.target.value; changed(); } })))));
    if (isPartly() && !draft.reason) draft.reason = FIRST_REASON;
    fill(why, isPartly() ? field("why", say("为什么没有全收", "Why not all of it"), el("select", { onchange: (event) => { draft.reason = event.target.value; changed(); } },
      reasons.map((row) => el("option", { value: row.code, selected: row.code === draft.reason }, named(row))))) : null);
  }

  const more = el("select", { onchange: (event) => {
    if (event.target.value) draft.items.push({ item_type: event.target.value, units: 1, booked: 0 });
    paintItems(); paintRest(); paintMore(); changed();
  } });
  function paintMore() {
    const others = app.facts.item_types.filter((type) => !draft.items.some((item) => item.item_type === type.key));
    fill(more, el("option", { value: "" }, say("选择品类…", "Choose…")), others.map((type) => el("option", { value: type.key }, named(type))));
  }

  async function confirm() {
    const items = taken().map(({ item_type, units, doorstep_g, missing_parts }) => ({ item_type, units, ...(doorstep_g && { doorstep_g }), ...(missing_parts && { missing_parts: Math.min(missing_parts, units) }) }));
    if (!items.length) throw new Error(say("没有收取的物品", "nothing was taken"));
    const tags = draft.tags.filter((tag) => tag.tag.trim()).map(({ item_type, tag, seal }) => ({ item_type, tag: tag.trim(), ...(seal.trim() && { seal: seal.trim() }) }));
    const payload = { items, proof: proofOf(draft), ...(price.reason && { price_change: changedPrice(price) }), ...(tags.length && { tags }), ...(isPartly() && { reason: draft.reason }), ...(draft.note.trim() && { note: draft.note.trim() }) };
    await app.record({ kind: kind(), booking_id: pickup.booking_id, payload, event_id: draft.event_id, photos: draft.photos, draft: draft.key });
  }

  const confirmed = confirmButton(say("完成", "Done"), () => taken().length ? missing() : [], confirm);
  paintItems(); paintRest(); paintMore();
  await changed();
  return [
    el("p", { class: "lead" }, stepName(step)),
    again ? el("p", {}, el("a", { class: "button quiet", href: `#again-fail=${pickup.booking_id}` }, say("其实一件未收", "In truth nothing was collected"))) : null,
    el("h2", {}, say("收了什么", "What was taken")), rows, field("more", say("未预约的物品", "Something that was not booked"), more), why, labels, priceFields(price, pickup, changed),
    el("h2", {}, say("凭证", "Proof")), ...proofFields(app, draft, changed),
    field("note", say("备注", "Note"), el("textarea", { rows: 2, maxlength: 500, value: draft.note, oninput: (event) => { draft.note = event.target.value; changed(); } })),
    said,
    confirmed,
  ];
}

const fenOf = ({ yuan }) => Math.round(Number(yuan.normalize("NFKC").replace(",", ".")) * 100);

/** Another price than was estimated, to which the resident has said yes. */
function changedPrice(price) {
  const fen = price.yuan.trim() ? fenOf(price) : NaN;
  if (!(Math.abs(fen) <= MOST_YUAN * 100)) throw new Error(say("请填写改后的价格（元）", "give the new price in yuan"));
  if (!price.agreed) throw new Error(say("改价须居民同意；不同意则一件不收，按“未收”登记", "the resident has to agree; if they do not, take nothing and record “not collected”"));
  return { reason: price.reason, fen, agreed: true };
}

function priceFields(price, pickup, changed) {
  const rest = el("div", { hidden: !price.reason },
    field("yuan", say("改后价格（元；居民付费填负数）", "New price (yuan; below zero where the resident pays)"), el("input", { inputmode: "text", maxlength: 12, autocomplete: "off", value: price.yuan, oninput: (event) => { price.yuan = event.target.value; changed(); } })),
    el("label", { class: "tick" }, el("input", { type: "checkbox", checked: price.agreed, onchange: (event) => { price.agreed = event.target.checked; changed(); } }), say("居民已同意新价格", "The resident has agreed to it")));
  const reason = el("select", { onchange: (event) => { price.reason = event.target.value; rest.hidden = !price.reason; changed(); } },
    el("option", { value: "" }, say("没有改价", "No other price")),
    Object.entries(PRICES).map(([code, words]) => el("option", { value: code, selected: code === price.reason }, say(...words))));
  return el("details", { open: price.reason !== "" }, el("summary", {}, say("价格有变", "Another price"), pickup.high_fen == null ? "" : say(`（估价至多 ${yuan(pickup.high_fen)}）`, ` (estimate: at most ${yuan(pickup.high_fen)})`)),
    field("price-reason", say("为什么", "Why"), reason), rest);
}

/** What of a form proves the visit, as a record carries it. */
export const proofOf = (draft) => ({
  photos: draft.photos.map((photo) => photo.sha256), smartphone: draft.smartphone,
  ...(/^\d{6}$/.test(draft.code) && { code: draft.code }), ...(draft.signature && { signature: draft.signature }),
  ...(draft.called_s && { called_s: draft.called_s }),
});

function proofFields(app, draft, changed) {
  return [
    photoField(draft.photos, changed, smallPhoto),
    field("code", say("居民核验码（6 位）", "The resident's code (6 digits)"), el("input", { inputmode: "numeric", maxlength: 6, autocomplete: "off", value: draft.code, oninput: (event) => { draft.code = event.target.value.trim(); changed(); } })),
    el("label", { class: "tick" }, el("input", { type: "checkbox", checked: !draft.smartphone, onchange: (event) => { draft.smartphone = !event.target.checked; changed(); } }), say("居民没有智能手机", "The resident has no smartphone")),
    el("p", { class: "small" }, say("居民签名", "The resident's signature")),
    signaturePad(draft.signature, (signature) => { draft.signature = signature; changed(); }),
  ];
}
