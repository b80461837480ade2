// Step 3: where the door is, how to get there; saved addresses are one tap.

import { ask } from "../api.js";
import { el, fill, note } from "../dom.js";
import { say } from "../words.js";
import { placeField } from "./place.js";
import { facts, keep, state } from "./state.js";
import { villageField } from "./villages.js";

const SHORTEST = 4; // characters of an address
const [LOWEST, HIGHEST] = [-5, 60];

const isWhole = ({ village_code, address, lat, floor }) =>
  village_code && address.trim().length >= SHORTEST && lat !== null && Number.isInteger(floor);

export const address = {
  zh: "在哪里取？",
  en: "Where do we come?",
  shortZh: "地址",
  shortEn: "Address",
  lacks: () => facts.role !== "resident" || !isWhole(state.door),
  show,
};

async function show({ place, again, isShown }) {
  if (facts.role !== "resident") {
    fill(
      place,
      facts.role === null
        ? signIn()
        : note(
            say(
              "在线预约供居民使用：请退出后用居民手机号登录。",
              "Booking here is for residents: sign out, then sign in with a resident's number.",
            ),
            "warn",
          ),
    );
    return null;
  }
  const { door } = state;
  const saved = el("div", { id: "saved" });
  const write = (name) => (event) => {
    door[name] = event.target.value;
    keep();
  };
  const floor = el("input", {
    id: "floor",
    type: "number",
    inputmode: "numeric",
    min: LOWEST,
    max: HIGHEST,
    step: 1,
    value: Number.isInteger(door.floor) ? door.floor : "",
    oninput: (event) => {
      const typed = Number(event.target.value);
      door.floor = event.target.value !== "" && Number.isInteger(typed) ? typed : null;
      keep();
    },
  });
  fill(
    place,
    saved,
    villageField(() => {}),
    el("label", { for: "address" }, say("详细地址", "Address")),
    el("input", {
      id: "address",
      maxlength: 200,
      autocomplete: "street-address",
      value: door.address,
      oninput: write("address"),
      placeholder: say("路名、小区、楼栋、门牌", "road, estate, building, door"),
    }),
    placeField(),
    el(
      "div",
      { class: "side-by-side" },
      el("div", {}, el("label", { for: "floor" }, say("楼层", "Floor")), floor),
      el(
        "div",
        {},
        el("p", { class: "label" }, say("电梯", "Lift")),
        tick("lift", say("有电梯可用", "There is a lift"), door.has_lift, (on) => {
          door.has_lift = on;
          keep();
        }),
      ),
    ),
    el("label", { for: "note" }, say("给回收员的备注（可不填）", "A note for the crew (optional)")),
    el("textarea", {
      id: "note",
      rows: 2,
      maxlength: 200,
      value: door.note,
      oninput: write("note"),
      placeholder: say("门禁、停车、从哪个门进", "gate code, parking, which entrance"),
    }),
    keeping(),
  );
  listSaved(saved, again, isShown);
  return { words: ["看可约时间", "See the times"], leave: () => leave(floor) };
}

function leave(floor) {
  const { door } = state;
  const missing = (id, text) => {
    const field = document.getElementById(id);
    field?.setAttribute("aria-invalid", "true");
    field?.addEventListener("input", () => field.removeAttribute("aria-invalid"), { once: true });
    field?.focus();
    throw new Error(text);
  };
  if (!door.village_code) missing("village", say("请选择村居。", "Choose the village or community."));
  if (door.address.trim().length < SHORTEST)
    missing("address", say("请写详细地址，至少 4 个字。", "Write the address, at least 4 characters."));
  if (door.lat === null)
    missing(
      "here",
      say(
        "请标出门口位置：用我的位置，或在地图上标点。",
        "Show where the door is: by your location or by a pin on the map.",
      ),
    );
  if (!Number.isInteger(door.floor) || door.floor < LOWEST || door.floor > HIGHEST)
    missing(floor.id, say("请写楼层，如 1、6 或 -1。", "Write the floor, such as 1, 6 or -1."));
}

function tick(id, words, on, changed) {
  return el(
    "label",
    { class: "tick-line" },
    el("input", { type: "checkbox", id, checked: on, onchange: (event) => changed(event.target.checked) }),
    words,
  );
}

// To be saved once it is booked.
function keeping() {
  const name = el("input", {
    id: "keep-as",
    maxlength: 20,
    value: state.keepAs || say("家", "Home"),
    oninput: () => {
      state.keepAs = name.value.trim();
      keep();
    },
  });
  const box = el("div", { hidden: !state.keepAs }, el("label", { for: "keep-as" }, say("名称", "Name")), name);
  return el(
    "div",
    {},
    tick("keep", say("保存为常用地址", "Save this address"), Boolean(state.keepAs), (on) => {
      box.hidden = !on;
      state.keepAs = on ? name.value.trim() : "";
      keep();
    }),
    box,
  );
}

async function listSaved(place, again, isShown) {
  let rows = [];
  try {
    rows = (await ask("/my-addresses")).body.addresses;
  } catch {
    return; // it can be written anew
  }
  if (!isShown() || rows.length === 0) return;
  fill(
    place,
    el("h3", {}, say("常用地址", "Saved addresses")),
    el(
      "ul",
      { class: "saved" },
      rows.map((row) =>
        el(
          "li",
          {},
          el(
            "button",
            {
              type: "button",
              class: "quiet-button",
              "aria-pressed": String(isThis(row)),
              onclick: async () => {
                const { village_code, address: text, lat, lon, floor, has_lift, note: said } = row;
                const village = await villageOf(village_code);
                Object.assign(state.door, {
                  village_code,
                  ...village,
                  address: text,
                  lat,
                  lon,
                  accuracy: null,
                  floor,
                  has_lift,
                  note: said,
                });
                state.keepAs = "";
                keep();
                await again();
                document.getElementById("next").focus();
              },
            },
            el("strong", {}, row.label),
            el("span", { class: "small" }, ` ${row.address}`),
          ),
        ),
      ),
    ),
  );
}

const isThis = (row) =>
  row.village_code === state.door.village_code && row.address === state.door.address && row.lat === state.door.lat;

async function villageOf(code) {
  const found = (await ask("/villages")).body.villages.find((one) => one.code === code);
  return { village: found?.name_zh ?? "", town: found?.town_key ?? "" };
}

function signIn() {
  const next = encodeURIComponent(`${location.pathname}?step=address`);
  return [
    el(
      "p",
      { class: "note" },
      say(
        "地址和时间需要登录：用手机号收验证码即可，已选内容会保留。",
        "Sign in for the address and the times: a code to your phone is enough. What you chose is kept.",
      ),
    ),
    el(
      "p",
      {},
      el("a", { class: "button", href: `/pages/sign-in?next=${next}` }, say("用手机号登录", "Sign in by phone")),
    ),
  ];
}
