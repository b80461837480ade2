// What does not add up: held trips, units that came stripped, and what this station's units weigh on average.

import { ask, newKey } from "../api.js";
import { byId, el, fill, note, once } from "../dom.js";
import { count, day, kg, say } from "../words.js";
import { facts, itemName, out, screen, shown, word } from "./facts.js";
import { choice, field } from "./form.js";
import { table } from "./table.js";

const REASONS = ["reweighed", "door_estimate", "door_record_wrong", "unloaded_elsewhere", "goods_missing", "other"];
const MOST_SHOWN = 50;

async function load() {
  const state = byId("state").value;
  const [{ body: trips }, { body: parts }, { body: averages }, { body: balance }] = await Promise.all([
    ask(`/trip-balances?limit=${MOST_SHOWN}${state ? `&state=${state}` : ""}`), ask(`/missing-parts?limit=${MOST_SHOWN}`),
    ask(`/class-averages?limit=${MOST_SHOWN}`), ask(`/mass-balance/stations?from=${facts.today.slice(0, 8)}01&to=${facts.today}`),
  ]);
  fill(byId("trips"), trips.trip_balances.length ? trips.trip_balances.map(tripCard) : note(state === "held" ? say("没有待核的趟次。", "No trip is held.") : say("没有趟次。", "No trips.")));
  fill(byId("parts"), missing(parts.missing_parts));
  fill(byId("averages"), means(averages.class_averages));
  fill(byId("month"), month(balance.stations[0]));
}

function tripCard(trip) {
  const sign = trip.difference_g > 0 ? "+" : "";
  return el("article", { class: "card", data: { trip: trip.id } },
    el("h3", {}, `${day(trip.day)} · ${trip.vehicle_key} · ${say(`第 ${trip.trip} 趟`, `trip ${trip.trip}`)} `,
      el("span", { class: `chip ${trip.state === "held" ? "warn" : ""}` }, word(trip.state)),
      trip.causes.map((cause) => el("span", { class: "chip bad" }, word(cause)))),
    el("dl", { class: "facts" }, fact(say("上门合计", "Doors"), `≈ ${kg(trip.door_g)}`), fact(say("过磅", "Scale"), kg(trip.station_g)),
      fact(say("差（允许）", "Difference (allowed)"), `${sign}${kg(trip.difference_g)} (${kg(trip.tolerance_g)})`), fact(say("户 / 件", "Doors / units"), `${trip.doors} / ${trip.units}`)),
    trip.differing.length ? el("ul", { class: "items" }, trip.differing.map((one) => el("li", {}, `${itemName(one.item_type)}：${say("上门", "doors")} ${one.collected}，${say("过磅", "scale")} ${one.weighed}`))) : null,
    trip.next_steps.map((step) => el("p", { class: "small" }, say(step.text_zh, step.text_en))),
    el("p", { class: "links" }, trip.tickets.map((id, n) => el("a", { href: `/pages/station/ticket?id=${id}` }, say(`磅单 ${n + 1}`, `Ticket ${n + 1}`))),
      trip.causes.includes("not_weighed") ? el("a", { href: `/pages/station/weigh?${new URLSearchParams({ vehicle: trip.vehicle_key, trip: trip.trip, day: trip.day })}` }, say("补过磅", "Weigh it in now")) : null),
    trip.resolutions.map((one) => el("p", { class: "small" }, `${word(one.reason)}：${one.note}`)),
    trip.state === "held" ? resolve(trip) : null);
}

const fact = (name, text) => el("div", {}, el("dt", {}, name), el("dd", {}, text));

