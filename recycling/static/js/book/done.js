// Step 6: the number, the day, what to prepare, the calendar; the photos go up now.

import { ask } from "../api.js";
import { el, fill, note, once } from "../dom.js";
import { clock, say } from "../words.js";
import { calendarFile } from "./calendar.js";
import { forgetPhoto, keepPhoto, photosKept } from "./photo-store.js";
import { steps } from "./photos.js";
import { finished, keep, keyFor, startAnew, state, windows as known } from "./state.js";
import { whenWords } from "./windows.js";

const IN_WECHAT = /MicroMessenger/i.test(navigator.userAgent); // it saves no files: the link would do nothing
const PATIENCE_MS = 120_000; // a photo over a village's mobile network
const FOR_GOOD = [403, 404, 409, 413, 415, 422]; // nothing that trying again would change

export const done = {
  get zh() {
    return state.waiting ? "已加入候补" : "已经约好";
  },
  get en() {
    return state.waiting ? "On the waiting list" : "Booked";
  },
  shortZh: "完成",
  shortEn: "Done",
  lacks: () => !finished(),
  show,
};

/** The number people see of a booking. */
const numberOf = (id) => id.slice(0, 8).toUpperCase();

async function show({ place, go, isShown }) {
  const another = el(
    "button",
    {
      type: "button",
      class: "quiet-button",
      onclick: () => {
        startAnew();
        go("items");
      },
    },
    say("再约一次", "Book another pickup"),
  );
  if (state.waiting) {
    fill(
      place,
      note(
        say(
          `已加入候补，前面还有 ${state.waiting.ahead} 人。有空位时发短信通知，请在保留时间内确认。`,
          `You wait, ${state.waiting.ahead} before you. A message tells you of a place; confirm it in time.`,
        ),
      ),
      el(
        "p",
        { class: "side" },
        el("a", { class: "button", href: "/pages/bookings" }, say("我的预约", "My bookings")),
        another,
      ),
    );
    return null;
  }
  const { id, day, window, arrival_s } = state.booked;
  const sent = el("div", { "aria-live": "polite" });
  const prepared = el("div", {}, el("p", { class: "small" }, say("正在查询上门准备…", "Looking up what to prepare…")));
  const file = URL.createObjectURL(
    new Blob(
      [
        calendarFile({
          id,
          day,
          window: known.get(window),
          number: numberOf(id),
          arrival: clock(arrival_s),
        }),
      ],
      { type: "text/calendar" },
    ),
  );
  fill(
    place,
    el(
      "div",
      { class: "card kept", role: "status" },
      el("p", {}, say("预约成功，我们会来：", "It is booked. We come:")),
      el("p", {}, el("strong", { class: "when" }, whenWords(day, window))),
      el(
        "p",
        {},
        say(
          `预计 ${clock(arrival_s)} 左右，前一晚排定路线后短信通知更准的时间。`,
          `About ${clock(arrival_s)}; a message gives a closer time once the routes are planned, the evening before.`,
        ),
      ),
      el("p", {}, say("预约号 ", "Number "), el("strong", { id: "number" }, numberOf(id))),
    ),
    el(
      "p",
      { class: "side" },
      el("a", { class: "button", href: "/pages/bookings" }, say("我的预约", "My bookings")),
      !IN_WECHAT &&
        el(
          "a",
          { class: "button quiet-button", id: "calendar", href: file, download: `xuecheng-${day}.ics` },
          say("加入日历", "Add to calendar"),
        ),
      another,
    ),
    sent,
    el("h3", {}, say("上门前请准备", "Before we come")),
    prepared,
  );
  if (isShown()) {
    preparation(id, prepared);
    saveAddress(sent).then(() => send(id, sent));
  }
  return null;
}

async function preparation(id, place) {
  try {
    const { body } = await ask(`/bookings/${id}/preparation`);
    fill(
      place,
      el(
        "ul",
        { class: "prepared" },
        body.items.map((item) =>
          el("li", { class: "card" }, el("strong", {}, say(item.name_zh, item.name_en)), steps(item)),
        ),
      ),
    );
  } catch (problem) {
    fill(place, note(problem.message, "warn"));
  }
}

async function saveAddress(out) {
  const { door } = state.booked;
  if (!door) return;
  try {
    await ask("/my-addresses", { body: door, key: keyFor("address", door) });
  } catch (problem) {
    if (problem.status === 0) return; // the next look at this page tries again
    if (problem.status !== 409)
      out.append(
        note(say(`地址没有保存：${problem.message}`, `The address was not saved: ${problem.message}`), "warn"),
      );
  }
  state.booked.door = null;
  keep();
}

let sending = false;

async function send(id, out) {
  for (const row of await photosKept()) {
    if (row.draft === state.id && row.booking === null) await keepPhoto({ ...row, booking: id });
  }
  const mine = (await photosKept()).filter((row) => row.booking === id);
  if (mine.length === 0 || sending) return;
  sending = true;
  const line = el("p", { class: "note" });
  const bar = el("progress", { max: mine.length, value: 0 });
  const place = el("div", { class: "sending" }, line, bar);
  out.append(place);
  const failed = [];
  for (const [at, row] of mine.entries()) {
    line.textContent = say(`正在上传照片 ${at + 1} / ${mine.length}`, `Sending photo ${at + 1} of ${mine.length}`);
    bar.setAttribute("aria-label", line.textContent);
    const problem = await upload(row);
    if (problem) failed.push(problem);
    bar.value = at + 1;
  }
  sending = false;
  bar.remove();
  const again = failed.some((problem) => problem.retryable);
  line.className = failed.length ? "note warn" : "note";
  line.textContent =
    failed.length === 0
      ? say(`${mine.length} 张照片已上传`, mine.length === 1 ? "The photo was sent" : `${mine.length} photos sent`)
      : say(
          `${failed.length} 张照片没有上传：${failed[0].message}`,
          `Not sent, of ${mine.length}: ${failed.length}. ${failed[0].message}`,
        );
  if (!again) return;
  const button = el(
    "button",
    {
      type: "button",
      class: "quiet-button",
      onclick: () =>
        once(button, async () => {
          place.remove();
          await send(id, out);
        }),
    },
    say("重新上传", "Send again"),
  );
  place.append(button);
}

/** Send one photo and forget it; the problem if it did not go. */
async function upload(row) {
  try {
    await ask(`/bookings/${row.booking}/photos`, { file: row.blob, patience: PATIENCE_MS });
  } catch (problem) {
    if (!FOR_GOOD.includes(problem.status)) return { message: problem.message, retryable: true };
    await forgetPhoto(row.id);
    return problem;
  }
  await forgetPhoto(row.id);
  return null;
}

/** Photos of a booking whose page was closed too soon: they go now. */
export async function resume() {
  for (const row of await photosKept()) if (row.booking !== null && !sending) await upload(row);
}
