// What the station's screens share: names of things, words for codes, the head of the page.

import { csrfToken } from "../api.js";
import { byId, given } from "../dom.js";
import { say } from "../words.js";

export const facts = given("facts");

const words = (pair, code) => (pair ? say(...pair) : code);

export const itemName = (key) => words(facts.item_types[key]?.names, key);
export const stationName = (key) => words(facts.stations[key], key);
export const groupName = (key) => words(facts.groups[key], key);
export const channelName = (key) => words(facts.channels[key], key);
export const refusedName = (key) => words(facts.refused[key], key);

const CODES = {
  // where grams come from: at the door, on a ticket
  doorstep: ["上门秤", "scale at the door"], station_class_average: ["本站均值", "station's average"],
  type_table: ["品类表", "type table"], weighed: ["单独过磅", "weighed alone"],
  // trips
  here: ["已到站", "here"], coming: ["在途", "on its way"], stands: ["车辆停驶", "vehicle stands"],
  ok: ["相符", "agrees"], held: ["待核", "held"], resolved: ["已处理", "resolved"],
  not_weighed: ["未过磅", "not weighed"], mass: ["重量不符", "masses differ"],
  units_not_weighed: ["有件未过磅", "units not weighed"], units_not_collected: ["多出件数", "units not collected"],
  reweighed: ["复磅无误", "weighed again and right"], door_estimate: ["上门估重偏差", "the door was only estimated"],
  door_record_wrong: ["上门登记有误", "the door's record is wrong"], unloaded_elsewhere: ["卸于他站", "unloaded elsewhere"],
  goods_missing: ["货物缺失", "goods are missing"], other: ["其他", "other"],
  // units that came stripped
  both: ["上门与站点一致", "door and station agree"], station_only: ["仅站点发现", "found at the station only"],
  door_only: ["仅上门登记", "said at the door only"], no_door: ["非上门", "no door"],
  // stock
  within: ["未超限", "within the limit"], near: ["接近上限", "near the limit"], above: ["超过上限", "above the limit"],
  no_limit: ["无上限", "no limit"], done: ["已入账", "in the books"], rejected: ["已驳回", "rejected"],
  miscounted: ["此前点错", "counted wrongly before"], found: ["找到", "found"], lost: ["丢失", "lost"],
  stolen: ["被盗", "stolen"], damaged: ["损坏", "damaged"],
  // hand-overs
  reuse: ["再使用", "reuse"], refurbish: ["翻新", "refurbishing"], recovery: ["拆解利用", "recovery"],
  handed_over: ["已移交", "handed over"], settled: ["已结清", "settled"],
  our_scale: ["本站磅秤偏差", "our scale"], their_scale: ["对方磅秤偏差", "their scale"],
  moisture: ["水分", "moisture"], lost_on_the_way: ["途中缺失", "lost on the way"],
  // corrections
  waiting: ["待复核", "waits"], approved: ["已批准", "approved"], overtaken: ["已被其他更正取代", "overtaken"],
  // steps of a labelled unit
  door: ["上门取走", "taken at the door"], vehicle: ["装车", "on the vehicle"], station: ["过磅", "weighed in"],
  lot: ["入库", "in stock"], outlet: ["移交", "handed over"], adjusted: ["磅单更正", "ticket corrected"],
  missing: ["盘点缺失", "missed by a count"], returned: ["退回", "sent back"],
};

/** A code in the reader's words. `weighed` is also the state of a trip: give `"weighed_in"` for that. */
export const word = (code) => (code === "weighed_in" ? say("已过磅", "weighed in") : words(CODES[code], code));

export const screen = byId("screen");
export const out = byId("out");

/** What is shown is whole: a reader's tool may read it, a test may go on. */
export const shown = () => byId("content").removeAttribute("aria-busy");

/** The name of a draft: a tablet is shared, and what one keeper began is not sent under another's name. */
export const draftName = (name) => `${name}:${facts.me}`;

// Another keeper may sign in on this tablet, in another tab and for another station: this tab then becomes theirs, and
// what was typed here waits in its draft for whoever typed it.
const signedIn = csrfToken();
const look = () => { if (!document.hidden && csrfToken() && csrfToken() !== signedIn) location.reload(); };
for (const [target, name] of [[window, "focus"], [window, "pageshow"], [document, "visibilitychange"]]) target.addEventListener(name, look);

/** What the address asks for. */
export const query = new URLSearchParams(location.search);
