// One report: signed, published, verified, and told when a newer version stands.

import { ask, newKey } from "../api.js";
import { byId, el, fill, given, note, once } from "../dom.js";
import { say } from "../words.js";
import { shownInFull } from "./pieces.js";

const LOOKS_EVERY_MS = 60_000;
const PUBLISHING_MS = 120_000; // its files are written, the PDF among them
const facts = given("facts");
const path = `/goal-reports/${facts.id}`;
const anew = () => el("p", {}, el("a", { class: "button", href: location.pathname }, say("刷新本页查看最新情况", "Reload to see how it stands")));

/** A deed that two people may do at once: whoever comes second hears what the first one did. */
function act(id, deed) {
  const button = document.getElementById(id);
  button?.addEventListener("click", () => once(button, async () => {
    try {
      await deed();
      location.replace(location.pathname); // Back does not lead to the button again
    } catch (problem) {
      fill(byId("signed"), note(problem.message, "bad"), problem.status === 409 ? anew() : null);
    }
  }));
}

shownInFull();
const key = newKey();
act("sign", () => ask(`${path}/signatures`, { method: "POST", body: {}, key }));
act("publish", () => ask(`${path}/publication`, { method: "PUT", body: {}, patience: PUBLISHING_MS }));

byId("verify").addEventListener("click", () => once(byId("verify"), async () => {
  fill(byId("verdict"), note(say("正在重算……", "Working it out again …")));
  const { body: verdict } = await ask(`${path}/verification`, { patience: PUBLISHING_MS });
  const list = (texts) => (texts.length ? el("ul", {}, texts.map((text) => el("li", {}, text))) : null);
  fill(byId("verdict"), verdict.differences.length
    ? note(say(`有 ${verdict.differences.length} 处与磅单或存档不符，请联系管理员：`, `${verdict.differences.length} things are not as kept; ask the administrator to look:`), "bad")
    : note(say("核验通过：由磅单重算，与存档一致。", "It stands: worked out again from its tickets, it is what is kept.")), list(verdict.differences), list(verdict.notes));
}, byId("verdict")));

setInterval(async () => {
  if (document.hidden) return;
  try {
    const { body } = await ask(`/goal-reports?limit=1&period=${encodeURIComponent(facts.period)}`);
    const [newest] = body.goal_reports;
    if (newest.version === facts.version) return;
    fill(byId("newer"), note(say(`您查看期间生成了第 ${newest.version} 版，此版不能再签。`, `Version ${newest.version} was made while you were reading; this one can be signed no more.`), "warn"),
      el("p", {}, el("a", { href: `/pages/reports/${newest.id}` }, say("打开最新版", "Open the newest"))));
  } catch {
    // no network: signing would say so
  }
}, LOOKS_EVERY_MS);
