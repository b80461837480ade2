// Where the route stands: the server's list, and over it what was recorded on this phone. Pure.

const OUTCOMES = ["collected", "partly", "failed"];
const PHASES = { on_the_way: "on_the_way", arrive: "arrived", start: "started" };
const OF_SERVER = { collected: "collected", partly_collected: "partly", failed: "failed", cancelled: "cancelled" };

/** The records that stand, in their sequence: not what was refused, taken back, or takes back. */
export function standing(records) {
  const taken = records.filter((row) => row.state !== "refused" && row.code !== "event_id_reused").sort((a, b) => a.device_seq - b.device_seq);
  const gone = new Set(taken.map((row) => row.told.undoes).filter(Boolean));
  return taken.filter((row) => row.kind !== "undo" && !gone.has(row.event_id));
}

/**
 * The route as it stands.
 *
 * @returns {{began: boolean, ended: boolean, resting: boolean, steps: any[], next: any, last: any, done: number, doors: number}}
 *   each step with its `phase`: waiting, on_the_way, arrived, started, or an outcome; `next` is the one to do now
 */
export function stateOf(route, records) {
  const live = standing(records);
  const isNews = (row) => row.state === "waiting" || row.sent_at > (route?.fetched_at ?? 0);
  const undone = new Set(records.filter((row) => row.kind === "undo" && isNews(row)).map((row) => row.booking_id));
  const shift = live.filter((row) => row.kind === "shift_start" || row.kind === "shift_end").at(-1);
  const rest = live.filter((row) => row.kind === "break_start" || row.kind === "break_end");
  const unloads = live.filter((row) => row.kind === "unload").length;
  let unload = 0;
  const steps = (route?.steps ?? []).filter((step) => step.kind !== "start").map((step) => {
    const own = live.filter((row) => step.pickup ? row.booking_id === step.pickup.booking_id : step.kind === "unload" && row.told.station_key === step.station?.key);
    let phase = "waiting";
    if (step.pickup) phase = doorPhase(step.pickup, own, undone.has(step.pickup.booking_id));
    else if (step.kind === "unload") phase = unload++ < unloads ? "done" : "waiting";
    else if (step.kind === "break") phase = rest.at(-1)?.kind === "break_end" ? "done" : rest.length ? "started" : "waiting";
    else if (step.kind === "end") phase = shift?.kind === "shift_end" ? "done" : "waiting";
    return { ...step, phase, begun: own.at(-1)?.device_seq ?? 0 };
  });
  const isDone = (step) => ["done", "cancelled", ...OUTCOMES].includes(step.phase);
  const underWay = steps.filter((step) => !isDone(step) && step.phase !== "waiting").sort((a, b) => b.begun - a.begun)[0];
  // Lunch and unloads that were passed over, because a later door was done first, hold nobody up.
  const reached = steps.findLastIndex((step) => step.pickup && step.phase !== "waiting" && step.phase !== "cancelled");
  const open = steps.find((step, place) => !isDone(step) && (step.pickup || place > reached));
  const doors = steps.filter((step) => step.pickup);
  return {
    began: shift !== undefined || live.length > 0, ended: shift?.kind === "shift_end", resting: rest.at(-1)?.kind === "break_start",
    steps, next: underWay ?? open ?? null, last: live.at(-1) ?? null, isDone, doors: doors.length, done: doors.filter(isDone).length,
  };
}

function doorPhase(pickup, own, wasUndone) {
  if (pickup.state === "cancelled") return "cancelled";
  const outcome = own.filter((row) => OUTCOMES.includes(row.kind)).at(-1);
  if (outcome) return outcome.kind;
  // The other phone of the crew, or the desk, may have recorded it; what was taken back here is open, whatever the list
  // said before that was sent.
  if (OF_SERVER[pickup.state] && !wasUndone) return OF_SERVER[pickup.state];
  const last = own.filter((row) => PHASES[row.kind]).at(-1);
  return last ? PHASES[last.kind] : "waiting";
}

/** The proof that a visit still lacks: for each rule it is about, what would be enough. As `policy.proof_rules` does. */
export function missingProof(rules, { kind, reason, items, value_fen, proof }) {
  const units = items.reduce((sum, item) => sum + item.units, 0);
  const toSeal = items.filter((item) => item.data_bearing).reduce((sum, item) => sum + item.units, 0);
  const given = { ...proof, seal: proof.seals >= toSeal };
  return rules.filter((rule) => rule.kinds.includes(kind)
    && (!rule.reasons.length || rule.reasons.includes(reason))
    && (!rule.item_types.length || items.some((item) => rule.item_types.includes(item.item_type)))
    && (!rule.data_bearing || toSeal > 0)
    && units >= rule.least_units && (value_fen ?? 0) >= rule.least_value_fen)
    .map((rule) => proof.smartphone ? rule.any_of : [...new Set([...rule.any_of, ...rule.without_smartphone])])
    .filter((enough) => !enough.some((word) => given[word]))
    // Where the code is asked for, that the code or a signature is asked for says nothing more.
    .filter((enough, place, every) => !every.some((other, at) => (other.length < enough.length || (other.length === enough.length && at < place)) && other.every((word) => enough.includes(word))));
}
