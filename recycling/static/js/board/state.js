// What the board knows: the plan as it was loaded, the sequences as edited, what was undone, what is chosen.

import { draft, dropDraft, keepDraft } from "../drafts.js";

const picks = (route) => route.steps.filter((step) => step.kind === "pickup").map((step) => step.booking_id);
const same = (one, other) => one.length === other.length && one.every((id, at) => id === other[at]);

/** A plan in hand. `changed` is called after each change with what changed: "edits", "verdict" or "chosen". */
export class State {
  constructor(board, changed) {
    this.board = board;
    this.changed = changed;
    this.stops = new Map(board.stops.map((stop) => [stop.booking_id, stop]));
    this.vehicles = new Map(board.vehicles.map((vehicle) => [vehicle.key, vehicle]));
    this.stations = new Map(board.stations.map((station) => [station.key, station]));
    this.planned = new Map(board.routes.map((route) => [route.vehicle_key, route.steps]));
    this.base = new Map(board.vehicles.map((vehicle) => [vehicle.key, []]));
    for (const route of board.routes) this.base.set(route.vehicle_key, picks(route));
    this.sequences = new Map(this.base);
    this.steps = new Map(this.planned);
    this.verdict = null;
    this.past = [];
    this.future = [];
    this.chosen = null;
    this.hovered = null;
    this.station = "";
    for (const { vehicle_key: key, booking_ids: ids } of draft(this.draftName, [])) {
      if (this.base.has(key) && ids.every((id) => this.stops.has(id))) this.sequences.set(key, ids);
    }
  }

  get draftName() {
    return `board:${this.board.id}`;
  }

  /** The sequences that are not the plan's, as the endpoints want them. */
  wish(sequences = this.sequences) {
    return [...sequences].filter(([key, ids]) => !same(ids, this.base.get(key)))
      .map(([key, ids]) => ({ vehicle_key: key, booking_ids: ids }));
  }

  get edited() {
    return this.wish().length > 0;
  }

  /** The vehicle of a stop, null when it is on no route. */
  vehicleOf(id, sequences = this.sequences) {
    for (const [key, ids] of sequences) if (ids.includes(id)) return key;
    return null;
  }

  /** The sequences with a stop at a place (its number without itself); vehicle null: on no route. */
  withMove(id, vehicle, position) {
    const next = new Map(this.sequences);
    const from = this.vehicleOf(id);
    if (from !== null) next.set(from, next.get(from).filter((one) => one !== id));
    if (vehicle !== null) next.set(vehicle, next.get(vehicle).toSpliced(position, 0, id));
    return next;
  }

  move(id, vehicle, position) {
    const next = this.withMove(id, vehicle, position);
    if ([...next].every(([key, ids]) => same(ids, this.sequences.get(key)))) return false;
    this.past.push(this.sequences);
    this.future = [];
    this.become(next);
    return true;
  }

  undo() {
    if (!this.past.length) return;
    this.future.push(this.sequences);
    this.become(this.past.pop());
  }

  redo() {
    if (!this.future.length) return;
    this.past.push(this.sequences);
    this.become(this.future.pop());
  }

  become(sequences) {
    this.sequences = sequences;
    if (this.edited) keepDraft(this.draftName, this.wish());
    else dropDraft(this.draftName);
    this.changed("edits");
  }

  forget() {
    dropDraft(this.draftName);
  }

  /** Take over what the server says of the edits; null: there are none. */
  judged(verdict) {
    this.verdict = verdict;
    const steps = new Map(this.planned);
    for (const key of this.wish().map((one) => one.vehicle_key)) steps.delete(key);
    for (const route of verdict?.routes ?? []) steps.set(route.vehicle_key, route.steps);
    this.redrawn = new Set([...new Set([...steps.keys(), ...this.steps.keys()])]
      .filter((key) => steps.get(key) !== this.steps.get(key)));
    this.steps = steps;
    this.changed("verdict");
  }

  choose(id) {
    if (this.chosen === id) return;
    this.chosen = id;
    this.changed("chosen");
  }

  hover(id) {
    if (this.hovered === id) return;
    this.hovered = id;
    this.changed("hovered");
  }

  /** Vehicles of the station chosen: those that drive first, then those at home. */
  shownVehicles() {
    const shown = this.board.vehicles.filter((one) => !this.station || one.station_key === this.station);
    const drives = (one) => this.sequences.get(one.key).length > 0 || this.base.get(one.key).length > 0;
    return [...shown.filter(drives), ...shown.filter((one) => !drives(one))].map((one) => one.key);
  }

  leftOut() {
    const served = new Set([...this.sequences.values()].flat());
    return this.board.stops.map((stop) => stop.booking_id).filter((id) => !served.has(id));
  }

  /** What breaks at a stop or on a vehicle. */
  breaches(vehicle, id = null) {
    return (this.verdict?.violations ?? []).filter((one) => one.vehicle_key === vehicle && (id === null || one.booking_id === id));
  }
}
