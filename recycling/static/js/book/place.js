// The point of the door: by the phone's own location, or by a pin on the map, which is loaded only when asked for.

import { ask } from "../api.js";
import { el, fill, note, once } from "../dom.js";
import { say } from "../words.js";
import { facts, keep, state } from "./state.js";

const ROUGH_M = 150; // a fix no better than this may be the next street
const PATIENCE_MS = 15_000;
const LEAFLET = "../../vendor/leaflet-1.9.4/";

const WHY_NOT = {
  1: [
    "没有定位权限：可在手机设置里允许浏览器定位，或直接在地图上标点。",
    "The phone does not give its location. Allow it in its settings, or place a pin on the map.",
  ],
  2: [
    "暂时定不了位：请到窗边再试，或在地图上标点。",
    "No location just now. Try again by a window, or place a pin on the map.",
  ],
  3: ["定位超时：请再试一次，或在地图上标点。", "The location took too long. Try again, or place a pin on the map."],
};

/** A field that finds the point and writes it into the draft, WGS-84 as browsers and our maps have it. */
export function placeField() {
  const said = el("div", { "aria-live": "polite" });
  const ground = el("div", { class: "pin-map", hidden: true });
  const here = el(
    "button",
    { type: "button", class: "quiet-button", id: "here", onclick: () => once(here, locate, said) },
    say("使用我的位置", "Use my location"),
  );
  const onMap = el(
    "button",
    { type: "button", class: "quiet-button", id: "on-map", onclick: () => once(onMap, open, said) },
    say("在地图上标点", "Place a pin on the map"),
  );
  const byText =
    facts.geocoder &&
    el(
      "button",
      {
        type: "button",
        class: "quiet-button",
        onclick: () => once(byText, find, said),
      },
      say("按地址查找", "Find the address"),
    );
  let pin = null;

  function tell(...more) {
    const { lat, lon, accuracy } = state.door;
    if (lat === null) {
      fill(
        said,
        el(
          "p",
          { class: "small" },
          say("请标出门口的位置，路线按它安排。", "Show where the door is: the route is made by it."),
        ),
        more,
      );
      return;
    }
    const rough = accuracy !== null && accuracy > ROUGH_M;
    fill(
      said,
      note(
        rough
          ? say(
              `定位误差约 ${Math.round(accuracy)} 米，请在地图上确认。`,
              `The location is rough, ±${Math.round(accuracy)} m: please check it on the map.`,
            )
          : say("位置已标好。", "The place is set."),
        rough ? "warn" : "",
      ),
      more,
    );
  }

  async function take(lat, lon, accuracy) {
    const point = { lat: Number(lat.toFixed(6)), lon: Number(lon.toFixed(6)) };
    const { body } = await ask(`/address-candidates?lat=${point.lat}&lon=${point.lon}&coordinate_system=wgs84`);
    Object.assign(state.door, point, { accuracy });
    keep();
    const named = body.candidates[0]?.label;
    tell(named && el("p", { class: "small" }, say(`附近：${named}`, `Near: ${named}`)));
    pin?.();
  }

  async function locate() {
    if (!navigator.geolocation) throw new Error(say(...WHY_NOT[2]));
    fill(said, el("p", { class: "small" }, say("正在定位…", "Finding the location…")));
    const fix = await new Promise((found, refused) => {
      navigator.geolocation.getCurrentPosition(found, refused, {
        enableHighAccuracy: true,
        timeout: PATIENCE_MS,
        maximumAge: 60_000,
      });
    }).catch((problem) => {
      throw new Error(say(...(WHY_NOT[problem.code] ?? WHY_NOT[2])));
    });
    await take(fix.coords.latitude, fix.coords.longitude, fix.coords.accuracy);
  }

  // What the map service makes of the address that was written.
  async function find() {
    const text = state.door.address.trim();
    if (!state.door.village_code || text.length < 2)
      throw new Error(say("请先选村居、写详细地址。", "Choose the village and write the address first."));
    const { body } = await ask(
      `/address-candidates?text=${encodeURIComponent(text.slice(0, 100))}&village_code=${state.door.village_code}`,
    );
    if (body.candidates.length === 0)
      throw new Error(
        say("没有查到这个地址，请用定位或在地图上标点。", "This address was not found. Use your location or the map."),
      );
    fill(
      said,
      el(
        "ul",
        { class: "found" },
        body.candidates.map((one) =>
          el(
            "li",
            {},
            el(
              "button",
              {
                type: "button",
                class: "plain",
                onclick: (event) => once(event.currentTarget, () => take(one.lat, one.lon, null), said),
              },
              one.label,
            ),
          ),
        ),
      ),
    );
  }

  async function open() {
    if (pin) return;
    fill(said, el("p", { class: "small" }, say("正在打开地图…", "Opening the map…")));
    const { districtMap } = await leaflet();
    const drawn = el("div", { class: "map" });
    const centre = el(
      "button",
      { type: "button", class: "quiet-button", onclick: () => once(centre, () => put(made.map.getCenter()), said) },
      say("标在地图中心", "Put the pin in the middle"),
    );
    fill(
      ground,
      el(
        "p",
        { class: "small" },
        say(
          "放大到门口后点一下；用键盘可移动地图，再按“标在地图中心”。",
          "Zoom in to the door and tap it. By keyboard: move the map, then put the pin in the middle.",
        ),
      ),
      drawn,
      centre,
    );
    ground.hidden = false;
    const made = await districtMap(drawn);
    window.L.control.scale({ imperial: false }).addTo(made.map);
    for (const town of made.ground.town_units)
      window.L.tooltip([town.lat, town.lon], {
        permanent: true,
        direction: "center",
        content: say(town.name_zh, town.name_en),
        className: "town",
      }).addTo(made.map);
    let mark = null;
    pin = () => {
      if (state.door.lat === null) return;
      mark?.remove();
      mark = window.L.circleMarker([state.door.lat, state.door.lon], {
        radius: 11,
        color: "#fff",
        weight: 3,
        fillColor: "#9d1f17",
        fillOpacity: 1,
      }).addTo(made.map);
      if (!made.map.getBounds().contains(mark.getLatLng())) made.map.setView(mark.getLatLng(), 16);
    };
    const put = (point) => take(point.lat, point.lng, null);
    made.map.on("click", (event) => once(onMap, () => put(event.latlng), said));
    const seat = made.ground.town_units.find((town) => town.key === state.door.town);
    if (state.door.lat !== null) made.map.setView([state.door.lat, state.door.lon], 16);
    else if (seat) made.map.setView([seat.lat, seat.lon], made.ground.tiles.length ? 14 : 12);
    pin();
    tell();
    drawn.scrollIntoView({ block: "nearest" });
  }

  tell();
  return el(
    "div",
    { class: "place", role: "group", "aria-labelledby": "place-label" },
    el("p", { class: "label", id: "place-label" }, say("门口位置", "Where the door is")),
    el("p", { class: "side" }, here, byText, onMap),
    said,
    ground,
  );
}

// 160 kB that most people never need.
async function leaflet() {
  if (!window.L) {
    const style = el("link", { rel: "stylesheet", href: new URL(`${LEAFLET}leaflet.css`, import.meta.url) });
    const script = el("script", { src: new URL(`${LEAFLET}leaflet.js`, import.meta.url) });
    await new Promise((loaded, failed) => {
      script.addEventListener("load", loaded);
      script.addEventListener("error", () =>
        failed(
          new Error(say("地图没有打开，请检查网络后再试。", "The map did not open. Check the network and try again.")),
        ),
      );
      document.head.append(style, script);
    });
  }
  return import("../map.js");
}
