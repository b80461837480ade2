// The way from items to a booking: one page, each step an entry of the history, so that back is one step back.

import { byId, el, fill, note, once } from "../dom.js";
import { say } from "../words.js";
import { check } from "./check.js";
import { address } from "./address.js";
import { done, resume } from "./done.js";
import { items } from "./items.js";
import { photos } from "./photos.js";
import { facts, finished, keep, startAnew, state } from "./state.js";
import { windows } from "./windows.js";

// A step: its names, why it cannot be shown yet (else null), and `show(frame)`, which fills its place in the page.
const STEPS = { items, photos, address, windows, check, done };
const NAMES = Object.keys(STEPS);

const body = byId("step");
const title = byId("step-title");
const bar = byId("bar");
const fault = byId("fault");
const main = document.querySelector("main");
let shown = null;
let turn = 0;

const asked = () => new URLSearchParams(location.search).get("step");
const pathOf = (name) => `${location.pathname}?step=${name}`;

/** The step that may be shown where one is wished for: the first that still lacks something comes before it. */
function allowed(name) {
  if (finished()) return "done";
  const until = NAMES.indexOf(name === "done" ? "check" : name);
  return NAMES.slice(0, until + 1).find((one, at) => at === until || STEPS[one].lacks()) ?? NAMES[0];
}

/** Go on to a step as a new entry of the history; `instead` of the present one where back must not lead to it. */
export async function go(name, { instead = false } = {}) {
  const step = allowed(NAMES.includes(name) ? name : NAMES[0]);
  history[instead || step === shown ? "replaceState" : "pushState"]({}, "", pathOf(step));
  await show(step);
}

async function show(name) {
  const mine = (turn += 1);
  const step = STEPS[name];
  const moved = shown !== null && shown !== name;
  shown = name;
  main.dataset.step = name;
  title.textContent = say(step.zh, step.en);
  document.title = `${say(step.zh, step.en)} · ${say("薛城回收", "Xuecheng Recycling")}`;
  fill(fault);
  way(name);
  keepLanguage();
  bar.hidden = true;
  const place = el("div");
  fill(body, place);
  if (moved) {
    window.scrollTo(0, 0);
    title.focus({ preventScroll: true }); // where a screen reader goes on reading
  }
  const next = await step.show({ place, go, fail, again: () => show(name), isShown: () => mine === turn });
  if (mine === turn) foot(name, next);
}

// Where one is: past steps lead back.
function way(name) {
  const at = NAMES.indexOf(name);
  fill(
    byId("steps"),
    NAMES.map((one, index) => {
      const words = [
        el("span", { class: "nth", "aria-hidden": "true" }, String(index + 1)),
        el("span", { class: "words" }, say(STEPS[one].shortZh, STEPS[one].shortEn)),
      ];
      const inside =
        index < at && !finished()
          ? el("button", { type: "button", class: "plain", onclick: () => go(one) }, words)
          : el("span", {}, words);
      return el("li", { class: index < at ? "past" : "", "aria-current": index === at ? "step" : null }, inside);
    }),
  );
}

// What is always at hand: a summary, and the way on. `next` is { words: [zh, en], leave, summary } or nothing.
function foot(name, next) {
  bar.hidden = !next;
  if (!next) return;
  const at = NAMES.indexOf(name);
  const on = next.words && el("button", { type: "button", id: "next" }, say(...next.words));
  on?.addEventListener("click", () =>
    once(
      on,
      async () => {
        const to = await next.leave();
        if (to !== false) await go(to ?? NAMES[at + 1]);
      },
      fault,
    ),
  );
  fill(
    bar,
    at > 0 && el("button", { type: "button", class: "quiet", onclick: () => history.back() }, say("上一步", "Back")),
    next.summary,
    on,
  );
}

/** Say what went wrong, below the step. */
function fail(problem) {
  fill(fault, note(problem.message, "bad"));
  fault.scrollIntoView({ block: "nearest" });
}

// The other language comes back to this step and not to the first.
function keepLanguage() {
  const link = document.querySelector("a.language");
  const to = new URL(link.href);
  to.searchParams.set("next", location.pathname + location.search);
  link.href = to.pathname + to.search;
}

window.addEventListener("popstate", () => {
  const step = allowed(NAMES.includes(asked()) ? asked() : NAMES[0]);
  if (step !== asked()) history.replaceState({}, "", pathOf(step));
  if (step !== shown) show(step); // else somebody followed a link within the page, or went back from the result
});
body.addEventListener("input", () => fill(fault)); // it is being put right
window.addEventListener("unhandledrejection", (event) => fail(event.reason));

async function open() {
  if (asked() === null && finished()) startAnew(); // opened afresh, not by the back button
  keep();
  await go(asked() ?? NAMES[0], { instead: true });
  main.removeAttribute("aria-busy");
  if (facts.role === "resident" && !state.booked) resume();
}

open();
