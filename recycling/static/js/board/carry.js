// A stop in the hand, over the chart or over the map: where it would go, and what that means before it is let go.

import { clock, count, say } from "../words.js";
import { breach, price, signed } from "./words.js";

const FAR_PX = 5; // less is a click with an unsteady hand

/** The one stop that is carried, if any; `painters` draw it wherever it is seen, `told` says the verdict in words. */
export class Carry {
  constructor(state, judge, told) {
    Object.assign(this, { state, judge, told, held: null, painters: [] });
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.drop());
  }

  get fixed() {
    return this.state.board.why_fixed !== null;
  }

  paint() {
    for (const painter of this.painters) painter();
  }

  take(id) {
    const held = { id, target: null, verdict: null, places: new Map(), placed: false, stop: new AbortController() };
    this.held = held;
    this.judge.places(this.state.wish(), id, held.stop.signal).then((places) => {
      held.places = new Map(places.map((place) => [place.vehicle_key, place]));
      held.placed = true;
      this.paint();
    }).catch(() => {}); // the verdict says what is wrong
  }

  /** Hold it over a place of a vehicle's route, or over none (`null`); a new place is judged at once. */
  aim(target) {
    const { held } = this;
    if (target?.vehicle === held.target?.vehicle && target?.position === held.target?.position) return;
    Object.assign(held, { target, verdict: null });
    if (target === null) {
      this.told(this.state.verdict);
      return;
    }
    this.judge.verdict(this.state.wish(this.state.withMove(held.id, target.vehicle, target.position))).then((verdict) => {
      if (verdict === null || this.held !== held || held.target !== target) return;
      held.verdict = verdict;
      this.told(verdict);
      this.paint();
    }).catch((problem) => this.held === held && this.told(null, problem));
  }

  /** Let it go where it is held. */
  release() {
    const { held } = this;
    this.drop();
    if (held?.target) this.state.move(held.id, held.target.vehicle, held.target.position);
  }

  /** Put it back. */
  drop() {
    if (!this.held) return;
    this.held.stop.abort();
    this.held = null;
    this.told(this.state.verdict);
    this.paint();
  }

  /** What is said beside the hand: what the place means, and the best one. */
  lines() {
    const { target, verdict, placed, places } = this.held;
    const lines = [];
    if (target && verdict === null) lines.push(say("判定中…", "judging…"));
    else if (target) {
      lines.push(price(verdict), ...verdict.violations.slice(0, 3).map((one) => `✗ ${breach(one)}`));
      if (verdict.keeps_the_rules) lines.push(say("✓ 不违反规则", "✓ keeps every rule"));
    }
    if (placed) {
      const [best] = places.values();
      lines.push(best ? say(`最佳：${best.vehicle_key} ${clock(best.start_s)} ${signed(best.added_cost, count)}`, `best: ${best.vehicle_key} ${clock(best.start_s)} ${signed(best.added_cost, count)}`) : say("没有车辆能接", "no vehicle can take it"));
    }
    return lines;
  }
}

/**
 * Let an element's stops be chosen and carried by mouse and by finger: a tap chooses, the second touch carries.
 *
 * @param {{hit: Function, follow: Function, press?: Function, begin?: Function, end?: Function, clears?: boolean}} on
 *   `hit` and `follow` take a pointer's event: the id of the stop under it or null, and a hand that moves, carrying a
 *   stop or not. `press`, `begin` and `end` tell of a stop pressed, carried, and let go of. With `clears`, a press
 *   beside every stop chooses none.
 */
export function carriedOver(element, carry, { hit, follow, press, begin, end, clears = false }) {
  const { state } = carry;
  let pressed = null;
  const over = (deed) => {
    if (!pressed) return;
    pressed = null;
    if (carry.held) deed();
    end?.();
  };
  const drop = () => over(() => carry.drop());
  element.addEventListener("pointerdown", (event) => {
    if (pressed) drop(); // a second finger
    if (event.button !== 0) return;
    const id = hit(event);
    const again = id === state.chosen;
    if (id !== null || clears) state.choose(id);
    if (id === null || carry.fixed || (event.pointerType === "touch" && !again)) return;
    pressed = { id, x: event.clientX, y: event.clientY, far: false };
    element.setPointerCapture(event.pointerId);
    press?.();
  }, { capture: true }); // before whoever else moves the element
  element.addEventListener("pointermove", (event) => {
    if (pressed && !pressed.far && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) >= FAR_PX) {
      pressed.far = true;
      carry.take(pressed.id);
      begin?.();
    }
    if (!pressed || carry.held) follow(event);
  });
  element.addEventListener("pointerup", () => over(() => carry.release()));
  element.addEventListener("pointercancel", drop);
  element.addEventListener("touchstart", (event) => {
    if (event.touches.length === 1 && state.chosen !== null && hit(event.touches[0]) === state.chosen) event.preventDefault();
  }, { passive: false });
}
