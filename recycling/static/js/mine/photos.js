// Photos of a booking's items: made smaller on the phone, sent, deleted.

import { ask } from "../api.js";
import { byId, fill, note } from "../dom.js";
import { smaller } from "../photo.js";
import { say } from "../words.js";
import { edit } from "./edit.js";

const PATIENCE_MS = 120_000; // a photo over a village's mobile network

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
      input.value = ""; // so that the same photo can be chosen again when it did not go
      fill(out, note(say("正在上传照片…", "Sending the photo…")));
      // the same file sent again is the same photo: no key is needed
      await ask(`/bookings/${booking.id}/photos`, { file: await smaller(file, booking.photos), patience: PATIENCE_MS });
    }, { out, next });
  });
}
