// Beside the pictures, in words: the chosen stop, its route as a list, a form that moves it, and the verdict.

import { byId, el, fill, note, once } from "../dom.js";
import { clock, count, kg, km, say } from "../words.js";
import { breach, itemsText, minutes, price, short, signed, skillsText, windowText } from "./words.js";

/** What the whole plan comes to, and how much the edits change it. */
export function showFigures(state) {
  const { board, verdict } = state;
  const cost = verdict?.cost ?? board.cost;
  const figure = (name, value, change, text) => el("div", {}, el("dt", {}, name), el("dd", {}, value,
    change ? el("span", { class: `small ${change > 0 ? "up" : "down"}` }, ` ${signed(change, text)}`) : null));
  const out = state.leftOut().length;
  fill(
    byId("figures"),
    figure(say("成本", "Cost"), count(cost.total - cost.skipped), verdict ? cost.total - cost.skipped - (board.cost.total - board.cost.skipped) : 0, count),
    figure(say("里程", "Distance"), km(board.distance_m + (verdict?.added_distance_m ?? 0)), verdict?.added_distance_m, km),
    figure(say("行驶", "Driving"), minutes(board.travel_s + (verdict?.added_travel_s ?? 0)), verdict?.added_travel_s, minutes),
    figure(say("路线", "Routes"), String([...state.sequences.values()].filter((ids) => ids.length).length), 0, count),
    figure(say("停靠点", "Stops"), count(board.stops.length - out), 0, count),
    figure(say("未排入", "Left out"), count(out), out - board.unassigned.length, count),
  );
}

/** The verdict on the edits, or on a place the pointer is at; where it could not be had, a way to ask `again`. */
export function showVerdict(verdict, problem = null, edited = true, again = null) {
  const out = byId("verdict");
  if (problem) return fill(out, note(problem.message, "bad"), again && el("button", { type: "button", onclick: again }, say("重新判定", "Judge again")));
  if (verdict === null || verdict === undefined) {
    return fill(out, el("p", { class: "small" }, say("还没有改动。在时间图上或地图上把停靠点拖到别的路线，或选中后用表单移动；放下之前就能看到是否可行、代价多少。", "Nothing is moved yet. Drag a stop in the chart, or on the map onto another line, or choose one and use the form; whether it works and what it costs shows before you drop it.")));
  }
  const left = verdict.left_out.length;
  return fill(
    out,
    verdict.keeps_the_rules ? note(say(edited ? "✓ 不违反任何规则，可以保存。" : "✓ 不违反任何规则。", edited ? "✓ Keeps every rule; it can be saved." : "✓ Keeps every rule."))
      : note(say(`✗ ${verdict.violations.length + left} 处不可行，不能保存：`, `✗ ${verdict.violations.length + left} thing(s) in the way of saving:`), "bad"),
    verdict.violations.length || left ? el("ul", {}, verdict.violations.slice(0, 30).map((one) => el("li", {}, breach(one))),
      left ? el("li", {}, say(`${left} 个预约被移出路线`, `${left} booking(s) taken off every route`)) : null) : null,
    el("p", {}, price(verdict)),
  );
}

/** The chosen stop: facts, the form, its route as a list of buttons. */
export function showChosen(state, judge, moved) {
  const out = byId("chosen");
  const id = state.chosen;
  if (id === null) {
    return fill(out, el("p", { class: "small" }, say("在地图、时间图或下面的列表中选择。", "Choose one on the map, in the chart or in a list.")));
  }
  const stop = state.stops.get(id);
  const vehicle = state.vehicleOf(id);
  const step = vehicle && (state.steps.get(vehicle) ?? []).find((one) => one.booking_id === id);
  return fill(
    out,
    el("p", {},
      el("a", { href: `/bookings/${id}`, target: "_blank", rel: "noopener" }, el("code", {}, short(id))), ` · ${itemsText(stop)}`, el("br"),
      say("时段 ", "window "), el("strong", {}, windowText(stop)), ` · ${say("作业", "service")} ${minutes(stop.service_s)} · ${kg(stop.load_g)} · ${count(stop.load_l)} L`,
      stop.skills.length ? ` · ${say("需要", "needs")} ${skillsText(stop)}` : null, el("br"),
      vehicle ? `${vehicle} · ${say("上门", "service at")} ${step ? clock(step.start_s) : "–"}` : el("strong", {}, say("未排入任何路线", "on no route")),
    ),
    state.board.why_fixed === null ? moveForm(state, judge, id, vehicle, moved) : null,
    vehicle ? routeList(state, vehicle, id) : null,
  );
}

function moveForm(state, judge, id, vehicle, moved) {
  const to = el("select", { id: "to-vehicle" }, state.board.vehicles.map((one) => el("option", { value: one.key, selected: one.key === vehicle }, one.key)));
  const at = el("select", { id: "to-place" });
  const said = el("div", { class: "said" });
  const positions = () => {
    const ids = state.sequences.get(to.value).filter((one) => one !== id);
    const steps = state.steps.get(to.value) ?? [];
    const when = (one) => clock(steps.find((step) => step.booking_id === one)?.start_s ?? 0);
    const now = to.value === vehicle ? state.sequences.get(vehicle).indexOf(id) : ids.length;
    fill(at, [...ids, null].map((next, place) => el("option", { value: String(place), selected: place === now },
      next ? say(`第 ${place + 1} 位，${when(next)} ${short(next)} 之前`, `${place + 1}. before ${when(next)} ${short(next)}`) : say(`第 ${place + 1} 位，最后`, `${place + 1}. last`))));
  };
  to.addEventListener("change", positions);
  positions();
  const form = el("form", { class: "move-form no-print", onsubmit: (event) => {
    event.preventDefault();
    if (state.move(id, to.value, Number(at.value))) moved(id);
  } },
  el("div", {}, el("label", { for: "to-vehicle" }, say("移到车辆", "To vehicle")), to),
  el("div", {}, el("label", { for: "to-place" }, say("位置", "Place")), at),
  el("button", {}, say("移动", "Move")),
  el("button", { type: "button", onclick: (event) => once(event.target, async () => {
    const places = await judge.places(state.wish(), id);
    const [best] = places;
    if (!best) fill(said, note(say("目前没有任何车辆能接。", "No vehicle can take it as the routes stand."), "warn"));
    else if (state.move(id, best.vehicle_key, best.position)) moved(id);
    else fill(said, note(say("已在最佳位置。", "It is at its best place already.")));
  }, said) }, say("最佳位置", "Best place")),
  vehicle ? el("button", { type: "button", class: "quiet", onclick: () => state.move(id, null, 0) }, say("移出路线", "Take off")) : null);
  return el("div", {}, form, said);
}

function routeList(state, vehicle, id) {
  const steps = (state.steps.get(vehicle) ?? []).filter((step) => step.kind === "pickup");
  return el("ol", { class: "of-route", "aria-label": say(`${vehicle} 的停靠点`, `Stops of ${vehicle}`) }, steps.map((step, at) => {
    const stop = state.stops.get(step.booking_id);
    const bad = state.breaches(vehicle, step.booking_id).length ? "⚠ " : "";
    return el("li", { "aria-current": step.booking_id === id ? "true" : null },
      el("button", { type: "button", onclick: () => state.choose(step.booking_id) }, `${bad}${at + 1}. ${clock(step.start_s)} · ${windowText(stop)} · ${itemsText(stop)}`));
  }));
}
