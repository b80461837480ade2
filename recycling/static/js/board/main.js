// The planning board: one plan in hand, seen on the map, in time and in words; choosing and hovering are one in all.

import { ask, newKey } from "../api.js";
import { byId, el, fill, given, note, once } from "../dom.js";
import { ROUTE_COLOURS } from "../map.js";
import { mine, say } from "../words.js";
import { Carry } from "./carry.js";
import { Chart } from "./chart.js";
import { comparison } from "./compare.js";
import { Drag, keys } from "./drag.js";
import { Ground } from "./ground.js";
import { Judge } from "./judge.js";
import { showLeftOut } from "./left_out.js";
import { news } from "./news.js";
import { showChosen, showFigures, showVerdict } from "./panel.js";
import { runs } from "./run.js";
import { State } from "./state.js";
import { itemsText, windowText } from "./words.js";

const facts = given("facts");
const said = byId("said");
const tell = (text, kind = "") => fill(said, note(text, kind));

async function load() {
  if (facts.plan_id === null) {
    tell(facts.plannable ? say("当日尚未排线。可用下面的按钮自动排线。", "This day has no plan yet. Plan it with the button below.") : say("当日没有计划。", "This day has no plan."), "warn");
    return;
  }
  const { body: board } = await ask(`/plans/${facts.plan_id}/board`);
  await show(board);
}

async function show(board) {
  const judge = new Judge(board.id);
  const order = new Map(board.vehicles.map((vehicle, at) => [vehicle.key, at]));
  const colourOf = (vehicle) => ROUTE_COLOURS[order.get(vehicle) % ROUTE_COLOURS.length];
  const pieces = {};
  const state = new State(board, (what) => pieces.changed?.(what));
  byId("bar").hidden = false;
  byId("board").hidden = false;
  pieces.chart = new Chart(byId("chart"), state, colourOf);
  // What the pointer is at has judges of its own: a look at a place must not take the turn of the edits' verdict.
  const carry = new Carry(state, new Judge(board.id), (verdict, problem) => showVerdict(verdict, problem, state.edited));
  new Drag(pieces.chart, state, carry);
  const stopSaid = (id) => {
    const stop = state.stops.get(id);
    byId("spoken").textContent = `${state.vehicleOf(id) ?? say("未排入", "left out")} · ${windowText(stop)} · ${itemsText(stop)}`;
  };
  keys(pieces.chart, state, () => document.getElementById("to-vehicle")?.focus(), stopSaid);
  const moved = (id) => {
    pieces.chart.show(id);
    pieces.ground?.show(id);
  };
  pieces.changed = (what) => changed(what, { state, judge, ...pieces, moved });
  toolbar(state, pieces, judge);
  legend();
  if (board.why_fixed !== null) tell(`${say("只能查看：", "To look at only: ")}${mine(board.why_fixed)}`, "warn");
  pieces.changed("edits");
  pieces.changed("chosen");
  if (board.why_fixed === null) judge.warm();
  if (facts.plannable) news(state, facts.day);
  pieces.ground = await Ground.in(byId("map"), state, colourOf, carry);
}

function changed(what, { state, judge, chart, ground, moved }) {
  if (what === "edits") {
    byId("undo").disabled = !state.past.length;
    byId("redo").disabled = !state.future.length;
    byId("save").disabled = true;
    byId("publish").disabled = state.edited || state.board.published_plan_id === state.board.id || state.board.why_fixed !== null;
    if (state.edited) {
      const asked = state.sequences;
      judge.verdict(state.wish()).then((verdict) => verdict && state.sequences === asked && state.judged(verdict))
        .catch((problem) => state.sequences === asked && showVerdict(null, problem, true, () => state.changed("edits")));
    } else state.judged(null);
  }
  if (what === "verdict") {
    showFigures(state);
    showVerdict(state.verdict);
    byId("save").disabled = !state.edited || !state.verdict?.keeps_the_rules;
    for (const vehicle of state.redrawn) ground?.draw(vehicle);
    ground?.drawLeftOut();
    showLeftOut(state, judge, moved);
    showChosen(state, judge, moved);
    chart.lay();
  }
  if (what === "chosen") {
    showChosen(state, judge, moved);
    if (state.chosen) moved(state.chosen);
  }
  if (what === "chosen" || what === "hovered" || what === "verdict") {
    ground?.highlight();
    chart.paint();
  }
}

