// Two versions of the day: what each comes to, which visits move, on the map and in a table.

import { ask } from "../api.js";
import { byId, el, fill, note, once } from "../dom.js";
import { clock, count, km, say } from "../words.js";
import { minutes, short, signed } from "./words.js";

const KINDS = { left_out: say("排出", "left out"), put_in: say("新排入", "put in"), moved: say("换车", "other vehicle"), retimed: say("改时间", "other time") };
const MOST = 200; // rows; the count says how many there are

/** Offer the other versions, and show the differences from the one taken. */
export function comparison(state, versions, ground) {
  const box = byId("comparison");
  const others = versions.filter((one) => one.id !== state.board.id);
  box.hidden = false;
  const out = el("div", {});
  if (!others.length) return fill(byId("compared"), el("p", {}, say("当日只有这一个版本。", "This is the only version of the day.")));
  const chosen = state.board.base_plan_id ?? others[0].id;
  const select = el("select", { id: "other" }, others.map((one) => el("option", { value: one.id, selected: one.id === chosen }, say(`第 ${one.version} 版`, `version ${one.version}`) + (one.published ? say("（已发布）", " (published)") : ""))));
  const button = el("button", { type: "button" }, say("比较", "Compare"));
  const show = () => once(button, async () => {
    const { body } = await ask(`/plans/${state.board.id}/differences?other=${select.value}`);
    ground?.compare(body.visits);
    fill(out, figures(body), visits(body.visits, state));
  }, out);
  button.addEventListener("click", show);
  fill(byId("compared"), el("form", { class: "choose no-print", onsubmit: (event) => event.preventDefault() }, el("label", { for: "other" }, say("与之比较", "Compare with")), select, button), out);
  box.scrollIntoView({ block: "start" });
  return show();
}

function figures({ before, after }) {
  const line = (name, of, text) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "num" }, text(of(before))), el("td", { class: "num" }, text(of(after))), el("td", { class: "num" }, signed(of(after) - of(before), text)));
  return el("div", { class: "wide" }, el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, ""), ...[before, after].map((one) => el("th", { scope: "col", class: "num" }, say(`第 ${one.version} 版`, `version ${one.version}`))), el("th", { scope: "col", class: "num" }, say("差", "difference")))),
    el("tbody", {},
      line(say("守约上门", "Promises kept"), (one) => one.kept, count), line(say("未排入", "Left out"), (one) => one.left_out, count),
      line(say("成本", "Cost"), (one) => one.cost.total - one.cost.skipped, count), line(say("路线", "Routes"), (one) => one.routes, count),
      line(say("里程", "Distance"), (one) => one.distance_m, km), line(say("行驶", "Driving"), (one) => one.travel_s, minutes))));
}

function visits(rows, state) {
  if (!rows.length) return note(say("两版的上门安排相同。", "Both have the same visits at the same times."));
  const where = (vehicle, second) => (vehicle === null ? say("未排入", "left out") : `${vehicle} ${clock(second)}`);
  const first = Object.keys(KINDS); // what is graver before what is not
  rows.sort((one, other) => first.indexOf(one.kind) - first.indexOf(other.kind));
  return el("div", { class: "wide tall", tabindex: "0", role: "region", "aria-label": say("有变动的上门", "Visits that differ") }, el("table", {},
    el("caption", {}, say(`${rows.length} 个上门有变动`, `${rows.length} visits differ`) + (rows.length > MOST ? say(`，列出前 ${MOST} 个`, `, the first ${MOST} are listed`) : "")),
    el("thead", {}, el("tr", {}, [say("预约", "Booking"), say("变动", "Change"), say("之前", "Before"), say("之后", "After")].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.slice(0, MOST).map((one) => el("tr", {},
      el("td", {}, el("button", { type: "button", class: "quiet", onclick: () => state.stops.has(one.booking_id) && state.choose(one.booking_id) }, short(one.booking_id))),
      el("td", {}, KINDS[one.kind]), el("td", { class: "nowrap" }, where(one.vehicle_before, one.start_before_s)), el("td", { class: "nowrap" }, where(one.vehicle_after, one.start_after_s)))))));
}
