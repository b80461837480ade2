// The day on the map: stations, each vehicle's way and its stops in one colour, what is left out as hollow marks. A stop
// is carried onto a line to be put in there.

import { districtMap } from "../map.js";
import { say } from "../words.js";
import { carriedOver } from "./carry.js";
import { itemsText, short, windowText } from "./words.js";

const { L } = window;
const NEAR_PX = 12; // a stop is under a pointer, also under a thumb
const REACH_PX = 28; // from its line on, a stop is held over a route
const HAND = "#1c2a25";

/** The map of a plan. Only the layers of vehicles that changed are drawn anew. */
export class Ground {
  static async in(element, state, colourOf, carry) {
    const { map } = await districtMap(element);
    return new Ground(map, state, colourOf, carry);
  }

  constructor(map, state, colourOf, carry) {
    Object.assign(this, { map, state, colourOf, carry, layers: new Map(), ways: new Map(), compared: null, at: null });
    this.leftOut = L.layerGroup().addTo(map);
    this.above = L.layerGroup().addTo(map);
    this.drawAll();
    const points = [...state.board.stops, ...state.board.stations].map((one) => [one.lat, one.lon]);
    map.options.zoomSnap = 0.25; // whole steps leave half of the pane empty
    map.fitBounds(points, { padding: [24, 24] });
    this.inHand = L.layerGroup().addTo(map);
    this.words = L.tooltip({ permanent: true, direction: "auto", offset: [14, 0], opacity: 0.95 });
    carry.painters.push(() => this.drawHeld());
    carriedOver(map.getContainer(), carry, {
      hit: (event) => this.hit(event),
      press: () => map.dragging.disable(),
      follow: (event) => this.follow(event),
      end: () => {
        this.at = null;
        this.drawHeld();
        map.dragging.enable();
      },
    });
  }

  pixel({ lat, lon }) {
    return this.map.latLngToContainerPoint([lat, lon]);
  }

  /** The stop under a pointer, null when there is none. */
  hit(event) {
    if (event.target.closest?.(".leaflet-control")) return null;
    const at = this.map.mouseEventToContainerPoint(event);
    let best = { id: null, far: NEAR_PX };
    for (const id of [...[...this.ways.keys()].flatMap((vehicle) => this.state.sequences.get(vehicle)), ...this.state.leftOut()]) {
      const far = at.distanceTo(this.pixel(this.state.stops.get(id)));
      if (far < best.far) best = { id, far };
    }
    return best.id;
  }

  follow(event) {
    if (!this.carry.held) return; // what the pointer is on, the marks say themselves
    this.at = this.map.mouseEventToContainerPoint(event);
    this.carry.aim(this.lineAt(this.at, this.carry.held.id));
    this.drawHeld();
  }

  /** The route whose line runs nearest to a point, and the place in it between that line's ends; null far from all. */
  lineAt(at, held) {
    let best = { target: null, far: REACH_PX };
    for (const vehicle of this.ways.keys()) {
      const way = this.way(vehicle, held);
      for (let next = 1; next < way.length; next += 1) {
        const far = L.LineUtil.pointToSegmentDistance(at, this.pixel(way[next - 1]), this.pixel(way[next]));
        if (far < best.far) best = { target: { vehicle, position: way[next - 1].before }, far };
      }
    }
    return best.target;
  }

  /** The places of a vehicle's way, but for a stop that is held, each with how many stops lie `before` whatever follows it. */
  way(vehicle, held = null) {
    const home = this.state.stations.get(this.state.vehicles.get(vehicle).station_key);
    const way = [{ ...home, before: 0 }];
    for (const step of this.state.steps.get(vehicle)) {
      const place = step.booking_id ? this.state.stops.get(step.booking_id) : this.state.stations.get(step.station_key);
      if (!place || step.booking_id === held) continue;
      way.push({ lat: place.lat, lon: place.lon, before: way.at(-1).before + (step.booking_id ? 1 : 0) });
    }
    return way;
  }

