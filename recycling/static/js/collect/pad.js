// A field to sign in with the finger: strokes of whole numbers, drawn again whenever its width changes.

import { el } from "../dom.js";
import { say } from "../words.js";

const HEIGHT = 180;
const LEAST_POINTS = 4; // less is a slip of the finger
const MOST_POINTS = 1900;
const STEP = 3; // units between two points that are kept

/**
 * The field and its button; `given` is called with the signature, or null after it was wiped away.
 *
 * @param {{width: number, height: number, strokes: number[][]}|null} signature  what was signed before
 */
export function signaturePad(signature, given) {
  const canvas = el("canvas", { class: "pad", tabindex: "0", role: "img", "aria-label": say("签名区：请居民用手指签名", "Field for the resident's signature, by finger") });
  let strokes = signature ? signature.strokes.map((stroke) => [...stroke]) : [];
  let width = signature?.width ?? 0;
  const count = () => strokes.reduce((sum, stroke) => sum + stroke.length / 2, 0);

  function paint() {
    const ink = getComputedStyle(canvas).color;
    const pen = canvas.getContext("2d");
    pen.setTransform(canvas.width / (width || 1), 0, 0, canvas.height / HEIGHT, 0, 0);
    pen.clearRect(0, 0, width, HEIGHT);
    Object.assign(pen, { strokeStyle: ink, lineWidth: 3, lineCap: "round", lineJoin: "round" });
    for (const stroke of strokes) {
      pen.beginPath();
      pen.moveTo(stroke[0], stroke[1]);
      for (let at = 0; at < stroke.length; at += 2) pen.lineTo(stroke[at], stroke[at + 1]);
      pen.stroke();
    }
  }

  function point(event) {
    const box = canvas.getBoundingClientRect();
    const inside = (value, most) => Math.max(0, Math.min(most, Math.round(value)));
    return [inside((event.clientX - box.left) / box.width * width, width), inside((event.clientY - box.top) / box.height * HEIGHT, HEIGHT)];
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (!strokes.length) width = Math.round(canvas.getBoundingClientRect().width);
    if (count() < MOST_POINTS && strokes.length < 99) strokes.push(point(event));
    paint();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId) || !strokes.length || count() >= MOST_POINTS) return;
    const stroke = strokes.at(-1);
    const [x, y] = point(event);
    if (Math.hypot(x - stroke.at(-2), y - stroke.at(-1)) < STEP) return;
    stroke.push(x, y);
    paint();
  });
  canvas.addEventListener("pointerup", () => given(count() >= LEAST_POINTS ? { width, height: HEIGHT, strokes } : null));

  const size = new ResizeObserver(() => {
    const box = canvas.getBoundingClientRect();
    if (!strokes.length) width = Math.round(box.width);
    [canvas.width, canvas.height] = [Math.round(box.width * devicePixelRatio), Math.round(box.height * devicePixelRatio)];
    paint();
  });
  size.observe(canvas);
  const wipe = el("button", { type: "button", class: "quiet", onclick: () => { strokes = []; paint(); given(null); } }, say("重签", "Sign again"));
  return el("div", { class: "sign" }, canvas, wipe);
}
