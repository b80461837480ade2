// Step 4: the windows that a route can really serve, why the others cannot, and what would open them.

import { ask } from "../api.js";
import { el, fill, note, once } from "../dom.js";
import { clock, day as dayWords, say } from "../words.js";
import { countdown, giveUp, isKept, secondsLeft, take, verify } from "./hold.js";
import { keep, state, windows as known, wish } from "./state.js";
import { waitingForm } from "./waiting.js";

const SHOWN_DAYS = 4; // with a window; further ones are folded

export const windows = {
  zh: "什么时候来？",
  en: "When do we come?",
  shortZh: "时间",
  shortEn: "Time",
  lacks: () => !isKept(),
  show,
};

/** A window of a day, in words. */
export const whenWords = (day, window) =>
  `${dayWords(day)} ${say(known.get(window)?.zh ?? window, known.get(window)?.en ?? window)}`;

async function show(frame) {
  const { place, again } = frame;
  const told = [];
  if (state.hold && !isKept()) {
    const changed = secondsLeft() > 0;
    await giveUp();
    told.push(
      note(
        changed
          ? say(
              "内容有改动，原来的占位已放弃，请重新选择时间。",
              "Something was changed: the place kept before is free again. Choose a time.",
            )
          : say("占位已过期，请重新选择时间。", "The place has lapsed. Choose a time again."),
        "warn",
      ),
    );
  }
  if (isKept()) return kept(frame);
  fill(
    place,
    told,
    el(
      "p",
      { role: "status", class: "loading" },
      say("正在按当天路线查找能到的时间…", "Asking the routes of the coming days…"),
    ),
  );
  let found;
  try {
    found = (await ask("/slot-offers", { body: wish() })).body;
  } catch (problem) {
    const retry = el("button", { type: "button", class: "quiet-button", onclick: again }, say("重试", "Try again"));
    const back = el(
      "button",
      { type: "button", class: "quiet-button", onclick: () => frame.go("address") },
      say("修改地址", "Change the address"),
    );
    fill(place, note(problem.message, "bad"), el("p", { class: "side" }, problem.status === 422 ? back : retry));
    return null;
  }
  const fits = draw(frame, found, told);
  const hint = say("点一个时间，为您保留 10 分钟", "Tap a time: it is kept for ten minutes");
  return { summary: fits && el("span", { class: "small" }, hint) };
}

// A place is kept: its load stands in the routes, so that other windows are only asked for after it is given up.
async function kept({ place, again }) {
  const other = el(
    "button",
    {
      type: "button",
      class: "quiet-button",
      onclick: () =>
        once(other, async () => {
          await giveUp();
          await again();
        }),
    },
    say("换一个时间", "Choose another time"),
  );
  fill(
    place,
    el(
      "div",
      { class: "card kept" },
      el(
        "p",
        {},
        say("已为您保留：", "Kept for you: "),
        el("strong", {}, whenWords(state.hold.day, state.hold.window)),
      ),
      el(
        "p",
        {},
        say("还剩 ", "Still "),
        countdown(async () => {
          await verify().catch(() => undefined);
          await again();
        }),
      ),
    ),
    el("p", {}, other),
  );
  return { words: ["用这个时间", "Take this time"], leave: () => undefined };
}

function draw(frame, found, told) {
  const open = found.days.filter((day) => !day.closed && day.windows.length > 0);
  const fitting = open.filter((day) => day.windows.some((one) => one.offered));
  // Where every window is as good as any other the mark would say nothing.
  const tells = fitting.some((day) => day.windows.some((one) => one.offered && !one.greenest));
  const card = (day) => dayCard(frame, found, day, tells);
  const last = fitting.slice(0, SHOWN_DAYS).at(-1) ?? open.at(-1); // where none fits all say why
  const near = open.filter((day) => day.day <= last.day);
  const far = open.filter((day) => !near.includes(day));
  fill(
    frame.place,
    told,
    found.note_zh && note(say(found.note_zh, found.note_en), "warn"),
    eased(frame),
    fitting.length === 0 &&
      note(
        open.length
          ? say(
              "近期的时间都约满了。可以加入候补，或按下面的建议调整。",
              "No time fits at present. Wait for a place, or take one of the suggestions below.",
            )
          : say("目前没有可约的日期，请明天再来看看。", "No day can be booked at present. Please look again tomorrow."),
        "warn",
      ),
    fitting.length === 0 && open.length > 0 && waitingForm(open, frame),
    near.map(card),
    far.length > 0 &&
      el(
        "details",
        { class: "further" },
        el("summary", {}, say(`更多日期（${far.length} 天）`, `${far.length} more days`)),
        far.map(card),
      ),
  );
  return fitting.length > 0;
}

