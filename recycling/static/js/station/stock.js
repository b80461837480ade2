// The stock: what lies here and how long, lots, counting it, and the way of a label.

import { ask, askAll, newKey } from "../api.js";
import { byId, el, fill, note, once } from "../dom.js";
import { count, day, kg, moment, say } from "../words.js";
import { countForm } from "./count-form.js";
import { facts, itemName, out, query, screen, shown, stationName, word } from "./facts.js";
import { catchScans, field, scanField } from "./form.js";
import { readLabel } from "./labels.js";
import { table } from "./table.js";

const SOON = 0.8; // of the days that goods may lie

async function load() {
  const [{ body: stock }, lots, { body: counts }] = await Promise.all([
    ask("/stock"), askAll("/stock/lots?limit=500", "lots"), ask("/stock-counts?limit=10"),
  ]);
  const here = stock.stations.find((one) => one.station_key === facts.station) ?? stock.stations[0];
  fill(byId("lying"), lying(here), lotList(lots));
  fill(byId("count"), el("summary", {}, say("开始盘点", "Count the stock")), countForm(here.item_types, saved));
  fill(byId("counts"), counts.stock_counts.length ? counts.stock_counts.map(countCard) : el("p", { class: "small" }, say("还没有盘点。", "No count yet.")));
}

function lying(here) {
  const limit = here.storage_limit_g === null ? word("no_limit") : say(`上限 ${kg(here.storage_limit_g)}`, `limit ${kg(here.storage_limit_g)}`);
  const share = here.share_bp === null ? "" : ` · ${(here.share_bp / 100).toFixed(0)} %`;
  return [
    el("p", { class: "big-line" }, el("strong", {}, kg(here.stored_g)), ` · ${say(`${count(here.stored_units)} 件`, `${count(here.stored_units)} units`)} · ${limit}${share} `,
      el("span", { class: `chip ${{ near: "warn", above: "bad" }[here.state] ?? ""}` }, word(here.state))),
    here.item_types.length ? table(say("库存", "Stock"), [[say("品类", "Item type"), false], [say("件数", "Units"), true], [say("重量", "Mass"), true], [say("最长库龄", "Oldest"), true]],
      here.item_types.map((one) => [[`${itemName(one.item_type)} `, age(one)], count(one.units), kg(one.net_g), say(`${one.oldest_days} / ${one.most_days} 天`, `${one.oldest_days} / ${one.most_days} d`)]))
      : note(say("库存为空。", "Nothing is in stock.")),
  ];
}

/** Whether anything lies longer than it may, or soon will; beside the name, so that a phone shows it too. */
function age(one) {
  if (one.aged_units) return el("span", { class: "chip bad" }, say(`超期 ${count(one.aged_units)} 件`, `${count(one.aged_units)} too old`));
  return one.oldest_days >= one.most_days * SOON ? el("span", { class: "chip warn" }, say("快到期", "soon too old")) : null;
}

function lotList(lots) {
  if (!lots.length) return null;
  return el("details", {}, el("summary", {}, say(`库存批次（${count(lots.length)}）`, `Lots (${count(lots.length)})`)),
    table(say("库存批次", "Lots"), [[say("品类", "Item type"), false], [say("入库日", "Day"), false], [say("库龄", "Age"), true], [say("剩余", "Left"), true], [say("重量", "Mass"), true]],
      lots.map((lot) => [itemName(lot.item_type), el("span", { class: "nowrap" }, day(lot.day)), [say(`${lot.days} 天`, `${lot.days} d`), lot.aged ? el("span", { class: "chip bad" }, say("超期", "too old")) : null], count(lot.left_units), kg(lot.left_g)])));
}

async function saved(made) {
  await load();
  byId("count").open = false;
  fill(out, made.held
    ? note(say(`盘点 ${made.number} 差异较大，须由第二人复核后入账。`, `Count ${made.number} differs a lot: it waits for a second person.`), "warn")
    : note(say(`盘点 ${made.number} 已入账。`, `Count ${made.number} is in the books.`)));
  out.scrollIntoView({ block: "nearest" });
}

