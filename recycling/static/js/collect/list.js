// The route: what to do now, what changed, and all steps below.

import { el, note } from "../dom.js";
import { count, moment, say } from "../words.js";
import { aheadMs } from "./clock.js";
import { due, named, phaseChip, stepName } from "./parts.js";
import { actions, stopFacts } from "./stop.js";

const CLOCK_OFF_MS = 5 * 60_000; // from where the server flags records

/** The screen. */
export function listScreen(app) {
  const { route, day } = app;
  if (!route) return [nothingKept(app)];
  if (!route.steps.length) return [note(app.inMyLanguage(route.note ?? say("今天没有停靠点。", "There are no stops today."))), freshness(app)];
  return [
    warnings(app),
    changes(app),
    day.next ? el("section", { class: "card now", "aria-labelledby": "now" },
      el("p", { class: "small" }, day.began ? say("现在", "Now") : say("出车前", "Before you leave")),
      day.began ? null : bring(route),
      el("h2", { id: "now" }, el("a", { href: day.next.pickup ? `#stop=${day.next.pickup.booking_id}` : `#step=${day.next.position}` }, `${day.next.position ? `${day.next.position} · ` : ""}${stepName(day.next)}`)),
      stopFacts(day.next, { short: true })) : note(say("今天的停靠点都已完成，辛苦了。", "All of today's stops are done. Thank you.")),
    el("p", { class: "sum" }, say(`上门 ${day.done}/${day.doors}`, `${day.done} of ${day.doors} doors done`), ` · ${route.vehicle_key}`),
    el("ol", { class: "steps" }, day.steps.map((step) => line(step, step === day.next, day.isDone(step)))),
    freshness(app),
    el("div", { class: "act" }, day.next ? actions(app, day.next) : null),
  ];
}

function line(step, isNext, isDone) {
  const items = step.pickup?.items.filter((item) => item.declared_units).map((item) => `${named(item)}×${item.declared_units}`).join(say("、", ", "));
  return el("li", { class: `${isDone ? "done" : ""} ${step.pickup ? "" : "other"}` },
    el("a", { href: step.pickup ? `#stop=${step.pickup.booking_id}` : `#step=${step.position}`, "aria-current": isNext ? "step" : null },
      el("span", { class: "when" }, due(step)),
      el("span", { class: "what" }, el("strong", {}, `${step.position ? `${step.position} ` : ""}${stepName(step)}`), items ? el("span", { class: "small" }, items) : null),
      step.phase === "waiting" ? null : phaseChip(step)));
}

const bring = (route) => route.bring.length ? el("p", {}, say("带齐：", "Bring: "), route.bring.map((row) => el("span", { class: "chip" }, `${named(row)} × ${row.stops}`))) : null;

function changes(app) {
  const { route } = app;
  if (!route.changes.length) return null;
  return el("section", { class: "note warn", role: "status" },
    el("h2", {}, say(`路线有变化（第 ${route.version} 版）`, `The route has changed (version ${route.version})`)),
    el("ul", {}, route.changes.map((change) => el("li", {}, said(change)))),
    el("button", { type: "button", onclick: app.acknowledge }, say("知道了", "I have read it")));
}

function said({ kind, step_kind, village_name_zh, before, after }) {
  const what = village_name_zh ?? { unload: say("卸货", "unload"), break: say("午休", "lunch"), end: say("返回", "return"), start: say("出发", "start") }[step_kind];
  const at = (place) => place ? `${say(`第 ${place.position} 站`, `stop ${place.position}`)} ${place.arrival}` : "–";
  return `${what}：${{
    added: say(`新增，${at(after)}`, `added, ${at(after)}`), removed: say(`取消，原 ${at(before)}`, `removed, was ${at(before)}`),
    moved: say(`顺序调整，${at(before)} → ${at(after)}`, `moved, ${at(before)} → ${at(after)}`),
    arrival: say(`到达 ${before?.arrival} → ${after?.arrival}`, `arrival ${before?.arrival} → ${after?.arrival}`),
    station: say(`站点改为 ${named(after?.station)}`, `station is now ${named(after?.station)}`),
  }[kind]}`;
}

function warnings(app) {
  const off = Math.round(Math.abs(aheadMs()) / 60_000);
  return [
    app.sending.signedOut ? el("div", { class: "note warn", role: "alert" }, say("登录已过期。记录都在手机里，请登录后自动发送。", "Your sign-in is over. Your records are kept here; sign in and they are sent. "), signIn()) : null,
    Math.abs(aheadMs()) > CLOCK_OFF_MS ? note(say(`手机时间${aheadMs() > 0 ? "快" : "慢"}了约 ${count(off)} 分钟，请在系统设置中打开“自动确定时间”。`, `This phone's clock is ${count(off)} minutes ${aheadMs() > 0 ? "ahead" : "behind"}; switch automatic time on in its settings.`), "warn") : null,
  ];
}

function nothingKept(app) {
  if (app.sending.signedOut) return el("div", { class: "card" }, el("h2", {}, say("请登录", "Please sign in")), el("p", {}, app.waiting ? say(`手机里有 ${app.waiting} 条记录，由记录人登录后自动发送。`, `${app.waiting} records are kept here; they are sent once whoever made them has signed in.`) : say("登录后显示今天的路线。", "Today's route is shown once you have signed in.")), signIn());
  if (app.fetching) return note(say("正在读取今天的路线…", "Fetching today's route…"));
  return el("div", {}, note(say("没有网络，手机里也没有今天的路线。到有信号的地方再打开一次即可。", "There is no network, and today's route is not kept here. Open this page once where there is signal."), "warn"),
    el("button", { type: "button", onclick: app.refresh }, say("再试一次", "Try again")));
}

export const signIn = () => el("a", { class: "button", href: "/pages/sign-in?next=/pages/collect" }, say("登录", "Sign in"));

const freshness = (app) => el("p", { class: "small fresh" }, say(`清单更新于 ${moment(app.route.fetched_at)}`, `List of ${moment(app.route.fetched_at)}`),
  app.offline ? say("（现在没有网络，照常记录即可）", " (no network now; go on recording)") : "",
  el("button", { type: "button", class: "quiet", onclick: app.refresh }, say("刷新", "Refresh")));
