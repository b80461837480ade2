// The goal page: last year beside this one, months, the forecast and what moves it, drawn after the figures stand.

import { ask } from "../api.js";
import { el, fill, byId, given, note } from "../dom.js";
import { say } from "../words.js";
import { cumulated, drawFan, drawMonths } from "./drawings.js";
import { amount, change, idly, percent, script, shownInFull, sized, style, table, whenNear } from "./pieces.js";

const facts = given("facts");
const sectionOf = (label) => document.querySelector(`[data-scope="${CSS.escape(label)}"]`);
const AMOUNT = { units: "units", mass: "recovered_g" };

const monthName = (number) => say(`${number} 月`, new Date(2000, number - 1).toLocaleDateString("en-GB", { month: "long" }));

function lastYear(section, scope, months) {
  const out = section.querySelector('[data-part="last-year"]');
  const before = months.last_year;
  if (!before) {
    fill(out, "–", el("span", { class: "small" }, say("去年同期数据不全", "last year is not known")));
    return;
  }
  const name = AMOUNT[scope.unit];
  const now = before.whole_months ? before[`this_${name}`] : scope.recovered[name];
  const until = before.whole_months
    ? say(`1–${monthName(Number(before.until.slice(5, 7)))}整月对比`, `January to ${monthName(Number(before.until.slice(5, 7)))}, whole months`)
    : say(`去年至 ${before.until}`, `last year to ${before.until}`);
  fill(out, change(now, before[name]), el("span", { class: "small" }, `${until}: ${amount(before[name], scope.unit)}`));
}

function monthsTable(section, months) {
  const [last, present] = months.years;
  const told = (month) => (month?.source === "declared" ? say("（申报）", " (declared)") : "");
  const cells = (month) => [`${amount(month?.units ?? null, "units")}${month?.units == null ? "" : told(month)}`, amount(month?.recovered_g ?? null, "mass")];
  const rows = last.months.map((month, at) => [monthName(at + 1), ...cells(present.months[at]), ...cells(month)]);
  const of = (year, word) => ({ name: `${year} ${word}`, num: true });
  fill(section.querySelector('[data-part="months"]'), table(say("逐月回收量", "Months"), [
    { name: say("月份", "Month") },
    of(present.year, say("件数", "units")), of(present.year, say("重量", "mass")), of(last.year, say("件数", "units")), of(last.year, say("重量", "mass")),
  ], rows));
}

function forecastPart(section, forecast) {
  const out = section.querySelector('[data-part="forecast"]');
  const measured = forecast.measures.find((one) => one.measure === forecast.unit);
  const whole = measured.forecast;
  const parts = [];
  if (whole) {
    const chance = whole.probability_bp;
    parts.push(el("p", { class: "headline" },
      el("strong", { class: "big" }, amount(whole.projected, forecast.unit)), " ", say("预计年末", "expected at the end of the year"), " ",
      chance !== null
        ? el("span", { class: "chip" }, say(`达标概率 ${percent(chance)}`, `probability of the goal ${percent(chance)}`))
        : el("span", { class: "chip warn" }, forecast.goal ? say("暂不给出概率", "no probability yet") : say("本口径本年无目标", "no goal in this scope this year"))));
  }
  parts.push(el("p", { class: "small" }, say(measured.words_zh, measured.words_en)));
  if (whole?.declared) {
    const [declared, weighed] = [whole.declared, whole.recovered - whole.declared].map((value) => amount(value, forecast.unit));
    parts.push(el("p", { class: "note" }, say(
      `预测所依据的本年数量：磅单 ${weighed}，另有申报月份 ${declared}。申报数计入预测、同比和抓手，不计入“年初至今”与目标完成率，二者只计磅单。`,
      `Of this year the forecast counts ${weighed} on tickets and ${declared} in declared months. What was declared counts in the forecast, the comparison with last year and the levers, not in the year to date nor in progress: those are of tickets alone.`)));
  }
  if (whole?.intervals.length) {
    const rows = whole.intervals.map((one) => [say(`${one.percent} % 可能`, `${one.percent} times in 100`), amount(one.low, forecast.unit), amount(one.high, forecast.unit)]);
    if (measured.target) rows.push([say("年度目标", "goal of the year"), amount(measured.target, forecast.unit), ""]);
    parts.push(el("details", { class: "numbers" }, el("summary", {}, say("数据表", "The numbers")),
      table(say("年末区间", "The end of the year"), [{ name: say("把握", "How sure") }, { name: say("不低于", "from"), num: true }, { name: say("不高于", "to"), num: true }], rows)));
  }
  fill(out, parts);
}

