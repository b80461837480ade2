// The collector's page: what is kept on the phone, drawn; what is tapped, recorded; what is recorded, sent.

import { ask } from "../api.js";
import { byId, el, fill, note } from "../dom.js";
import { mine, say } from "../words.js";
import { nowMs } from "./clock.js";
import { failScreen } from "./fail.js";
import { finishScreen } from "./finish.js";
import { closeDraft } from "./forms.js";
import { listScreen } from "./list.js";
import { moreScreen, noteScreen } from "./more.js";
import { kindWord } from "./parts.js";
import { queueScreen } from "./queue.js";
import { record } from "./record.js";
import { acknowledge, dropRoutes, fetchRoute, keptRoute } from "./route.js";
import { keepSending, soon, state as sending } from "./send.js";
import { stateOf } from "./state.js";
import { stopScreen } from "./stop.js";
import { all, hear, tell, within } from "./store.js";
import { watchVersions } from "./version.js";
import { forgotten, remembered } from "./who.js";

const FRESH_MS = 120_000;
const FACTS = { item_types: "/item-types", failed_visit_codes: "/failed-visit-codes", proof_rules: "/proof-rules", stations: "/district-map" };
const LIVE = ["list", "stop", "step", "queue"]; // screens in which nothing is typed: they follow what happens

const app = {
  who: null, route: null, records: [], photos: [], waiting: 0, others: 0, day: stateOf(null, []), sending, fetching: true, offline: false,
  facts: { item_types: [], failed_visit_codes: [], proof_rules: [], stations: [] }, inMyLanguage: mine,

  async record({ stay = false, ...what }) {
    if (!app.who || !app.route) throw new Error(say("登录已过期，请重新登录；填写的内容已保留", "your sign-in is over; sign in again, what you filled in is kept"));
    const { whose } = app.who;
    const isNew = await record({ whose, day: app.route.day, plan_version: app.route.version, ...what });
    closeDraft(what.draft);
    if (isNew) byId("said").textContent = say(`已记录：${kindWord(what.kind)}`, `Recorded: ${kindWord(what.kind)}`);
    await load();
    badge();
    soon();
    // Over the form, so that the way back does not lead into it again.
    if (stay) return;
    if (!LIVE.includes(place().screen)) history.replaceState(null, "", "#list");
    await draw({ arrived: true });
  },
  async acknowledge() { await acknowledge(app.who.whose); await follow(); },
  async read(row) { await within(["records"], (records) => records.put({ ...row, state: "read" })); tell(); await follow(); },
  async dropPhoto(photo) { await within(["photos"], (photos) => photos.drop(photo.key)); await follow(); },
  async left() { await dropRoutes(); await forgotten(); location.assign("/pages/sign-in?next=/pages/collect"); },
  refresh: () => refresh(true),
  sendNow: () => { soon(); void follow(); },
  go: (hash) => { location.replace(hash); },
};

function place() {
  const [screen, id = ""] = location.hash.slice(1).split("=");
  return { screen: screen || "list", id: decodeURIComponent(id) };
}

/** Read what the phone keeps. */
async function load() {
  app.who = sending.who ?? (sending.signedOut ? null : await remembered()) ?? null;
  if (sending.signedOut) await dropRoutes();
  app.route = await keptRoute(app.who);
  const rows = await all("records");
  app.records = rows.filter((row) => row.whose === app.who?.whose);
  app.photos = (await all("photos")).filter((photo) => photo.whose === app.who?.whose);
  const isWaiting = (row) => row.state === "waiting";
  app.waiting = (app.who ? app.records : rows).filter(isWaiting).length + app.photos.filter(isWaiting).length;
  app.others = app.who ? rows.filter((row) => row.whose !== app.who.whose && isWaiting(row)).length : 0;
  app.day = stateOf(app.route, app.records.filter((row) => row.day === app.route?.day));
}

/** Fetch the list, if there is a network and it is not fresh. */
async function refresh(wanted = false) {
  if (!sending.who || (!wanted && app.route && nowMs() - app.route.fetched_at < FRESH_MS)) { app.fetching = false; return follow(); }
  try {
    await fetchRoute(sending.who);
    app.offline = false;
    if (Object.values(app.facts).some((rows) => !rows.length)) void learn();
  } catch (problem) {
    app.offline = problem.status === 0;
    if (problem.status === 401) soon();
  }
  app.fetching = false;
  return follow();
}

async function follow() {
  await load();
  badge();
  if (LIVE.includes(place().screen)) await draw();
}

function badge() {
  const troubles = app.records.filter((row) => row.state === "conflict" || row.state === "refused").length + app.photos.filter((photo) => photo.state === "refused").length;
  const link = byId("queue");
  link.className = `queue ${troubles || sending.signedOut ? "bad" : app.waiting ? "warn" : "ok"}`;
  link.textContent = [app.waiting ? say(`待发 ${app.waiting}`, `${app.waiting} to send`) : say("已发送", "all sent"), troubles ? say(`待看 ${troubles}`, `${troubles} to read`) : ""].filter(Boolean).join(" · ");
}

