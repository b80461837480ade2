// How the board says things: a stop, a cost, a verdict.

import { given } from "../dom.js";
import { clock, count, km, say } from "../words.js";

const skills = given("facts").skills;

export const reasons = {
  missing_skill: say("缺少技能/资质", "missing skill"),
  over_capacity: say("超出任一车辆容量", "too large for any vehicle"),
  outside_windows: say("任何车辆都赶不上时段", "no vehicle makes the window"),
  fleet_full: say("车辆已排满", "the fleet is full"),
  invalid: say("数据有误", "invalid"),
};

/** The first characters of an id, enough to tell bookings of a day apart by sight. */
export const short = (id) => id.slice(0, 8);

export const windowText = (stop) => stop.windows_s.map(([from, to]) => `${clock(from)}–${clock(to)}`).join(", ");

export const itemsText = (stop) => stop.items.map((item) => `${say(item.zh, item.en)}${item.units > 1 ? ` ×${item.units}` : ""}`).join(say("、", ", "));

export const skillsText = (stop) => stop.skills.map((key) => (skills[key] ? say(...skills[key]) : key)).join(say("、", ", "));

export function signed(number, text) {
  const shown = text(Math.abs(number));
  return `${!/[1-9]/.test(shown) ? "±" : number > 0 ? "+" : "−"}${shown}`;
}

export const minutes = (seconds) => say(`${count(Math.round(seconds / 60))} 分钟`, `${count(Math.round(seconds / 60))} min`);

/** What a change costs: money, minutes, kilometres. */
export const price = (verdict) => [
  say(`成本 ${signed(verdict.added_cost, count)}`, `cost ${signed(verdict.added_cost, count)}`),
  say(`行驶 ${signed(verdict.added_travel_s, minutes)}`, `driving ${signed(verdict.added_travel_s, minutes)}`),
  signed(verdict.added_distance_m, km),
].join(" · ");

/** A violation with whom it is about. */
export function breach(one) {
  const about = [one.vehicle_key, one.booking_id && short(one.booking_id)].filter(Boolean).join(" ");
  return `${about}${about ? say("：", ": ") : ""}${say(one.zh, one.en)}`;
}
