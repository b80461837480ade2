// The day on the map: stations, each vehicle's way and its stops in one colour, what is left out as hollow marks.

import { districtMap } from "../map.js";
import { say } from "../words.js";
import { itemsText, short, windowText } from "./words.js";

const { L } = window;

/** The map of a plan. Only the layers of vehicles that changed are drawn anew. */
export class Ground {
  static async in(element, state, colourOf) {
    const { map } = await districtMap(element);
    return new Ground(map, state, colourOf);
  }

  constructor(map, state, colourOf) {
    Object.assign(this, { map, state, colourOf, layers: new Map(), ways: new Map(), compared: null });
    this.leftOut = L.layerGroup().addTo(map);
    this.above = L.layerGroup().addTo(map);
    this.drawAll();
    const points = [...state.board.stops, ...state.board.stations].map((one) => [one.lat, one.lon]);
    map.options.zoomSnap = 0.25; // whole steps leave half of the pane empty
    map.fitBounds(points, { padding: [24, 24] });
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
    const home = this.state.stations.get(this.state.vehicles.get(vehicle).station_key);
    const points = [[home.lat, home.lon]];
    const layer = L.layerGroup();
    const colour = this.colourOf(vehicle);
    const marks = [];
    for (const step of steps) {
      const place = step.booking_id ? this.state.stops.get(step.booking_id) : this.state.stations.get(step.station_key);
      if (!place) continue;
      points.push([place.lat, place.lon]);
      if (step.booking_id) marks.push(this.mark(step.booking_id, { radius: 5, color: "#fff", weight: 1, fillColor: colour, fillOpacity: 1 }, vehicle));
    }
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