const SCREENS = {
  list: [() => say("今日收运", "Today's route"), () => listScreen(app)],
  stop: [(step) => step ? say(`第 ${step.position} 站`, `Stop ${step.position}`) : say("停靠点", "Stop"), (step) => stopScreen(app, step)],
  step: [(step) => step?.position ? say(`第 ${step.position} 站`, `Stop ${step.position}`) : say("停靠点", "Stop"), (step) => stopScreen(app, step)],
  finish: [() => say("完成上门", "Finish the visit"), (step) => app.day.isDone(step) ? stopScreen(app, step) : finishScreen(app, step)],
  again: [() => say("更正结果", "Put it right"), (step) => finishScreen(app, step, { again: true })],
  "again-fail": [() => say("更正结果", "Put it right"), (step) => failScreen(app, step)],
  fail: [() => say("未收", "Not collected"), (step) => app.day.isDone(step) ? stopScreen(app, step) : failScreen(app, step)],
  note: [() => say("备注", "Note"), (step) => noteScreen(app, step)],
  map: [() => say("地图", "Map"), () => drawnMap().then((drawn) => drawn.mapScreen(app), () => note(say("地图还没有保存在手机里，有网络时打开一次即可。", "The map is not kept here yet; open it once where there is a network."), "warn"))],
  more: [() => say("更多", "More"), () => moreScreen(app)],
  queue: [() => say("发送情况", "What is sent"), () => queueScreen(app)],
};
// The map's library is larger than all the rest, and read when somebody looks at the map.
let map = null;
const drawnMap = () => map ??= (async () => {
  const leaflet = new URL("../../vendor/leaflet-1.9.4/leaflet", import.meta.url).href;
  document.head.append(el("link", { rel: "stylesheet", href: `${leaflet}.css` }));
  await new Promise((resolve, reject) => document.head.append(el("script", { src: `${leaflet}.js`, onload: resolve, onerror: reject })));
  return import("./mapped.js");
})().catch((error) => { map = null; throw error; });
const OF_A_DOOR = ["stop", "finish", "again", "again-fail", "fail"];

let drawing = 0;
// What is drawn anew under a finger loses its tap: it waits until the finger is up.
let pressed = false;
let missed = false;
addEventListener("pointerdown", () => { pressed = true; }, true);
for (const over of ["pointerup", "pointercancel"]) {
  addEventListener(over, () => setTimeout(() => {
    pressed = false;
    if (missed) void draw();
  }), true);
}

async function draw({ arrived = false } = {}) {
  missed = pressed && !arrived;
  if (missed) return;
  drawing += 1;
  const turn = drawing;
  const { screen, id } = place();
  const [title, show] = SCREENS[screen] ?? SCREENS.list;
  const step = app.day.steps.find((one) => screen === "step" ? String(one.position) === id : one.pickup && one.pickup.booking_id === id);
  const main = byId("content");
  const held = main.contains(document.activeElement) ? document.activeElement : null;
  const heldAt = held && [held.tagName, held.textContent];
  const drawn = OF_A_DOOR.includes(screen) && !step ? stopScreen(app, null) : await show(step);
  if (turn !== drawing) return; // something newer is on its way
  byId("title").textContent = title(step);
  document.title = `${title(step)} · ${say("薛城回收", "Xuecheng Recycling")}`;
  byId("back").hidden = ["list", "map", "more"].includes(screen) || !SCREENS[screen];
  for (const tab of document.querySelectorAll(".tabs a")) {
    if (tab.hash === `#${screen}`) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  fill(main, [drawn].flat(4));
  main.removeAttribute("aria-busy");
  if (arrived) { scrollTo(0, 0); main.focus({ preventScroll: true }); }
  else if (heldAt) [...main.querySelectorAll(heldAt[0])].find((one) => one.textContent === heldAt[1])?.focus({ preventScroll: true });
}

async function learn() {
  for (const [name, path] of Object.entries(FACTS)) {
    try {
      app.facts[name] = (await ask(path, { dialog: false })).body[name];
    } catch {
      // what the worker keeps is used where there is something; else the lists stay empty until there is a network
    }
  }
}

addEventListener("hashchange", () => draw({ arrived: true }));
addEventListener("online", () => refresh(true));
document.addEventListener("visibilitychange", () => { if (!document.hidden) void refresh(); });
hear(() => void follow());
setInterval(() => { if (!document.hidden) void refresh(); }, FRESH_MS / 2);

try {
  await load();
  if (app.route) { app.fetching = false; badge(); await draw(); }
  watchVersions(() => LIVE.includes(place().screen)).catch(() => {}); // not kept this time: it needs a network to open
  const learnt = learn();
  keepSending(({ stale }) => void (stale ? refresh(true) : refresh()));
  await learnt;
  if (!LIVE.includes(place().screen)) await draw();
} catch (error) {
  fill(byId("content"), note(say("这个浏览器不让本页保存数据（无痕模式或空间已满），无法离线记录。请换普通模式打开，或腾出空间。", "This browser lets the page keep nothing (private mode, or no room left). Open it in a normal window, or free some room."), "bad"));
  byId("content").removeAttribute("aria-busy");
  throw error;
}
