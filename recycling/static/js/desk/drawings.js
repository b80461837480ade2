// The goal page's charts as ECharts takes them.

import { COLOURS, NOTHING, chart } from "../charts.js";
import { el, fill } from "../dom.js";
import { count, say } from "../words.js";

const MONTHS = Array.from({ length: 12 }, (_, at) => say(`${at + 1} 月`, String(at + 1)));
const FIELD = { units: "units", mass: "recovered_g" };

// Grams are drawn as kilograms.
const scaled = (value, unit) => (value === null || value === undefined ? null : unit === "units" ? value : value / 1000);
const unitName = (unit) => (unit === "units" ? say("台(套)/件", "units") : "kg");

// The same frame for all: small on a phone.
const frame = (unit) => ({
  legend: { type: "scroll", bottom: 0, itemGap: 18, textStyle: { color: "#1c2a25", fontFamily: "sans-serif", fontSize: 12 } }, // measured by a canvas, which inherits nothing
  grid: { left: 8, right: 16, top: 36, bottom: 36, containLabel: true },
  xAxis: { type: "category", data: MONTHS, axisTick: { alignWithLabel: true } },
  yAxis: { type: "value", name: unitName(unit), nameTextStyle: { align: "left" }, axisLabel: { formatter: (value) => count(value) } },
});

const nothing = (element) => {
  element.classList.add("nothing");
  fill(element, el("p", { class: "small" }, NOTHING));
};

/** Each month of this year and the last, declared ones lighter, and what the goal needs of a month. */
export function drawMonths(element, own, unit, target) {
  const [last, present] = own.years;
  const name = FIELD[unit];
  const bars = [];
  for (const [year, colour] of [[last, "#9aa8a1"], [present, COLOURS[0]]]) {
    for (const [source, words, fade] of [["tickets", "", 1], ["declared", say("（申报）", " (declared)"), 0.45]]) {
      const values = year.months.map((month) => (month.source === source ? scaled(month[name], unit) : null));
      if (values.some((value) => value !== null)) {
        bars.push({ type: "bar", name: `${year.year}${words}`, stack: String(year.year), data: values, itemStyle: { color: colour, opacity: fade } });
      }
    }
  }
  if (!bars.length) return nothing(element);
  if (target) {
    bars.push({ type: "line", name: say("月均所需", "needed per month"), data: MONTHS.map(() => Math.round(scaled(target, unit) / 12)), symbol: "none", lineStyle: { type: "dashed", width: 2 }, itemStyle: { color: COLOURS[2] } });
  }
  return chart(element, { ...frame(unit), series: bars }, say("逐月回收量与月均所需，数据见下表", "Months and what the goal needs of each; the numbers are in the table below"));
}

/** The year so far, month by month: nothing where a month before it is not known. */
export function cumulated(own, unit) {
  const name = FIELD[unit];
  let sum = 0;
  return own.years[1].months.map((month) => (sum += month[name] ?? 0));
}

/**
 * The year so far against the pace of the goal, and between which amounts it will probably end. Only the end is
 * forecast: the way there is drawn straight.
 */
export function drawFan(element, { months, unit, measured, on }) {
  const { forecast, target } = measured;
  const at = Number(on.slice(5, 7)) - 1; // where today lies
  if (!months.some((value) => value > 0) && !forecast) return nothing(element);
  const so = months[at] ?? 0;
  const way = (end) => MONTHS.map((_, month) => (month < at ? null : scaled(at === 11 ? end : so + ((end - so) * (month - at)) / (11 - at), unit)));
  const series = [];
  if (forecast?.intervals.length && at < 11) series.push(...bands(forecast.intervals, way));
  if (forecast && at < 11) series.push({ type: "line", name: say("预计（直线示意）", "expected (drawn straight)"), data: way(forecast.projected), symbol: "none", lineStyle: { type: "dotted", width: 2 }, itemStyle: { color: COLOURS[1] } });
  if (target) series.push({ type: "line", name: say("目标进度线", "pace of the goal"), data: MONTHS.map((_, month) => scaled((target * (month + 1)) / 12, unit)), symbol: "none", lineStyle: { type: "dashed", width: 2 }, itemStyle: { color: COLOURS[2] } });
  series.push({ type: "line", name: say("累计", "so far"), data: months.map((value) => scaled(value, unit)), lineStyle: { width: 3 }, itemStyle: { color: COLOURS[0] } });
  const shown = ["累计", "so far"]; // a band's heights mean nothing in a tooltip
  const tip = (points) => points.filter((point) => !point.seriesName.startsWith("\u200b") && point.value !== null && point.value !== undefined)
    .map((point) => `${point.seriesName}: ${count(Math.round(point.value))} ${unitName(unit)}`).join("\n");
  return chart(element, {
    ...frame(unit), series, tooltip: { trigger: "axis", renderMode: "richText", confine: true, formatter: tip },
    legend: { ...frame(unit).legend, data: series.map((one) => one.name).filter((name) => !name.startsWith("\u200b")) },
  }, say(`${shown[0]}、目标进度线与年末预测区间，数据见下表`, `${shown[1]}, the pace of the goal and the forecast; the numbers are in the table below`));
}

// 95, 80 and 50 % inside one another: heights stacked on the lowest line, named by what no legend shows.
function bands(intervals, way) {
  const wide = [...intervals].sort((a, b) => b.percent - a.percent);
  const edges = [...wide.map((one) => one.low), ...wide.map((one) => one.high).reverse()].map(way);
  const shade = (place) => [0.12, 0.22, 0.34][Math.min(place, edges.length - 2 - place)];
  const line = (name, data, opacity) => ({
    type: "line", name, data, stack: "fan", symbol: "none", silent: true, lineStyle: { opacity: 0 }, areaStyle: { color: COLOURS[1], opacity },
  });
  return edges.map((edge, place) => line(
    `\u200b${place}`,
    edge.map((value, month) => (value === null ? null : place ? value - edges[place - 1][month] : value)),
    place ? shade(place - 1) : 0,
  ));
}
