// Looks again every minute at a page that shows what is going on, while somebody looks at it: at the parts marked
// `data-again`, each with an id, where there are any, else at all of `main`.

const EVERY_MS = 60_000;

async function again() {
  const marked = [...document.querySelectorAll("[data-again]")];
  const parts = marked.length ? marked : [document.querySelector("main")];
  if (document.hidden || parts.some((part) => part.contains(document.activeElement))) return; // nothing moves under fingers
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts) {
      const fresh = page.getElementById(part.id);
      if (fresh) part.replaceChildren(...fresh.childNodes);
    }
  } catch {
    // no network: what stands stays, with the time it is of
  }
}

setInterval(again, EVERY_MS);
