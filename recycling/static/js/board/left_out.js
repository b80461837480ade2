// What is on no route, why, and what can be done: a place that has come free, another window or day, a call.

import { ask, newKey } from "../api.js";
import { byId, el, fill, note, once } from "../dom.js";
import { day as dayText, mine, say, windowName } from "../words.js";
import { itemsText, reasons, short, windowText } from "./words.js";

const SHOWN = 6; // windows offered

export function showLeftOut(state, judge, moved) {
  const out = byId("left-out");
  const ids = state.leftOut();
  if (!ids.length) return fill(out, el("p", {}, say("全部预约均已排入。", "Every booking is on a route.")));
  const why = new Map(state.board.unassigned.map((left) => [left.booking_id, left]));
  return fill(out, el("div", { class: "wide", tabindex: "0", role: "region", "aria-labelledby": "left-title" }, el("table", {},
    el("thead", {}, el("tr", {}, [say("预约", "Booking"), say("时段", "Window"), say("原因", "Reason"), say("可以怎么办", "What can be done")].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, ids.map((id) => row(state, judge, moved, id, why.get(id)))))));
}

function row(state, judge, moved, id, left) {
  const stop = state.stops.get(id);
  const said = el("div", {});
  const place = async () => {
    const [best] = await judge.places(state.wish(), id);
    if (!best) return fill(said, note(say("没有车辆能接：调整其它停靠点，或换时段。", "No vehicle can take it: move others, or change its window."), "warn"));
    state.move(id, best.vehicle_key, best.position);
    return moved(id);
  };
  return el("tr", {},
    el("td", {}, el("button", { type: "button", class: "quiet", onclick: () => state.choose(id) }, short(id)), el("br"), itemsText(stop)),
    el("td", { class: "nowrap" }, windowText(stop)),
    el("td", {}, el("span", { class: "chip warn" }, left ? reasons[left.reason] : say("手工移出", "taken off by hand")), left ? el("br") : null, left ? mine(left.detail) : null),
    el("td", {}, state.board.why_fixed !== null ? null : el("div", { class: "links" },
      el("button", { type: "button", onclick: (event) => once(event.target, place, said) }, say("排到最佳位置", "Best place")),
      el("button", { type: "button", class: "quiet", onclick: (event) => once(event.target, () => windows(state, id, said), said) }, say("其它时段…", "Other windows…")),
      el("a", { href: `/bookings/${id}`, target: "_blank", rel: "noopener" }, say("预约详情", "Booking"))), said),
  );
}

/** Windows of the coming days that a route can really serve for just this booking. */
async function windows(state, id, out) {
  const { body: booking, version } = await ask(`/bookings/${id}`);
  const door = Object.fromEntries(["village_code", "address", "lat", "lon", "floor", "has_lift"].map((name) => [name, booking[name]]));
  const items = booking.items.map((item) => ({ item_type: item.item_type, quantity: item.declared_units, dismantle: item.dismantle }));
  const { body } = await ask("/slot-offers", { body: { ...door, items, explain: false } });
  const offers = body.days.flatMap((one) => one.windows.map((window) => ({ day: one.day, window: window.pickup_window })))
    .filter((one) => one.window !== booking.pickup_window || one.day !== booking.day).slice(0, SHOWN);
  if (!offers.length) return fill(out, note(say("近日没有可约的时段。", "No window of the coming days is open."), "warn"));
  return fill(out, el("p", { class: "small" }, say("先电话征得居民同意，再改：", "Call the resident first; change it when they agree:")),
    el("div", { class: "links" }, offers.map((offer) => el("button", { type: "button", class: "quiet", onclick: (event) => once(event.target, () => change(id, offer, version ?? booking.version, out), out) }, offerText(offer)))));
}

const offerText = (offer) => `${dayText(offer.day)} ${windowName(offer.window)}`;

async function change(id, offer, version, out) {
  await ask(`/bookings/${id}`, { method: "PATCH", version, key: newKey(), body: { day: offer.day, pickup_window: offer.window } });
  fill(out, note(say(`已改为 ${offerText(offer)}。本版计划已过时，请重新自动排线。`, `Changed to ${offerText(offer)}. This plan is out of date now: plan the day again.`)));
}
