// What the chosen items may bring or cost, with reasons; asked again whenever they change.

import { ask } from "../api.js";
import { el, fill } from "../dom.js";
import { say, yuan } from "../words.js";
import { chosen, kinds, pieces, state } from "./state.js";

const PAUSE_MS = 250; // while somebody taps several times
let running = null;

/** Both ends of a range in words: what one gets, or pays. */
export function rangeWords(low, high) {
  if (low === null) return say("暂无估价", "no estimate");
  if (high <= 0 && low < 0)
    return low === high
      ? say(`需付 ${yuan(-low)}`, `you pay ${yuan(-low)}`)
      : say(`需付 ${yuan(-high)}–${yuan(-low)}`, `you pay ${yuan(-high)}–${yuan(-low)}`);
  if (low < 0) return say(`付 ${yuan(-low)} 至得 ${yuan(high)}`, `pay ${yuan(-low)} to get ${yuan(high)}`);
  return low === high ? yuan(low) : `${yuan(low)}–${yuan(high)}`;
}

/** The estimate of what is chosen now. */
export async function estimated(signal) {
  const items = chosen().map(([item_type, one]) => ({
    item_type,
    quantity: one.quantity,
    condition: one.condition,
    dismantle: one.dismantle,
  }));
  const { floor, has_lift } = state.door;
  return (await ask("/price-estimates", { body: { items, floor, has_lift }, signal })).body;
}

/** Show the estimate in a summary, after a short pause; a newer call takes the place of an older one. */
export async function estimate(summary) {
  running?.abort();
  const mine = (running = new AbortController());
  if (pieces() === 0) {
    fill(
      summary,
      el("span", { class: "small" }, say("点图片添加，可多次点", "Tap a picture to add; tap again for more")),
    );
    return;
  }
  const details = el(
    "button",
    { type: "button", class: "link", onclick: () => document.querySelector("#chosen select").focus() },
    say("数量与成色", "number, condition"),
  );
  const count = say(`${pieces()} 件`, pieces() === 1 ? "1 piece" : `${pieces()} pieces`);
  fill(summary, el("strong", {}, count), " ", el("span", { class: "small" }, say("估价中…", "estimating…")));
  await new Promise((go) => setTimeout(go, PAUSE_MS));
  if (mine.signal.aborted) return;
  try {
    const found = await estimated(mine.signal);
    fill(
      summary,
      el("strong", {}, count, " · ", el("span", { class: "nowrap" }, rangeWords(found.low_fen, found.high_fen))),
      " ",
      details,
      reasons(found),
    );
  } catch (problem) {
    if (mine.signal.aborted) return;
    fill(
      summary,
      el("strong", {}, count),
      " ",
      el("span", { class: "small" }, say("暂时无法估价，可继续预约", "no estimate just now; you can go on")),
    );
  }
}

/** Why the range is what it is, folded. */
export function reasons(found) {
  const line = (reason) =>
    el(
      "li",
      {},
      say(reason.text_zh, reason.text_en),
      reason.low_fen !== null && el("span", { class: "num" }, ` ${rangeWords(reason.low_fen, reason.high_fen)}`),
    );
  return el(
    "details",
    { class: "reasons" },
    el("summary", {}, say("估价说明", "Why so much?")),
    el(
      "ul",
      {},
      found.items.map((one) =>
        el(
          "li",
          {},
          el("strong", {}, say(kinds.get(one.item_type).zh, kinds.get(one.item_type).en)),
          ` ${rangeWords(one.low_fen, one.high_fen)}`,
          el("ul", {}, one.reasons.map(line)),
        ),
      ),
      found.reasons.map(line),
    ),
  );
}
