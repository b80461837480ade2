// Finding Chinese names by their characters or by the initials of their pinyin: bx finds 冰箱.

// The first character of each initial in the sequence of pinyin; no syllable begins with i, u or v.
const FIRST = [..."阿八嚓哒妸发旮哈讥咔垃痳拏噢妑七呥扨它穵夕丫帀"];
const LETTERS = "abcdefghjklmnopqrstwxyz";
const pinyin = new Intl.Collator("zh-Hans-CN-u-co-pinyin");

const initial = (character) => {
  if (!/[\u4e00-\u9fff]/.test(character)) return character.toLowerCase();
  const after = FIRST.findIndex((first) => pinyin.compare(first, character) > 0);
  return LETTERS[(after < 0 ? FIRST.length : Math.max(after, 1)) - 1];
};

const kept = new Map();

/** The initials of a name: qqs for 清泉社. A character read in several ways has only one of them. */
export function initials(name) {
  if (!kept.has(name)) kept.set(name, [...name].map(initial).join(""));
  return kept.get(name);
}

/** Whether a text that somebody types means one of these names. */
export function isFoundBy(text, ...names) {
  const wanted = text.trim().toLowerCase().replace(/\s+/g, "");
  return names.some(
    (name) =>
      name.toLowerCase().replace(/\s+/g, "").includes(wanted) ||
      (/^[a-z]{2,}$/.test(wanted) && /[\u4e00-\u9fff]/.test(name) && initials(name).includes(wanted)),
  );
}
