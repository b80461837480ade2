// Step 1: what is to be fetched, by picture, with an estimate of what it brings.

import { el, fill } from "../dom.js";
import { say } from "../words.js";
import { estimate } from "./estimate.js";
import { isFoundBy } from "./initials.js";
import { facts, keep, kinds, pieces, state } from "./state.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST_TYPES = 20; // in one booking

/** The drawing of an item type. */
export function picture(kind) {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("class", "picture");
  drawn.setAttribute("viewBox", "0 0 48 48");
  drawn.setAttribute("aria-hidden", "true");
  const used = document.createElementNS(SVG, "use");
  used.setAttribute("href", `${facts.sprite}#${kind.picture}`);
  drawn.append(used);
  return drawn;
}

export const nameOf = (kind) => say(kind.zh, kind.en);

export const items = {
  zh: "要回收什么？",
  en: "What is to go?",
  shortZh: "物品",
  shortEn: "Items",
  lacks: () => pieces() === 0,
  show,
};

function show({ place }) {
  const grid = el("div");
  const list = el("div", { id: "chosen" });
  const summary = el("div", { class: "summary", "aria-live": "polite" });
  const shownAll = new Set();
  const search = el("input", {
    type: "search",
    id: "search",
    autocomplete: "off",
    maxlength: 20,
    "aria-controls": "kinds",
    placeholder: say("如 冰箱、bx、沙发", "e.g. fridge, sofa"),
    oninput: () => draw(),
  });

  function set(kind, quantity) {
    const one = state.items[kind.key];
    if (quantity <= 0) delete state.items[kind.key];
    else if (one) one.quantity = Math.min(quantity, kind.most);
    else if (Object.keys(state.items).length < MOST_TYPES) {
      state.items[kind.key] = { quantity, condition: "unknown", dismantle: false, wipe: false };
    }
    state.asked = null;
    keep();
  }

  function change(kind, quantity, focus) {
    set(kind, quantity);
    draw();
    drawChosen();
    // The button that was pressed was drawn anew; where it is gone, its picture takes its place.
    (document.getElementById(focus) ?? document.getElementById(`kind-${kind.key}`) ?? search).focus({
      preventScroll: true,
    });
    estimate(summary);
  }

  function tile(kind) {
    const quantity = state.items[kind.key]?.quantity ?? 0;
    const words = nameOf(kind);
    const full = quantity >= kind.most;
    return el(
      "li",
      { class: quantity ? "kind chosen" : "kind" },
      el(
        "button",
        {
          type: "button",
          id: `kind-${kind.key}`,
          class: "pick",
          "aria-disabled": full ? "true" : null,
          onclick: () => !full && change(kind, quantity + 1, `kind-${kind.key}`),
        },
        picture(kind),
        el("span", { class: "words" }, words),
        quantity > 0 && el("span", { class: "count" }, String(quantity)),
        el("span", { class: "behind" }, quantity > 0 ? say("件已选，再加一件", "chosen, add one") : say("添加", "add")),
      ),
    );
  }

  function group(id, heading, furniture) {
    const all = facts.item_types.filter((kind) => kind.furniture === furniture);
    const text = search.value.trim();
    const some = text
      ? all.filter((kind) => isFoundBy(text, kind.zh, kind.en))
      : all.filter((kind) => kind.common || shownAll.has(id) || state.items[kind.key]);
    if (some.length === 0) return null;
    const rest = all.length - some.length;
    return el(
      "section",
      { "aria-labelledby": id },
      el("h3", { id }, heading),
      el("ul", { class: "kinds" }, some.map(tile)),
      !text &&
        rest > 0 &&
        el(
          "button",
          {
            type: "button",
            class: "quiet more",
            onclick: () => {
              shownAll.add(id);
              draw();
              document.getElementById(`kind-${all.find((kind) => !some.includes(kind)).key}`).focus();
            },
          },
          say(`显示其余 ${rest} 种`, `Show ${rest} more`),
        ),
    );
  }

  function draw() {
    const groups = [
      group("appliances", say("家电", "Appliances"), false),
      group("furniture", say("家具", "Furniture"), true),
    ].filter(Boolean);
    fill(
      grid,
      groups.length
        ? groups
        : el(
            "p",
            { class: "note", role: "status" },
            say(
              "没有找到。换个说法试试；不在此列的物品请致电回收站点。",
              "Nothing found. Try another word, or call a station about what is not listed.",
            ),
          ),
    );
  }

  function drawChosen() {
    const rows = Object.entries(state.items).map(([key, one]) =>
      row(kinds.get(key), one, change, () => {
        state.asked = null;
        keep();
        estimate(summary);
      }),
    );
    fill(
      list,
      rows.length > 0 && [
        el("h3", {}, say("已选", "Chosen")),
        el(
          "p",
          { class: "small" },
          say(
            "家电缺压缩机、主板等部件的，成色请选“报废”。",
            "Choose scrap for an appliance whose compressor, boards or other parts are missing.",
          ),
        ),
      ],
      rows.length > 0 && el("ul", { class: "chosen-list" }, rows),
    );
  }

  draw();
  drawChosen();
  fill(place, el("label", { for: "search" }, say("搜索", "Search")), search, el("div", { id: "kinds" }, grid), list);
  estimate(summary);
  return {
    words: ["下一步", "Next"],
    summary,
    leave: () => {
      if (pieces() === 0) throw new Error(say("请先点选要回收的物品。", "Tap what is to go first."));
    },
  };
}

// One chosen item type: how many, in what state, to be taken apart or not.
function row(kind, one, change, changed) {
  const words = nameOf(kind);
  const step = (by, sign, label) =>
    el(
      "button",
      {
        type: "button",
        class: "step-by",
        id: `${label}-${kind.key}`,
        "aria-disabled": by > 0 && one.quantity >= kind.most ? "true" : null,
        "aria-label":
          by > 0 ? say(`${words} 加一件`, `One more ${words}`) : say(`${words} 减一件`, `One ${words} less`),
        onclick: () => (by < 0 || one.quantity < kind.most) && change(kind, one.quantity + by, `${label}-${kind.key}`),
      },
      sign,
    );
  return el(
    "li",
    { class: "card" },
    el(
      "div",
      { class: "line" },
      picture(kind),
      el("strong", {}, words),
      el(
        "span",
        { class: "stepper" },
        step(-1, "−", "less"),
        el("output", {}, String(one.quantity)),
        step(1, "+", "more"),
      ),
    ),
    one.quantity >= kind.most &&
      el(
        "p",
        { class: "small" },
        say(`一次最多 ${kind.most} 件，其余请另行预约`, `At most ${kind.most} at once; book more separately`),
      ),
    el("label", { for: `condition-${kind.key}` }, say("成色", "Condition")),
    el(
      "select",
      {
        id: `condition-${kind.key}`,
        onchange: (event) => {
          one.condition = event.target.value;
          changed();
        },
      },
      facts.conditions.map(([key, zh, en]) =>
        el("option", { value: key, selected: key === one.condition }, say(zh, en)),
      ),
    ),
    kind.dismantling &&
      el(
        "label",
        { class: "tick-line" },
        el("input", {
          type: "checkbox",
          checked: one.dismantle,
          onchange: (event) => {
            one.dismantle = event.target.checked;
            changed();
          },
        }),
        say("需要我们拆下或拆开", "We are to take it down or apart"),
      ),
  );
}
