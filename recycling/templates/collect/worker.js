// Keeps the collector's page on the phone, so that it opens without a network. Answers for nothing that holds people.

const FILES = {{ files | tojson }};
const FACTS = {{ facts | tojson }};
const PAGE = {{ page | tojson }};
const SHELL = `${PAGE}/shell`;
// The static files' address has the digest of them all: another version, another cache.
const KEPT = `collect ${FILES[0]} {{ shell_digest }}`;
const KEPT_FACTS = "collect facts";
const PATIENCE_MS = 3000;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const kept = await caches.open(KEPT);
    await kept.addAll([...FILES, new Request(SHELL, { cache: "reload" })]);
    await Promise.allSettled(FACTS.map(refreshed));
    if (!self.registration.active) await self.skipWaiting(); // the first one; a later one waits until the page says so
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith("collect ") && name !== KEPT && name !== KEPT_FACTS).map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (pathname === PAGE) event.respondWith(kept(SHELL, request));
  } else if (FILES.includes(pathname)) {
    event.respondWith(kept(pathname, request));
  } else if (FACTS.includes(pathname) && !search) {
    event.respondWith(freshOrKept(pathname));
  }
});

async function kept(name, request) {
  const found = await (await caches.open(KEPT)).match(name);
  return found ?? fetch(request);
}

async function freshOrKept(name) {
  const standing = await (await caches.open(KEPT_FACTS)).match(name);
  const fresh = refreshed(name);
  if (!standing) return fresh;
  fresh.catch(() => {}); // heard of below or too late to matter
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, standing));
  return Promise.race([fresh.catch(() => standing), late]);
}

async function refreshed(name) {
  const answer = await fetch(name, { headers: { Accept: "application/json" } });
  if (answer.ok) await (await caches.open(KEPT_FACTS)).put(name, answer.clone());
  return answer;
}
