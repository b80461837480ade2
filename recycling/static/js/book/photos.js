// Step 2: photos, which help the crew and may be left out; what to prepare; whether data may be wiped.

import { newKey } from "../api.js";
import { el, fill, note } from "../dom.js";
import { smaller } from "../photo.js";
import { say } from "../words.js";
import { estimated } from "./estimate.js";
import { nameOf } from "./items.js";
import { forgetPhoto, keepPhoto, photosKept } from "./photo-store.js";
import { chosen, facts, keep, kinds, state } from "./state.js";

const unwiped = () => chosen().filter(([key, one]) => kinds.get(key).data && !one.wipe);

export const photos = {
  zh: "照片和上门准备",
  en: "Photos and preparation",
  shortZh: "照片",
  shortEn: "Photos",
  lacks: () => unwiped().length > 0,
  show,
};

async function show({ place, fail, isShown }) {
  const shots = el("ul", { class: "shots" });
  const said = el("div", { "aria-live": "polite" });
  const input = el("input", { type: "file", id: "shots", accept: "image/*", multiple: true, class: "behind" });
  const add = el("label", { class: "button quiet-button", for: "shots" }, say("拍照或选照片", "Take or choose photos"));
  const prepared = el(
    "div",
    {},
    el("p", { class: "small", role: "status" }, say("正在查询上门准备…", "Looking up what to prepare…")),
  );

  async function draw() {
    const mine = (await photosKept()).filter((row) => row.draft === state.id);
    add.hidden = input.disabled = mine.length >= facts.photos.most;
    fill(
      shots,
      mine.map((row, at) => {
        const address = URL.createObjectURL(row.blob);
        return el(
          "li",
          {},
          el("img", {
            src: address,
            alt: say(`照片 ${at + 1}`, `Photo ${at + 1}`),
            onload: () => URL.revokeObjectURL(address),
          }),
          el(
            "button",
            {
              type: "button",
              class: "quiet",
              "aria-label": say(`删除照片 ${at + 1}`, `Remove photo ${at + 1}`),
              onclick: async () => {
                await forgetPhoto(row.id);
                await draw();
                input.focus();
              },
            },
            say("删除", "Remove"),
          ),
        );
      }),
    );
  }

  input.addEventListener("change", async () => {
    const files = [...input.files];
    input.value = "";
    fill(said, el("p", { class: "small" }, say("正在缩小照片…", "Making the photos smaller…")));
    const room = facts.photos.most - (await photosKept()).filter((row) => row.draft === state.id).length;
    const problems = [];
    for (const file of files.slice(0, room)) {
      try {
        await keepPhoto({ id: newKey(), draft: state.id, booking: null, blob: await smaller(file, facts.photos), at: Date.now() });
      } catch (problem) {
        problems.push(problem.message);
      }
    }
    if (files.length > room)
      problems.push(say(`最多 ${facts.photos.most} 张照片。`, `At most ${facts.photos.most} photos.`));
    fill(
      said,
      [...new Set(problems)].map((text) => note(text, "warn")),
    );
    await draw();
  });

  fill(
    place,
    el(
      "p",
      {},
      say(
        "照片可以不传；有照片，回收员更好带对工具和车。",
        "Photos are optional. They help the crew to bring the right tools and van.",
      ),
    ),
    shots,
    el("p", { class: "adding" }, input, add),
    said,
    el("h3", {}, say("上门前请准备", "Before we come")),
    prepared,
  );
  await draw();
  preparation(prepared, isShown);
  return {
    words: ["下一步", "Next"],
    leave: () => {
      const [missing] = unwiped();
      if (!missing) return;
      document.getElementById(`wipe-${missing[0]}`)?.focus();
      throw new Error(
        say(
          `${nameOf(kinds.get(missing[0]))} 存有数据：请先同意清除数据，或返回上一步移除它。`,
          `${nameOf(kinds.get(missing[0]))} holds data: agree to have it wiped, or go back and take it out.`,
        ),
      );
    },
  };
}

async function preparation(place, isShown) {
  let found = null;
  try {
    found = await estimated();
  } catch (problem) {
    if (!isShown()) return;
    fill(
      place,
      note(problem.message, "warn"),
      el(
        "button",
        { type: "button", class: "quiet", onclick: () => preparation(place, isShown) },
        say("重试", "Try again"),
      ),
    );
    return;
  }
  if (!isShown()) return;
  fill(
    place,
    el(
      "ul",
      { class: "prepared" },
      found.preparation.map((item) =>
        el(
          "li",
          { class: "card" },
          el("strong", {}, say(item.name_zh, item.name_en)),
          steps(item),
          item.wipe_terms && wiping(item),
        ),
      ),
    ),
  );
}

/** What to prepare for one item type, and what is dangerous. */
export function steps(item) {
  const lines = item.steps.map((step) => el("li", {}, say(step.text_zh, step.text_en)));
  return [
    lines.length > 0 ? el("ul", {}, lines) : el("p", { class: "small" }, say("无需特别准备。", "Nothing special.")),
    ...item.hazards.map((hazard) => el("p", { class: "note warn" }, say(hazard.text_zh, hazard.text_en))),
  ];
}

function wiping(item) {
  const terms = item.wipe_terms;
  const one = state.items[item.item_type];
  return el(
    "div",
    { class: "wiping" },
    el("p", {}, el("strong", {}, say("数据清除", "Wiping of data"))),
    el(
      "ul",
      { class: "small" },
      el("li", {}, say(terms.scope_zh, terms.scope_en)),
      el("li", {}, say(terms.method_zh, terms.method_en)),
      el("li", {}, say(terms.effect_zh, terms.effect_en)),
    ),
    el(
      "label",
      { class: "tick-line" },
      el("input", {
        type: "checkbox",
        id: `wipe-${item.item_type}`,
        checked: one.wipe,
        onchange: (event) => {
          one.wipe = event.target.checked;
          keep();
        },
      }),
      say("我已备份，同意清除其中数据", "I have a copy of what I need and agree to the wiping"),
    ),
  );
}
