// Batches for processors: a new one, and those that left, with what came of them.

import { ask } from "../api.js";
import { byId, el, fill, note } from "../dom.js";
import { say } from "../words.js";
import { batchCard } from "./batch-card.js";
import { batchForm } from "./batch-form.js";
import { out, query, screen, shown } from "./facts.js";

let processors = [];

async function load() {
  const held = byId("held").checked;
  const [listed, { body: known }, { body: stock }] = await Promise.all([
    ask(`/hand-overs?limit=50${held ? "&state=held" : ""}`), ask("/processors"), ask("/stock"),
  ]);
  processors = known.processors;
  const batches = listed.body.hand_overs;
  fill(byId("batches"), batches.length ? batches.map((batch) => batchCard(batch, processors, changed)) : note(say("还没有移交批次。", "No batch was handed over.")));
  if (!byId("form").childNodes.length) fill(byId("form"), batchForm(processors, stock.stations[0]?.item_types ?? [], made));
}

/** One batch has changed: show it as it is now. */
async function changed(batch) {
  const old = document.querySelector(`[data-batch="${batch.id}"]`);
  old?.replaceWith(batchCard(batch, processors, changed, { open: true }));
}

async function made(batch) {
  fill(byId("form"));
  byId("new").open = false;
  await load();
  fill(out, note(say(`移交批次 ${batch.number} 已保存，请打印移交单。`, `Batch ${batch.number} is saved: print its note.`)), el("p", {}, el("a", { class: "button", href: `/hand-overs/${batch.id}/note.pdf`, target: "_blank", rel: "noopener" }, say("打印移交单", "Print the note"))));
  out.scrollIntoView({ block: "nearest" });
}

const fail = (problem) => fill(out, note(problem.message, "bad"));

fill(screen,
  el("details", { id: "new", class: "card no-print", open: query.has("new") }, el("summary", {}, say("新建移交批次", "Hand a batch over")), el("div", { id: "form" })),
  el("section", {}, el("h2", {}, say("移交批次", "Batches")),
    el("label", { class: "tick-box no-print" }, el("input", { id: "held", type: "checkbox", onchange: () => load().catch(fail) }), " ", say("只看差异待处理", "only those with a difference to settle")),
    el("div", { id: "batches", class: "cards" })));

load().catch(fail).finally(shown);
