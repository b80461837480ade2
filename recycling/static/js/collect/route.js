// Today's route: fetched when there is a network, kept as far as the page shows it, and gone when day or sign-in are over.

import { ask } from "../api.js";
import { shanghaiDay } from "../words.js";
import { aheadMs, assume, compare, nowMs } from "./clock.js";
import { within } from "./store.js";

/** The service day, by the server's clock as well as we know it. */
export const today = () => shanghaiDay(new Date(nowMs()));

/** Fetch the list and keep it; what changed since the version that was seen comes with it until that is acknowledged. */
export async function fetchRoute(who) {
  const kept = await within(["routes"], (routes) => routes.get(who.whose));
  const seen = kept?.day === today() ? kept.seen : null;
  const { body, at } = await ask(`/my-route${seen ? `?seen_version=${seen}` : ""}`, { dialog: false });
  compare(at);
  const route = {
    whose: who.whose, day: body.day, expires_at: who.expires_at, fetched_at: nowMs(), ahead_ms: aheadMs(),
    seen: seen ?? body.plan?.version ?? null, version: body.plan?.version ?? null, note: body.note,
    changes: body.changes ?? [], vehicle_key: body.vehicle_key, bring: body.bring, steps: body.steps.map(shown),
  };
  await within(["routes"], (routes) => routes.put(route));
  return route;
}

/** The list that is kept, of this person and day; all else that is kept and over is taken away. */
export async function keptRoute(who) {
  return within(["routes", "records", "drafts"], async (routes, records, drafts) => {
    const own = who && await routes.get(who.whose);
    if (own) assume(own.ahead_ms);
    const day = today();
    const isOver = (row) => row.day !== day || Date.parse(row.expires_at) <= nowMs() || row.whose !== who?.whose;
    for (const row of await routes.all()) if (isOver(row)) await routes.drop(row.whose);
    for (const row of await drafts.all()) if (row.day !== day) await drafts.drop(row.key);
    for (const row of await records.all()) if (row.day !== day && (row.state === "sent" || row.state === "read")) await records.drop(row.event_id);
    return own && !isOver(own) ? own : null;
  });
}

/** Nobody may see it any more: the sign-in is over. */
export const dropRoutes = () => within(["routes"], async (routes) => {
  for (const row of await routes.all()) await routes.drop(row.whose);
});

/** What changed has been read: from now on this version is compared with. */
export const acknowledge = (whose) => within(["routes"], async (routes) => {
  const row = await routes.get(whose);
  if (row) await routes.put({ ...row, seen: row.version, changes: [] });
});

const shown = ({ position, kind, arrival, arrival_s, end, estimated_arrival_s, station, point, navigation_url, geo_url, pickup }) => ({
  position, kind, arrival, arrival_s, end, estimated_arrival_s, station, point, navigation_url, geo_url, pickup: pickup && shownPickup(pickup),
});

const shownPickup = ({ booking_id, state, window, items, bring, floor, has_lift, note, phone, phone_in_full, village_name_zh, address, photo_urls, high_fen }) => ({
  booking_id, state, window, items, bring, floor, has_lift, note, phone, phone_in_full, village_name_zh, address, photo_urls, high_fen,
});
