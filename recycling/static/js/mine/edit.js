// Deeds of the resident's own pages: each happens once, says what failed, and comes back to a page that shows it.

import { dropDraft } from "../drafts.js";
import { el, fill, note, once } from "../dom.js";
import { say } from "../words.js";

/** What to do when somebody else was quicker: another tab, the desk. */
function changedElsewhere(out) {
  fill(out, note(say("此预约已在别处更改，您的更改没有保存。请刷新后再改。", "This was changed elsewhere, and your change was not saved. Reload and change it again."), "warn"),
    el("button", { type: "button", onclick: () => location.reload() }, say("刷新", "Reload")));
  out.scrollIntoView({ block: "nearest" });
}

/**
 * Run a deed of a button; afterwards show `next`, in the place of the form, so that the back button does not lead to it.
 *
 * @param {() => Promise<string|undefined>} deed  what is done; it may return the address to go to instead of `next`
 * @param {{out: HTMLElement, next: string, drafts?: string[]}} about  `drafts` are forgotten when it is done
 */
export async function edit(button, deed, { out, next, drafts = [] }) {
  await once(button, async () => {
    let to;
    try {
      to = await deed();
    } catch (problem) {
      if (problem.status !== 412) throw problem;
      changedElsewhere(out);
      return;
    }
    drafts.forEach(dropDraft);
    location.replace(to ?? next);
  }, out);
}
