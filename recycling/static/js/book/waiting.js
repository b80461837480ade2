// The waiting list (候补), where no window is open: for which days one would wait.

import { ask } from "../api.js";
import { el, once } from "../dom.js";
import { day as dayWords, say } from "../words.js";
import { dropKey, finish, keyFor, wish } from "./state.js";

/** A form that joins the waiting list for the days that are ticked, in any of their windows. */
export function waitingForm(days, { go, fail }) {
  const boxes = days.map((day) => el("input", { type: "checkbox", value: day.day, checked: true }));
  const out = el("div");
  const button = el(
    "button",
    {
      type: "button",
      onclick: () =>
        once(
          button,
          async () => {
            const choices = days
              .filter((_, at) => boxes[at].checked)
              .map((day) => ({ day: day.day, pickup_windows: day.windows.map((one) => one.pickup_window) }));
            if (choices.length === 0) throw new Error(say("请至少选一天。", "Choose at least one day."));
            const asked = { ...wish(), choices };
            try {
              const { body } = await ask("/waiting-list", { body: asked, key: keyFor("wait", asked) });
              finish({ waiting: { id: body.id, ahead: body.ahead } });
            } catch (problem) {
              if (problem.status !== 409) throw problem;
              dropKey("wait");
              // Either a place was freed just now, which the times show, or one of the days is waited for already.
              if (!/候补/.test(problem.body.detail ?? "")) await go("windows", { instead: true });
              fail(problem);
              return;
            }
            await go("done", { instead: true });
          },
          out,
        ),
    },
    say("加入候补", "Join the waiting list"),
  );
  return el(
    "fieldset",
    { class: "card" },
    el(
      "legend",
      {},
      say(
        "候补：有空位时发短信通知，并为您保留一段时间",
        "Waiting list: a message tells you of a place, which is kept for you a while",
      ),
    ),
    el(
      "div",
      { class: "ticks" },
      days.map((day, at) => el("label", { class: "tick-line" }, boxes[at], dayWords(day.day))),
    ),
    button,
    out,
  );
}
