// Step 5: everything once more, then one tap that books it.

import { el, fill, note } from "../dom.js";
import { clock, say } from "../words.js";
import { estimated, rangeWords, reasons } from "./estimate.js";
import { confirm, countdown, isKept, verify } from "./hold.js";
import { nameOf, picture } from "./items.js";
import { photosKept } from "./photo-store.js";
import { chosen, facts, finished, kinds, state } from "./state.js";
import { whenWords } from "./windows.js";

let here = null; // the frame while this step is shown

export const check = {
  zh: "核对并确认",
  en: "Check and confirm",
  shortZh: "确认",
  shortEn: "Confirm",
  lacks: () => !finished(),
  show,
};

async function show(frame) {
  const { place, go, again, isShown } = frame;
  here = frame;
  const shots = (await photosKept()).filter((row) => row.draft === state.id).length;
  const { door, hold } = state;
  const price = el("div", {}, el("p", { class: "small" }, say("估价中…", "estimating…")));
  const condition = Object.fromEntries(facts.conditions.map(([key, ...words]) => [key, say(...words)]));
  fill(
    place,
    el(
      "div",
      { class: "card kept" },
      el(
        "h3",
        {},
        el("span", { class: "when" }, whenWords(hold.day, hold.window)),
        change("windows", say("修改时间", "Change the time")),
      ),
      el("p", {}, say(`预计 ${clock(hold.arrival_s)} 左右到`, `Expected about ${clock(hold.arrival_s)}`)),
      el("p", {}, say("为您保留，还剩 ", "Kept for you, still "), countdown(over)),
    ),
    el(
      "div",
      { class: "card" },
      el("h3", {}, say("物品", "Items"), change("items", say("修改物品", "Change the items"))),
      el(
        "ul",
        { class: "items" },
        chosen().map(([key, one]) =>
          el(
            "li",
            { class: "line" },
            picture(kinds.get(key)),
            el(
              "span",
              {},
              `${nameOf(kinds.get(key))} × ${one.quantity}`,
              el(
                "span",
                { class: "small" },
                ` ${condition[one.condition]}`,
                one.dismantle && say("，需拆装", ", to be taken down"),
                one.wipe && say("，同意清除数据", ", data to be wiped"),
              ),
            ),
          ),
        ),
      ),
      price,
      shots > 0 && el("p", {}, say(`照片 ${shots} 张，预约成功后上传`, `${shots === 1 ? "1 photo" : `${shots} photos`}, sent once it is booked`)),
    ),
    el(
      "div",
      { class: "card" },
      el("h3", {}, say("地址", "Address"), change("address", say("修改地址", "Change the address"))),
      el("p", {}, `${say(...(facts.towns[door.town] ?? ["", ""]))} ${door.village} ${door.address}`),
      el(
        "p",
        { class: "small" },
        say(
          `${door.floor} 层，${door.has_lift ? "有" : "无"}电梯`,
          `floor ${door.floor}, ${door.has_lift ? "with a lift" : "no lift"}`,
        ),
        door.note && ` · ${door.note}`,
      ),
    ),
    el(
      "p",
      { class: "small" },
      say(
        "确认后可在“我的预约”修改或取消。我们只用这些信息上门回收：",
        "You can change or cancel it later under “My bookings”. What you give serves the pickup alone: ",
      ),
      el(
        "a",
        { href: "/privacy", target: "_blank", rel: "noopener" },
        say("隐私告知（新窗口）", "privacy notice (new window)"),
      ),
    ),
  );
  estimated().then(
    (found) =>
      fill(
        price,
        el("p", {}, say("估价 ", "Estimate "), el("strong", {}, rangeWords(found.low_fen, found.high_fen))),
        reasons(found),
      ),
    () =>
      fill(
        price,
        el(
          "p",
          { class: "small" },
          say("暂时无法估价，以上门核定为准。", "No estimate just now; it is settled at the door."),
        ),
      ),
  );
  return { words: ["确认预约", "Confirm"], leave: () => book(frame) };

  function change(step, words) {
    return el(
      "button",
      { type: "button", class: "quiet", "aria-label": words, onclick: () => go(step) },
      say("修改", "Change"),
    );
  }

  async function over() {
    await verify().catch(() => undefined);
    if (!isShown()) return;
    if (isKept())
      await again(); // the phone's stopwatch ran ahead
    else await go(finished() ? "done" : "windows", { instead: true });
  }
}

async function book({ go, fail }) {
  if (!isKept()) {
    await go("windows", { instead: true });
    return false;
  }
  try {
    await confirm();
  } catch (problem) {
    if (!isKept()) {
      // it lapsed
      await go("windows", { instead: true });
      fail(problem);
      return false;
    }
    if (problem.status === 0)
      throw new Error(
        say(
          "网络断了。连上后会自动再确认一次，不会重复预约；也可以自己再点。",
          "No network. Once it is back this is confirmed again by itself, and never twice; you may also tap again.",
        ),
      );
    throw problem;
  }
  await go("done", { instead: true });
  return false;
}

// Back online with a confirmation that nobody knows the fate of: the same one again.
window.addEventListener("online", () => {
  if (here?.isShown() && state.keys.confirm) document.getElementById("next")?.click();
});

// A phone that slept: what became of the place is asked, its own stopwatch may have slept too.
document.addEventListener("visibilitychange", async () => {
  if (document.hidden || !here?.isShown() || !state.hold) return;
  await verify().catch(() => undefined);
  if (!isKept() && here.isShown()) await here.go(finished() ? "done" : "windows", { instead: true });
});
