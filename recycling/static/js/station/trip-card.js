// One van's trip in a card: when, which, how much.

import { el } from "../dom.js";
import { count, kg, moment, say } from "../words.js";
import { word } from "./facts.js";

const LATE_S = 15 * 60; // sooner, traffic makes and unmakes it

/** What stands in the card; `state` is told by words and not by colour alone. */
export function tripCard(trip) {
  const late = trip.state === "coming" && trip.late_s >= LATE_S;
  const minutes = Math.round(trip.late_s / 60);
  return [
    el("span", { class: "trip-when" }, when(trip)),
    el("span", { class: "trip-who" }, el("strong", {}, trip.vehicle_key), trip.plate ? ` ${trip.plate}` : "", " ", el("span", { class: "nowrap" }, say(`第 ${trip.trip} 趟`, `trip ${trip.trip}`))),
    el("span", { class: "trip-load" },
      el("span", { class: "nowrap" }, say(`${count(trip.units)} 件`, `${count(trip.units)} units`)), " · ",
      el("span", { class: "nowrap" }, `≈ ${kg(trip.load_g)}`), " · ", el("span", { class: "nowrap" }, `${count(trip.load_l)} L`), " · ",
      el("span", { class: "nowrap" }, trip.doors_to_come ? say(`${trip.doors} 户，还剩 ${trip.doors_to_come} 户`, `${trip.doors} doors, ${trip.doors_to_come} to come`) : say(`${trip.doors} 户`, `${trip.doors} doors`))),
    el("span", { class: "trip-chips" },
      el("span", { class: `chip ${{ here: "", coming: "", stands: "bad", weighed: "" }[trip.state]}` }, word(trip.state === "weighed" ? "weighed_in" : trip.state)),
      late ? el("span", { class: "chip warn" }, say(`晚 ${minutes} 分钟`, `${minutes} min late`)) : null,
      trip.no_word ? el("span", { class: "chip warn" }, say("暂无消息", "no word yet")) : null),
  ];
}

function when(trip) {
  if (trip.state === "weighed") return kg(trip.net_g);
  if (trip.unloaded_at) return moment(trip.unloaded_at);
  return trip.expected_at ? moment(trip.expected_at) : "–";
}