function countCard(made) {
  return el("article", { class: "card" },
    el("h3", {}, say(`盘点 ${made.number}`, `Count ${made.number}`), ` · ${moment(made.counted_at)} `, el("span", { class: `chip ${{ held: "warn", rejected: "bad" }[made.state] ?? ""}` }, made.state === "held" ? say("待复核", "waits for a second person") : word(made.state))),
    el("ul", { class: "items" }, made.lines.map((line) => el("li", {}, `${itemName(line.item_type)}：${say("账", "books")} ${count(line.booked_units)}，${say("点", "counted")} ${count(line.counted_units)}`,
      line.units || line.net_g ? ` （${line.units > 0 ? "+" : ""}${count(line.units)}，${kg(line.net_g)}${line.reason ? `，${word(line.reason)}` : ""}）` : "",
      line.missing_tags.length ? say(`，缺标签 ${line.missing_tags.join("、")}`, `, labels missing: ${line.missing_tags.join(", ")}`) : ""))),
    made.decision ? el("p", { class: "small" }, made.decision.note) : null,
    made.state === "held" ? decide(made) : null);
}

/** Whether a count holds: said by somebody else than who counted. */
function decide(made) {
  if (made.counted_by_id === facts.me) return el("p", { class: "small" }, say("由您盘点，须由其他保管员或商促局复核。", "You counted; another keeper or the bureau decides."));
  const fault = el("div");
  const why = field(say("复核说明（至少 4 个字）", "What you found (4 characters at least)"), { maxlength: 200 });
  const keys = { true: newKey(), false: newKey() };
  const send = (button, approved) => once(button, async () => {
    if (why.input.value.trim().length < 4) { why.fault(say("请填写复核说明", "Say what you found")); why.input.focus(); return; }
    await ask(`/stock-counts/${made.id}/decision`, { body: { approved, note: why.input.value.trim() }, key: keys[approved] });
    await load();
  }, fault);
  why.input.addEventListener("input", () => Object.assign(keys, { true: newKey(), false: newKey() }));
  const yes = el("button", { type: "button", onclick: () => send(yes, true) }, say("批准", "Approve"));
  const no = el("button", { type: "button", class: "quiet", onclick: () => send(no, false) }, say("驳回", "Reject"));
  return el("div", { class: "decide" }, why, yes, no, fault);
}

function trail() {
  const found = el("div", { "aria-live": "polite" });
  const look = async (text, box) => {
    const tag = readLabel(text);
    if (!tag) { box.fault(say(`“${text}” 不是标签编号，请重扫或核对`, `“${text}” is no label: scan it again, or compare it`)); return; }
    try {
      const { body } = await ask(`/custody-tags/${tag}`);
      fill(found, trace(body));
    } catch (problem) {
      fill(found);
      box.fault(problem.message);
    }
  };
  const scan = scanField(say("扫描或输入标签", "Scan or type a label"), look, say("查询", "Look up"));
  catchScans(() => scan.input);
  if (query.get("label")) look(query.get("label"), scan);
  return [scan, found];
}

function trace(body) {
  const where = (step) => [step.station_key && stationName(step.station_key), step.vehicle_key, step.collector_key, step.processor_key].filter(Boolean).join(" · ");
  return el("article", { class: "card" },
    el("h3", {}, `${body.tag} · ${itemName(body.item_type)} `, el("span", { class: `chip ${body.verified ? "" : "bad"}` }, body.verified ? say("记录完整", "trail verified") : say("记录有异常，请报告", "trail broken, report it"))),
    body.seals.length ? el("p", { class: "small" }, say(`封签 ${body.seals.join("、")}`, `Seals ${body.seals.join(", ")}`)) : null,
    el("ol", { class: "trail" }, body.steps.map((step) => el("li", {}, el("strong", {}, word(step.kind)), ` ${where(step)} `, el("span", { class: "small nowrap" }, moment(step.at)),
      step.ticket_id ? el("a", { class: "small", href: `/pages/station/ticket?id=${step.ticket_id}` }, ` ${say("磅单", "ticket")}`) : null))),
    body.clashes.length ? note(say(`另有 ${body.clashes.length} 条登记也用了这个标签，待人工核实。`, `${body.clashes.length} other records claim this label; a person has to look.`), "warn") : null);
}

fill(screen,
  el("section", { id: "lying" }),
  el("section", { class: "no-print" }, el("h2", {}, say("标签追溯", "The way of a label")), trail()),
  el("section", { class: "no-print" }, el("h2", {}, say("盘点", "Stock counts")), el("details", { id: "count" }), el("div", { id: "counts", class: "cards" })));

load().catch((problem) => fill(out, note(problem.message, "bad"))).finally(shown);