const KINDS = {
  town_unit: ["镇街", "town-level unit"], item_type: ["品类", "item type"], unserved_demand: ["未满足的需求", "unserved demand"], channel: ["渠道", "channel"],
};

function levers(section, forecast) {
  const out = section.querySelector('[data-part="levers"]');
  if (!forecast.levers.length) return;
  const ranked = [...forecast.levers].sort((a, b) => b.amount - a.amount);
  const pulled = ranked.filter((one) => one.kind !== "channel");
  const line = (one) => el("li", {}, el("strong", {}, `${say(one.name_zh, one.name_en)} `), el("span", { class: "chip" }, say(...KINDS[one.kind])),
    ` ${amount(one.amount, forecast.unit)}`, el("span", { class: "small block" }, say(one.zh, one.en)));
  const first = (pulled.length ? pulled : ranked).slice(0, 5);
  const rest = ranked.filter((one) => !first.includes(one));
  fill(out, el("h3", {}, say("可用抓手：先做哪些最见效", "Which lever moves it most")), el("ol", { class: "levers" }, first.map(line)),
    rest.length ? el("details", {}, el("summary", {}, say(`其余 ${rest.length} 项`, `${rest.length} more`)), el("ol", { class: "levers", start: first.length + 1 }, rest.map(line))) : null);
}

async function map(section, scope) {
  const element = section.querySelector('[data-drawing="map"]');
  await Promise.all([script(facts.drawn_with.maps), style(facts.drawn_with.maps_style), sized(element)]);
  const { districtMap } = await import("../map.js");
  const { map: drawn, ground } = await districtMap(element, { stations: false });
  const name = AMOUNT[scope.unit];
  const most = Math.max(1, ...scope.by_town.map((row) => row[name]));
  const seats = new Map(ground.town_units.map((town) => [town.key, town]));
  for (const row of scope.by_town) {
    const seat = seats.get(row.town_key);
    if (!seat) continue;
    const words = `${say(row.name_zh, row.name_en)}: ${amount(row[name], scope.unit)}`;
    window.L.circleMarker([seat.lat, seat.lon], { radius: 4 + 22 * Math.sqrt(Math.max(0, row[name]) / most), color: "#0b6b4a", weight: 1, fillColor: "#0b6b4a", fillOpacity: 0.35 })
      .bindTooltip(words).addTo(drawn);
    const label = document.createElement("span");
    label.textContent = say(row.name_zh, row.name_en);
    window.L.marker([seat.lat, seat.lon], { interactive: false, keyboard: false, icon: window.L.divIcon({ className: "town-name", html: label, iconSize: [0, 0] }) }).addTo(drawn);
  }
}

const trouble = (problem) => fill(byId("trouble"), note(problem.message, "warn"));

// The library is fetched while nobody waits; each picture is drawn when somebody comes near it.
async function draw(months, forecasts) {
  for (const scope of facts.scopes) {
    const section = sectionOf(scope.label);
    whenNear(section.querySelector('[data-drawing="map"]'), () => map(section, scope).catch(trouble));
  }
  await script(facts.drawn_with.charts);
  for (const scope of facts.scopes) {
    const section = sectionOf(scope.label);
    const own = months.find((one) => one.scope === scope.label);
    const measured = forecasts.find((one) => one.scope === scope.label).measures.find((one) => one.measure === scope.unit);
    const [bars, fan] = ["months", "fan"].map((name) => section.querySelector(`[data-drawing="${name}"]`));
    whenNear(bars, () => drawMonths(bars, own, scope.unit, measured.target));
    whenNear(fan, () => drawFan(fan, { months: cumulated(own, scope.unit), unit: scope.unit, measured, on: facts.on }));
  }
}

async function start() {
  const main = document.querySelector("main");
  try {
    const [{ body: months }, { body: forecast }] = await Promise.all([ask(`/goal-months?on=${facts.on}`), ask(`/goal-forecast?on=${facts.on}`)]);
    for (const scope of facts.scopes) {
      const section = sectionOf(scope.label);
      const own = months.scopes.find((one) => one.scope === scope.label);
      const likely = forecast.scopes.find((one) => one.scope === scope.label);
      lastYear(section, scope, own);
      monthsTable(section, own);
      forecastPart(section, likely);
      levers(section, likely);
    }
    idly(() => draw(months.scopes, forecast.scopes).catch(trouble));
  } catch (problem) {
    fill(byId("trouble"), note(`${problem.message} ${say("下方数字不受影响；刷新页面可重试。", "The figures below stand; reload the page to try again.")}`, "bad"));
    for (const out of document.querySelectorAll('[data-part="last-year"], [data-part="forecast"]')) fill(out, "–");
  } finally {
    main.removeAttribute("aria-busy");
  }
}

shownInFull();
start();
