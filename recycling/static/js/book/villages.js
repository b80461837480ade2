// Choosing the village or community: typed by characters or initials, or picked town by town.

import { ask } from "../api.js";
import { el, fill, note } from "../dom.js";
import { say } from "../words.js";
import { isFoundBy } from "./initials.js";
import { facts, keep, state } from "./state.js";

const MOST_SHOWN = 8;
let asked = null;

const townOf = (village) => say(...facts.towns[village.town_key]);

/** A field that chooses a village and writes it into the draft; `changed` hears of it. */
export function villageField(changed) {
  const field = el("div", { class: "village" });
  draw();
  return field;

  function draw({ focus = false } = {}) {
    if (!state.door.village_code) {
      fill(field, searching());
      if (focus) field.querySelector("input").focus();
      return;
    }
    const again = el(
      "button",
      {
        type: "button",
        class: "quiet",
        id: "other-village",
        onclick: () => {
          state.door.village_code = "";
          keep();
          changed();
          draw({ focus: true });
        },
      },
      say("更改", "Change"),
    );
    fill(
      field,
      el("p", { class: "label" }, say("村居", "Village or community")),
      el(
        "p",
        { class: "picked" },
        el("span", {}, `${say(...(facts.towns[state.door.town] ?? ["", ""]))} ${state.door.village}`),
        again,
      ),
    );
    if (focus) again.focus();
  }

  function searching() {
    const found = el("ul", { class: "found", id: "villages" });
    const said = el("p", { class: "small", role: "status" });
    const input = el("input", {
      type: "search",
      id: "village",
      autocomplete: "off",
      maxlength: 20,
      "aria-controls": "villages",
      placeholder: say("如 清泉，或首字母 qq", "e.g. 清泉, or initials qq"),
      oninput: () => look(),
    });
    const town = el(
      "select",
      { id: "town", onchange: () => look() },
      el("option", { value: "" }, say("全部镇街", "All towns")),
      Object.entries(facts.towns).map(([key, names]) => el("option", { value: key }, say(...names))),
    );

    async function look() {
      const [text, key] = [input.value.trim(), town.value];
      if (!text && !key) {
        fill(found);
        said.textContent = say("输入名称，或先选镇街。", "Type its name, or choose the town.");
        return;
      }
      let all;
      try {
        asked ??= ask("/villages");
        all = (await asked).body.villages;
      } catch (problem) {
        asked = null;
        fill(
          found,
          el(
            "li",
            {},
            note(problem.message, "warn"),
            el("button", { type: "button", class: "quiet", onclick: look }, say("重试", "Try again")),
          ),
        );
        return;
      }
      if (text !== input.value.trim() || key !== town.value) return; // somebody typed on
      const some = all.filter((one) => (!key || one.town_key === key) && (!text || isFoundBy(text, one.name_zh, ...facts.towns[one.town_key])));
      const shown = key && !text ? some : some.slice(0, MOST_SHOWN);
      fill(
        found,
        shown.map((one) =>
          el(
            "li",
            {},
            el(
              "button",
              {
                type: "button",
                class: "plain",
                onclick: () => {
                  Object.assign(state.door, { village_code: one.code, village: one.name_zh, town: one.town_key });
                  keep();
                  changed();
                  draw({ focus: true });
                },
              },
              one.name_zh,
              el("span", { class: "small" }, ` ${townOf(one)}`),
            ),
          ),
        ),
      );
      said.textContent =
        some.length === 0
          ? say("没有找到：换个字，或从镇街里选。", "Not found: try other letters, or choose the town.")
          : some.length > shown.length
            ? say(
                `找到 ${some.length} 个，显示前 ${shown.length} 个`,
                `${some.length} found, the first ${shown.length} shown`,
              )
            : say(`找到 ${some.length} 个`, `${some.length} found`);
    }

    look();
    return [
      el("label", { for: "village" }, say("村居", "Village or community")),
      input,
      el("label", { for: "town", class: "small" }, say("或按镇街选", "or by town")),
      town,
      said,
      found,
    ];
  }
}
