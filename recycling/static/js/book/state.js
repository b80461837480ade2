// What somebody asks for, from the first picture tapped to the number of the booking; kept in this tab's draft.

import { newKey } from "../api.js";
import { given } from "../dom.js";
import { draft, keepDraft } from "../drafts.js";

export const facts = given("facts");
export const kinds = new Map(facts.item_types.map((kind) => [kind.key, kind]));
export const windows = new Map(facts.windows.map((window) => [window.key, window]));

const fresh = () => ({
  id: newKey(), // of the draft: its photos are found by it
  viewer: facts.viewer, // whose it is, once they have signed in
  items: {}, // by item type: { quantity, condition, dismantle, wipe }
  door: {
    village_code: "",
    village: "",
    town: "",
    address: "",
    lat: null,
    lon: null,
    accuracy: null,
    floor: 1,
    has_lift: false,
    note: "",
  },
  keepAs: "", // name under which the address is to be saved, if it is
  asked: null, // before a suggested change: { items, floor, zh, en }
  hold: null, // { id, until, day, window, arrival_s, wish }
  keys: {}, // of creating calls by what they ask for: repeated, they happen once
  booked: null, // { id, day, window, arrival_s, door }: the address while it is still to be saved
  waiting: null, // { id, ahead }
});

export const state = Object.assign(fresh(), draft("book", {}));
if (state.viewer && facts.viewer && state.viewer !== facts.viewer) startAnew(); // somebody else has signed in
state.viewer = facts.viewer ?? state.viewer;
for (const key of Object.keys(state.items)) if (!kinds.has(key)) delete state.items[key]; // no longer in the catalogue

/** Keep the draft as it stands. */
export const keep = () => keepDraft("book", state);

/** Begin anew with nothing asked for. */
export function startAnew() {
  for (const name of Object.keys(state)) delete state[name];
  Object.assign(state, fresh());
  keep();
}

/** It is booked, or waits for a place: nothing of the address stays on the device. */
export function finish(outcome) {
  Object.assign(state, fresh(), { id: state.id }, outcome);
  keep();
}

export const chosen = () => Object.entries(state.items);
export const pieces = () => chosen().reduce((sum, [, one]) => sum + one.quantity, 0);
export const finished = () => Boolean(state.booked || state.waiting);

/** The wish without day and window, as the API takes it. */
export function wish() {
  const { village_code, address, lat, lon, floor, has_lift, note } = state.door;
  return {
    items: chosen().map(([item_type, one]) => ({
      item_type,
      quantity: one.quantity,
      condition: one.condition,
      dismantle: one.dismantle,
      wipe_consent: one.wipe,
    })),
    village_code,
    address: address.trim(),
    lat,
    lon,
    coordinate_system: "wgs84",
    floor,
    has_lift,
    note: note.trim(),
  };
}

/** The key of a creating call: the same for the same thing asked, also after a reload, and new for another. */
export function keyFor(what, asked) {
  const print = JSON.stringify(asked);
  if (state.keys[what]?.print !== print) state.keys[what] = { print, key: newKey() };
  keep();
  return state.keys[what].key;
}

/** Forget a key whose effect is gone, so that asking again does the work again. */
export function dropKey(what) {
  delete state.keys[what];
  keep();
}
