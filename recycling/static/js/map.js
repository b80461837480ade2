// Maps with Leaflet: the district's outline, town-level units and stations on plain ground, tiles where a key is set.
// The page loads vendor/leaflet-1.9.4/leaflet.css and leaflet.js (`defer`) before this module.

import { ask } from "./api.js";
import { say } from "./words.js";

const { L } = window;

/** Colours of routes that are told apart, also by those who do not see red and green apart (Okabe and Ito). */
export const ROUTE_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5195", "#b07d00", "#56b4e9", "#444444"];

/**
 * A map of the district in an element.
 *
 * @returns {Promise<{map: any, ground: any, stations: any}>} Leaflet's map, the answer of /district-map, layer of stations
 */
export async function districtMap(element, { stations = true } = {}) {
  const { body: ground } = await ask("/district-map");
  // Keyboard, wheel and pinch come with Leaflet; its own zoom buttons speak English only.
  const map = L.map(element, { preferCanvas: true, zoomControl: false, attributionControl: ground.tiles.length > 0 });
  L.control.zoom({ zoomInTitle: say("放大", "Zoom in"), zoomOutTitle: say("缩小", "Zoom out") }).addTo(map);
  for (const address of ground.tiles) {
    L.tileLayer(address, { subdomains: "01234567", maxZoom: 18, attribution: ground.credit }).addTo(map);
  }
  const outline = L.polygon(ground.outline, { color: "#52625b", weight: 2, fillColor: "#e9efec", fillOpacity: ground.tiles.length ? 0 : 1, interactive: false }).addTo(map);
  const shown = L.layerGroup().addTo(map);
  if (stations) {
    for (const station of ground.stations) {
      L.circleMarker([station.lat, station.lon], { radius: 7, color: "#fff", weight: 2, fillColor: "#1c2a25", fillOpacity: 1 })
        .bindTooltip(say(station.name_zh, station.name_en)).addTo(shown);
    }
  }
  map.fitBounds(outline.getBounds(), { padding: [8, 8] });
  return { map, ground, stations: shown };
}
