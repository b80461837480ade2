// The day: what comes, what was weighed, what waits for somebody. It looks again by itself.

import { ask, askAll, newKey } from "../api.js";
import { el, fill, note, once } from "../dom.js";
import { count, kg, moment, say } from "../words.js";
import { facts, out, screen, shown } from "./facts.js";
import { field } from "./form.js";
import { ticketRow } from "./ticket-row.js";
import { tripCard } from "./trip-card.js";

const EVERY_MS = 60_000;

const vans = el("div", { class: "choices" });
const tickets = el("ul", { class: "rows" });
const waiting = el("ul", { class: "rows" });
const asOf = el("p", { class: "small" });
const total = el("p", {});
const waits = el("section", { hidden: true }, el("h2", {}, say("待办", "Waits for somebody")), waiting);

fill(screen,
  waits,
  el("section", {}, el("h2", {}, say("来车", "Vans")), vans),
  el("section", { id: "tickets" }, el("h2", {}, say("今日磅单", "Today's tickets")), total, tickets), asOf);

async function load() {
  const trips = await ask("/expected-trips"); // tells which day it is: a tablet stands open past midnight
  const [listed, proposals, counts, batches, balances] = await Promise.all([
    askAll(`/intake-tickets?day=${trips.body.day}&limit=200`, "tickets"),
    ask("/correction-proposals?waiting=true"), ask("/stock-counts?state=held"), ask("/hand-overs?state=held"), ask("/trip-balances?state=held"),
  ]);
  showVans(trips.body);
  showTickets(listed);
  showWaiting(proposals.body.proposals, counts.body.stock_counts, batches.body.hand_overs, balances.body.trip_balances);
  asOf.textContent = say(`更新于 ${moment(trips.body.as_of)}，每分钟自动刷新`, `As of ${moment(trips.body.as_of)}; looks again every minute`);
  fill(out);
}

function showVans({ trips }) {
  fill(vans, trips.map((trip) => (trip.lines.length
    ? el("a", { class: `card trip ${trip.state}`, href: `/pages/station/weigh?${new URLSearchParams({ vehicle: trip.vehicle_key, trip: trip.trip })}` }, tripCard(trip), el("span", { class: "do" }, say("过磅 ›", "weigh in ›")))
    : el("div", { class: `card trip ${trip.state}` }, tripCard(trip)))));
  if (!trips.length) fill(vans, note(say("今天没有车辆到本站卸货。", "No van unloads here today.")));
}

function showTickets(listed) {
  const counting = listed.filter((ticket) => !ticket.replaced_by_id);
  const sum = counting.reduce((all, ticket) => all + ticket.net_g - ticket.refused_g, 0);
  fill(total, counting.length ? say(`${count(counting.length)} 张，计入 ${kg(sum)}`, `${count(counting.length)} ${counting.length === 1 ? "ticket" : "tickets"}, ${kg(sum)} accepted`) : say("今天还没有磅单。", "No ticket yet today."));
  fill(tickets, listed.map(ticketRow));
}

function showWaiting(proposals, counts, batches, balances) {
  const rows = [
    ...proposals.map(proposalRow),
    counts.length ? way("/pages/station/stock#counts", say(`盘点待复核 ${counts.length}`, counts.length === 1 ? "1 stock count waits for a second person" : `${counts.length} stock counts wait for a second person`)) : null,
    batches.length ? way("/pages/station/hand-overs", say(`移交差异待处理 ${batches.length}`, batches.length === 1 ? "1 hand-over has a difference" : `${batches.length} hand-overs have a difference`)) : null,
    balances.length ? way("/pages/station/balance", say(`趟次待核 ${balances.length}`, balances.length === 1 ? "1 trip is held" : `${balances.length} trips are held`)) : null,
  ].filter(Boolean);
  if (waiting.contains(document.activeElement)) return; // nothing moves under somebody's fingers
  waits.hidden = !rows.length;
  fill(waiting, rows);
}

const way = (href, text) => el("li", {}, el("a", { class: "card row", href }, text));

/** A correction that takes two: approved or rejected by somebody else than who proposed it. */
function proposalRow(proposal) {
  const fault = el("div");
  const mine = proposal.proposed_by_id === facts.me;
  const why = field(say("驳回原因", "Why not"), { maxlength: 200 });
  const keys = { approval: newKey(), rejection: newKey() };
  const approve = el("button", { type: "button", onclick: () => once(approve, () => decide("approval"), fault) }, say("批准", "Approve"));
  const reject = el("button", { type: "button", class: "quiet", onclick: () => once(reject, () => {
    if (why.input.value.trim().length < 2) { why.fault(say("请写明驳回原因", "Say why not")); why.input.focus(); return undefined; }
    return decide("rejection", { note: why.input.value.trim() });
  }, fault) }, say("驳回", "Reject"));
  async function decide(what, body) {
    await ask(`/correction-proposals/${proposal.id}/${what}`, { method: "POST", body: body ?? {}, key: keys[what] });
    document.activeElement?.blur();
    await load();
  }
  return el("li", { class: "card proposal" },
    el("strong", {}, proposal.weighing ? say("磅单更正待复核", "A correction waits for a second person") : say("磅单作废待复核", "A withdrawal waits for a second person")),
    el("span", {}, `${kg(proposal.net_before_g)} → ${proposal.weighing ? kg(proposal.net_after_g) : "0 kg"}`),
    el("span", {}, proposal.reason),
    el("a", { href: `/pages/station/ticket?id=${proposal.ticket_id}` }, say("查看原磅单", "See the ticket")),
    mine ? el("span", { class: "small" }, say("由您提出，须由其他保管员或商促局复核。", "You proposed it; another keeper or the bureau decides."))
      : el("div", { class: "decide" }, approve, why, reject), fault);
}

async function again() {
  if (!document.hidden) {
    try {
      await load();
    } catch (problem) {
      fill(out, note(problem.message, "bad"));
      if (!vans.childNodes.length) fill(vans, el("p", { class: "small" }, "–"));
    }
  }
  setTimeout(again, EVERY_MS);
}

addEventListener("pageshow", (event) => { if (event.persisted) load().catch(() => {}); });
again().then(shown);
