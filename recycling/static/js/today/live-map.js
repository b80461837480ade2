// The map of the running day: vans where they were last or where they go next, and the stops before them.

import { districtMap, ROUTE_COLOURS } from "../map.js";
import { clock, moment, say } from "../words.js";

const { L } = window;

/** The map in an element; `chosen` is called with the key of a van that somebody clicks. */
export async function liveMap(element, chosen) {
  const { map, ground } = await districtMap(element);
  map.options.zoomSnap = 0.25; // so that the district fills its frame
  map.fitBounds(ground.outline, { padding: [8, 8] });
  const layer = L.layerGroup().addTo(map);
  const stations = Object.fromEntries(ground.stations.map((one) => [one.key, one]));

  function van(one, colour, place) {
    const shared = one.position !== null;
    const marker = L.circleMarker(place, { radius: 10, color: colour, weight: 3, fillColor: shared ? colour : "#fff", fillOpacity: 1, bubblingMouseEvents: false });
    const when = shared ? say(`位置 ${moment(one.position.at)}`, `seen ${moment(one.position.at)}`) : say("下一站", "next stop");
    marker.bindTooltip(`${one.vehicle_key} · ${when} · ${one.done}/${one.done + one.open}`, { permanent: false });
    if (chosen && one.open) marker.on("click", () => chosen(one.vehicle_key));
    return marker;
  }

  function draw(facts) {
    layer.clearLayers();
    facts.vans.forEach((one, n) => {
      const colour = ROUTE_COLOURS[n % ROUTE_COLOURS.length];
      const own = facts.stops.filter((stop) => stop.vehicle_key === one.vehicle_key).sort((a, b) => a.start_s - b.start_s);
      const next = own.find((stop) => stop.booking_id === one.next_booking_id) ?? own[0];
      const home = stations[one.station_key];
      const place = one.position ?? next?.point ?? home;
      if (!place || !one.open) return;
      const way = [place, ...own.map((stop) => stop.point), ...(home ? [home] : [])].map((point) => [point.lat, point.lon]);
      L.polyline(way, { color: colour, weight: 2, opacity: 0.6, dashArray: one.position ? null : "6 6", interactive: false }).addTo(layer);
      for (const stop of own) {
        L.circleMarker([stop.point.lat, stop.point.lon], { radius: stop.late_min ? 6 : 4, color: stop.late_min ? "#9d1f17" : colour, weight: stop.late_min ? 3 : 1, fillColor: colour, fillOpacity: 0.9 })
          .bindTooltip(`${stop.village_name_zh} · ${clock(stop.start_s)}${stop.late_min ? say(` · 晚 ${stop.late_min} 分钟`, ` · ${stop.late_min} min late`) : ""}`).addTo(layer);
      }
      van(one, colour, [place.lat, place.lon]).addTo(layer);
    });
  }

  return { draw };
}
