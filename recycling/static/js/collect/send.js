// Sends what was recorded: one tab at a time, in sequence, until each record and photo is answered (docs/field.md).

import { ask } from "../api.js";
import { say } from "../words.js";
import { compare, nowMs, stamp } from "./clock.js";
import { all, tell, within } from "./store.js";
import { forgotten, whoIsIt } from "./who.js";

const MOST_EVENTS = 50;
const MOST_BYTES = 256 * 1024; // of a photo's part: what a bad connection loses when it breaks
const LEAST_BYTES = 16 * 1024; // still through within a call's patience at one kilobyte a second
const FIRST_WAIT_MS = 5000;
const LONGEST_WAIT_MS = 300_000;

/** What the screens show: whether it is being sent, why it is not, and who has to sign in. */
export const state = { busy: false, problem: null, signedOut: false, who: null };

let wait = FIRST_WAIT_MS;
// As much as the connection bore: a whole batch, or a large part, may never get through where it is slow.
let mostEvents = MOST_EVENTS;
let partBytes = MOST_BYTES;
let timer = null;
let again = false;
let changed = () => {};

/** Start sending by itself; `listener` hears of every change, `stale` that the list is to be fetched again. */
export function keepSending(listener) {
  changed = listener;
  addEventListener("online", soon);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  soon();
}

/** Send now, and no later than after the first pause again. */
export function soon() {
  wait = FIRST_WAIT_MS;
  void run();
}

async function run() {
  if (state.busy) { again = true; return; }
  clearTimeout(timer);
  state.busy = true;
  let stale = false;
  let isMine = true;
  try {
    const who = await signedIn();
    if (who) {
      stale = await alone(() => sendAll(who));
      isMine = stale !== null; // else another tab sends, and may be closed over it
    }
    if (isMine && !state.problem) wait = FIRST_WAIT_MS;
  } catch (problem) {
    state.problem = problem.message;
  }
  state.busy = false;
  changed({ stale: stale === true });
  if (again) { again = false; void run(); return; }
  const isOpen = state.problem || !isMine;
  timer = setTimeout(run, isOpen ? wait : LONGEST_WAIT_MS);
  if (isOpen) wait = Math.min(2 * wait, LONGEST_WAIT_MS);
}

// Of several tabs one sends; the others would only be answered "duplicate".
const alone = (deed) => navigator.locks ? navigator.locks.request("collect send", { ifAvailable: true }, (lock) => lock && deed()) : deed();

async function sendAll(who) {
  let stale = false;
  const tried = new Set();
  for (;;) {
    const batch = (await mine("records", who)).filter((row) => !tried.has(row.event_id)).sort((a, b) => a.device_seq - b.device_seq).slice(0, mostEvents);
    if (!batch.length) break;
    const answers = await sent(batch, who);
    for (const row of batch) tried.add(row.event_id);
    stale = await take(answers, batch) || stale;
    changed({ stale: false });
  }
  let problem = null;
  for (const photo of await mine("photos", who)) {
    try {
      await sendPhoto(photo, who);
    } catch (failed) {
      if (failed.status === 0 || failed.status === 401) throw failed;
      problem ??= failed; // of this photo: the next one may get through
    }
  }
  if (problem) throw problem;
  const left = [...await mine("records", who), ...await mine("photos", who)].length;
  state.problem = left ? say("有记录稍后自动重发。", "Some records are sent again in a while.") : null;
  return stale;
}

async function signedIn() {
  try {
    state.who = await whoIsIt();
    state.signedOut = false;
    state.problem = null;
    return state.who;
  } catch (problem) {
    if (problem.status !== 401 && problem.status !== 403) throw problem;
    state.who = null;
    state.signedOut = true;
    state.problem = null;
    await forgotten();
    return null;
  }
}

const mine = async (store, who) => (await all(store)).filter((row) => row.whose === who.whose && row.state === "waiting");

/** Send a batch. One that is refused as a whole is sent one by one, so that a wrong record holds up no other. */
async function sent(batch, who) {
  try {
    const body = { sent: stamp(), events: batch.map((row) => row.event) };
    const { body: said, at } = await ask("/field-events", { body, headers: { "X-CSRF-TOKEN": who.csrf }, dialog: false });
    compare(at);
    mostEvents = Math.min(2 * mostEvents, MOST_EVENTS);
    return said;
  } catch (problem) {
    if (problem.status === 0) mostEvents = Math.ceil(mostEvents / 2);
    if (![400, 413, 422].includes(problem.status)) throw problem;
    if (batch.length === 1) {
      return { events: [{ event_id: batch[0].event_id, answer: "refused", detail: problem.message, flags: [] }], devices: [] };
    }
    const each = { events: [], devices: [] };
    for (const row of batch) {
      const said = await sent([row], who);
      each.events.push(...said.events);
      each.devices = said.devices;
    }
    return each;
  }
}

/** Keep what was answered; whether the list is to be fetched again. */
function take({ events, devices }, batch) {
  const answers = new Map(events.map((answer) => [answer.event_id, answer]));
  const lost = (row) => devices.some((device) => device.device_id === row.event.device_id
    && device.missing.some(({ first, last }) => first <= row.device_seq && row.device_seq <= last));
  return within(["records"], async (records) => {
    let stale = false;
    for (const row of batch) {
      const answer = answers.get(row.event_id);
      const standing = await records.get(row.event_id);
      if (!answer || standing?.state !== "waiting" || answer.retryable) continue;
      const isIn = answer.answer === "accepted" || answer.answer === "duplicate";
      if (isIn && lost(row)) continue; // said to be in and to be missing: send it once more
      const { event, ...rest } = standing;
      // What was taken in is forgotten but for what the screens show; what was not stays whole, to be looked up.
      await records.put(isIn ? { ...rest, state: "sent", flags: answer.flags ?? [], sent_at: nowMs() } : { ...standing, state: answer.answer, code: answer.code, detail: answer.detail });
      stale ||= answer.plan_version != null || !isIn || row.kind === "undo";
    }
    return stale;
  }).finally(tell);
}

/** Send a photo in parts; where it breaks off it goes on the next time. */
async function sendPhoto(photo, who) {
  const path = `/proof-photos/${photo.sha256}`;
  const query = `?booking_id=${photo.booking_id}`;
  let { stored } = photo;
  while (stored < photo.blob.size) {
    const end = Math.min(stored + partBytes, photo.blob.size);
    const part = photo.blob.slice(stored, end, "image/jpeg");
    const range = { "Content-Range": `bytes ${stored}-${end - 1}/${photo.blob.size}`, "X-CSRF-TOKEN": who.csrf };
    try {
      const { body } = await ask(path + query, { method: "PUT", file: part, headers: range, dialog: false });
      stored = body.complete ? photo.blob.size : body.stored_bytes;
      partBytes = Math.min(2 * partBytes, MOST_BYTES);
    } catch (problem) {
      if (problem.status === 0) partBytes = Math.max(LEAST_BYTES, partBytes / 2);
      if (problem.status === 409) {
        const { body } = await ask(`${path}/progress${query}`, { dialog: false });
        if (body.stored_bytes === stored) throw problem; // it says nothing new
        stored = body.complete ? photo.blob.size : body.stored_bytes;
      } else if ([400, 404, 413, 415, 422].includes(problem.status)) {
        await within(["photos"], (photos) => photos.put({ ...photo, state: "refused", detail: problem.message }));
        return;
      } else {
        throw problem;
      }
    }
    await within(["photos"], (photos) => stored < photo.blob.size ? photos.put({ ...photo, stored }) : photos.drop(photo.key));
    tell();
  }
}
