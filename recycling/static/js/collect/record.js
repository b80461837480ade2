// Records: kept on the phone first, and sent by send.js whenever that is possible.

import { newKey } from "../api.js";
import { stamp } from "./clock.js";
import { asUuid, deviceOf, persist, tell, within } from "./store.js";

const TWICE_MS = 3000; // the same record of the same thing within this is a second tap

/** An id for a record; a form makes its own when it is opened, so that it can be confirmed once only. */
export const newEventId = () => asUuid(newKey());

/**
 * Keep a record, with its photos, and take away the form that it came from: one transaction.
 *
 * @param {{whose: string, day: string, plan_version: number, kind: string, booking_id?: string|null, payload?: any,
 *   event_id?: string, photos?: {sha256: string, blob: Blob}[], draft?: string}} what
 * @returns {Promise<boolean>} whether it is new; a form that was confirmed before, or a second tap, is not
 */
export async function record({ whose, day, plan_version, kind, booking_id = null, payload = {}, event_id = newEventId(), photos = [], draft }) {
  const clocks = stamp();
  const isNew = await within(["device", "records", "photos", "drafts"], async (device, records, kept, drafts) => {
    const own = await deviceOf(device);
    const before = (await records.all()).filter((row) => row.whose === whose).sort((a, b) => b.device_seq - a.device_seq)[0];
    if (await records.get(event_id)) return false;
    if (before && isSecondTap(before, { kind, booking_id, payload }, clocks)) return false;
    own.seq += 1;
    await device.put(own);
    const event = { event_id, device_id: own.device_id, device_seq: own.seq, plan_version, booking_id, kind, payload, ...clocks };
    const { boot_id, monotonic_ms } = clocks;
    await records.add({ event_id, whose, day, device_seq: own.seq, kind, booking_id, state: "waiting", event, told: summary(payload), at: clocks.device_time, boot_id, monotonic_ms });
    for (const { sha256, blob } of photos) {
      await kept.put({ key: `${booking_id} ${sha256}`, whose, day, booking_id, sha256, blob, stored: 0, state: "waiting" });
    }
    if (draft) await drafts.drop(draft);
    return true;
  });
  persist();
  tell();
  return isNew;
}

/** What the screens read of a record once it was taken in; the rest, which may be about people, is not kept. */
export const summary = (payload) => ({
  reason: payload.reason ?? null, station_key: payload.station_key ?? null, undoes: payload.undoes ?? null,
  drives: payload.drives ?? null, photo: payload.photo_sha256 ?? null, units: (payload.items ?? []).reduce((sum, item) => sum + item.units, 0),
});

function isSecondTap(before, { kind, booking_id, payload }, clocks) {
  const [was, is] = [before.told, summary(payload)];
  return before.kind === kind && before.booking_id === booking_id && Object.keys(is).every((name) => was[name] === is[name])
    && before.boot_id === clocks.boot_id && clocks.monotonic_ms - before.monotonic_ms < TWICE_MS;
}
