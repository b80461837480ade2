// Looks again every minute at a page that shows what is going on, while somebody looks at it: `<main data-again>`.

const EVERY_MS = 60_000;

async function again() {
  const main = document.querySelector("main");
  if (document.hidden || main.contains(document.activeElement)) return; // nothing moves under somebody's fingers
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (fresh) main.replaceChildren(...fresh.childNodes);
  } catch {
    // no network: what stands stays, with the time it is of
  }
}

setInterval(again, EVERY_MS);
