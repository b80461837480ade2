// A small map of the van while it is on its way; fetched only then, and moved when the page has looked again.

import { byId } from "../dom.js";
import { say } from "../words.js";

const place = byId("map");
let shown = null; // the map and the van's mark, once there was something to show

function library(script, style) {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = style;
  document.head.append(sheet);
  return new Promise((done, failed) => {
    const code = document.createElement("script");
    code.src = script;
    code.onload = done;
    code.onerror = failed;
    document.head.append(code);
  });
}

async function drawn() {
  await library(place.dataset.script, place.dataset.style);
  const { districtMap } = await import("../map.js");
  place.hidden = false;
  const { map, ground } = await districtMap(place);
  const mark = window.L.circleMarker([0, 0], { radius: 9, color: "#fff", weight: 3, fillColor: "#0072b2", fillOpacity: 1 });
  // On plain ground only the district's outline and its stations tell where something is.
  return { map, mark: mark.bindTooltip(say("回收车辆", "The van")).addTo(map), near: ground.tiles.length > 0 };
}

async function show() {
  const found = document.getElementById("van");
  if (!found) {
    place.hidden = true;
    return;
  }
  const { lat, lon } = JSON.parse(found.textContent);
  try {
    shown ??= drawn();
    const { map, mark, near } = await shown;
    place.hidden = false;
    map.invalidateSize();
    mark.setLatLng([lat, lon]);
    if (near) map.setView([lat, lon], 14);
  } catch {
    place.hidden = true; // the words and the link to a map stand above
    shown = null;
  }
}

new MutationObserver(show).observe(byId("status"), { childList: true });
show();
