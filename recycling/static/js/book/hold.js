// A kept place (占位): taken, counted down by the server's clock, given up, made a booking.

import { ask } from "../api.js";
import { el } from "../dom.js";
import { serverNow } from "../server-time.js";
import { say } from "../words.js";
import { dropKey, finish, keep, keyFor, state, wish } from "./state.js";

const SPOKEN_S = [120, 30]; // when a screen reader hears of the countdown

const print = () => JSON.stringify(wish());

/** Seconds that the place is still kept; 0 when there is none. */
export const secondsLeft = () =>
  state.hold ? Math.max(0, Math.floor((Date.parse(state.hold.until) - serverNow()) / 1000)) : 0;

/** Whether a place is kept for exactly what is asked for now. */
export const isKept = () => secondsLeft() > 0 && state.hold.wish === print();

/** Keep an offered place for ten minutes; repeated for the same place it keeps it once. */
export async function take(offer, day) {
  const asked = { ...wish(), day, pickup_window: offer.pickup_window, hold_token: offer.hold_token };
  const { body } = await ask("/holds", { body: asked, key: keyFor("hold", asked) });
  state.hold = {
    id: body.id,
    until: body.held_until,
    day,
    window: offer.pickup_window,
    arrival_s: offer.arrival_s,
    wish: print(),
  };
  keep();
  if (secondsLeft() === 0) {
    // the answer to an earlier request: that place is gone
    forget();
    throw new Error(say("刚才的占位已过期，请再点一次。", "That place has lapsed; tap it once more."));
  }
}

/** Give the place up. One that lapsed, or that nobody can reach just now, lapses by itself. */
export async function giveUp() {
  const { hold } = state;
  forget();
  if (hold) await ask(`/holds/${hold.id}`, { method: "DELETE" }).catch(() => undefined);
}

function forget() {
  state.hold = null;
  dropKey("hold");
  dropKey("confirm");
}

// It is over: what is shown next says so.
function lapse() {
  state.hold.until = "1970-01-01T00:00:00Z";
  keep();
}

/** Ask what became of the place: kept, booked in another tab, or gone. */
export async function verify() {
  if (!state.hold) return;
  try {
    const { body } = await ask(`/bookings/${state.hold.id}`);
    if (body.state === "booked") booked();
    else if (body.state !== "held") lapse();
    else Object.assign(state.hold, { until: body.held_until });
  } catch (problem) {
    if (problem.status === 404) lapse();
    else throw problem;
  }
}

/** Make the place a booking. The same key each time: whatever got lost on the way, it is booked once. */
export async function confirm() {
  const { hold } = state;
  try {
    await ask(`/holds/${hold.id}/confirmation`, { method: "POST", key: keyFor("confirm", hold.id) });
  } catch (problem) {
    if (problem.status === 409 && !problem.retryable)
      await verify(); // booked from another tab, or lapsed
    else if (problem.status === 404) lapse();
    if (finishedBy(hold)) return;
    throw problem;
  }
  booked();
}

const finishedBy = (hold) => state.booked?.id === hold.id;

function booked() {
  const { id, day, window, arrival_s } = state.hold;
  finish({ booked: { id, day, window, arrival_s, door: state.keepAs ? { label: state.keepAs, ...doorOf() } : null } });
}

// The address to be saved under a name, until it is.
function doorOf() {
  const { items, ...door } = wish();
  return door;
}

/** A clock that counts the kept time down; `over` is called once when it has run out. */
export function countdown(over) {
  const digits = el("strong", { role: "timer", class: "countdown" });
  const spoken = el("span", { class: "behind", role: "status" });
  const tick = () => {
    const left = secondsLeft();
    digits.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (SPOKEN_S.includes(left)) spoken.textContent = say(`占位还剩 ${left} 秒`, `${left} seconds left`);
    digits.classList.toggle("soon", left <= SPOKEN_S[0]);
    return left;
  };
  tick();
  const every = setInterval(() => {
    if (!digits.isConnected)
      clearInterval(every); // another step is shown
    else if (tick() === 0) {
      clearInterval(every);
      over();
    }
  }, 1000);
  return [digits, spoken];
}
