// The server's clock, as its answers tell it: a phone set to the wrong hour shows the same countdown as any other.

let ahead = null; // of this page's own stopwatch, which nobody can set

/** Take note of an answer's Date header. */
export function heard(date) {
  const at = Date.parse(date ?? "");
  if (!Number.isNaN(at)) ahead = at - performance.now();
}

/** Now, in milliseconds since 1970; by the phone only while no answer has come. */
export const serverNow = () => (ahead === null ? Date.now() : ahead + performance.now());
