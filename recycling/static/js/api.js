// Calls of the API from the pages: the cookie goes along, the CSRF token beside it, failures come as words.

import { heard } from "./server-time.js";
import { mine, say } from "./words.js";

const PATIENCE_MS = 20_000;

/** A refusal or a failure, in the reader's words. `status` is 0 where nobody answered. */
export class Problem extends Error {
  constructor(status, body) {
    super(mine(body.detail ?? say("系统出错，请稍后再试。", "Something failed; try again in a moment.")));
    this.status = status;
    this.code = body.code ?? "";
    this.retryable = status === 0 || Boolean(body.retryable);
    this.fields = body.fields ?? {};
    this.body = body;
  }
}

const UNREACHED = { detail: "网络不通，内容已保留，请稍后重试。 / No network. Nothing was lost; try again in a moment.", code: "offline" };

/** A key by which a creating call can be repeated and happens once; keep it with what was typed. */
export const newKey = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * Call an endpoint.
 *
 * @param {string} path
 * @param {{method?: string, body?: any, file?: Blob, key?: string, version?: number, signal?: AbortSignal,
 *   patience?: number, headers?: Object<string, string>, dialog?: boolean}} options
 *   `key` is the Idempotency-Key of a creating call, `version` what If-Match names; `headers` go along as they are.
 *   `signal` is the caller's, who gives up early; `patience` how many milliseconds the whole answer may take.
 *   `dialog: false` where a call is made by itself and nobody is to be interrupted by a sign-in that is over.
 * @returns {Promise<{body: any, version: number|null, status: number, location: string|null, at: number}>}
 *   `at` is the server's clock, to the second.
 * @throws {Problem}
 */
export async function ask(path, { method, body, file, key, version, signal, patience = PATIENCE_MS, headers: also, dialog = true } = {}) {
  const headers = { Accept: "application/json" };
  const verb = method ?? (body === undefined && !file ? "GET" : "POST");
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (file) headers["Content-Type"] = file.type || "application/octet-stream";
  if (key) headers["Idempotency-Key"] = key;
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  if (verb !== "GET") headers["X-CSRF-TOKEN"] = csrfToken();
  Object.assign(headers, also);
  // By hand: Safari before 16, also inside WeChat, has no AbortSignal.timeout.
  const giver = new AbortController();
  const giveUp = () => giver.abort();
  const clock = setTimeout(giveUp, patience);
  if (signal?.aborted) giveUp();
  signal?.addEventListener("abort", giveUp);
  let answer, text;
  try {
    answer = await fetch(path, {
      method: verb, headers, body: body !== undefined ? JSON.stringify(body) : file, credentials: "same-origin", signal: giver.signal,
    });
    text = await answer.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, UNREACHED);
  } finally {
    clearTimeout(clock);
    signal?.removeEventListener("abort", giveUp);
  }
  heard(answer.headers.get("Date"));
  let said = null;
  try {
    said = text && (answer.headers.get("Content-Type") ?? "").includes("json") ? JSON.parse(text) : null;
  } catch {
    throw new Problem(0, UNREACHED); // cut off on its way
  }
  if (!answer.ok) {
    if (answer.status === 401 && dialog) signInAgain();
    throw new Problem(answer.status, said ?? {});
  }
  const tag = /"(\d+)"/.exec(answer.headers.get("ETag") ?? "");
  return { body: said, version: tag ? Number(tag[1]) : null, status: answer.status, location: answer.headers.get("Location"), at: Date.parse(answer.headers.get("Date") ?? "") };
}

/** All pages of a list, one after the other: `items` is the name of its rows. */
export async function askAll(path, items) {
  const rows = [];
  let cursor = null;
  do {
    const { body } = await ask(cursor ? `${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}` : path);
    rows.push(...body[items]);
    cursor = body.next_cursor ?? null;
  } while (cursor);
  return rows;
}

/** What a writing call carries beside the cookie; another sign-in, another token. */
export function csrfToken() {
  return decodeURIComponent(/(?:^|; )csrf_access_token=([^;]+)/.exec(document.cookie)?.[1] ?? "");
}

// The sign-in is over in the middle of a form: what was typed stays on the page, and in its draft for the way back.
function signInAgain() {
  let asked = document.getElementById("sign-in-again");
  if (!asked) {
    asked = document.createElement("dialog");
    asked.id = "sign-in-again";
    const words = document.createElement("p");
    words.textContent = say("登录已过期，请重新登录。已填写的内容会保留。", "Your sign-in is over. Sign in again; what you typed is kept.");
    const way = document.createElement("a");
    way.className = "button";
    way.textContent = say("重新登录", "Sign in again");
    way.href = `/pages/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
    asked.append(words, way);
    document.body.append(asked);
  }
  if (!asked.open) asked.showModal();
}
