// A new batch: which processor may take it, how many of what, labels, our scale's net, plate and seal.

import { ask, newKey } from "../api.js";
import { el, fill, note, once } from "../dom.js";
import { draft, dropDraft, keepDraft } from "../drafts.js";
import { count, kg, say } from "../words.js";
import { draftName, facts, itemName, word } from "./facts.js";
import { choice, field, scanField, stepper, toFault } from "./form.js";
import { readLabel } from "./labels.js";
import { grams } from "./numbers.js";

const DRAFT = draftName("hand-over");
const EMPTY = { processor: "", units: {}, tags: [], net: "", plate: "", seal: "" };

const covers = (processor, key) => processor.item_types.includes(key) || processor.catalogue_numbers.includes(facts.item_types[key]?.catalogue_no);

export function batchForm(processors, stock, made) {
  const kept = draft(DRAFT, { ...EMPTY, key: newKey() });
  const keep = (more) => { Object.assign(kept, more, { key: newKey() }); keepDraft(DRAFT, kept); }; // another content is another batch
  const fault = el("div");
  const list = el("ul", { class: "lines" });
  const labels = el("p", { class: "tags" });
  const sum = el("p", { class: "small", "aria-live": "polite" });

  const known = processors.filter((one) => one.in_force);
  const processor = choice(say("处理企业", "Processor"), known.map((one) => [one.key, `${say(one.name_zh, one.name_en)} · ${word(one.kind)}`]), { value: kept.processor, empty: say("请选择", "choose"), onchange: (key) => { keep({ processor: key }); draw(); } });
  const licence = el("p", { class: "small" });
  const net = field(say("本站过磅净重 kg", "Net on our scale, kg"), { digits: true, value: kept.net, onchange: (value) => keep({ net: value }) });
  const plate = field(say("运输车牌", "Plate of the vehicle"), { value: kept.plate, maxlength: 16, autocapitalize: "characters", onchange: (value) => keep({ plate: value.normalize("NFKC").trim().toUpperCase() }) });
  const seal = field(say("车厢封签（可不填）", "Seal of the load (optional)"), { value: kept.seal, maxlength: 64, onchange: (value) => keep({ seal: value.trim() }) });
  const scan = scanField(say("扫描移交件的标签", "Scan labels of what leaves"), (text, box) => {
    const tag = readLabel(text);
    if (!tag) return box.fault(say(`“${text}” 不是标签编号，请重扫或核对`, `“${text}” is no label: scan it again, or compare it`));
    if (kept.tags.includes(tag)) return box.fault(say(`${tag} 已扫过`, `${tag} is scanned already`));
    keep({ tags: [...kept.tags, tag] });
    return draw();
  });

  function draw() {
    const chosen = known.find((one) => one.key === kept.processor);
    licence.textContent = chosen ? say(`许可证 ${chosen.licence_number}，有效至 ${chosen.valid_to}${chosen.made_up ? "（演示数据，非真实企业）" : ""}`, `Licence ${chosen.licence_number}, until ${chosen.valid_to}${chosen.made_up ? " (made up, no real enterprise)" : ""}`) : "";
    const fits = stock.filter((one) => chosen && covers(chosen, one.item_type));
    const others = chosen ? stock.filter((one) => !covers(chosen, one.item_type)) : [];
    fill(list, fits.map((one) => el("li", { class: "card line" }, el("div", { class: "line-head" },
      el("span", { class: "line-name" }, el("strong", {}, itemName(one.item_type)), el("span", { class: "small" }, say(`库存 ${count(one.units)} 件，${kg(one.net_g)}，最久 ${one.oldest_days} 天`, `${count(one.units)} in stock, ${kg(one.net_g)}, oldest ${one.oldest_days} d`))),
      el("button", { type: "button", class: "quiet", onclick: () => { keep({ units: { ...kept.units, [one.item_type]: one.units } }); draw(); } }, say("全部", "all")),
      stepper(say(`${itemName(one.item_type)} 件数`, `Units of ${itemName(one.item_type)}`), { value: Math.min(one.units, kept.units[one.item_type] ?? 0), most: one.units, onchange: (units) => { keep({ units: { ...kept.units, [one.item_type]: units } }); total(fits); } })))));
    if (chosen && !fits.length) fill(list, note(say("库存中没有该企业许可范围内的品类。", "Nothing in stock is covered by its licence."), "warn"));
    if (others.length) list.append(el("li", { class: "small" }, say(`许可不含：${others.map((one) => itemName(one.item_type)).join("、")}`, `Not covered: ${others.map((one) => itemName(one.item_type)).join(", ")}`)));
    fill(labels, kept.tags.map((tag) => el("button", { type: "button", class: "quiet chip tag", "aria-label": say(`取下标签 ${tag}`, `Take ${tag} off`), onclick: () => { keep({ tags: kept.tags.filter((one) => one !== tag) }); draw(); } }, `✓ ${tag}`)));
    total(fits);
  }

  const wanted = (fits) => fits.map((one) => ({ item_type: one.item_type, units: Math.min(one.units, kept.units[one.item_type] ?? 0) })).filter((one) => one.units > 0);

  function total(fits) {
    const expected = fits.reduce((all, one) => all + (one.net_g / one.units) * Math.min(one.units, kept.units[one.item_type] ?? 0), 0);
    sum.textContent = expected ? say(`按磅单约 ${kg(Math.round(expected))}（不含扫码件）`, `About ${kg(Math.round(expected))} by our tickets (scanned units apart)`) : "";
  }

  async function save() {
    const chosen = known.find((one) => one.key === kept.processor);
    const mass = grams(net.input.value);
    const lines = chosen ? wanted(stock.filter((one) => covers(chosen, one.item_type))) : [];
    processor.fault(chosen ? "" : say("请选择处理企业", "Choose a processor"));
    net.fault(mass > 0 ? "" : say("请填写净重，如 1250.5", "Give the net, such as 1250.5"));
    plate.fault(kept.plate.length >= 2 ? "" : say("请填写车牌", "Give the plate"));
    fill(fault, lines.length || kept.tags.length ? null : note(say("请填写移交件数或扫描标签", "Say how many of what, or scan labels"), "bad"));
    if (!chosen || !(mass > 0) || kept.plate.length < 2 || !(lines.length || kept.tags.length)) return toFault(form);
    const { body } = await ask("/hand-overs", { body: { processor_key: chosen.key, lines, tags: kept.tags, net_g: mass, plate: kept.plate, seal: kept.seal || null }, key: kept.key });
    dropDraft(DRAFT);
    return made(body);
  }

  const send = el("button", { onclick: (event) => { event.preventDefault(); once(send, save, fault); } }, say("保存移交批次", "Save the batch"));
  const form = el("form", { novalidate: true, onsubmit: (event) => event.preventDefault() },
    processor, licence, list, scan, labels, sum, el("div", { class: "side-by-side" }, net, plate, seal), fault, send);
  draw();
  return form;
}
