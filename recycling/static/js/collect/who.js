// Who is signed in here: asked of the server when there is a network, remembered when there is none.

import { Problem, ask, csrfToken } from "../api.js";
import { compare } from "./clock.js";
import { one, within } from "./store.js";

/**
 * Ask who is signed in, together with the token that belongs to this sign-in and no other: what is sent with it is
 * refused when somebody else has signed in meanwhile, in whatever tab.
 *
 * @returns {Promise<{whose: string, expires_at: string, csrf: string}>}
 * @throws {Problem} 401 for nobody, 403 for somebody who is no collector, 0 without a network
 */
export async function whoIsIt() {
  for (;;) {
    const csrf = csrfToken();
    const { body, at } = await ask("/my-devices", { dialog: false });
    if (csrf !== csrfToken()) continue;
    compare(at);
    const row = body.devices.find((device) => device.current) ?? body.devices[0];
    if (!row) throw new Problem(401, {});
    const who = { name: "here", whose: row.collector_key, expires_at: row.expires_at, csrf };
    await within(["people"], (people) => people.put(who));
    return who;
  }
}

/** Whoever was signed in when there was last a network, while the browser still has that sign-in; else undefined. */
export async function remembered() {
  const who = await one("people", "here");
  return who && who.csrf === csrfToken() ? who : undefined;
}

/** Nobody is signed in any more. */
export const forgotten = () => within(["people"], (people) => people.drop("here"));
