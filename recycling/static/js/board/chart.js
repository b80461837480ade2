// The day in time: one row per vehicle on a canvas of the size of what is seen; only rows in sight are drawn.
// Beneath lies what changes seldom (drawn on scroll, zoom and edits), above it what follows the pointer.

import { clock, say } from "../words.js";

export const ROW = 54;
export const HEAD = 22;
const HOUR = 3600;
const LANES = 3; // of promised windows, so that neighbours do not hide each other
const [BAR_TOP, BAR_HEIGHT] = [13, 16];
const [LOAD_TOP, LOAD_HEIGHT] = [33, 17];
const INK = { text: "#1c2a25", soft: "#52625b", line: "#d3dcd8", bad: "#9d1f17", wait: "#e6e6e6", rest: "#f3d9a4", unload: "#333", window: "#9fc3dc", kg: "#7a5195", litres: "#b07d00", off: "#f4f7f5" };
const FONT = '12px system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

export class Chart {
  constructor(element, state, colourOf) {
    Object.assign(this, { element, state, colourOf, zoom: 1, scrolled: 0 });
    this.room = document.createElement("div");
    this.room.className = "room";
    [this.base, this.over] = ["base", "over"].map((name) => {
      const canvas = document.createElement("canvas");
      canvas.className = name;
      canvas.setAttribute("aria-hidden", "true");
      return canvas;
    });
    element.replaceChildren(this.room, this.base, this.over);
    const vehicles = state.board.vehicles;
    this.from = Math.floor(Math.min(...vehicles.map((one) => one.shift_s[0])) / HOUR) * HOUR;
    this.to = Math.ceil(Math.max(...vehicles.map((one) => one.shift_s[1] + one.max_overtime_s)) / HOUR) * HOUR;
    element.addEventListener("scroll", () => this.later(), { passive: true });
    new ResizeObserver(() => this.fit()).observe(element);
    this.painters = []; // of what lies above
    if (element.clientWidth < 520) this.zoom = 2.5; // so that a thumb can tell stops apart
    this.fit();
  }

  fit() {
    this.width = this.element.clientWidth;
    this.height = this.element.clientHeight;
    this.gutter = this.width < 520 ? 84 : 118;
    const sharp = window.devicePixelRatio || 1;
    for (const canvas of [this.base, this.over]) {
      canvas.width = this.width * sharp;
      canvas.height = this.height * sharp;
      canvas.style.width = `${this.width}px`;
      canvas.style.height = `${this.height}px`;
      canvas.getContext("2d").setTransform(sharp, 0, 0, sharp, 0, 0);
    }
    this.over.style.marginTop = `-${this.height}px`;
    this.lay();
  }

  /** Make room for the rows and the zoom; then draw. */
  lay() {
    this.rows = this.state.shownVehicles();
    this.perSecond = (this.zoom * (this.width - this.gutter - 12)) / (this.to - this.from);
    this.room.style.width = `${Math.floor(this.gutter + (this.to - this.from) * this.perSecond)}px`;
    this.room.style.height = `${HEAD + this.rows.length * ROW}px`;
    this.later();
  }

  zoomBy(factor, around = (this.from + this.to) / 2) {
    const before = this.x(around);
    this.zoom = Math.min(12, Math.max(1, this.zoom * factor));
    this.lay();
    this.element.scrollLeft += this.x(around) - before;
  }

  x(second) {
    return this.gutter + (second - this.from) * this.perSecond - this.element.scrollLeft;
  }

  second(x) {
    return this.from + (x - this.gutter + this.element.scrollLeft) / this.perSecond;
  }

  y(row) {
    return HEAD + row * ROW - this.element.scrollTop;
  }

  rowAt(y) {
    return this.rows[Math.floor((y - HEAD + this.element.scrollTop) / ROW)] ?? null;
  }

  /** Bring a stop into sight. */
  show(id) {
    const vehicle = this.state.vehicleOf(id);
    const row = this.rows.indexOf(vehicle);
    if (row < 0) return;
    const top = row * ROW;
    const seen = this.height - HEAD - ROW;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    else if (top > this.element.scrollTop + seen) this.element.scrollTop = top - seen;
    const step = this.stepOf(vehicle, id);
    if (!step) return;
    const x = this.x(step.start_s);
    if (x < this.gutter || x > this.width - 40) this.element.scrollLeft += x - (this.gutter + this.width) / 2;
  }

  stepOf(vehicle, id) {
    return (this.state.steps.get(vehicle) ?? []).find((step) => step.booking_id === id) ?? null;
  }