function toolbar(state, pieces, judge) {
  const { board } = state;
  fill(byId("version"), facts.versions.map((one) => el("option", { value: one.id, selected: one.id === board.id }, say(`第 ${one.version} 版`, `version ${one.version}`) + (one.published ? say("（已发布）", " (published)") : ""))));
  byId("version").addEventListener("change", (event) => location.assign(`/pages/board?day=${facts.day}&plan=${event.target.value}`));
  fill(byId("station"), el("option", { value: "" }, say("全部站点", "all stations")), board.stations.map((one) => el("option", { value: one.key }, say(one.name_zh, one.name_en))));
  byId("station").addEventListener("change", (event) => {
    state.station = event.target.value;
    pieces.chart.element.scrollTop = 0;
    pieces.chart.lay();
    pieces.ground?.drawAll();
  });
  byId("closer").addEventListener("click", () => pieces.chart.zoomBy(1.5));
  byId("wider").addEventListener("click", () => pieces.chart.zoomBy(1 / 1.5));
  byId("undo").addEventListener("click", () => state.undo());
  byId("redo").addEventListener("click", () => state.redo());
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.matches("input, textarea, select")) return;
    event.preventDefault();
    if (event.shiftKey) state.redo();
    else state.undo();
  });
  byId("compare").addEventListener("click", () => comparison(state, facts.versions, pieces.ground));
  byId("publish").addEventListener("click", () => publish(state));
  saving(state, judge);
}

/** Keep the edits as the next version. A newer version of somebody else is named first, never passed over. */
function saving(state) {
  let key = newKey();
  let kept = "";
  let newest = state.board.newest_version;
  const save = async () => {
    const routes = state.wish();
    const fingerprint = JSON.stringify(routes) + newest;
    if (fingerprint !== kept) [key, kept] = [newKey(), fingerprint]; // the same wish again is the same request
    try {
      const { body } = await ask(`/plans/${state.board.id}/edits`, { body: { routes }, key, version: newest });
      state.forget();
      location.replace(`/pages/board?day=${facts.day}&plan=${body.id}`);
    } catch (problem) {
      if (problem.status !== 412) throw problem;
      const { body } = await ask(`/plans?day=${facts.day}&limit=1`);
      const [latest] = body.plans;
      fill(said, note(problem.message, "warn"), el("div", { class: "links" },
        el("a", { class: "button", href: `/pages/board?day=${facts.day}&plan=${latest.id}`, target: "_blank", rel: "noopener" }, say(`查看第 ${latest.version} 版`, `Look at version ${latest.version}`)),
        el("button", { type: "button", onclick: (event) => once(event.target, () => {
          newest = latest.version;
          return save();
        }, said) }, say("仍然另存我的改动", "Keep mine beside it"))));
      said.scrollIntoView({ block: "nearest" });
    }
  };
  byId("save").addEventListener("click", (event) => once(event.currentTarget, save, said));
}

/** Publish the version shown, after a question: it closes the day and tells everybody. */
function publish(state) {
  const key = newKey();
  const { board } = state;
  const out = el("div", {});
  const close = () => dialog.remove();
  const dialog = el("dialog", { "aria-labelledby": "publish-title" },
    el("h2", { id: "publish-title" }, say(`发布第 ${board.version} 版？`, `Publish version ${board.version}?`)),
    el("p", {}, say("发布后当日停止预约，居民和回收员会收到通知。", "The day then takes no more bookings, and residents and crews are told.")),
    board.unassigned.length ? note(say(`有 ${board.unassigned.length} 个预约未排入，其居民会被告知。`, `${board.unassigned.length} booking(s) are left out; their residents are told so.`), "warn") : null,
    out,
    el("div", { class: "links" },
      el("button", { type: "button", id: "publish-now", onclick: (event) => once(event.target, async () => {
        await ask(`/plans/${board.id}/publication`, { body: { replaces: board.published_plan_id }, key });
        location.replace(`/pages/board?day=${facts.day}&plan=${board.id}`);
      }, out) }, say("发布", "Publish")),
      el("button", { type: "button", class: "quiet", onclick: close }, say("先不发布", "Not now"))));
  dialog.addEventListener("close", close);
  document.body.append(dialog);
  dialog.showModal();
}

function legend() {
  const mark = (name, text) => el("span", {}, el("span", { class: `mark ${name}` }), text);
  fill(byId("legend"), mark("drive", say("行驶", "driving")), mark("serve", say("作业", "service")), mark("wait", say("等待", "waiting")), mark("rest", say("午休", "rest")), mark("unload", say("卸货", "unloading")),
    mark("window", say("预约时段", "promised window")), mark("load", say("装载 kg", "load in kg")), mark("load litres", say("装载 L", "load in litres")));
}

try {
  await Promise.all([load(), runs(facts)]);
} catch (problem) {
  tell(problem.message, "bad");
} finally {
  document.querySelector("main").removeAttribute("aria-busy");
}
