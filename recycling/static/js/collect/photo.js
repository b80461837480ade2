// Photos: as small as they are needed, named by their content, so that a repeated sending is the same photo.

import { smaller } from "../photo.js";

const RULES = { side: 1600, types: [], largest: 0 }; // pixels, as the server keeps them; nothing goes as the camera made it

/** A photo of the camera as a JPEG, upright, with its SHA-256. */
export async function smallPhoto(file) {
  const blob = await smaller(file, RULES);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return { blob, sha256: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
}
