// Recording and ending dated changes: fields of the chosen kind, and what to do when promises stand in the way.

import { ask, newKey } from "../api.js";
import { el, fill, note, once } from "../dom.js";
import { draft, dropDraft, keepDraft } from "../drafts.js";
import { day, say, windowName } from "../words.js";
import { again, fieldsFor, told } from "./told.js";

const seconds = (text) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) * 60;

const doneWords = (found, otherwise) =>
  found.length
    ? say(`已登记。${found.length} 个预约尚未安排，请重新排线或联系居民。`, `Recorded. ${found.length} promises have no place yet: plan the day again or call their residents.`)
    : otherwise;

/** The bookings in the way, and a button that lets the change stand all the same where that may be. */
function inTheWay(problem, anyway) {
  const rows = problem.body.bookings ?? [];
  const even = problem.body.can_stand
    ? el("button", { type: "button", class: "grave", onclick: (event) => anyway(event.currentTarget) }, say("仍然登记，稍后重排", "Record it all the same"))
    : null;
  return [
    note(problem.message, "bad"),
    el("ul", {}, rows.map((one) => el("li", {}, `${day(one.day)} ${windowName(one.pickup_window)} `, el("a", { href: `/bookings/${one.booking_id}` }, el("code", {}, one.booking_id.slice(0, 8)))))),
    even,
  ];
}

async function attempt(button, out, deed, words) {
  await once(button, async () => {
    try {
      const { body } = await deed(false);
      again(doneWords(body.without_place, words));
    } catch (problem) {
      if (problem.code !== "promises_in_the_way") throw problem;
      const anyway = (pressed) =>
        once(pressed, async () => {
          const { body } = await deed(true);
          again(doneWords(body.without_place, words));
        }, out);
      fill(out, ...inTheWay(problem, anyway));
    }
  }, out);
}

function changeForm(form) {
  const name = `change:${location.pathname}`;
  let keys = { false: newKey(), true: newKey() };
  for (const [field, value] of Object.entries(draft(name, {}))) if (form.elements[field]) form.elements[field].value = value;
  fieldsFor(form, form.elements.kind.value);
  form.addEventListener("input", () => {
    keys = { false: newKey(), true: newKey() };
    fieldsFor(form, form.elements.kind.value);
    if (form.elements.last_day.value < form.elements.first_day.value) form.elements.last_day.value = form.elements.first_day.value;
    keepDraft(name, Object.fromEntries(new FormData(form)));
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = Object.fromEntries(new FormData(form));
    for (const hour of ["from_s", "to_s"]) if (body[hour]) body[hour] = seconds(body[hour]);
    const deed = async (even) => {
      const answer = await ask("/day-changes", { body: { ...body, even_unplaced: even }, key: keys[even] });
      dropDraft(name);
      return answer;
    };
    attempt(form.querySelector("button:not([type])"), form.querySelector(".said"), deed, say("已登记，预约均已安排。", "Recorded; every promise has its place."));
  });
  for (const button of document.querySelectorAll("button[data-day]")) {
    button.addEventListener("click", () => {
      form.elements.first_day.value = form.elements.last_day.value = button.dataset.day;
      form.dispatchEvent(new Event("input"));
      form.elements.reason.focus();
    });
  }
}

function endForm(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const out = form.parentElement.querySelector(".said");
    const deed = (even) =>
      ask(`/day-changes/${form.dataset.end}/end`, { body: { ends_on: form.elements.ends_on.value, even_unplaced: even }, version: Number(form.dataset.version) });
    attempt(form.querySelector("button"), out, deed, say("变更已终止。", "The change is ended."));
  });
}

told();
document.querySelectorAll("form[data-change]").forEach(changeForm);
document.querySelectorAll("form[data-end]").forEach(endForm);
