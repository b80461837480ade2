// Fourth tap: look once more and save. The same key goes with every attempt, so that it is saved once.

import { ask, newKey } from "../api.js";
import { el, fill, note, once } from "../dom.js";
import { count, kg, say } from "../words.js";
import { facts, itemName, refusedName } from "./facts.js";
import { field, toFault } from "./form.js";
import { asBody, change, correcting, doorSum, forget, lineFaults, lines, massFaults, masses, state, tripOfDay } from "./weigh-state.js";
import { aboutLoad } from "./weigh-trip.js";

const PAUSES_MS = [2_000, 4_000, 8_000]; // between attempts while nobody answers
const CHANGED_KEY = "idempotency_key_mismatch";

export function show(root, go) {
  const { gross, tare, net, refused, accepted } = masses();
  const { expected, allowed } = doorSum();
  const difference = net - expected;
  const outside = state.channel === "door" && Math.abs(difference) > allowed;
  const units = lines().reduce((sum, line) => sum + line.units, 0);
  const fault = el("div", { id: "fault" });
  const reason = correcting ? field(say("更正原因（勿写个人信息）", "Why it is corrected (nothing personal)"), { kind: "area", value: state.reason, maxlength: 200, onchange: (value) => change({ reason: value }) }) : null;
  const trip = state.channel === "door" && tripOfDay() !== null && !correcting
    ? field(say("当日第几趟", "Trip of the day"), { digits: true, value: state.trip, onchange: (value) => change({ trip: /^\d{1,2}$/.test(value) && Number(value) >= 1 ? Math.min(Number(value), facts.most.trip) : null }) })
    : null;
  const button = el("button", { type: "button", class: "go save", onclick: () => once(button, save) }, correcting ? say("提交更正", "Send the correction") : say("保存磅单", "Save the ticket"));

  async function save() {
    if (Object.keys(massFaults()).length) return go("mass");
    const faults = lineFaults();
    if (faults.lines || faults.refused || faults.refused_reason || faults.of.size) return go("lines");
    if (correcting && state.reason.trim().length < 4) {
      reason.fault(say("请写明原因，至少 4 个字", "Say why, in at least 4 characters"));
      return toFault(root);
    }
    const body = asBody();
    fill(fault);
    try {
      const answer = await send(correcting ? `/intake-tickets/${encodeURIComponent(correcting)}/corrections` : "/intake-tickets", body, fault);
      const id = answer.status === 202 ? answer.body.ticket_id : answer.body.id;
      forget();
      // In place of the form: the back button shows the result, or what was before the form.
      location.replace(`/pages/station/ticket?id=${id}&${answer.status === 202 ? "proposed" : "saved"}=1`);
    } catch (problem) {
      if (problem.status === 0 || problem.status >= 500) fill(fault, note(say("还不知道是否已保存。内容已保留，请再点一次“保存”：同一张磅单不会重复入账。", "It is not known yet whether it was saved. Nothing is lost: tap save again; one ticket is never booked twice."), "warn"));
      else if (problem.code === CHANGED_KEY) fill(fault, note(say("这张磅单此前已保存，之后又改动了内容。请到今日磅单查看，需要时更正。", "This ticket was saved before, and changed here since. Look at today's tickets, and correct it there."), "bad"), toTickets());
      else {
        change({ key: newKey() }); // it was refused: nothing stands under the old one
        fill(fault, note(problem.message, "bad"), problem.status === 409 ? toTickets() : null);
      }
      fault.scrollIntoView({ block: "nearest" });
    }
    return undefined;
  }

  fill(root,
    el("h2", { tabindex: "-1" }, say("核对并保存", "Check and save")),
    el("div", { class: "check-net" }, el("span", {}, say("净重", "Net")), el("strong", {}, kg(net)),
      el("span", { class: "small" }, `${say("毛", "gross")} ${kg(gross)} − ${say("皮", "tare")} ${kg(tare)}`)),
    state.channel !== "door" ? null : outside
      ? note(say(`与上门合计相差 ${kg(Math.abs(difference))}，超出允许的 ${kg(allowed)}。请核对车辆、读数和件数；确认无误仍可保存，由他人复核。`, `${kg(Math.abs(difference))} from what the doors say, more than the ${kg(allowed)} allowed. Check van, reading and counts; it can be saved all the same, and somebody else looks at it.`), "warn")
      : note(say(`与上门合计相符（允许相差 ${kg(allowed)}）`, `Agrees with the doors (within ${kg(allowed)})`)),
    el("dl", { class: "facts" },
        fact(say("来源", "From"), aboutLoad(state)), fact(say("件数", "Units"), count(units)),
        refused ? fact(say("扣杂", "Refused"), `${kg(refused)} ${refusedName(state.refused_reason)}`) : null,
        fact(say("计入", "Accepted"), kg(accepted)),
        state.channel === "door" ? fact(say("上门合计", "By the doors"), `≈ ${kg(expected)}`) : null,
        state.channel === "door" ? fact(say("差", "Difference"), `${difference > 0 ? "+" : difference < 0 ? "−" : ""}${kg(Math.abs(difference))}`) : null),
    el("ul", { class: "items sum" }, summed().map(([key, number]) => el("li", {}, `${itemName(key)} × ${count(number)}`))),
    trip, reason, fault, el("div", { class: "go-row" }, button));
}

const fact = (name, text) => el("div", {}, el("dt", {}, name), el("dd", {}, text));

const toTickets = () => el("p", {}, el("a", { class: "button", href: "/pages/station/today#tickets" }, say("查看今日磅单", "Today's tickets")));

function summed() {
  const found = new Map();
  for (const line of lines()) found.set(line.item_type, (found.get(line.item_type) ?? 0) + line.units);
  return [...found];
}

/** Send until somebody answers, at most a few times. */
async function send(path, body, fault) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask(path, { body, key: state.key });
    } catch (problem) {
      const again = (problem.status === 0 || problem.status === 503) && attempt < PAUSES_MS.length;
      if (!again) throw problem;
      fill(fault, note(say("网络不通，正在重试…", "No network; trying again…"), "warn"));
      await new Promise((go) => { setTimeout(go, PAUSES_MS[attempt]); });
    }
  }
}
