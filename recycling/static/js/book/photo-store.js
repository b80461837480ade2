// Photos that are not sent yet, kept on the phone: in IndexedDB, which outlives a reload and a flat battery.

const DAY_MS = 24 * 3600 * 1000;
const memory = new Map(); // where a browser keeps nothing (private mode, full)

const opened = new Promise((found) => {
  try {
    const asked = indexedDB.open("book", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("photos", { keyPath: "id" });
    asked.onsuccess = () => found(asked.result);
    asked.onerror = asked.onblocked = () => found(null);
  } catch {
    found(null);
  }
});

async function run(mode, deed) {
  const database = await opened;
  if (!database) return undefined;
  return new Promise((done, fail) => {
    const asked = deed(database.transaction("photos", mode).objectStore("photos"));
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
}

/** All photos, oldest first: { id, draft, booking, blob, at }. One older than a day is forgotten. */
export async function photosKept() {
  const rows = [...((await run("readonly", (store) => store.getAll()).catch(() => null)) ?? []), ...memory.values()];
  const old = rows.filter((row) => Date.now() - row.at > DAY_MS);
  for (const row of old) await forgetPhoto(row.id);
  return rows.filter((row) => !old.includes(row)).sort((one, other) => one.at - other.at);
}

/** Keep a photo, new or changed. */
export async function keepPhoto(row) {
  const kept = await run("readwrite", (store) => store.put(row)).then(
    (id) => id !== undefined,
    () => false,
  );
  if (!kept) memory.set(row.id, row);
}

/** Forget a photo that was sent or taken back. */
export async function forgetPhoto(id) {
  memory.delete(id);
  await run("readwrite", (store) => store.delete(id)).catch(() => undefined);
}
