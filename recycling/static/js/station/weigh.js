// Weighing in, in four taps: which load, how heavy, what it is, save. And the correction of a ticket, by the same form.

import { ask } from "../api.js";
import { el, fill, note } from "../dom.js";
import { say } from "../words.js";
import { facts, out, query, screen, shown } from "./facts.js";
import { typedKg } from "./numbers.js";
import * as check from "./weigh-check.js";
import * as itemLines from "./weigh-lines.js";
import * as mass from "./weigh-mass.js";
import { begin, change, correcting, forget, state } from "./weigh-state.js";
import * as trip from "./weigh-trip.js";

const STEPS = {
  trip: [say("车辆", "Load"), trip.show],
  mass: [say("重量", "Mass"), mass.show],
  lines: [say("物品", "Items"), itemLines.show],
  check: [say("保存", "Save"), check.show],
};
const NAMES = Object.keys(STEPS).filter((name) => !(correcting && name === "trip"));

async function go(name) {
  change({ step: name });
  await show();
  screen.querySelector("h2")?.focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

async function show() {
  const at = NAMES.indexOf(state.step);
  const body = el("section", { class: "step-body" });
  fill(screen,
    el("ol", { class: "stages", "aria-label": say("步骤", "Steps") }, NAMES.map((name, n) =>
      el("li", { "aria-current": n === at ? "step" : null, class: n < at ? "past" : "" },
        n < at ? el("button", { type: "button", class: "quiet", onclick: () => go(name) }, `${n + 1} ${STEPS[name][0]}`) : `${n + 1} ${STEPS[name][0]}`))),
    el("p", { class: "about" }, state.step === "trip" ? null : el("strong", {}, trip.aboutLoad(state)),
      state.step === "trip" ? null : el("button", { type: "button", class: "quiet", onclick: giveUp }, say("放弃本单", "Give this up"))),
    body);
  await STEPS[state.step][1](body, go);
}

function giveUp(event) {
  const button = event.currentTarget;
  if (!button.dataset.sure) { // what was typed is not thrown away by a slip of the thumb
    button.dataset.sure = "1";
    button.textContent = say("再点一次确认放弃", "Tap again to give it up");
    return;
  }
  forget();
  if (correcting) {
    location.replace(`/pages/station/ticket?id=${encodeURIComponent(correcting)}`);
    return;
  }
  begin();
  history.replaceState(null, "", location.pathname);
  show();
}

/** A correction begins with the ticket as it stands. */
async function fromTicket() {
  const { body } = await ask(`/intake-tickets/${encodeURIComponent(correcting)}`);
  const doors = [...new Set(body.lines.map((line) => line.booking_id))];
  begin({
    step: "mass", channel: body.channel, vehicle_key: body.vehicle_key, trip: body.trip, gross: typedKg(body.gross_g),
    tare: typedKg(body.tare_g), scale: body.scale_number, refused: body.refused_g ? typedKg(body.refused_g) : "",
    refused_reason: body.refused_reason ?? "",
    lines: body.lines.map((line) => ({
      item_type: line.item_type, booking_id: line.booking_id, door: line.booking_id ? doors.indexOf(line.booking_id) + 1 : null,
      units: line.units, of: line.units, most: 1000, expected_g: line.net_g, allowed_g: 0, source: line.provenance,
      missing: line.missing_parts, net: body.lines.length > 1 && line.provenance === "weighed" ? typedKg(line.net_g) : "", tags: line.tags, known: [],
    })),
  });
}

/** The trip that the address names, unless another ticket is being filled in: then a person says which. */
async function fromAddress() {
  const [vehicle, number, day] = [query.get("vehicle"), Number(query.get("trip")), query.get("day")];
  if (!vehicle) return;
  if (state.step !== "trip") {
    if (state.vehicle_key === vehicle && state.trip === number && state.trip_day === (day ?? facts.today)) return;
    fill(out, note(say("有一张未保存的磅单，先完成或放弃它。", "A ticket is not saved yet; finish it or give it up first."), "warn"));
    return;
  }
  const { body } = await ask(`/expected-trips${day ? `?day=${encodeURIComponent(day)}` : ""}`);
  const found = body.trips.find((one) => one.vehicle_key === vehicle && one.trip === number && one.lines.length);
  if (found) trip.take(found, body, day);
  else fill(out, note(say("该趟没有待过磅的物品，可能已过磅。", "Nothing of that trip is left to weigh; it may be weighed in already."), "warn"));
}

async function start() {
  try {
    if (!state) {
      if (correcting) await fromTicket();
      else begin();
    }
    if (!correcting) await fromAddress();
    await show();
  } catch (problem) {
    fill(out, note(problem.message, "bad"));
    fill(screen, state ? el("button", { type: "button", onclick: start }, say("重试", "Try again")) : el("a", { class: "button", href: "/pages/station/today" }, say("返回今日", "Back to today")));
  }
  shown();
}

start();
