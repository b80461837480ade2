// Photos as a phone takes them, made small before they are sent or kept.

import { say } from "./words.js";

const QUALITY = 0.8;

/**
 * A photo of 12 megapixels as some hundred kB; place, time and phone that it names stay behind.
 *
 * @param {File} file
 * @param {{side: number, types: string[], largest: number}} rules  what the server keeps and takes: its longer side in
 *   pixels, media types, bytes
 * @throws {Error} when neither this browser nor the server can open it
 */
export async function smaller(file, { side, types, largest }) {
  let image;
  try {
    image = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    // A form that this browser cannot open: the server may, when it is one of those it takes.
    if (types.includes(file.type) && file.size <= largest && file.type !== "") return file;
    throw new Error(
      say("这张照片打不开，请换成 JPEG、PNG 或 WebP。", "This photo cannot be opened. Choose a JPEG, PNG or WebP."),
    );
  }
  const scale = Math.min(1, side / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  const blob = await new Promise((made) => canvas.toBlob(made, "image/jpeg", QUALITY));
  if (!blob) throw new Error(say("这张照片无法缩小，请换一张。", "This photo cannot be made smaller. Choose another."));
  return blob;
}
