// Charts with ECharts. The page loads vendor/echarts-6.1.0/echarts.common.min.js (`defer`) before this module.

import { say } from "./words.js";

/** The house's colours, told apart without red and green. */
export const COLOURS = ["#0b6b4a", "#0072b2", "#d55e00", "#b07d00", "#cc79a7", "#52625b", "#56b4e9", "#7a5195"];

/**
 * A chart in an element, drawn anew with the window's width; its numbers stand in a table beside it, so that nobody
 * needs the picture: `label` says what it shows.
 */
export function chart(element, option, label) {
  const drawn = window.echarts.init(element, null, { renderer: "svg" });
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  drawn.setOption({
    color: COLOURS, animation: false, textStyle: { fontFamily: "inherit" },
    grid: { left: 8, right: 16, top: 32, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis", renderMode: "richText", confine: true }, // as HTML it would need inline styles
    ...option,
  });
  new ResizeObserver(() => {
    if (window.matchMedia("print").matches) return; // a sheet scales what was drawn; it has no height of its own
    drawn.resize();
    // With its own measure it can be scaled to the width of a sheet of paper.
    element.querySelector("svg")?.setAttribute("viewBox", `0 0 ${drawn.getWidth()} ${drawn.getHeight()}`);
  }).observe(element);
  return drawn;
}

/** What stands where there is nothing to draw. */
export const NOTHING = say("暂无数据", "Nothing to show yet");
