// One ticket: what it says, its receipt and pictures, the way to a correction, and the next one.

import { ask, newKey } from "../api.js";
import { el, fill, note, once } from "../dom.js";
import { count, kg, mine, moment, say } from "../words.js";
import { itemName, out, query, refusedName, screen, shown, word } from "./facts.js";
import { field } from "./form.js";
import { fromOf, numberOf } from "./ticket-row.js";

const id = query.get("id") ?? "";
const path = `/intake-tickets/${encodeURIComponent(id)}`;

const fact = (name, text) => el("div", {}, el("dt", {}, name), el("dd", {}, text));
const other = (ticketId, text) => el("p", {}, el("a", { href: `/pages/station/ticket?id=${ticketId}` }, text));

async function load() {
  const { body: ticket } = await ask(path);
  const [{ body: pictures }, { body: waiting }] = await Promise.all([ask(`${path}/photos`), ask("/correction-proposals?waiting=true&limit=200")]);
  const proposal = waiting.proposals.find((one) => one.ticket_id === ticket.id);
  const withdrawn = ticket.corrects_id && !ticket.lines.length;
  fill(out,
    query.get("saved") ? note(say(`已保存：${numberOf(ticket)}`, `Saved: ${numberOf(ticket)}`)) : null,
    query.get("proposed") || proposal ? note(say("更正幅度较大，已提交，须由其他保管员或商促局批准后生效。", "A large change: it waits until another keeper or the bureau approves it."), "warn") : null,
    ticket.notes?.map((text) => note(mine(text), "warn")));
  fill(screen,
    el("div", { class: "check-net" }, el("span", {}, withdrawn ? say("已作废", "Withdrawn") : say("净重", "Net")), el("strong", {}, kg(ticket.net_g)),
      el("span", { class: "small" }, `${say("毛", "gross")} ${kg(ticket.gross_g)} − ${say("皮", "tare")} ${kg(ticket.tare_g)}`)),
    el("p", { class: "links no-print" },
      el("a", { class: "button", href: "/pages/station/weigh" }, say("下一单", "Next ticket")),
      el("a", { class: "button plain", href: `${path}/receipt.pdf`, target: "_blank", rel: "noopener" }, say("打印回执", "Print the receipt"))),
    ticket.replaced_by_id ? other(ticket.replaced_by_id, say("此单已被更正，查看新单 ›", "This ticket was replaced; see the new one ›")) : null,
    ticket.corrects_id ? other(ticket.corrects_id, say("此单更正了原单，查看原单 ›", "This one corrects another; see that ›")) : null,
    el("dl", { class: "facts" }, fact(say("磅单", "Ticket"), numberOf(ticket)), fact(say("来源", "From"), fromOf(ticket)),
      fact(say("时间", "When"), moment(ticket.weighed_at)), fact(say("计入日期", "Counts on"), ticket.counts_on),
      ticket.refused_g ? fact(say("扣杂", "Refused"), `${kg(ticket.refused_g)} ${refusedName(ticket.refused_reason)}`) : null,
      ticket.correction_reason ? fact(say("更正原因", "Why corrected"), ticket.correction_reason) : null),
    linesTable(ticket), photos(pictures, ticket),
    ticket.replaced_by_id || withdrawn ? null : corrections(ticket));
}

function linesTable(ticket) {
  if (!ticket.lines.length) return null;
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": say("明细", "Lines") }, el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, say("品类", "Item type")), el("th", { scope: "col", class: "num" }, say("件数", "Units")), el("th", { scope: "col", class: "num" }, say("重量", "Mass")), el("th", { scope: "col" }, say("计重来源", "How weighed")), el("th", { scope: "col" }, say("标签", "Labels")))),
    el("tbody", {}, ticket.lines.map((line) => el("tr", {}, el("th", { scope: "row" }, itemName(line.item_type), line.missing_parts ? el("span", { class: "chip warn" }, say(`缺件 ${line.missing_parts}`, `${line.missing_parts} stripped`)) : null),
      el("td", { class: "num" }, count(line.units)), el("td", { class: "num" }, kg(line.net_g)), el("td", {}, line.provenance === "weighed" ? say("过磅", "weighed") : word(line.provenance)),
      el("td", {}, line.tags.map((tag) => el("a", { class: "nowrap tag-way", href: `/pages/station/stock?label=${tag}` }, tag))))))));
}

function photos({ photos: pictures, most_photos: most }, ticket) {
  const fault = el("div");
  const file = el("input", { id: "photo", type: "file", accept: "image/jpeg,image/png,image/webp", capture: "environment", onchange: async () => {
    if (!file.files.length) return;
    await once(file, () => ask(`${path}/photos`, { file: file.files[0] }).then(load), fault); // the same file twice is one picture
  } });
  return el("section", { class: "no-print" }, el("h2", {}, say("照片（可不拍）", "Pictures (optional)")),
    el("div", { class: "pictures" }, pictures.map((one, n) => el("a", { href: `/ticket-photos/${one.id}`, target: "_blank", rel: "noopener" }, el("img", { src: `/ticket-photos/${one.id}`, alt: say(`照片 ${n + 1}`, `Picture ${n + 1}`), width: 160, height: Math.round((160 * one.height) / one.width), loading: "lazy" })))),
    pictures.length < most && !ticket.replaced_by_id ? el("div", { class: "field" }, el("label", { for: "photo" }, say("拍照或选择照片", "Take or choose a picture")), file) : null, fault);
}

function corrections(ticket) {
  const fault = el("div");
  const why = field(say("作废原因（勿写个人信息）", "Why it is withdrawn (nothing personal)"), { kind: "area", maxlength: 200 });
  let key = newKey();
  const withdraw = el("button", { type: "button", class: "danger", onclick: () => once(withdraw, async () => {
    const reason = why.input.value.trim();
    if (reason.length < 4) {
      why.fault(say("请写明原因，至少 4 个字", "Say why, in at least 4 characters"));
      why.input.focus();
      return;
    }
    try {
      const answer = await ask(`${path}/corrections`, { body: { reason, lines: [] }, key });
      location.replace(`/pages/station/ticket?id=${answer.status === 202 ? id : answer.body.id}&${answer.status === 202 ? "proposed" : "saved"}=1`);
    } catch (problem) {
      if (problem.status >= 400 && problem.status < 500) key = newKey();
      throw problem;
    }
  }, fault) }, say("作废此单", "Withdraw this ticket"));
  why.input.addEventListener("input", () => { key = newKey(); });
  return el("section", { class: "no-print" }, el("h2", {}, say("更正", "Correct")),
    el("p", { class: "small" }, say("更正和作废都会另开一张新单，原单保留。幅度大的须由第二人复核。", "A correction is a new ticket, the old one stays. A large one takes a second person.")),
    el("p", {}, el("a", { class: "button plain", href: `/pages/station/weigh?correct=${ticket.id}` }, say("更正此单", "Correct this ticket"))),
    el("details", {}, el("summary", {}, say("作废此单", "Withdraw this ticket")), why, withdraw, fault));
}

load().catch((problem) => {
  fill(out, note(problem.message, "bad"));
  fill(screen, el("a", { class: "button", href: "/pages/station/today" }, say("返回今日", "Back to today")));
}).finally(shown);
