// The reader's language, numbers and times. The page's `lang` decides, as on the server.

export const english = document.documentElement.lang === "en";

/** The one of two texts that the reader reads. */
export const say = (zh, en) => (english ? en : zh);

/**
 * A message written "中文 / English" or "English / 中文", in the reader's half; any other text as it is. Of several places
 * to part it the one that leaves most to the English: a slash inside it parts nothing.
 */
export function mine(text) {
  const pieces = text.split(" / ");
  let best = null;
  for (let at = 1; at < pieces.length; at += 1) {
    const sides = [pieces.slice(0, at).join(" / "), pieces.slice(at).join(" / ")];
    const [zh, en] = isChinese(sides[0]) ? sides : sides.reverse();
    if (isChinese(zh) && !isChinese(en) && en.length > (best?.[1].length ?? 0)) best = [zh, en];
  }
  return best ? say(...best) : text;
}

const isChinese = (text) => /[\u4e00-\u9fff]/.test(text);

const two = (number) => String(number).padStart(2, "0");

/** Seconds after midnight as 08:05. */
export const clock = (seconds) => `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}`;

/** Grams as kilograms, at most one decimal. */
export const kg = (grams) => `${(grams / 1000).toLocaleString("zh-CN", { maximumFractionDigits: 1 })} kg`;

/** Whole numbers with their thousands apart. */
export const count = (number) => number.toLocaleString("zh-CN");

/** Fen as yuan. */
export const yuan = (fen) => `¥${(fen / 100).toLocaleString("zh-CN", { maximumFractionDigits: 2 })}`;

/** Metres as kilometres. */
export const km = (metres) => `${(metres / 1000).toLocaleString("zh-CN", { maximumFractionDigits: 1 })} km`;

/** A local day, 2026-11-27, as 11月27日 周五 or Fri 27 Nov. */
export const day = (iso) =>
  new Date(`${iso}T12:00:00+08:00`).toLocaleDateString(say("zh-CN", "en-GB"), {
    timeZone: "Asia/Shanghai", weekday: "short", month: "short", day: "numeric",
  });

/** A pickup window, 08-10 or all day. */
export const windowName = (key) => (key === "all-day" ? say("全天", "all day") : key);

/** An instant as the district's local time of day, 14:05, with its day when that is not today's. */
export function moment(instant) {
  const at = new Date(instant);
  const inShanghai = (options) => at.toLocaleString(say("zh-CN", "en-GB"), { timeZone: "Asia/Shanghai", hour12: false, ...options });
  const clockText = inShanghai({ hour: "2-digit", minute: "2-digit" });
  const isToday = shanghaiDay(at) === shanghaiDay(new Date());
  return isToday ? clockText : `${inShanghai({ month: "numeric", day: "numeric" })} ${clockText}`;
}

/** The service day of an instant: 2026-11-27. */
export const shanghaiDay = (at) => at.toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
