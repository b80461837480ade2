// Change a booking: another window out of those that a route can serve, other items, floor and note; or cancel it.

import { ask } from "../api.js";
import { byId, el, fill, note, once } from "../dom.js";
import { draft, keepDraft } from "../drafts.js";
import { clock, day, say } from "../words.js";
import { edit } from "./edit.js";
import { keptForm, unfold } from "./kept_form.js";

const AT_ONCE = 3; // days shown before somebody asks for more

export function changes(booking, here) {
  const out = byId("change-said");
  const version = booking.version;
  const done = { out, next: `${here}?done=changed` };
  const amend = (body) => ask(`/bookings/${booking.id}`, { method: "PATCH", body, version });

  byId("cancel").addEventListener("click", ({ currentTarget }) => edit(currentTarget, async () => {
    await ask(`/bookings/${booking.id}/cancellation`, { method: "POST", version });
  }, { out, next: `${here}?done=cancelled` }));

  slots(booking, amend, done);
  items(booking, amend, done);
  door(booking, amend, done);
}

// --- day and window ---

function slots(booking, amend, done) {
  const place = byId("slots");
  const { address, lat, lon, note: words, village_code, floor, has_lift } = booking.door;
  const wish = { items: booking.items, village_code, address, lat, lon, floor, has_lift, note: words, explain: false };
  byId("ask-slots").addEventListener("click", ({ currentTarget }) => once(currentTarget, async () => {
    fill(place, el("p", { class: "small" }, say("正在查询…", "Looking…")));
    const { body } = await ask("/slot-offers", { body: wish });
    const days = body.days.map((one) => offered(one, booking)).filter((one) => one.windows.length);
    const cards = days.map((one) => dayCard(one, amend, done));
    const later = cards.slice(AT_ONCE);
    const show = () => {
      more.replaceWith(...later);
      later[0].querySelector("button").focus();
    };
    const more = el("button", { type: "button", class: "quiet", onclick: show }, say("更多日期", "More days"));
    fill(place, cards.length ? [...cards.slice(0, AT_ONCE), later.length ? more : null] : note(say("近期没有其他可约时段，原时段仍为您保留。", "No other window is free; yours is kept."), "warn"));
  }, place));
}

function offered(one, booking) {
  const other = (slot) => slot.offered && !(one.day === booking.day && slot.pickup_window === booking.pickup_window);
  return { day: one.day, windows: one.windows.filter(other) };
}

function dayCard(one, amend, done) {
  return el("div", { class: "day" }, el("h3", {}, day(one.day)), el("div", { class: "choices" }, one.windows.map((slot) =>
    el("button", {
      type: "button", class: "light",
      onclick: ({ currentTarget }) => edit(currentTarget, async () => {
        await amend({ day: one.day, pickup_window: slot.pickup_window });
      }, done),
    }, say(slot.name_zh, slot.name_en), el("span", { class: "small spare" }, ` ${say(`约 ${clock(slot.arrival_s)} 到`, `around ${clock(slot.arrival_s)}`)}${slot.greenest ? say(" · 最环保", " · greenest") : ""}`)))));
}

// --- items ---

function items(booking, amend, done) {
  const form = byId("change-items");
  const rows = byId("item-rows");
  const choice = byId("add-item");
  const name = `items:${booking.id}:${booking.version}`;
  const kinds = new Map([...choice.options].filter((one) => one.value).map((one) => [one.value, one]));
  const kept = draft(name, null);
  let wanted = kept ?? booking.items.map((item) => ({ ...item }));
  if (kept) unfold(form);

  const show = () => {
    fill(rows, wanted.map((item, at) => row(item, kinds.get(item.item_type), at, change)));
    for (const [key, option] of kinds) option.disabled = wanted.some((item) => item.item_type === key);
    byId("wipe").hidden = !wanted.some((item) => needsConsent(item, kinds));
  };
  const change = (at, quantity) => {
    if (quantity === 0) wanted = wanted.filter((_, n) => n !== at);
    else wanted[at].quantity = quantity;
    keepDraft(name, wanted);
    if (quantity === 0) show();
  };
  choice.addEventListener("change", () => {
    if (choice.value) wanted = [...wanted, { item_type: choice.value, quantity: 1, dismantle: false, condition: "unknown", wipe_consent: false }];
    choice.value = "";
    keepDraft(name, wanted);
    show();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const agreed = byId("wipe-consent").checked;
    const sent = wanted.map((item) => ({ ...item, wipe_consent: item.wipe_consent || (agreed && needsConsent(item, kinds)) }));
    edit(event.submitter ?? form.querySelector("button"), async () => {
      await amend({ items: sent });
    }, { ...done, drafts: [name] });
  });
  show();
}

const needsConsent = (item, kinds) => !item.wipe_consent && "wipe" in (kinds.get(item.item_type)?.dataset ?? {});

function row(item, kind, at, change) {
  const called = kind?.textContent ?? item.item_type;
  const id = `quantity-${at}`;
  return el("div", { class: "item-row" },
    el("label", { for: id }, called),
    el("input", {
      id, type: "number", inputmode: "numeric", min: "1", max: kind?.dataset.most ?? "99", required: true, value: String(item.quantity),
      oninput: ({ currentTarget }) => currentTarget.validity.valid && change(at, Number(currentTarget.value)),
    }),
    el("button", { type: "button", class: "quiet", "aria-label": say(`去掉${called}`, `Remove ${called}`), onclick: () => change(at, 0) }, say("去掉", "Remove")));
}

// --- floor and note ---

function door(booking, amend, done) {
  const form = byId("change-door");
  const name = `door:${booking.id}:${booking.version}`;
  keptForm(form, name);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { floor, has_lift: lift, note: words } = form.elements;
    edit(form.querySelector("button"), async () => {
      await amend({ floor: floor.valueAsNumber, has_lift: lift.checked, note: words.value });
    }, { ...done, drafts: [name] });
  });
}
