// One stop: where, what, how to get in, and the one thing to do next.

import { el, note } from "../dom.js";
import { say } from "../words.js";
import { button, due, kindWord, named, phaseChip, stepName } from "./parts.js";

/** The screen of a door or a station. */
export function stopScreen(app, step) {
  if (!step) return [note(say("这一站已不在今天的路线上。", "This stop is on today's route no more."), "warn")];
  const isDone = app.day.isDone(step);
  return [
    el("section", { class: "card now" }, el("h2", {}, stepName(step), " ", phaseChip(step)), stopFacts(step, { short: false })),
    isDone && step.pickup && step.phase !== "cancelled" ? el("p", {}, el("a", { class: "button quiet", href: `#again=${step.pickup.booking_id}` }, say("更正结果", "Put it right"))) : null,
    step.phase === "cancelled" ? note(say("居民已取消，不用上门。", "Its resident has cancelled; nobody needs to go there."), "warn") : null,
    step.pickup && !isDone ? el("p", { class: "links" }, el("a", { class: "button quiet", href: `#note=${step.pickup.booking_id}` }, say("备注、补拍照片", "A note, a photo"))) : null,
    el("div", { class: "act" }, isDone ? backToList() : actions(app, step)),
  ];
}

const backToList = () => el("a", { class: "button big", href: "#list" }, say("回到清单", "Back to the list"));

/** What to know of a stop; the short form is what fits above the list. */
export function stopFacts(step, { short }) {
  const { pickup } = step;
  const ways = el("p", { class: "ways" },
    step.navigation_url ? el("a", { class: "button quiet", href: step.navigation_url, target: "_blank", rel: "noopener noreferrer" }, say("导航", "Navigate")) : null,
    step.geo_url && !short ? el("a", { class: "button quiet", href: step.geo_url }, say("手机地图", "Phone's map")) : null,
    pickup?.phone_in_full ? el("a", { class: "button quiet", href: `tel:${pickup.phone}` }, say("打电话", "Call"), el("span", { class: "nowrap" }, ` ${pickup.phone}`)) : null);
  if (!pickup) return [el("p", {}, say(`预计 ${due(step)}`, `due ${due(step)}`)), ways];
  return [
    el("ul", { class: "items" }, pickup.items.filter((item) => item.declared_units).map((item) => el("li", {}, el("strong", {}, `${named(item)} × ${item.declared_units}`), item.dismantle ? el("span", { class: "chip warn" }, say("需拆机", "dismantle")) : null))),
    el("p", {}, el("span", { class: "chip" }, named(pickup.window)), el("span", { class: `chip ${pickup.floor > 1 && !pickup.has_lift ? "warn" : ""}` }, say(`${pickup.floor} 楼${pickup.floor === 1 ? "" : pickup.has_lift ? " 有电梯" : " 无电梯"}`, `floor ${pickup.floor}${pickup.floor === 1 ? "" : pickup.has_lift ? ", lift" : ", no lift"}`)), el("span", { class: "nowrap" }, say(`预计 ${due(step)}`, `due ${due(step)}`))),
    pickup.note ? el("p", { class: "hint" }, pickup.note) : null,
    short || !pickup.bring.length ? null : el("p", { class: "small" }, say("携带：", "Bring: "), pickup.bring.map(named).join(say("、", ", "))),
    short || !pickup.photo_urls.length ? null : el("p", { class: "small" }, say("居民照片（需网络）：", "Resident's photos (network): "), pickup.photo_urls.flatMap((url, place) => [el("a", { class: "button quiet", href: url, target: "_blank", rel: "noopener" }, String(place + 1)), " "])),
    short || pickup.phone_in_full ? null : el("p", { class: "small" }, say(`电话 ${pickup.phone}（临近时显示）`, `Phone ${pickup.phone} (shown when you come near)`)),
    ways,
  ];
}

/** The one big thing to do next, and what else can happen here. */
export function actions(app, step) {
  const { day } = app;
  if (!day.began || day.ended) return big(app, say("开始出车", "Begin the shift"), { kind: "shift_start" });
  if (day.resting) return big(app, say("午休结束", "Lunch is over"), { kind: "break_end" });
  const undo = day.last ? el("a", { class: "small undo", href: "#more" }, say(`上一条：${kindWord(day.last.kind)}（可撤销）`, `Last: ${kindWord(day.last.kind)} (can be taken back)`)) : null;
  if (step.pickup) return [...atDoor(app, step), undo];
  const { station } = step;
  if (step.kind === "unload") return [...big(app, say("已卸货", "Unloaded"), { kind: "unload", payload: { station_key: station?.key } }), undo];
  if (step.kind === "break") return [...big(app, say("开始午休", "Lunch begins"), { kind: "break_start" }), undo];
  return [...big(app, say("收车", "End the shift"), { kind: "shift_end" }), undo];
}

function atDoor(app, { phase, pickup }) {
  const { booking_id } = pickup;
  const failed = el("a", { class: "button second", href: `#fail=${booking_id}` }, say("未收", "Not collected"));
  if (phase === "waiting") return big(app, say("出发前往", "Set out"), { kind: "on_the_way", booking_id });
  if (phase === "on_the_way") return [...big(app, say("到达", "Arrived"), { kind: "arrive", booking_id }), failed];
  if (phase === "arrived") return [...big(app, say("开始", "Start"), { kind: "start", booking_id }), failed];
  return [el("a", { class: "button big", href: `#finish=${booking_id}` }, say("完成上门", "Finish the visit")), failed];
}

const big = (app, words, what) => button(words, () => app.record(what), "big");
