// Pieces that several of the screens are made of.

import { el, fill, note, once } from "../dom.js";
import { clock, say } from "../words.js";

const STEPS = { start: ["出发", "Start"], pickup: ["上门", "Pickup"], break: ["午休", "Lunch"], unload: ["卸货", "Unload"], end: ["返回", "Return"] };
const PHASES = {
  waiting: ["待上门", "to do"], on_the_way: ["前往中", "on the way"], arrived: ["已到达", "arrived"], started: ["进行中", "under way"],
  collected: ["已收", "collected"], partly: ["部分已收", "partly collected"], failed: ["未收", "not collected"],
  cancelled: ["已取消", "cancelled"], done: ["完成", "done"],
};
const KINDS = {
  shift_start: ["出车", "shift begins"], shift_end: ["收车", "shift ends"], on_the_way: ["出发", "on the way"], arrive: ["到达", "arrived"],
  start: ["开始", "started"], collected: ["已收", "collected"], partly: ["部分已收", "partly collected"], failed: ["未收", "not collected"],
  unload: ["卸货", "unloaded"], break_start: ["午休开始", "lunch begins"], break_end: ["午休结束", "lunch ends"], fault: ["车辆故障", "fault"],
  note: ["备注", "note"], photo: ["照片", "photo"], undo: ["撤销", "taken back"],
};
const PROOFS = { photo: ["照片", "a photo"], code: ["居民核验码", "the resident's code"], signature: ["居民签名", "the resident's signature"], seal: ["每件封签", "a seal on each unit"], note: ["备注说明", "a note"], call_record: ["通话记录", "a record of the call"] };

export const kindWord = (kind) => say(...KINDS[kind]);
export const phaseWord = (step) => step.phase === "waiting" && !step.pickup ? say("待办", "to do") : say(...PHASES[step.phase]);
export const proofWords = (kinds) => kinds.map((kind) => say(...PROOFS[kind])).join(say("或", " or "));
export const named = (thing) => thing ? say(thing.name_zh, thing.name_en) : "";

/** What a step is called: the door, or what is done there. */
export const stepName = (step) => step.pickup ? `${step.pickup.village_name_zh} ${step.pickup.address}` : `${say(...STEPS[step.kind])}${step.station ? ` · ${named(step.station)}` : ""}`;

/** When the step is due: as the day runs where that is known, else as planned. */
export const due = (step) => step.estimated_arrival_s != null ? clock(step.estimated_arrival_s) : step.arrival;

/** The chip with what became of a step. */
export const phaseChip = (step) => el("span", { class: `chip ${{ failed: "bad", cancelled: "bad", partly: "warn", waiting: "" }[step.phase] ?? "go"}` }, phaseWord(step));

/** A button that works once at a time and says below what went wrong. */
export function button(words, deed, kind = "") {
  const out = el("div", { class: "out" });
  const made = el("button", { type: "button", class: kind, onclick: () => once(made, deed, out) }, words);
  return [made, out];
}

/** Less and more of something, with the count between. */
export function stepper(label, count, { least = 0, most, change }) {
  const shown = el("output", { "aria-live": "polite" }, String(count));
  const by = (step) => () => {
    const next = Math.max(least, Math.min(most, Number(shown.textContent) + step));
    shown.textContent = String(next);
    change(next);
  };
  return el("div", { class: "stepper", role: "group", "aria-label": label },
    el("button", { type: "button", "aria-label": say(`${label} 减一`, `${label}: one less`), onclick: by(-1) }, "−"), shown,
    el("button", { type: "button", "aria-label": say(`${label} 加一`, `${label}: one more`), onclick: by(1) }, "+"));
}

/** A labelled field. */
export function field(id, words, input, hint) {
  input.id = id;
  return el("div", { class: "field" }, el("label", { for: id }, words), input, hint ? el("p", { class: "small" }, hint) : null);
}

/** Photos: the camera, and what was taken, each to be taken away again. */
export function photoField(photos, changed, takePhoto) {
  const list = el("ul", { class: "shots" });
  const out = el("div", { "aria-live": "polite" });
  const paint = () => fill(list, photos.map((photo, place) => el("li", {},
    el("img", { src: URL.createObjectURL(photo.blob), alt: say(`照片 ${place + 1}`, `photo ${place + 1}`), onload: (event) => URL.revokeObjectURL(event.target.src) }),
    el("button", { type: "button", class: "quiet", "aria-label": say(`删除照片 ${place + 1}`, `Remove photo ${place + 1}`), onclick: () => { photos.splice(place, 1); paint(); changed(); } }, "✕"))));
  const input = el("input", { type: "file", accept: "image/*", capture: "environment", id: "camera", class: "camera", onchange: async () => {
    const files = [...input.files];
    input.value = "";
    fill(out);
    for (const file of files) {
      try {
        const photo = await takePhoto(file);
        if (!photos.some((one) => one.sha256 === photo.sha256)) photos.push(photo);
      } catch {
        fill(out, note(say("这张照片无法读取，请重新拍摄。", "This photo cannot be read; take it again."), "bad"));
      }
    }
    paint();
    changed();
  } });
  paint();
  return el("div", { class: "photos" }, input, el("label", { for: "camera", class: "button shoot" }, say("拍照", "Take a photo")), list, out);
}
