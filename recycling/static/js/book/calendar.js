// The visit as an entry for a calendar (RFC 5545), made on the phone.

import { say } from "../words.js";

const LONGEST_LINE = 74; // octets, without the line's end

const stamp = (at) => at.toISOString().replace(/[-:]|\.\d+/g, "");
const escaped = (text) => text.replace(/([\\;,])/g, "\\$1").replace(/\n/g, "\\n");

// A long line goes on in the next one after a space; no character is cut in two.
function folded(line) {
  const [out, size] = [[], new TextEncoder()];
  let [piece, taken] = ["", 0];
  for (const character of line) {
    const octets = size.encode(character).length;
    if (taken + octets > LONGEST_LINE) {
      out.push(piece);
      [piece, taken] = [" ", 1];
    }
    piece += character;
    taken += octets;
  }
  return [...out, piece].join("\r\n");
}

/** The entry of a visit in its window; it reminds the evening before. */
export function calendarFile({ id, day, window, number, arrival }) {
  const at = (seconds) => new Date(Date.parse(`${day}T00:00:00+08:00`) + seconds * 1000);
  const summary = say("薛城回收 上门回收", "Xuecheng Recycling: pickup");
  const about = say(`预约号 ${number}，预计 ${arrival} 左右到`, `Number ${number}, expected about ${arrival}`);
  return [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Xuecheng Recycling//Booking//ZH",
    "BEGIN:VEVENT",
    `UID:${id}@xuecheng-recycling`,
    `DTSTAMP:${stamp(new Date())}`,
    `DTSTART:${stamp(at(window.opens_s))}`,
    `DTEND:${stamp(at(window.closes_s))}`,
    `SUMMARY:${escaped(summary)}`,
    `DESCRIPTION:${escaped(about)}`,
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    `DESCRIPTION:${escaped(summary)}`,
    "TRIGGER:-PT12H",
    "END:VALARM",
    "END:VEVENT",
    "END:VCALENDAR",
  ]
    .map(folded)
    .join("\r\n")
    .concat("\r\n");
}
