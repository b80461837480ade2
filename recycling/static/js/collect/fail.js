// A visit at which nothing could be taken: why, and what proves it.

import { el, fill } from "../dom.js";
import { say } from "../words.js";
import { proofOf } from "./finish.js";
import { confirmButton, keepDraft, lacking, lackingNote, openDraft } from "./forms.js";
import { field, named, photoField, stepName } from "./parts.js";
import { smallPhoto } from "./photo.js";

const LONGEST_CALL_S = 3600;

/** The screen. */
export async function failScreen(app, step) {
  const { pickup } = step;
  const draft = await openDraft(app, `fail ${pickup.booking_id}`, { called_s: 0 });
  const said = el("div", { "aria-live": "polite" });
  const missing = () => lacking(app, draft, { kind: "failed", value_fen: pickup.high_fen, items: pickup.items.filter((item) => item.declared_units).map((item) => ({ item_type: item.item_type, units: item.declared_units })) });
  const called = field("called", say("电话响铃（秒）", "The phone rang for (s)"), el("input", { inputmode: "numeric", value: draft.called_s || "", oninput: (event) => { draft.called_s = Math.max(0, Math.min(LONGEST_CALL_S, Math.round(Number(event.target.value)) || 0)); changed(); } }));

  async function changed() {
    const full = await keepDraft(draft);
    called.hidden = draft.reason !== "nobody_home";
    fill(said, full, draft.reason ? lackingNote(missing()) : null);
  }

  async function confirm() {
    if (!draft.reason) throw new Error(say("请选择原因", "choose a reason"));
    const payload = { reason: draft.reason, proof: proofOf(draft), ...(draft.note.trim() && { note: draft.note.trim() }) };
    await app.record({ kind: "failed", booking_id: pickup.booking_id, payload, event_id: draft.event_id, photos: draft.photos, draft: draft.key });
  }

  await changed();
  return [
    el("p", { class: "lead" }, stepName(step)),
    el("fieldset", { class: "reasons" }, el("legend", {}, say("为什么未收", "Why nothing was collected")),
      app.facts.failed_visit_codes.filter((row) => row.for_failed).map((row) => el("label", { class: "tick" },
        el("input", { type: "radio", name: "reason", value: row.code, checked: row.code === draft.reason, onchange: () => { draft.reason = row.code; changed(); } }),
        el("span", {}, el("strong", {}, named(row)), el("span", { class: "small" }, [say(row.proof_zh, row.proof_en), say(row.next_step_zh, row.next_step_en)].filter(Boolean).join(" → ")))))),
    photoField(draft.photos, changed, smallPhoto), called,
    field("note", say("备注", "Note"), el("textarea", { rows: 2, maxlength: 500, value: draft.note, oninput: (event) => { draft.note = event.target.value; changed(); } })),
    said,
    confirmButton(say("登记未收", "Record “not collected”"), () => draft.reason ? missing() : [], confirm),
  ];
}
