// The running day: looks again by itself, each part for itself, and never the one that somebody is at work in.

import { ask, newKey } from "../api.js";
import { byId, fill, given, note, once } from "../dom.js";
import { say } from "../words.js";
import { liveMap } from "./live-map.js";
import { fieldsFor } from "./told.js";

const EVERY_MS = 60_000;
const day = given("facts").day;
const main = document.querySelector("main");
const replanKey = { key: newKey() };
let map = null;

/** Whether somebody is at work in a part: a field has the focus, or words stand in one. */
const inUse = (part) =>
  part.contains(document.activeElement) || [...part.querySelectorAll("input")].some((input) => input.value !== input.defaultValue) ||
  part.contains(document.getSelection()?.anchorNode ?? null) && !document.getSelection().isCollapsed;

/** Put fresh parts in the place of those that changed; what was unfolded stays so. */
function renew(fresh, force) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (!other || other.innerHTML === part.dataset.seen || (part.dataset.seen === undefined && other.innerHTML === part.innerHTML)) continue;
    if (!force && inUse(part)) continue;
    const unfolded = [...part.querySelectorAll("details")].map((one) => one.open);
    const across = [...part.querySelectorAll(".wide")].map((one) => one.scrollLeft);
    part.dataset.seen = other.innerHTML;
    part.replaceChildren(...other.childNodes);
    part.querySelectorAll("details").forEach((one, n) => { one.open = unfolded[n] ?? false; });
    part.querySelectorAll(".wide").forEach((one, n) => { one.scrollLeft = across[n] ?? 0; });
  }
  const asOf = fresh.getElementById("as-of");
  if (asOf) byId("as-of").replaceChildren(...asOf.childNodes);
  map?.draw(given("facts"));
}

async function look({ force = false } = {}) {
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    renew(new DOMParser().parseFromString(await answer.text(), "text/html"), force);
    byId("as-of").classList.remove("stale");
  } catch {
    const words = say("未能刷新，显示的是此前的情况。", "Could not look again: this is how it was.");
    if (!byId("as-of").classList.contains("stale")) byId("as-of").append(` · ${words}`);
    byId("as-of").classList.add("stale");
  }
}

async function done(text) {
  await look({ force: true });
  fill(byId("done"), note(text));
}

function acts() {
  main.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { publish, device, incident: vehicle, name } = button.dataset;
    if (publish) {
      button.dataset.key ??= newKey();
      once(button, async () => {
        await ask(`/replans/${publish}/publication`, { method: "POST", key: button.dataset.key });
        await done(say("方案已发布，受影响的居民与车组将收到通知。", "Published. Residents and crews whose day changes are told."));
      }, button.closest("li").querySelector(".said"));
    } else if (device) {
      if (!window.confirm(say(`让 ${name} 的这台设备立即退出？`, `Sign this device of ${name} out at once?`))) return;
      once(button, async () => {
        await ask(`/devices/${device}`, { method: "DELETE" });
        await done(say(`已退出 ${name} 的设备。`, `Signed out the device of ${name}.`));
      }, byId("done"));
    } else if (vehicle !== undefined) openIncident(vehicle);
  });
  main.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-rule]");
    if (!form) return;
    event.preventDefault();
    const body = { counts: event.submitter.value === "true", note: form.elements.note.value };
    const name = `key${body.counts}`;
    form.dataset[name] ??= newKey();
    once(event.submitter, async () => {
      await ask(`/field-events/${form.dataset.rule}/rulings`, { body, key: form.dataset[name] });
      await done(say("已记录核实结果。", "Your ruling is recorded."));
    }, form.parentElement.querySelector(".said"));
  });
  document.getElementById("look")?.addEventListener("click", (event) => once(event.currentTarget, look));
  document.getElementById("replan")?.addEventListener("click", (event) =>
    once(event.currentTarget, async () => {
      await ask("/replans", { body: { day }, key: replanKey.key });
      replanKey.key = newKey();
      fill(byId("done"), note(say("已请求方案，完成后会出现在“需要处理”中。", "Asked for. It appears under what needs somebody once it is made.")));
    }, byId("done")));
}

const incident = byId("incident");
const incidentForm = incident.querySelector("form");
let incidentKey = newKey();

function openIncident(vehicle) {
  if (vehicle) incidentForm.elements.vehicle_key.value = vehicle;
  fieldsFor(incidentForm, incidentForm.elements.kind.value);
  incident.showModal();
}

function incidents() {
  incidentForm.addEventListener("input", () => {
    incidentKey = newKey();
    fieldsFor(incidentForm, incidentForm.elements.kind.value);
  });
  byId("incident-leave").addEventListener("click", () => incident.close());
  incidentForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = Object.fromEntries([...new FormData(incidentForm)].filter(([, value]) => value !== ""));
    if (body.minutes) body.minutes = Number(body.minutes);
    once(byId("incident-do"), async () => {
      await ask("/disruptions", { body: { ...body, day }, key: incidentKey });
      incidentForm.reset();
      incident.close();
      await done(say("异常已登记。可请求重排方案。", "Recorded. You can ask for a proposal for the rest of the day."));
    }, incidentForm.querySelector(".said"));
  });
}

acts();
incidents();
try {
  map = await liveMap(byId("map"), document.getElementById("look") ? openIncident : null);
  map.draw(given("facts"));
} catch (problem) {
  fill(byId("map"), note(problem.message, "warn"));
}
main.removeAttribute("aria-busy");
if (document.getElementById("look")) {
  setInterval(() => { if (!document.hidden) look(); }, EVERY_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
}
