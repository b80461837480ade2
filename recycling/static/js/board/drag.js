// Moving stops in the chart: by mouse and finger, and by keys.

import { count } from "../words.js";
import { carriedOver } from "./carry.js";
import { BAR_HEIGHT, BAR_TOP, FONT, HEAD, INK, ROW } from "./chart.js";
import { signed } from "./words.js";

const EDGE_PX = 36; // from the border on it scrolls

/** What follows the pointer: the chosen stop, and while one is carried its places, where it would go, what that means. */
export class Drag {
  constructor(chart, state, carry) {
    Object.assign(this, { chart, state, carry, at: null });
    chart.painters.push((pen) => this.draw(pen));
    carry.painters.push(() => chart.paint());
    const element = chart.element;
    carriedOver(element, carry, {
      clears: true,
      hit: (event) => chart.hit(...this.point(event)),
      begin: () => this.scrollAtEdges(),
      follow: (event) => this.follow(event),
      end: () => { this.at = null; },
    });
    element.addEventListener("pointerleave", () => !carry.held && state.hover(null));
    element.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      chart.zoomBy(event.deltaY < 0 ? 1.25 : 0.8, chart.second(this.point(event)[0]));
    }, { passive: false });
  }

  point(event) {
    const frame = this.chart.element.getBoundingClientRect();
    return [event.clientX - frame.left - this.chart.element.clientLeft, event.clientY - frame.top - this.chart.element.clientTop];
  }

  follow(event) {
    const [x, y] = this.point(event);
    if (!this.carry.held) {
      this.state.hover(this.chart.hit(x, y));
      return;
    }
    this.at = { x, y };
    this.aim();
    this.chart.paint();
  }

  /** Which vehicle and place the pointer means. */
  aim() {
    const vehicle = this.chart.rowAt(this.at.y);
    if (vehicle === null) return;
    const at = this.chart.second(this.at.x);
    const { id } = this.carry.held;
    const others = (this.state.steps.get(vehicle) ?? []).filter((step) => step.kind === "pickup" && step.booking_id !== id);
    this.carry.aim({ vehicle, position: others.filter((step) => (step.start_s + step.end_s) / 2 < at).length });
  }

  scrollAtEdges() {
    if (!this.carry.held) return;
    const { element, height, width, gutter } = this.chart;
    if (this.at) {
      const { x, y } = this.at;
      if (y > height - EDGE_PX) element.scrollTop += 10;
      else if (y < HEAD + EDGE_PX) element.scrollTop -= 10;
      if (x > width - EDGE_PX) element.scrollLeft += 10;
      else if (x < gutter + EDGE_PX / 2) element.scrollLeft -= 10;
    }
    requestAnimationFrame(() => this.scrollAtEdges());
  }

  draw(pen) {
    const { chart, state } = this;
    const { held } = this.carry;
    pen.save();
    pen.beginPath();
    pen.rect(chart.gutter, HEAD, chart.width, chart.height);
    pen.clip();
    if (state.hovered && state.hovered !== state.chosen) chart.frame(pen, state.hovered, INK.soft, 2);
    if (state.chosen) {
      this.windowOf(pen, state.chosen);
      chart.frame(pen, state.chosen, "#000", 3);
    }
    pen.restore();
    if (held) this.drawHeld(pen, held);
  }

  windowOf(pen, id) {
    const { held } = this.carry;
    const vehicle = held ? held.target?.vehicle : this.state.vehicleOf(id);
    const row = this.chart.rows.indexOf(vehicle);
    if (row < 0) return;
    pen.fillStyle = "rgb(0 114 178 / 12%)";
    for (const [opens, closes] of this.state.stops.get(id).windows_s) {
      pen.fillRect(this.chart.x(opens), this.chart.y(row), (closes - opens) * this.chart.perSecond, ROW - 1);
    }
  }

  drawHeld(pen, held) {
    const { chart, state } = this;
    pen.font = FONT;
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    if (held.placed) this.drawPlaces(pen, held);
    const row = chart.rows.indexOf(held.target?.vehicle);
    if (row >= 0) {
      pen.strokeStyle = held.verdict === null ? INK.soft : held.verdict.keeps_the_rules ? "#0b6b4a" : INK.bad;
      pen.lineWidth = 2;
      pen.strokeRect(chart.gutter + 1, chart.y(row) + 1, chart.width - chart.gutter - 3, ROW - 3);
    }
    if (!this.at) return; // it is carried over the map
    const width = Math.max(8, state.stops.get(held.id).service_s * chart.perSecond);
    pen.fillStyle = "rgb(28 42 37 / 70%)";
    pen.fillRect(this.at.x - width / 2, this.at.y - BAR_HEIGHT / 2, width, BAR_HEIGHT);
    this.tip(pen, this.carry.lines());
  }

  /** On each row in sight, whether the stop fits there at all, and its best place with what it costs. */
  drawPlaces(pen, held) {
    const { chart } = this;
    chart.rows.forEach((vehicle, row) => {
      const y = chart.y(row);
      if (y < HEAD - ROW || y > chart.height) return;
      const place = held.places.get(vehicle);
      if (!place) {
        pen.fillStyle = "rgb(120 120 120 / 18%)";
        pen.fillRect(chart.gutter, y, chart.width, ROW - 1);
        return;
      }
      const x = chart.x(place.start_s);
      pen.fillStyle = "#0b6b4a";
      pen.fillRect(x - 1, y + BAR_TOP - 4, 3, BAR_HEIGHT + 8);
      pen.fillText(signed(place.added_cost, count), x + 5, y + ROW - 12);
    });
  }

  tip(pen, lines) {
    const { chart, at: hand } = this;
    const width = Math.min(chart.width - 8, Math.max(...lines.map((line) => pen.measureText(line).width)) + 16);
    const height = 18 * lines.length + 8;
    const x = Math.max(4, Math.min(hand.x + 14, chart.width - width - 4));
    const y = hand.y + 18 + height > chart.height ? hand.y - 18 - height : hand.y + 18;
    pen.fillStyle = "rgb(255 255 255 / 95%)";
    pen.fillRect(x, y, width, height);
    pen.strokeStyle = INK.soft;
    pen.lineWidth = 1;
    pen.strokeRect(x, y, width, height);
    lines.forEach((line, at) => {
      pen.fillStyle = line.startsWith("✗") ? INK.bad : INK.text;
      pen.fillText(line, x + 8, y + 13 + 18 * at, width - 12);
    });
  }
}

