// The stops on the map: plain ground that is kept on the phone, tiles above it where there is a network.

import { el, fill, note } from "../dom.js";
import { districtMap } from "../map.js";
import { say } from "../words.js";
import { stepName } from "./parts.js";

const NEAR = 15; // the zoom at which single houses can be told apart

/** The screen. */
export async function mapScreen(app) {
  const frame = el("div", { class: "map", role: "application", "aria-label": say("路线地图；清单中有同样的内容", "Map of the route; the list holds the same") });
  const steps = app.day.steps.filter((step) => step.point);
  if (!steps.length) return [note(say("今天没有可显示的停靠点。", "There are no stops to show today."))];
  // Leaflet measures its element, so that has to stand first.
  requestAnimationFrame(async () => {
    try {
      const { map } = await districtMap(frame);
      const { L } = window;
      L.polyline(steps.map((step) => step.point), { color: "#0072b2", weight: 3, opacity: 0.6, interactive: false }).addTo(map);
      for (const step of steps.filter((one) => one.pickup)) {
        const state = step === app.day.next ? "next" : app.day.isDone(step) ? "done" : "";
        const pin = el("a", { class: `pin ${state}`, href: `#stop=${step.pickup.booking_id}`, "aria-label": `${step.position} ${stepName(step)}` }, String(step.position));
        L.marker(step.point, { icon: L.divIcon({ html: pin, className: "", iconSize: [44, 44] }), keyboard: false, zIndexOffset: state === "next" ? 1000 : 0 }).addTo(map);
      }
      map.fitBounds(L.latLngBounds(steps.map((step) => step.point)), { padding: [32, 32], maxZoom: NEAR });
    } catch {
      fill(frame, note(say("地图底图还没有保存在手机里，有网络时打开一次即可。", "The map is not kept here yet; open it once where there is a network."), "warn"));
    }
  });
  return [frame];
}
