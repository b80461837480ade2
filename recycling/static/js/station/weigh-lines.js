// Third tap: what it is. Lines come from the doors; counts, stripped units, own masses and labels are put right here.

import { el, fill, note } from "../dom.js";
import { count, kg, say } from "../words.js";
import { facts, groupName, itemName, refusedName, word } from "./facts.js";
import { catchScans, choice, field, scanField, stepper, toFault } from "./form.js";
import { readLabel } from "./labels.js";
import { change, keep, lineFaults, masses, state } from "./weigh-state.js";

let scanInput = null;
catchScans(() => scanInput);

export function show(root, go) {
  const list = el("ul", { class: "lines", id: "lines" });
  const fault = el("div");
  const said = el("div", { "aria-live": "polite" });
  let active = state.lines.length === 1 ? state.lines[0] : null; // whose label the next scan is

  const refused = field(say("扣杂 kg（没有则留空）", "Refused, kg (leave empty if none)"), { digits: true, value: state.refused, onchange: (value) => change({ refused: value }) });
  const reason = choice(say("扣杂原因", "Why refused"), Object.keys(facts.refused).map((key) => [key, refusedName(key)]), { value: state.refused_reason, empty: "–", onchange: (value) => change({ refused_reason: value }) });
  const scan = scanField(say("扫描或输入标签", "Scan or type a label"), (text, box) => {
    const problem = scanned(text);
    box.fault(problem);
    if (!problem) draw();
  });
  scanInput = scan.input;

  /** Put a label on its line; what is wrong with it, else nothing. */
  function scanned(text) {
    const tag = readLabel(text);
    if (!tag) return say(`“${text}” 不是标签编号，请重扫或核对`, `“${text}” is no label: scan it again, or compare it letter by letter`);
    if (state.lines.some((line) => line.tags.includes(tag))) return say(`${tag} 已在本单上`, `${tag} is on this ticket already`);
    const own = state.lines.find((line) => line.known.includes(tag));
    const line = own ?? active;
    if (!line) return say(`${tag} 不是上门贴的标签：请先点选物品，再扫一次`, `${tag} comes from no door: choose its item first, then scan it again`);
    if (line.tags.length >= line.units) return say(`${itemName(line.item_type)} 只有 ${line.units} 件，标签已满`, `${itemName(line.item_type)} has ${line.units} units, and a label for each`);
    line.tags.push(tag);
    keep();
    fill(said, note(say(`${tag} → ${itemName(line.item_type)}`, `${tag} → ${itemName(line.item_type)}`)));
    return "";
  }

  const button = el("button", { type: "button", class: "go", onclick: next });

  /** The button says how much is named, which on a phone stands further up or down. */
  function tell() {
    const units = state.lines.reduce((sum, line) => sum + line.units, 0);
    button.textContent = say(`下一步：核对（${count(units)} 件）`, `Next: check (${count(units)} units)`);
  }

  function draw(faults = new Map()) {
    fill(list, state.lines.map((line) => row(line, faults.get(line) ?? "")));
    tell();
  }

  function row(line, text) {
    const own = field(say("单独过磅 kg", "Weighed alone, kg"), { digits: true, value: line.net, onchange: (value) => { line.net = value; keep(); } });
    own.fault(text);
    const missing = stepper(say("缺件数", "Stripped units"), { value: line.missing, most: line.units, onchange: (value) => { line.missing = value; keep(); } });
    const labels = [
      ...line.tags.map((tag) => el("button", { type: "button", class: "quiet chip tag", "aria-label": say(`取下标签 ${tag}`, `Take ${tag} off`), onclick: () => { line.tags = line.tags.filter((one) => one !== tag); keep(); draw(); } }, `✓ ${tag}`)),
      ...line.known.filter((tag) => !line.tags.includes(tag)).map((tag) => el("button", { type: "button", class: "quiet chip tag open", onclick: () => { active = line; fill(said, note(say(`请扫描 ${tag}，或手工输入`, `Scan ${tag}, or type it`))); scan.input.focus(); } }, tag)),
    ];
    const open = line.net || line.missing || line.tags.length || text;
    return el("li", { class: `card line${line === active ? " active" : ""}${line.units ? "" : " gone"}` },
      el("div", { class: "line-head" },
        el("span", { class: "line-name" }, el("strong", {}, itemName(line.item_type)),
          el("span", { class: "small" }, [line.door ? say(`第 ${line.door} 户`, `door ${line.door}`) : "", line.source ? word(line.source) : "", line.expected_g ? `≈ ${kg(Math.round((line.expected_g * line.units) / line.of))}`.replaceAll(" ", "\u00a0") : ""].filter(Boolean).join(" · ")),
          line.missing ? el("span", { class: "chip warn" }, say(`缺件 ${line.missing}`, `${line.missing} stripped`)) : null),
        stepper(say(`${itemName(line.item_type)} 件数`, `Units of ${itemName(line.item_type)}`), {
          value: line.units, least: 0, most: line.most,
          onchange: (units) => { line.units = units; line.missing = Math.min(line.missing, units); keep(); if (units) tell(); else draw(); },
        })),
      el("details", { open: Boolean(open), ontoggle: (event) => { if (event.target.open) { active = line; } } },
        el("summary", {}, say("缺件、单重、标签", "Stripped, own mass, labels"), line.tags.length || line.known.length ? ` ${line.tags.length}/${Math.max(line.known.length, line.tags.length)}` : ""),
        el("div", { class: "line-more" }, el("div", { class: "field" }, el("span", { class: "label" }, say("缺件数", "Stripped units")), missing), own),
        labels.length ? el("p", { class: "tags" }, labels) : null));
  }

  function add(key) {
    const known = state.lines.find((line) => line.item_type === key);
    if (known) known.units = Math.min(known.most, known.units + 1);
    else state.lines.push({ item_type: key, booking_id: null, door: null, units: 1, of: 1, most: facts.most.units, expected_g: facts.item_types[key].unit_mass_g, allowed_g: Math.round(facts.item_types[key].unit_mass_g * 0.35), source: "type_table", missing: 0, net: "", tags: [], known: [] });
    active = state.lines.find((line) => line.item_type === key);
    keep();
    draw();
  }

  function next() {
    const faults = lineFaults();
    refused.fault(faults.refused ?? "");
    reason.fault(faults.refused_reason ?? "");
    fill(fault, faults.lines ? note(faults.lines, "bad") : null);
    if (faults.refused || faults.refused_reason || faults.lines || faults.of.size) {
      draw(faults.of);
      return toFault(root);
    }
    return go("check");
  }

  const { net } = masses();
  fill(root,
    el("h2", { tabindex: "-1" }, say("核对物品", "Check the items"), " ", el("span", { class: "chip" }, say(`净重 ${kg(net)}`, `net ${kg(net)}`))),
    state.channel === "door" ? null : picker(add),
    scan, said, list, fault,
    el("div", { class: "side-by-side" }, refused, reason),
    el("div", { class: "go-row" }, button));
  draw();
}

/** Item types as buttons by group, with a search. */
function picker(add) {
  const found = el("div", { class: "choices few" });
  const draw = (text) => {
    const wanted = text.normalize("NFKC").trim().toLowerCase();
    const keys = Object.entries(facts.item_types).filter(([key, kind]) => kind.now && (!wanted || [key, ...kind.names].some((one) => one.toLowerCase().includes(wanted))));
    fill(found, Object.keys(facts.groups).map((group) => {
      const own = keys.filter(([, kind]) => kind.group === group);
      return own.length ? el("details", { open: Boolean(wanted) || group === "appliance_14" }, el("summary", {}, groupName(group)),
        el("div", { class: "choices few" }, own.map(([key]) => el("button", { type: "button", class: "quiet", data: { item: key }, onclick: () => add(key) }, itemName(key))))) : null;
    }));
    if (!keys.length) fill(found, note(say("没有这个品类", "No such item type"), "warn"));
  };
  const search = field(say("查找品类", "Find an item type"), { kind: "search", onchange: draw });
  draw("");
  return el("div", { class: "picker" }, search, found);
}
