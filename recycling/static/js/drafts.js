// What somebody typed, kept on this device until it is sent: nothing is lost by a reload, the back button, a sign-in
// that ended, or an empty battery. In session storage, so that it ends with the tab; never anything signed in elsewhere.

/** The draft of a name, or `otherwise`. */
export function draft(name, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(`draft:${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keep a draft. A browser that keeps nothing (private mode, full) loses only the way back. */
export function keepDraft(name, value) {
  try {
    sessionStorage.setItem(`draft:${name}`, JSON.stringify(value));
  } catch {
    // nowhere to keep it
  }
}

/** Forget a draft that was sent. */
export function dropDraft(name) {
  try {
    sessionStorage.removeItem(`draft:${name}`);
  } catch {
    // nothing was kept
  }
}
