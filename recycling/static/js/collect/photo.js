// Photos: as small as they are needed, named by their content, so that a repeated sending is the same photo.

const LONGEST_SIDE = 1600; // pixels; what the server keeps
const QUALITY = 0.8;

/** A photo of the camera as a JPEG, upright, with its SHA-256. */
export async function smallPhoto(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return { blob, sha256: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
}
