// The phone's clocks: the one that people and the network can set, and one that only runs.

import { newKey } from "../api.js";

// `performance.now()` cannot be set, but stands still while the phone sleeps (Chromium on Android and Linux), and starts
// anew with the page. So its count has a name, as docs/field.md wants, and a new one after every gap in which the phone
// may have slept: what was recorded before is then placed by the difference of the clocks at sending.
const JUMP_MS = 2000;
const EVERY_MS = 1000;
const isPhone = matchMedia("(pointer: coarse)").matches; // one that is not can sleep with the page in sight

let name = newKey();
let last = reading();
let wasHidden = document.hidden;
let ahead = 0; // of our clock, by what the server last said

function reading() {
  return { run: performance.now(), wall: Date.now() };
}

function look() {
  const now = reading();
  const jump = now.wall - last.wall - (now.run - last.run);
  // Set back: the count stands above it. Forward: set, if somebody was looking at the page meanwhile; else maybe sleep.
  if (jump > JUMP_MS && (wasHidden || !isPhone)) name = newKey();
  last = now;
  wasHidden = document.hidden;
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", () => {
  wasHidden = true;
  look();
});

/** What the clocks show now, as records and batches carry it. */
export function stamp() {
  look();
  return { device_time: new Date(last.wall).toISOString(), monotonic_ms: Math.round(last.run), boot_id: name };
}

/** Learn from the server how far our clock is off; `at` is its own, in milliseconds. */
export function compare(at) {
  if (Number.isFinite(at)) ahead = Date.now() - at;
}

/** How far our clock is ahead, in milliseconds; and to go by what was known before the page was loaded. */
export const aheadMs = () => ahead;
export const assume = (milliseconds) => { ahead = milliseconds ?? 0; };

/** The district's time as well as we know it. */
export const nowMs = () => Date.now() - ahead;