  /** The stop under a point of the element, null when there is none. */
  hit(x, y) {
    const vehicle = this.rowAt(y);
    if (vehicle === null || y < HEAD || x < this.gutter) return null;
    const at = this.second(x);
    const slack = 5 / this.perSecond;
    let best = null;
    for (const step of this.state.steps.get(vehicle) ?? []) {
      if (step.kind !== "pickup") continue;
      const off = Math.max(step.start_s - at, at - step.end_s, 0);
      if (off <= slack && (best === null || off < best.off)) best = { id: step.booking_id, off };
    }
    return best && best.id;
  }

  /** Draw everything before the next frame. */
  later() {
    this.stale = true;
    this.paint();
  }

  /** Draw what lies above before the next frame, and what lies beneath if it is stale. */
  paint() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = null;
      if (this.stale) {
        this.stale = false;
        this.drawBase();
      }
      const pen = this.over.getContext("2d");
      pen.clearRect(0, 0, this.width, this.height);
      for (const painter of this.painters) painter(pen, this);
    });
  }

  drawBase() {
    const pen = this.base.getContext("2d");
    pen.clearRect(0, 0, this.width, this.height);
    pen.font = FONT;
    pen.textBaseline = "middle";
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW));
    const last = Math.min(this.rows.length, first + Math.ceil(this.height / ROW) + 1);
    pen.save();
    pen.beginPath();
    pen.rect(this.gutter, 0, this.width - this.gutter, this.height);
    pen.clip();
    this.hours(pen, first, last);
    for (let row = first; row < last; row += 1) this.route(pen, this.rows[row], this.y(row));
    pen.restore();
    for (let row = first; row < last; row += 1) this.label(pen, this.rows[row], this.y(row));
    this.head(pen);
  }

  hours(pen, first, last) {
    for (let row = first; row < last; row += 1) {
      const [opens, closes] = this.state.vehicles.get(this.rows[row]).shift_s;
      pen.fillStyle = INK.off;
      pen.fillRect(this.gutter, this.y(row), Math.max(0, this.x(opens) - this.gutter), ROW);
      pen.fillRect(this.x(closes), this.y(row), this.width, ROW);
      pen.fillStyle = INK.line;
      pen.fillRect(this.gutter, this.y(row) + ROW - 1, this.width, 1);
    }
    pen.fillStyle = INK.line;
    for (let at = this.from; at <= this.to; at += HOUR) pen.fillRect(Math.round(this.x(at)), HEAD, 1, this.height);
  }

  head(pen) {
    pen.fillStyle = "#eef3f0";
    pen.fillRect(0, 0, this.width, HEAD);
    pen.fillStyle = INK.text;
    pen.textAlign = "center";
    const every = HOUR * this.perSecond < 22 ? 4 * HOUR : HOUR * this.perSecond < 44 ? 2 * HOUR : HOUR * this.perSecond > 200 ? HOUR / 4 : HOUR;
    for (let at = this.from; at <= this.to; at += every) {
      if (this.x(at) > this.gutter + 18) pen.fillText(clock(at), this.x(at), HEAD / 2);
    }
    pen.textAlign = "left";
    pen.fillStyle = "#eef3f0";
    pen.fillRect(0, 0, this.gutter, HEAD);
    pen.fillStyle = INK.text;
    pen.fillText(say("车辆", "Vehicle"), 8, HEAD / 2);
  }

  label(pen, vehicle, y) {
    const bad = this.state.breaches(vehicle).length > 0;
    pen.fillStyle = bad ? "#fcebe9" : "#fff";
    pen.fillRect(0, y, this.gutter, ROW - 1);
    pen.fillStyle = INK.line;
    pen.fillRect(0, y + ROW - 1, this.gutter, 1);
    pen.fillStyle = this.colourOf(vehicle);
    pen.fillRect(0, y + 1, 4, ROW - 3);
    pen.textAlign = "left";
    pen.fillStyle = bad ? INK.bad : INK.text;
    pen.fillText(`${bad ? "⚠ " : ""}${vehicle}`, 9, y + 16, this.gutter - 12);
    const ids = this.state.sequences.get(vehicle);
    pen.fillStyle = INK.soft;
    pen.fillText(ids.length ? say(`${ids.length} 个停靠点`, `${ids.length} stops`) : say("未出车", "at home"), 9, y + 35, this.gutter - 12);
  }

  route(pen, vehicle, y) {
    const steps = this.state.steps.get(vehicle) ?? [];
    const colour = this.colourOf(vehicle);
    let lane = -1;
    let shown = "";
    for (let at = 0; at < steps.length; at += 1) {
      const step = steps[at];
      if (at > 0) this.drive(pen, steps[at - 1], step, y);
      if (step.kind === "pickup") {
        const stop = this.state.stops.get(step.booking_id);
        if (String(stop.windows_s) !== shown) { // one bar for all neighbours with the same promise
          shown = String(stop.windows_s);
          lane += 1;
          this.windows(pen, stop, y + 2 + 3 * (lane % LANES));
        }
        this.block(pen, step.arrival_s, step.start_s, y, INK.wait);
        this.block(pen, step.start_s, step.end_s, y, colour);
        if (this.state.breaches(vehicle, step.booking_id).length) {
          pen.strokeStyle = INK.bad;
          pen.lineWidth = 2;
          pen.strokeRect(this.x(step.start_s) - 1, y + BAR_TOP - 2, Math.max(4, (step.end_s - step.start_s) * this.perSecond) + 2, BAR_HEIGHT + 4);
        }
      } else if (step.kind === "break") this.block(pen, step.start_s, step.end_s, y, INK.rest, say("午休", "rest"));
      else if (step.kind !== "start") this.block(pen, step.start_s, step.end_s, y, INK.unload, step.kind === "unload" ? say("卸", "unload") : "");
    }
    this.loads(pen, this.state.vehicles.get(vehicle), steps, y);
  }

  drive(pen, before, step, y) {
    const middle = y + BAR_TOP + BAR_HEIGHT / 2;
    pen.fillStyle = INK.soft;
    const leaves = Math.max(before.end_s, step.arrival_s - (step.arrival_s - before.end_s));
    pen.fillRect(this.x(leaves), middle - 1, Math.max(0, (step.arrival_s - leaves) * this.perSecond), 2);
  }

  windows(pen, stop, y) {
    pen.fillStyle = INK.window;
    for (const [opens, closes] of stop.windows_s) pen.fillRect(this.x(opens), y, Math.max(2, (closes - opens) * this.perSecond), 2);
  }

  block(pen, from, to, y, colour, text = "") {
    const [x, width] = [this.x(from), (to - from) * this.perSecond];
    if (to <= from || x > this.width || x + width < 0) return;
    pen.fillStyle = colour;
    pen.fillRect(x, y + BAR_TOP, Math.max(2, width - 1), BAR_HEIGHT);
    if (text && width > pen.measureText(text).width + 4) {
      pen.fillStyle = colour === INK.unload ? "#fff" : INK.text;
      pen.textAlign = "center";
      pen.fillText(text, x + width / 2, y + BAR_TOP + BAR_HEIGHT / 2);
    }
  }

  /** What is on board after each step, in kilograms (whole line) and litres (broken), against what fits (the top). */
  loads(pen, vehicle, steps, y) {
    if (!steps.length) return;
    const bottom = y + LOAD_TOP + LOAD_HEIGHT;
    pen.fillStyle = INK.line;
    pen.fillRect(this.x(steps[0].start_s), y + LOAD_TOP, (steps.at(-1).end_s - steps[0].start_s) * this.perSecond, 1);
    for (const [name, most, colour, dash] of [["load_g", vehicle.capacity_g, INK.kg, []], ["load_l", vehicle.capacity_l, INK.litres, [4, 3]]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = 1.5;
      pen.setLineDash(dash);
      pen.beginPath();
      let level = bottom - (LOAD_HEIGHT * Math.min(1.15, steps[0][name] / most));
      pen.moveTo(this.x(steps[0].end_s), level);
      for (const step of steps.slice(1)) {
        pen.lineTo(this.x(step.end_s), level);
        level = bottom - (LOAD_HEIGHT * Math.min(1.15, step[name] / most));
        pen.lineTo(this.x(step.end_s), level);
      }
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  /** The frame around a stop's service, for what lies above. */
  frame(pen, id, colour, width) {
    const vehicle = this.state.vehicleOf(id);
    const row = this.rows.indexOf(vehicle);
    const step = row < 0 ? null : this.stepOf(vehicle, id);
    if (!step) return;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    const x = Math.max(this.gutter, this.x(step.start_s));
    pen.strokeRect(x - 2, this.y(row) + BAR_TOP - 3, Math.max(6, this.x(step.end_s) - x) + 3, BAR_HEIGHT + 6);
  }
}

export { BAR_HEIGHT, BAR_TOP, FONT, INK };