function dayCard(frame, found, day, tells) {
  const offered = day.windows.filter((one) => one.offered);
  const shut = day.windows.filter((one) => !one.offered);
  const id = `day-${day.day}`;
  return el(
    "section",
    { class: "card day", "aria-labelledby": id },
    el("h3", { id }, dayWords(day.day)),
    day.apart_zh && el("p", { class: "small" }, say(day.apart_zh, day.apart_en)),
    offered.length > 0 &&
      el(
        "ul",
        { class: "windows" },
        offered.map((one) => el("li", {}, windowButton(frame, day, one, tells))),
      ),
    shut.length > 0 &&
      el(
        "details",
        { class: "shut" },
        el("summary", {}, say(`${shut.length} 个时段约不上：为什么？`, `${shut.length} not open: why?`)),
        shut.map((one) => reason(frame, found, one)),
      ),
  );
}

function windowButton({ go, fail }, day, one, tells) {
  const green = one.greenest && tells;
  const button = el(
    "button",
    {
      type: "button",
      class: green ? "window green" : "window",
      id: `w-${day.day}-${one.pickup_window}`,
      onclick: () => choose(button, day.day, one, go, fail),
    },
    el("strong", {}, say(one.name_zh, one.name_en)),
    el("span", { class: "small" }, say(`约 ${clock(one.arrival_s)} 到`, `about ${clock(one.arrival_s)}`)),
    green && el("span", { class: "chip" }, el("span", { "aria-hidden": "true" }, "● "), say("最环保", "greenest")),
    one.near && el("span", { class: "chip" }, say("顺路", "on our way")),
  );
  return button;
}

const choose = (button, day, offer, go, fail) =>
  once(button, async () => {
    try {
      await take(offer, day);
    } catch (problem) {
      if (["hold_lapsed", "window_full", "window_closed"].includes(problem.code)) {
        // taken by somebody else meanwhile
        await go("windows", { instead: true });
      }
      fail(problem);
      return;
    }
    await go("check");
  });

// Why a window is shut, and taps that change the wish so that it opens.
function reason(frame, found, one) {
  const why = one.why_not;
  return el(
    "div",
    { class: "why" },
    el("p", {}, el("strong", {}, say(one.name_zh, one.name_en)), why && `: ${say(why.zh, why.en)}`),
    why &&
      el(
        "p",
        { class: "side" },
        why.changes.map((change) => {
          const button = el(
            "button",
            { type: "button", class: "quiet-button", onclick: () => apply(button, change, frame, found) },
            say(change.zh, change.en),
          );
          return button;
        }),
      ),
  );
}

function apply(button, change, { again, go, fail }, found) {
  const target = found.days
    .find((day) => day.day === change.day)
    ?.windows.find((one) => one.pickup_window === change.pickup_window);
  if (target?.offered && ["window", "day"].includes(change.kind)) return choose(button, change.day, target, go, fail);
  return once(button, async () => {
    const { items, door } = state;
    state.asked ??= { items, floor: door.floor, words: [change.zh, change.en] };
    state.items = Object.fromEntries(
      change.items.map((item) => [
        item.item_type,
        { ...items[item.item_type], quantity: item.quantity, dismantle: item.dismantle },
      ]),
    );
    door.floor = change.floor;
    keep();
    await again();
    document.getElementById(`w-${change.day}-${change.pickup_window}`)?.focus();
  });
}

// A suggestion was taken: it stands there, and can be taken back.
function eased({ again }) {
  if (!state.asked) return null;
  const back = el(
    "button",
    {
      type: "button",
      class: "quiet",
      onclick: () =>
        once(back, async () => {
          state.items = state.asked.items;
          state.door.floor = state.asked.floor;
          state.asked = null;
          keep();
          await again();
        }),
    },
    say("恢复原来的要求", "Take it back"),
  );
  return el(
    "div",
    { class: "note" },
    say("已按建议调整：", "Changed as suggested: "),
    say(...state.asked.words),
    " ",
    back,
  );
}
