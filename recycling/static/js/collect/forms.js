// What the forms of a visit share: the draft that survives a killed browser, and the way to the record.

import { el, fill, note } from "../dom.js";
import { say } from "../words.js";
import { proofWords } from "./parts.js";
import { newEventId } from "./record.js";
import { missingProof } from "./state.js";
import { within } from "./store.js";

const open = new Map(); // drafts of this page, by name

/** What was filled in of a form, or a fresh one with an id for its record. */
export async function openDraft(app, key, fresh) {
  const name = `${app.who.whose} ${key}`;
  const kept = await within(["drafts", "records"], async (drafts, records) => {
    // Recorded in another tab meanwhile: under its id nothing more is kept.
    if (open.has(name) && await records.get(open.get(name).event_id)) open.delete(name);
    return drafts.get(name);
  });
  // What is open comes before what is kept: a form drawn anew while somebody types goes on with the same draft.
  if (!open.has(name)) open.set(name, kept ?? { key: name, day: app.route.day, event_id: newEventId(), photos: [], signature: null, code: "", note: "", reason: "", smartphone: true, ...fresh });
  return open.get(name);
}

/** Let go of one that was recorded: a form opened again begins anew. */
export const closeDraft = (name) => open.delete(name);

/** Keep it as it stands now; a note where that cannot be. */
export const keepDraft = (draft) => within(["drafts"], (drafts) => drafts.put(draft)).then(() => null,
  (problem) => note(say(`填写的内容没有存下：${problem.message}。`, `What you filled in is not kept: ${problem.message}.`), "bad"));

/** What the rules still ask for. */
export const lacking = (app, draft, { kind, items, value_fen }) => missingProof(app.facts.proof_rules, {
  kind, reason: draft.reason || null, items, value_fen,
  proof: { photo: draft.photos.length > 0, code: /^\d{6}$/.test(draft.code), signature: draft.signature !== null, note: draft.note.trim() !== "", call_record: Boolean(draft.called_s), seals: (draft.tags ?? []).filter((tag) => tag.seal).length, smartphone: draft.smartphone },
});

/** The line that says what is missing; empty when nothing is. */
export const lackingNote = (missing) => missing.length
  ? note(say(`还缺：${missing.map(proofWords).join("；")}。可以仍然登记，调度会核实。`, `Missing: ${missing.map(proofWords).join("; ")}. You may record it all the same; the dispatcher will look into it.`), "warn") : null;

/** A button that asks once more when proof is missing, and never refuses: the fridge is on the van. */
export function confirmButton(words, missing, deed) {
  const out = el("div", { class: "out", "aria-live": "polite" });
  let asked = false;
  let done = false;
  const made = el("button", { type: "button", class: "big", id: "confirm", onclick: async () => {
    const lacks = missing();
    if (lacks.length && !asked) {
      asked = true;
      made.textContent = say("仍然登记", "Record it all the same");
      fill(out, lackingNote(lacks));
      return;
    }
    if (done) return;
    done = true;
    try {
      await deed();
    } catch (problem) {
      done = false;
      fill(out, note(say(`没有保存：${problem.message}。请再试一次。`, `Not kept: ${problem.message}. Try again.`), "bad"));
    }
  } }, words);
  return el("div", { class: "act" }, out, made);
}

/** Words of the button, once something has changed. */
export const reword = (confirmed, words) => { confirmed.querySelector("button").textContent = words; };
