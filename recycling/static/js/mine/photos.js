// Photos of a booking's items: made smaller on the phone, sent, deleted.

import { ask } from "../api.js";
import { byId } from "../dom.js";
import { say } from "../words.js";
import { edit } from "./edit.js";

const LONGEST_PX = 1600; // as the server keeps them
const QUALITY = 0.85;

/** A picture of at most LONGEST_PX as JPEG; a file that this browser cannot read goes as it is, for the server to judge. */
async function smaller(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST_PX / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return made && made.size < file.size ? made : file;
  } catch {
    return file;
  }
}

export function photos(booking, here) {
  const out = byId("photo-said");
  const next = `${here}?done=photo`;
  for (const button of document.querySelectorAll("[data-photo]")) {
    button.addEventListener("click", () => {
      if (!window.confirm(say("删除这张照片？", "Delete this photo?"))) return;
      edit(button, async () => {
        await ask(`/photos/${button.dataset.photo}`, { method: "DELETE" });
      }, { out, next });
    });
  }
  const input = document.getElementById("photo-file");
  input?.addEventListener("change", () => {
    const [file] = input.files;
    if (!file) return;
    edit(input, async () => {
      // the same file sent again is the same photo: no key is needed
      await ask(`/bookings/${booking.id}/photos`, { method: "POST", file: await smaller(file), signal: AbortSignal.timeout(120_000) });
    }, { out, next });
  });
}
