// The map of kept windows: a circle at each seat, larger for more promises, darker for a larger share kept.

import { byId, fill, given, note } from "../dom.js";
import { say } from "../words.js";
import { idly, percent, script, sized } from "./pieces.js";

const facts = given("facts");

async function draw() {
  await Promise.all([script(facts.scripts.maps), sized(byId("map"))]);
  const { districtMap } = await import("../map.js");
  const { map, ground } = await districtMap(byId("map"), { stations: false });
  const most = Math.max(...facts.groups.map((group) => group.promised));
  for (const group of facts.groups) {
    const seat = ground.town_units.find((town) => town.key === group.key);
    if (!seat) continue;
    window.L.circleMarker([seat.lat, seat.lon], { radius: 6 + 20 * Math.sqrt(group.promised / most), color: "#0b6b4a", weight: 2, fillColor: "#0b6b4a", fillOpacity: Math.max(0.1, group.kept_bp / 5_000 - 1) })
      .bindTooltip(`${say(group.name_zh, group.name_en)}: ${percent(group.kept_bp)} (${group.kept}/${group.promised})`).addTo(map);
  }
}

if (facts.groups.length) idly(() => draw().catch((problem) => fill(byId("map"), note(problem.message, "warn"))));