/**
 * Keys in the chart: arrows choose, Alt with arrows moves. Along the route it goes place by place, to another vehicle
 * the stop goes to where it fits in time.
 */
export function keys(chart, state, openMenu, say_) {
  chart.element.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (event.key === "Enter" && state.chosen) {
      event.preventDefault();
      openMenu();
    } else if (dx || dy) {
      event.preventDefault();
      if (event.altKey) moveBy(state, chart, dx, dy);
      else chooseBy(state, chart, dx, dy);
      if (state.chosen) {
        chart.show(state.chosen);
        say_(state.chosen);
      }
    }
  });
}

function chooseBy(state, chart, dx, dy) {
  const vehicle = state.chosen === null ? null : state.vehicleOf(state.chosen);
  const rows = chart.rows.filter((key) => state.sequences.get(key).length);
  if (!rows.length) return;
  if (vehicle === null || !rows.includes(vehicle)) {
    state.choose(state.sequences.get(rows[0])[0]);
  } else if (dx) {
    const ids = state.sequences.get(vehicle);
    state.choose(ids[ids.indexOf(state.chosen) + dx] ?? state.chosen);
  } else {
    const next = rows[rows.indexOf(vehicle) + dy];
    if (next) state.choose(nearest(state, next, startOf(state, vehicle, state.chosen)).id);
  }
}

function moveBy(state, chart, dx, dy) {
  const vehicle = state.chosen === null ? null : state.vehicleOf(state.chosen);
  if (vehicle === null || state.board.why_fixed !== null) return;
  const at = state.sequences.get(vehicle).indexOf(state.chosen);
  if (dx) {
    const position = at + dx;
    if (position >= 0 && position < state.sequences.get(vehicle).length) state.move(state.chosen, vehicle, position);
    return;
  }
  const next = chart.rows[chart.rows.indexOf(vehicle) + dy];
  if (!next) return;
  const start = startOf(state, vehicle, state.chosen);
  const before = (state.steps.get(next) ?? []).filter((step) => step.kind === "pickup" && step.start_s < start).length;
  state.move(state.chosen, next, before);
}

const startOf = (state, vehicle, id) => (state.steps.get(vehicle) ?? []).find((step) => step.booking_id === id)?.start_s ?? 0;

function nearest(state, vehicle, second) {
  const found = (state.steps.get(vehicle) ?? []).filter((step) => step.kind === "pickup")
    .sort((one, other) => Math.abs(one.start_s - second) - Math.abs(other.start_s - second))[0];
  return { id: found?.booking_id ?? state.sequences.get(vehicle)[0] };
}
