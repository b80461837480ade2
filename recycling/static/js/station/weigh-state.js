// The ticket that is being filled in, kept on this tablet until it is saved: a reload, an empty battery or a sign-in
// that ended loses nothing. It carries the key under which it is saved once, however often it is sent.

import { newKey } from "../api.js";
import { draft, dropDraft, keepDraft } from "../drafts.js";
import { serverNow } from "../server-time.js";
import { kg, say, shanghaiDay } from "../words.js";
import { draftName, facts, query } from "./facts.js";
import { grams } from "./numbers.js";

export const correcting = query.get("correct");
const NAME = draftName(correcting ? `weigh:${correcting}` : "weigh");

const EMPTY = {
  step: "trip", channel: "door", vehicle_key: null, trip: null, trip_day: null, reading: null, gross: "", tare: "", scale: "1",
  refused: "", refused_reason: "", lines: [], least_allowed_g: 0, reason: "", sent: null,
};

export let state = draft(NAME, null);

/** Begin a ticket. */
export function begin(more = {}) {
  state = { ...EMPTY, scale: localScale(), key: newKey(), ...more };
  keep();
}

/** Change something of it. */
export function change(more) {
  Object.assign(state, more);
  keep();
}

export const keep = () => keepDraft(NAME, state);

/** Forget it: it is saved, or nobody wants it. */
export function forget() {
  dropDraft(NAME);
  state = null;
}

/** The scale that this tablet stands beside is the one of the last ticket. */
function localScale() {
  try {
    return localStorage.getItem("station:scale") ?? "1";
  } catch {
    return "1";
  }
}

export function keepScale(number) {
  try {
    localStorage.setItem("station:scale", number);
  } catch {
    // it is asked for again
  }
}

/** Which trip of the day it is weighed on; none where it is a load of another day, as after a night on this tablet. */
export function tripOfDay() {
  const weighedOn = shanghaiDay(new Date(state.reading ? state.reading.at : serverNow()));
  return state.trip_day && state.trip_day !== weighedOn ? null : state.trip;
}

/** Lines that are really there. */
export const lines = () => state.lines.filter((line) => line.units > 0);

/** Grams of the load: `NaN` where they are not known yet. */
export function masses() {
  const gross = state.reading ? state.reading.gross_g : grams(state.gross);
  const tare = state.reading ? state.reading.tare_g : grams(state.tare);
  const refused = grams(state.refused) ?? 0;
  const net = gross === null || tare === null ? NaN : gross - tare;
  return { gross, tare, refused, net, accepted: net - refused };
}

const NUMBER = say("请填数字，如 3541.3", "give a number such as 3541.3");

/** What is wrong with the masses, by field; empty when nothing is. */
export function massFaults() {
  const { gross, tare } = masses();
  const found = {};
  if (gross === null) found.gross = say("请填写毛重", "Give the gross mass");
  else if (Number.isNaN(gross)) found.gross = NUMBER;
  else if (gross > facts.most.gross_g) found.gross = say(`超出地磅量程 ${kg(facts.most.gross_g)}`, `Above what a scale shows, ${kg(facts.most.gross_g)}`);
  if (tare === null) found.tare = say("请填写皮重，空车或空容器的重量", "Give the tare: the empty vehicle or box");
  else if (Number.isNaN(tare)) found.tare = NUMBER;
  else if (!found.gross && tare >= gross) {
    found.tare = say(`皮重 ${kg(tare)} 须小于毛重 ${kg(gross)}，请核对两个读数`, `The tare, ${kg(tare)}, must be below the gross, ${kg(gross)}; check both readings`);
  }
  if (!state.reading && !correcting && !/^[A-Za-z0-9-]{1,32}$/.test(state.scale)) found.scale = say("请填磅秤编号（字母、数字）", "Give the scale's number");
  return found;
}

/** What is wrong with lines and refusal: `{refused?, refused_reason?, lines?}`, and texts by line. */
export function lineFaults() {
  const { refused, net, accepted } = masses();
  const found = { of: new Map() };
  if (!lines().length) found.lines = say("请至少登记一件物品", "Name at least one item");
  if (Number.isNaN(refused)) found.refused = NUMBER;
  else if (refused > net) found.refused = say(`扣杂须在 0 与净重 ${kg(net)} 之间`, `Between 0 and the net, ${kg(net)}`);
  else if (refused && !state.refused_reason) found.refused_reason = say("有扣杂须注明原因", "Say why it is refused");
  let alone = 0;
  for (const line of lines()) {
    const own = grams(line.net);
    if (Number.isNaN(own) || own === 0) found.of.set(line, NUMBER);
    else alone += own ?? 0;
  }
  if (!found.lines && alone > accepted) found.lines = say(`单独过磅合计 ${kg(alone)}，超过计入重量 ${kg(accepted)}`, `Items weighed alone come to ${kg(alone)}, more than the accepted ${kg(accepted)}`);
  return found;
}

/** What the doors put the goods on the ticket at, and by how much the scale may differ. */
export function doorSum() {
  let expected = 0;
  let allowed = 0;
  for (const line of lines()) {
    expected += (line.expected_g * line.units) / line.of;
    allowed += (line.allowed_g * line.units) / line.of;
  }
  return { expected: Math.round(expected), allowed: Math.max(state.least_allowed_g, Math.round(allowed)) };
}

/** The ticket as the API takes it. */
export function asBody() {
  const { gross, tare, refused } = masses();
  return {
    channel: state.channel,
    ...(state.reading ? { reading_id: state.reading.id } : { gross_g: gross, tare_g: tare }),
    ...(state.reading || correcting ? {} : { scale_number: state.scale }),
    refused_g: refused,
    refused_reason: refused ? state.refused_reason : null,
    vehicle_key: state.vehicle_key,
    trip: tripOfDay(),
    lines: lines().map((line) => ({
      item_type: line.item_type, units: line.units, net_g: grams(line.net), booking_id: line.booking_id,
      missing_parts: Math.min(line.missing, line.units), tags: line.tags.slice(0, line.units),
    })),
    ...(correcting ? { reason: state.reason.trim() } : {}),
  };
}
