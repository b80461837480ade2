// Second tap: how heavy. The weighbridge's newest readings, or typed kilograms.

import { ask } from "../api.js";
import { el, fill, note } from "../dom.js";
import { kg, moment, say, shanghaiDay } from "../words.js";
import { facts } from "./facts.js";
import { field, pad, toFault } from "./form.js";
import { typedKg } from "./numbers.js";
import { change, correcting, doorSum, keepScale, massFaults, masses, state } from "./weigh-state.js";

const EVERY_MS = 10_000;
const MOST_SHOWN = 4;

export function show(root, go) {
  const net = el("output", { class: "net", "aria-live": "polite" });
  const typed = (name) => (value) => { change({ [name]: value, reading: null }); tell(); };
  const gross = field(say("毛重 kg", "Gross, kg"), { digits: true, value: state.reading ? typedKg(state.reading.gross_g) : state.gross, onchange: typed("gross") });
  const tare = field(say("皮重 kg", "Tare, kg"), { digits: true, value: state.reading ? typedKg(state.reading.tare_g) : state.tare, onchange: typed("tare") });
  const scale = field(say("磅秤编号", "Scale"), { value: state.scale, onchange: (value) => change({ scale: value.trim() }) });
  const boxes = { gross, tare, scale };
  const readings = el("div", { class: "choices", id: "readings" });

  function tell() {
    const { net: found } = masses();
    fill(net, say("净重 ", "Net "), el("strong", {}, found > 0 ? kg(found) : "–"));
  }

  function next(event) {
    event?.preventDefault();
    const faults = massFaults();
    for (const [name, box] of Object.entries(boxes)) box.fault(faults[name] ?? "");
    if (Object.keys(faults).length) return toFault(root);
    keepScale(state.scale);
    return go("lines");
  }

  const form = el("form", { class: "mass", onsubmit: next, novalidate: true },
    el("div", { class: "mass-fields" }, gross, tare, correcting ? null : scale, net),
    pad([gross.input, tare.input]), el("button", { class: "go" }, say("下一步：物品", "Next: items")));
  fill(root, el("h2", { tabindex: "-1" }, correcting ? say("更正重量", "Correct the masses") : say("选择地磅读数，或输入重量", "Choose a reading, or type the masses")), readings, form);
  tell();

  function choose(reading) {
    const today = shanghaiDay(new Date());
    if (shanghaiDay(new Date(reading.at)) > (today > facts.today ? today : facts.today)) { // a page may stand open past midnight
      fill(readings.querySelector(".fault-of") ?? readings.appendChild(el("div", { class: "fault-of" })),
        note(say(`读数日期 ${shanghaiDay(new Date(reading.at))} 晚于今天，请校准地磅时钟，或按今日人工输入重量。`, `The reading is of ${shanghaiDay(new Date(reading.at))}, after today: set the scale's clock, or type the masses for today.`), "bad"));
      return;
    }
    change({ reading, gross: typedKg(reading.gross_g), tare: typedKg(reading.tare_g) });
    const faults = massFaults();
    if (!Object.keys(faults).length) return go("lines");
    gross.input.value = state.gross;
    tare.input.value = state.tare;
    for (const [name, box] of Object.entries(boxes)) box.fault(faults[name] ?? "");
    tell();
  }

  const { expected, allowed } = doorSum();
  const fitting = (one) => state.channel === "door" && Math.abs(one.net_g - expected) <= allowed;
  let last = "";
  async function load() {
    if (!readings.isConnected || correcting) return;
    if (!document.hidden) {
      try {
        const { body } = await ask("/scale-readings?unused=true&limit=20");
        // The load's own vehicle first, then those of no vehicle; a reading of another van is another van's.
        const fits = body.readings.filter((one) => !one.vehicle_key || !state.vehicle_key || one.vehicle_key === state.vehicle_key);
        fits.sort((a, b) => Number(Boolean(b.vehicle_key)) - Number(Boolean(a.vehicle_key)));
        const now = JSON.stringify(fits.slice(0, MOST_SHOWN).map((one) => one.id));
        if (now !== last) fill(readings, fits.slice(0, MOST_SHOWN).map((one) => el("button", {
          type: "button", class: "quiet card reading", "aria-pressed": String(state.reading?.id === one.id), onclick: () => choose(one),
        },
        el("strong", { class: "net" }, kg(one.net_g), fitting(one) ? el("span", { class: "chip" }, say("与上门相符", "fits the doors")) : null),
        el("span", {}, say(`毛 ${kg(one.gross_g)} − 皮 ${kg(one.tare_g)}`, `gross ${kg(one.gross_g)} − tare ${kg(one.tare_g)}`)),
        el("span", { class: "small" }, `${moment(one.at)} · ${say(`${one.scale_number} 号磅`, `scale ${one.scale_number}`)} · ${one.reading_number}${one.vehicle_key ? ` · ${one.vehicle_key}` : ""}`))));
        if (now !== last && !fits.length) fill(readings, el("p", { class: "small" }, say("没有未使用的地磅读数；收到后会自动出现。", "No unused reading of the weighbridge; a new one appears by itself.")));
        last = now; // nothing moves under a finger while nothing is new
      } catch (problem) {
        fill(readings, note(problem.message, "warn")); // typing goes on without it
      }
    }
    setTimeout(load, EVERY_MS);
  }
  return load();
}
