// What the phone keeps: its own name and count, the queue of records and photos, today's list, forms half filled in.
// All in IndexedDB, so that a reload, a killed browser or an empty battery loses nothing.

import { newKey } from "../api.js";
import { say } from "../words.js";

const STORES = { device: "name", records: "event_id", photos: "key", routes: "whose", drafts: "key", people: "name" };
const channel = new BroadcastChannel("collect");
let opened = null;

/**
 * Run a deed in one transaction: all of it is kept, or nothing. Each store has `get`, `all`, `put`, `add`, `drop`.
 *
 * @param {string[]} names
 * @param {(...stores: any[]) => Promise<any>} deed  may await its stores and nothing else
 * @param {IDBTransactionMode} mode
 */
export async function within(names, deed, mode = "readwrite") {
  const database = await open();
  // Strict: it is on the disk before the collector reads that it is recorded.
  const running = database.transaction(names, mode, { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    running.oncomplete = resolve;
    running.onabort = () => reject(worded(running.error ?? new Error("not kept")));
  });
  done.catch(() => {}); // told below, by whichever fails first
  let found;
  try {
    found = await deed(...names.map((name) => asPromises(running.objectStore(name))));
  } catch (error) {
    try {
      running.abort();
    } catch {
      // it had ended by itself
    }
    throw worded(error);
  }
  await done;
  return found;
}

const worded = (error) => error.name === "QuotaExceededError"
  ? new Error(say("手机空间已满，请删除几张照片或腾出空间", "the phone has no room left; take photos away here or free some room")) : error;

/** The rows of a store. */
export const all = (name) => within([name], (store) => store.all(), "readonly");

/** One row, or undefined. */
export const one = (name, key) => within([name], (store) => store.get(key), "readonly");

/** Tell the other tabs that something is different now, and hear it from them. */
export const tell = () => channel.postMessage("changed");
export const hear = (listener) => channel.addEventListener("message", listener);

/** Keep what is stored when the phone runs short of room; asked for once there is something to lose. */
export const persist = () => navigator.storage?.persist?.().catch(() => false);

/**
 * This browser's name, born together with its count: where the one is lost the other is too, so that no number of a
 * device ever comes twice.
 */
export const deviceOf = async (device) => (await device.get("own")) ?? { name: "own", device_id: asUuid(newKey()), seq: 0 };

/** The name alone, made when there is none. */
export const deviceId = () => within(["device"], async (device) => {
  const own = await deviceOf(device);
  await device.put(own);
  return own.device_id;
});

/** Newer browsers make them with hyphens, older ones as digits alone. */
export const asUuid = (key) => key.includes("-") ? key : key.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("collect", 1);
    asked.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) asked.result.createObjectStore(name, { keyPath });
    };
    asked.onsuccess = () => {
      asked.result.onversionchange = () => asked.result.close(); // a newer page in another tab
      asked.result.onclose = () => { opened = null; };
      resolve(asked.result);
    };
    asked.onerror = () => { opened = null; reject(asked.error); };
  });
  return opened;
}

function asPromises(store) {
  const promised = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return {
    get: (key) => promised(store.get(key)),
    all: () => promised(store.getAll()),
    put: (row) => promised(store.put(row)),
    add: (row) => promised(store.add(row)),
    drop: (key) => promised(store.delete(key)),
  };
}
