// Numbers as people type them at a scale: full-width digits, a Chinese full stop, kilograms with up to three decimals.

/** The same text in plain digits. */
export const plain = (text) => String(text ?? "").normalize("NFKC").replaceAll("。", ".").trim();

/** Kilograms as typed in grams; `null` for nothing, `NaN` for what is no mass. */
export function grams(text) {
  const typed = plain(text);
  if (!typed) return null;
  const found = /^(\d{0,6})(?:\.(\d{0,3}))?$/.exec(typed);
  if (!found || !(found[1] || found[2])) return NaN;
  return Number(found[1] || 0) * 1000 + Number((found[2] ?? "").padEnd(3, "0"));
}

/** A whole number as typed; `null` for nothing, `NaN` for anything else. */
export function whole(text) {
  const typed = plain(text);
  if (!typed) return null;
  return /^\d{1,6}$/.test(typed) ? Number(typed) : NaN;
}

/** Grams as somebody would type them: 3541300 → 3541.3. */
export const typedKg = (mass) => (mass === null || mass === undefined ? "" : String(mass / 1000));
