// A ticket in one line of a list.

import { el } from "../dom.js";
import { kg, moment, say } from "../words.js";
import { channelName, itemName } from "./facts.js";

/** What a ticket is made of, in few words. */
export function goodsOf(lines) {
  const found = new Map();
  for (const line of lines) found.set(line.item_type, (found.get(line.item_type) ?? 0) + line.units);
  return [...found].map(([key, units]) => `${itemName(key)} × ${units}`).join(say("、", ", "));
}

/** Which ticket: scale and number. */
export const numberOf = (ticket) => say(`${ticket.scale_number} 号磅第 ${ticket.number} 号`, `No. ${ticket.number} of scale ${ticket.scale_number}`);

/** Where the goods came from. */
export const fromOf = (ticket) => (ticket.vehicle_key ? `${ticket.vehicle_key}${ticket.trip ? say(` 第 ${ticket.trip} 趟`, `, trip ${ticket.trip}`) : ""}` : channelName(ticket.channel));

export function ticketRow(ticket) {
  return el("li", {}, el("a", { class: `card row${ticket.replaced_by_id ? " gone" : ""}`, href: `/pages/station/ticket?id=${ticket.id}` },
    el("strong", { class: "num" }, kg(ticket.net_g)),
    el("span", {}, fromOf(ticket), " ", el("span", { class: "small" }, goodsOf(ticket.lines))),
    el("span", { class: "small" }, `${moment(ticket.weighed_at)} · ${numberOf(ticket)}`,
      ticket.replaced_by_id ? el("span", { class: "chip warn" }, say("已更正", "replaced")) : null,
      ticket.corrects_id ? el("span", { class: "chip" }, say("更正单", "correction")) : null)));
}