/** What became of a held trip: a reason and a word, by somebody who weighed none of it. */
function resolve(trip) {
  const fault = el("div");
  const reason = choice(say("处理结果", "What it was"), REASONS.map((one) => [one, word(one)]), { empty: "–" });
  const why = field(say("说明（至少 4 个字，勿写个人信息）", "In words (4 characters at least, nothing personal)"), { maxlength: 200 });
  let key = newKey();
  for (const box of [reason, why]) box.input.addEventListener("input", () => { key = newKey(); });
  const send = el("button", { type: "button", onclick: () => once(send, async () => {
    reason.fault(reason.input.value ? "" : say("请选择", "Choose one"));
    why.fault(why.input.value.trim().length >= 4 ? "" : say("请写明情况", "Say what was found"));
    if (!reason.input.value || why.input.value.trim().length < 4) return;
    try {
      await ask(`/trip-balances/${trip.id}/resolution`, { body: { version: trip.version, reason: reason.input.value, note: why.input.value.trim() }, key });
      await load();
      fill(out, note(say("已处理。", "It is settled.")));
    } catch (problem) {
      if (problem.status === 409) byId("newer").hidden = false; // its figures have changed: look again, what was typed stays here until then
      throw problem;
    }
  }, fault) }, say("处理", "Settle"));
  return el("details", {}, el("summary", {}, say("处理此趟", "Settle this trip")), el("div", { class: "decide" }, reason, why, send), fault);
}

function missing(flags) {
  if (!flags.length) return note(say("没有缺件登记。", "Nothing came stripped."));
  return table(say("缺件", "Stripped units"), [[say("日期", "Day"), false], [say("品类", "Item type"), false], [say("件数", "Units"), true], [say("上门", "Door"), true], [say("站点", "Station"), true], [say("是否一致", "Agreement"), false]],
    flags.map((one) => [el("span", { class: "nowrap" }, day(one.day)), itemName(one.item_type), count(one.units), one.door_units ?? "–", one.station_units ?? "–",
      el("span", { class: `chip ${one.agreement === "both" || one.agreement === "no_door" ? "" : "warn"}` }, word(one.agreement))]));
}

function means(averages) {
  if (!averages.length) return note(say("本站称重还不够，暂用品类表。", "Not enough own weighings yet: the type table stands in."));
  return table(say("品类均值", "Class averages"), [[say("品类", "Item type"), false], [say("月份", "Month"), false], [say("本站均值", "Mean here"), true], [say("离散", "Spread"), true], [say("样本", "Units"), true], [say("品类表", "Type table"), true]],
    averages.map((one) => [say(one.name_zh, one.name_en), one.month, kg(one.mean_g), `± ${kg(one.sd_g)}`, count(one.units), kg(one.type_table_g)]));
}

function month(station) {
  if (!station?.item_types.length) return note(say("本月还没有进出。", "Nothing came or went this month."));
  return [
    station.balanced ? null : note(say("账目对不上，请报告管理员。", "The books do not balance: tell the administrator."), "bad"),
    table(say("本月进出", "This month"), [[say("品类", "Item type"), false], [say("期初", "Opening"), true], [say("入", "In"), true], [say("出", "Out"), true], [say("调整", "Adjusted"), true], [say("期末", "Closing"), true]],
      station.item_types.map((one) => [say(one.name_zh, one.name_en), ...["opening", "in", "out", "adjusted", "closing"].map((name) => [count(one[`${name}_units`]), el("span", { class: "small mass-of" }, kg(one[`${name}_g`]))])])),
  ];
}

const state = el("select", { id: "state", onchange: () => load().catch((problem) => fill(out, note(problem.message, "bad"))) },
  [["held", word("held")], ["resolved", word("resolved")], ["ok", word("ok")], ["", say("全部", "all")]].map(([key, text]) => el("option", { value: key }, text)));

fill(screen,
  el("section", {}, el("h2", {}, say("趟次：上门与过磅", "Trips: doors against the scale")), el("div", { class: "field inline no-print" }, el("label", { for: "state" }, say("状态", "State")), state),
    el("p", { id: "newer", class: "note warn", hidden: true }, say("该趟数据已更新，请重新查看后处理。", "The trip's figures have changed: look at them again."), " ", el("button", { type: "button", class: "quiet", onclick: () => { byId("newer").hidden = true; load(); } }, say("刷新", "Look again"))),
    el("div", { id: "trips", class: "cards" })),
  el("section", {}, el("h2", {}, say("缺件", "Stripped units")), el("div", { id: "parts" })),
  el("section", {}, el("h2", {}, say("本月进出存", "Stock this month")), el("div", { id: "month" })),
  el("section", {}, el("h2", {}, say("本站品类均值", "What units weigh here")), el("div", { id: "averages" })));

load().catch((problem) => fill(out, note(problem.message, "bad"))).finally(shown);
