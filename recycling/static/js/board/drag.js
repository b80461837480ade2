// Moving stops in the chart: by mouse, by finger (a tap chooses, the second touch drags), and by keys.

import { clock, count, say } from "../words.js";
import { BAR_HEIGHT, BAR_TOP, FONT, HEAD, INK, ROW } from "./chart.js";
import { breach, price, signed } from "./words.js";

const FAR_PX = 5; // less is a click with an unsteady hand
const EDGE_PX = 36; // from the border on it scrolls

/** What follows the pointer: the chosen stop, and while one is dragged its places, where it would go, what that means. */
export class Drag {
  constructor(chart, state, judge, told) {
    Object.assign(this, { chart, state, judge, told, held: null });
    chart.painters.push((pen) => this.draw(pen));
    const element = chart.element;
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.follow(event));
    element.addEventListener("pointerup", (event) => this.release(event));
    element.addEventListener("pointercancel", () => this.drop());
    element.addEventListener("pointerleave", () => !this.held && this.state.hover(null));
    element.addEventListener("keydown", (event) => event.key === "Escape" && this.drop());
    // A finger on the chosen stop drags it; anywhere else it scrolls.
    element.addEventListener("touchstart", (event) => {
      const { x, y } = this.point(event.touches[0]);
      if (event.touches.length === 1 && chart.hit(x, y) !== null && chart.hit(x, y) === this.state.chosen) event.preventDefault();
    }, { passive: false });
    element.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      chart.zoomBy(event.deltaY < 0 ? 1.25 : 0.8, chart.second(this.point(event).x));
    }, { passive: false });
  }

  get fixed() {
    return this.state.board.why_fixed !== null;
  }

  point(event) {
    const frame = this.chart.element.getBoundingClientRect();
    return { x: event.clientX - frame.left - this.chart.element.clientLeft, y: event.clientY - frame.top - this.chart.element.clientTop };
  }

  press(event) {
    if (event.button !== 0) return;
    const { x, y } = this.point(event);
    const id = this.chart.hit(x, y);
    const again = id === this.state.chosen;
    this.state.choose(id);
    if (id === null || this.fixed || (event.pointerType === "touch" && !again)) return;
    this.held = { id, from: { x, y }, x, y, far: false, target: null, verdict: null, places: new Map() };
    this.chart.element.setPointerCapture(event.pointerId);
  }

  follow(event) {
    const { x, y } = this.point(event);
    const held = this.held;
    if (!held) {
      this.state.hover(this.chart.hit(x, y));
      return;
    }
    Object.assign(held, { x, y });
    if (!held.far && Math.hypot(x - held.from.x, y - held.from.y) < FAR_PX) return;
    if (!held.far) this.begin(held);
    this.aim(held);
    this.chart.paint();
  }

  begin(held) {
    held.far = true;
    held.stop = new AbortController();
    this.scrollAtEdges();
    this.judge.places(this.state.wish(), held.id, held.stop.signal).then((places) => {
      held.places = new Map(places.map((place) => [place.vehicle_key, place]));
      held.placed = true;
      this.chart.paint();
    }).catch(() => {}); // the verdict says what is wrong
  }

  /** Which vehicle and place the pointer means; a new one is judged at once. */
  aim(held) {
    const vehicle = this.chart.rowAt(held.y);
    if (vehicle === null) return;
    const at = this.chart.second(held.x);
    const others = (this.state.steps.get(vehicle) ?? []).filter((step) => step.kind === "pickup" && step.booking_id !== held.id);
    const position = others.filter((step) => (step.start_s + step.end_s) / 2 < at).length;
    if (held.target?.vehicle === vehicle && held.target.position === position) return;
    held.target = { vehicle, position, asked: performance.now() };
    held.verdict = null;
    const target = held.target;
    this.judge.verdict(this.state.wish(this.state.withMove(held.id, vehicle, position))).then((verdict) => {
      if (verdict === null || this.held !== held || held.target !== target) return;
      held.verdict = verdict;
      held.took = performance.now() - target.asked;
      this.told(verdict);
      this.chart.paint();
    }).catch((problem) => this.told(null, problem));
  }

  scrollAtEdges() {
    const held = this.held;
    if (!held?.far) return;
    const { element, height, width, gutter } = this.chart;
    if (held.y > height - EDGE_PX) element.scrollTop += 10;
    else if (held.y < HEAD + EDGE_PX) element.scrollTop -= 10;
    if (held.x > width - EDGE_PX) element.scrollLeft += 10;
    else if (held.x < gutter + EDGE_PX / 2) element.scrollLeft -= 10;
    requestAnimationFrame(() => this.scrollAtEdges());
  }

  release() {
    const held = this.held;
    this.drop();
    if (!held?.far || !held.target) return;
    if (!this.state.move(held.id, held.target.vehicle, held.target.position)) this.told(this.state.verdict);
  }

  drop() {
    const held = this.held;
    if (!held) return;
    held.stop?.abort();
    this.held = null;
    if (held.far) this.told(this.state.verdict);
    this.chart.paint();
  }

  draw(pen) {
    const { chart, state, held } = this;
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
    if (held?.far) this.drawHeld(pen, held);
  }

  windowOf(pen, id) {
    const vehicle = this.held?.far ? this.held.target?.vehicle : this.state.vehicleOf(id);
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
    const stop = state.stops.get(held.id);
    const width = Math.max(8, stop.service_s * chart.perSecond);
    pen.fillStyle = "rgb(28 42 37 / 70%)";
    pen.fillRect(held.x - width / 2, held.y - BAR_HEIGHT / 2, width, BAR_HEIGHT);
    const row = chart.rows.indexOf(held.target?.vehicle);
    if (row >= 0) {
      pen.strokeStyle = held.verdict === null ? INK.soft : held.verdict.keeps_the_rules ? "#0b6b4a" : INK.bad;
      pen.lineWidth = 2;
      pen.strokeRect(chart.gutter + 1, chart.y(row) + 1, chart.width - chart.gutter - 3, ROW - 3);
    }
    const lines = held.verdict === null ? [say("判定中…", "judging…")]
      : [price(held.verdict), ...held.verdict.violations.slice(0, 3).map((one) => `✗ ${breach(one)}`)];
    if (held.verdict?.keeps_the_rules) lines.push(say("✓ 不违反规则", "✓ keeps every rule"));
    if (held.placed) {
      const [best] = held.places.values();
      lines.push(best ? say(`最佳：${best.vehicle_key} ${clock(best.start_s)} ${signed(best.added_cost, count)}`, `best: ${best.vehicle_key} ${clock(best.start_s)} ${signed(best.added_cost, count)}`) : say("没有车辆能接", "no vehicle can take it"));
    }
    this.tip(pen, held, lines);
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

  tip(pen, held, lines) {
    const { chart } = this;
    const width = Math.min(chart.width - 8, Math.max(...lines.map((line) => pen.measureText(line).width)) + 16);
    const height = 18 * lines.length + 8;
    const x = Math.max(4, Math.min(held.x + 14, chart.width - width - 4));
    const y = held.y + 18 + height > chart.height ? held.y - 18 - height : held.y + 18;
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
