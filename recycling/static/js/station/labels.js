// Labels as a scanner reads or a hand types them, in the form the server knows.

import { plain } from "./numbers.js";

/** A label in its one form, or `null` for what cannot be one: the server checks the rest, with its check character. */
export function readLabel(text) {
  const bare = plain(text).toUpperCase().replace(/[\s\-‐‑–—]/g, "");
  const body = (bare.length === 13 && bare.startsWith("XC") ? bare.slice(2) : bare).replace(/[IL]/g, "1").replaceAll("O", "0");
  return /^[0-9A-HJKMNP-TV-Z]{11}$/.test(body) ? `XC-${body}` : null;
}
