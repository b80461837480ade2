// First tap: which load. A van's trip, or what somebody brings; it looks again by itself.

import { ask } from "../api.js";
import { el, fill, note } from "../dom.js";
import { count, day as dayWords, say } from "../words.js";
import { channelName, facts, word } from "./facts.js";
import { tripCard } from "./trip-card.js";
import { begin, tripOfDay } from "./weigh-state.js";

const EVERY_MS = 30_000;
const WITHOUT_DOOR = ["walk_in", "trade_in", "bin", "pool"]; // most frequent first

/** Begin a ticket with what the doors of a trip say; `day` where it is no trip of today. */
export function take(trip, listed, day = null) {
  let door = 0;
  const doors = new Map();
  begin({
    step: "mass", channel: "door", vehicle_key: trip.vehicle_key, least_allowed_g: listed.least_allowed_g,
    trip: trip.trip, trip_day: day ?? listed.day,
    lines: trip.lines.map((line) => {
      if (!doors.has(line.booking_id)) doors.set(line.booking_id, (door += 1));
      return {
        item_type: line.item_type, booking_id: line.booking_id, door: doors.get(line.booking_id), units: line.units,
        of: line.units, most: line.units, expected_g: line.expected_g, allowed_g: line.allowed_g, source: line.source,
        missing: line.missing_parts, net: "", tags: [], known: line.tags,
      };
    }),
  });
}

export function show(root, go) {
  const trips = el("div", { class: "choices", id: "trips" }, el("p", { class: "small", role: "status" }, say("正在读取来车…", "Loading the vans…")));
  const out = el("div");
  const walkIns = el("div", { class: "choices few" }, WITHOUT_DOOR.map((key) =>
    el("button", { type: "button", class: "quiet big", onclick: () => { begin({ step: "mass", channel: key }); go("mass"); } }, channelName(key))));
  fill(root,
    el("h2", { tabindex: "-1" }, say("选择车辆趟次", "Choose the van's trip")), out, trips,
    el("h2", {}, say("不是上门收运", "Not from a door")), walkIns);

  let last = "";
  async function load() {
    if (!trips.isConnected) return;
    if (!document.hidden) {
      try {
        const { body } = await ask("/expected-trips");
        const open = body.trips.filter((trip) => trip.state !== "weighed");
        fill(out);
        const now = JSON.stringify(body.trips);
        if (now === last) return;
        last = now; // nothing moves under a finger while nothing is new
        fill(trips, open.map((trip) => el("button", {
          type: "button", class: "quiet card trip", data: { trip: `${trip.vehicle_key} ${trip.trip}` },
          disabled: trip.lines.length === 0,
          onclick: () => { take(trip, body); go("mass"); },
        }, tripCard(trip), trip.lines.length === 0 ? el("span", { class: "small" }, say("还没有可过磅的物品", "Nothing to weigh yet")) : null)));
        if (!open.length) fill(trips, note(say("今天没有待过磅的车辆。", "No van is left to weigh today.")));
        const done = body.trips.length - open.length;
        if (done) trips.append(el("p", { class: "small" }, say(`另有 ${count(done)} 趟已过磅`, `${count(done)} trips are weighed in`)));
      } catch (problem) {
        fill(out, note(problem.message, "bad"));
        if (trips.querySelector("[role=status]")) fill(trips);
      }
    }
  }
  async function again() {
    await load();
    if (trips.isConnected) setTimeout(again, EVERY_MS);
  }
  return again();
}

/** One line about the load that is being weighed. */
export function aboutLoad(state) {
  if (state.channel !== "door") return channelName(state.channel);
  if (!state.trip) return state.vehicle_key ?? word("door");
  const when = tripOfDay() ? "" : `${dayWords(state.trip_day)} `;
  return say(`${state.vehicle_key} ${when}第 ${state.trip} 趟`, `${state.vehicle_key}, ${when}trip ${state.trip}`);
}