  /** The stop in the hand, the way to its door from where it would be put in, and what that means. */
  drawHeld() {
    this.inHand.clearLayers();
    const { held } = this.carry;
    if (!held || !this.at) {
      this.words.remove();
      return;
    }
    const { target, verdict } = held;
    const hand = this.map.containerPointToLatLng(this.at);
    const way = target ? this.way(target.vehicle, held.id) : [];
    const from = way.findLastIndex((one) => one.before === target.position && one !== way.at(-1));
    if (from >= 0) {
      const [before, after] = [way[from], way[from + 1]];
      const bad = verdict !== null && !verdict.keeps_the_rules;
      L.polyline([before, this.state.stops.get(held.id), after].map(({ lat, lon }) => [lat, lon]), { color: bad ? "#9d1f17" : this.colourOf(target.vehicle), weight: 4, dashArray: "6 6", interactive: false }).addTo(this.inHand);
    }
    L.circleMarker(hand, { radius: 7, color: "#fff", weight: 2, fillColor: HAND, fillOpacity: 0.8, interactive: false }).addTo(this.inHand);
    const words = document.createElement("div");
    for (const line of [target?.vehicle, ...this.carry.lines()].filter(Boolean)) words.append(line, document.createElement("br"));
    if (words.childNodes.length) this.words.setLatLng(hand).setContent(words).addTo(this.map);
    else this.words.remove();
  }

  drawAll() {
    for (const vehicle of this.state.board.vehicles) this.draw(vehicle.key);
    this.drawLeftOut();
  }

  draw(vehicle) {
    this.layers.get(vehicle)?.remove();
    this.layers.delete(vehicle);
    this.ways.delete(vehicle);
    const shown = !this.state.station || this.state.vehicles.get(vehicle).station_key === this.state.station;
    const steps = this.state.steps.get(vehicle) ?? [];
    if (!shown || !steps.length) return;
    const layer = L.layerGroup();
    const colour = this.colourOf(vehicle);
    const points = this.way(vehicle).map(({ lat, lon }) => [lat, lon]);
    const style = { radius: 5, color: "#fff", weight: 1, fillColor: colour, fillOpacity: 1 };
    const marks = steps.filter((step) => step.booking_id).map((step) => this.mark(step.booking_id, style, vehicle));
    L.polyline(points, { color: colour, weight: 2, opacity: 0.75, interactive: false }).addTo(layer);
    for (const mark of marks) mark.addTo(layer);
    this.ways.set(vehicle, points);
    this.layers.set(vehicle, layer.addTo(this.map));
  }

  drawLeftOut() {
    this.leftOut.clearLayers();
    for (const id of this.state.leftOut()) {
      this.mark(id, { radius: 6, color: "#9d1f17", weight: 2, fillColor: "#fff", fillOpacity: 1 }, null).addTo(this.leftOut);
    }
  }

  mark(id, style, vehicle) {
    const stop = this.state.stops.get(id);
    return L.circleMarker([stop.lat, stop.lon], style)
      .bindTooltip(() => tooltip(stop, vehicle))
      .on("click", () => this.state.choose(id))
      .on("mouseover", () => this.state.hover(id))
      .on("mouseout", () => this.state.hover(null));
  }

  /** What is chosen and what the pointer is on, here as in the chart. */
  highlight() {
    this.above.clearLayers();
    const vehicle = this.state.chosen && this.state.vehicleOf(this.state.chosen);
    if (this.ways.has(vehicle)) L.polyline(this.ways.get(vehicle), { color: this.colourOf(vehicle), weight: 5, interactive: false }).addTo(this.above);
    for (const [id, colour] of [[this.state.hovered, "#52625b"], [this.state.chosen, "#000"]]) {
      const stop = id && this.state.stops.get(id);
      if (!stop) continue;
      L.circleMarker([stop.lat, stop.lon], { radius: 10, color: colour, weight: 3, fill: false, interactive: false }).addTo(this.above);
    }
    for (const visit of this.compared ?? []) {
      const stop = this.state.stops.get(visit.booking_id);
      if (stop) L.circleMarker([stop.lat, stop.lon], { radius: 9, color: "#d55e00", weight: 2, fill: false, interactive: false, dashArray: "3 3" }).addTo(this.above);
    }
  }

  /** Bring a stop into sight. */
  show(id) {
    const stop = this.state.stops.get(id);
    if (stop && !this.map.getBounds().contains([stop.lat, stop.lon])) this.map.panTo([stop.lat, stop.lon]);
  }

  /** Ring the visits that two versions have otherwise. */
  compare(visits) {
    this.compared = visits;
    this.highlight();
  }
}

function tooltip(stop, vehicle) {
  const words = document.createElement("span");
  words.textContent = `${short(stop.booking_id)} · ${vehicle ?? say("未排入", "left out")} · ${windowText(stop)} · ${itemsText(stop)}`;
  return words;
}
