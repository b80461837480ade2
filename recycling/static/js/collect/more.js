// What happens beside the doors: lunch, unloads, faults, notes, taking back, and how the page looks.

import { ask } from "../api.js";
import { el } from "../dom.js";
import { english, moment, say } from "../words.js";
import { button, field, kindWord, named, photoField, stepName } from "./parts.js";
import { smallPhoto } from "./photo.js";
import { newEventId } from "./record.js";

const LIGHTS = { "": ["随系统", "As the phone"], day: ["白天", "Day"], night: ["夜间", "Night"] };

/** The screen. */
export function moreScreen(app) {
  const { day, route } = app;
  return [
    route && day.last ? lastRecord(app) : null,
    route?.steps.length ? el("section", {}, el("h2", {}, say("班次", "Shift")),
      el("div", { class: "pairs" },
        day.began && !day.ended ? button(say("收车", "End the shift"), () => app.record({ kind: "shift_end" }), "second") : button(say("出车", "Begin the shift"), () => app.record({ kind: "shift_start" }), "second"),
        day.resting ? button(say("午休结束", "Lunch is over"), () => app.record({ kind: "break_end" }), "second") : button(say("午休开始", "Lunch begins"), () => app.record({ kind: "break_start" }), "second"))) : null,
    route?.steps.length ? unload(app) : null,
    route?.steps.length ? fault(app) : null,
    route?.steps.length ? el("p", {}, el("a", { class: "button quiet", href: "#note" }, say("写备注", "Write a note"))) : null,
    look(),
    el("p", { class: "links" }, el("a", { class: "button quiet", href: "/pages/my-route" }, say("路线清单、打印", "Route list, to print")), el("a", { class: "button quiet", href: "/" }, say("首页", "Home"))),
    el("p", { class: "links" }, ...signOut(app)),
  ];
}

function lastRecord(app) {
  const { last } = app.day;
  const step = app.day.steps.find((one) => one.pickup?.booking_id === last.booking_id);
  return el("section", { class: "card" }, el("h2", {}, say("上一条记录", "The last record")),
    el("p", {}, `${kindWord(last.kind)}${step ? ` · ${stepName(step)}` : ""} · ${moment(last.at)}`),
    button(say("撤销这一条", "Take it back"), () => app.record({ kind: "undo", booking_id: last.booking_id, payload: { undoes: last.event_id } }), "second"));
}

function unload(app) {
  const stations = new Map(app.route.steps.filter((step) => step.station).map((step) => [step.station.key, step.station]));
  for (const station of app.facts.stations) if (!stations.has(station.key)) stations.set(station.key, station);
  const chosen = el("select", {}, [...stations.values()].map((station) => el("option", { value: station.key }, named(station))));
  return el("section", {}, el("h2", {}, say("卸货", "Unload")), field("station", say("站点", "Station"), chosen),
    el("div", { class: "pairs" },
      button(say("到站", "At the station"), () => app.record({ kind: "arrive", payload: { station_key: chosen.value } }), "second"),
      button(say("已卸货", "Unloaded"), () => app.record({ kind: "unload", payload: { station_key: chosen.value } }), "second")));
}

function fault(app) {
  const what = el("textarea", { rows: 2, maxlength: 500 });
  const tell = (drives) => app.record({ kind: "fault", payload: { drives, ...(what.value.trim() && { note: what.value.trim() }) } });
  return el("section", {}, el("h2", {}, say("车辆故障", "Vehicle fault")), field("fault", say("怎么了", "What is wrong"), what),
    el("div", { class: "pairs" }, button(say("还能开", "It still drives"), () => tell(true), "second"), button(say("不能开，通知调度", "It stands; tell the dispatcher"), () => tell(false), "second bad")));
}

function look() {
  const now = localStorage.getItem("light") ?? "";
  const choose = (wish) => () => { localStorage.setItem("light", wish); dispatchEvent(new Event("light")); };
  const other = english ? "zh" : "en";
  return el("section", {}, el("fieldset", { class: "lights" }, el("legend", {}, say("亮度", "Light")),
    Object.entries(LIGHTS).map(([wish, words]) => el("label", { class: "tick" }, el("input", { type: "radio", name: "light", checked: wish === now, onchange: choose(wish) }), say(...words)))),
    el("button", { type: "button", class: "quiet", lang: english ? "zh-CN" : "en", onclick: () => { document.cookie = `lang=${other}; path=/; max-age=31536000; samesite=lax`; location.reload(); } }, english ? "中文" : "English"));
}

function signOut(app) {
  if (!app.who) return [];
  return [
    app.waiting ? el("p", { class: "note warn" }, say(`还有 ${app.waiting} 条没有发送；退出后保留在手机里，等你下次登录再发。`, `${app.waiting} are not sent yet; they stay on this phone until you sign in again.`)) : null,
    ...button(say("退出登录", "Sign out"), async () => { await ask("/me/sign-in", { method: "DELETE", dialog: false }); await app.left(); }, "quiet"),
  ];
}

/** A note, with photos where it is about a door. */
export function noteScreen(app, step) {
  const photos = [];
  const text = el("textarea", { rows: 4, maxlength: 500 });
  const booking_id = step?.pickup.booking_id ?? null;
  const ids = new Map(); // of what is kept already when the rest was not: kept once, however often it is tapped
  const idOf = (what) => ids.get(what) ?? ids.set(what, newEventId()).get(what);
  return [
    step ? el("p", { class: "lead" }, stepName(step)) : null,
    field("note", say("备注", "Note"), text),
    step ? photoField(photos, () => {}, smallPhoto) : null,
    el("div", { class: "act" }, button(say("保存", "Keep"), async () => {
      if (!text.value.trim() && !photos.length) throw new Error(say("请写备注或拍照", "Write something, or take a photo."));
      for (const photo of photos) await app.record({ kind: "photo", booking_id, payload: { photo_sha256: photo.sha256 }, photos: [photo], event_id: idOf(photo.sha256), stay: true });
      if (text.value.trim()) await app.record({ kind: "note", booking_id, payload: { note: text.value.trim() }, event_id: idOf(text.value.trim()), stay: true });
      app.go(step ? `#stop=${booking_id}` : "#list");
    }, "big")),
  ];
}
