// What happens to the day while its board is open: told within seconds, and never put in the place of somebody's work.

import { ask } from "../api.js";
import { byId, el, fill, note } from "../dom.js";
import { moment, say } from "../words.js";

const VERSIONS_MS = 5_000;
const CHANGES_MS = 20_000; // the whole day is looked through for it

/** Look for newer versions and another publication, and for bookings that the plan does not know. */
export function news({ board }, day) {
  look(`/plans/${board.id}/news`, VERSIONS_MS, (found) => fill(byId("news-versions"), versions(found, board, day)));
  if (board.why_fixed === null) look(`/plans/${board.id}/changes`, CHANGES_MS, ({ changes }) => fill(byId("news-changes"), changes && note(outdated(changes, board), "warn")));
}

function look(path, everyMs, tell) {
  let told = "";
  const again = async () => {
    if (document.hidden) return;
    try {
      const { body } = await ask(path, { dialog: false });
      if (JSON.stringify(body) === told) return; // a screen reader is not to hear it again
      told = JSON.stringify(body);
      tell(body);
    } catch {
      // nobody answers; it is looked for again, and what is done on the board says so itself
    }
  };
  again();
  setInterval(again, everyMs);
  document.addEventListener("visibilitychange", again);
}

function versions({ newest, published }, board, day) {
  const before = say(`您面前是第 ${board.version} 版，改动留在此版。`, `Before you is version ${board.version}; your edits stay with it.`);
  const load = (one) => el("p", { class: "links" }, el("a", { class: "button", href: `/pages/board?day=${day}&plan=${one.id}` }, say(`载入第 ${one.version} 版`, `Load version ${one.version}`)));
  const lines = [];
  if (published !== null && published.id !== board.published_plan_id) {
    lines.push(note(say(`第 ${published.version} 版已于 ${moment(published.published_at)} 发布。`, `Version ${published.version} was published at ${moment(published.published_at)}. `) + before, "warn"), load(published));
  }
  if (newest.version > board.newest_version && newest.id !== published?.id) {
    lines.push(note(say(`${moment(newest.made_at)} 有了新的第 ${newest.version} 版。`, `Version ${newest.version} was made at ${moment(newest.made_at)}. `) + before, "warn"), load(newest));
  }
  return lines;
}

function outdated(changes, board) {
  const how = say(`本版制定后情况有变（${changes.zh}）。`, `Changed since this version was made (${changes.en}). `);
  if (board.published_plan_id === board.id) return how + say("改动已不能保存，要调整请先重新排线。", "Edits of it cannot be saved any more: plan the day again first.");
  return how + say("本版已不能保存改动或发布，请重新排线。", "Edits of it cannot be saved, nor can it be published: plan the day again.");
}
