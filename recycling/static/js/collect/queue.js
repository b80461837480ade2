// What waits to be sent, and what came back.

import { el, note } from "../dom.js";
import { mine, moment, say } from "../words.js";
import { signIn } from "./list.js";
import { kindWord } from "./parts.js";

/** The screen. */
export function queueScreen(app) {
  const waiting = app.records.filter((row) => row.state === "waiting");
  const told = app.records.filter((row) => row.state === "conflict" || row.state === "refused");
  const refusedPhotos = app.photos.filter((photo) => photo.state === "refused");
  const photos = app.photos.length - refusedPhotos.length;
  return [
    app.sending.signedOut ? el("div", { class: "note warn" }, say("请登录，记录会自动发送。", "Sign in and the records are sent. "), signIn()) : null,
    app.sending.problem ? note(app.sending.problem, "warn") : null,
    waiting.length || photos ? note(say(`等待发送：${waiting.length} 条记录，${photos} 张照片。有网络时自动发送，不会丢失。`, `Waiting: ${waiting.length} records, ${photos} photos. They are sent by themselves once there is a network; nothing is lost.`))
      : note(say("都已发送。", "Everything is sent.")),
    app.others ? note(say(`另有 ${app.others} 条是别人在这台手机上记录的，由本人登录后发送。`, `${app.others} more were recorded here by somebody else, and are sent once they sign in.`)) : null,
    told.map((row) => el("section", { class: `note ${row.state === "refused" ? "bad" : "warn"}` },
      el("h2", {}, `${kindWord(row.kind)} · ${door(app, row)} · ${moment(row.at)}`),
      el("p", {}, mine(row.detail ?? "")),
      el("p", { class: "small" }, row.state === "refused" ? say("没有登记成功：请重新登记。", "Nothing of it was kept: record it again.") : say("已保留，由调度核实，不用重发。", "It is kept and the dispatcher decides; do not send it again.")),
      row.booking_id && row.state === "refused" ? el("a", { class: "button quiet", href: `#stop=${row.booking_id}` }, say("打开这一站", "Open the stop")) : null,
      el("button", { type: "button", class: "quiet", onclick: () => app.read(row) }, say("知道了", "I have read it")))),
    refusedPhotos.map((photo) => el("section", { class: "note bad" }, el("p", {}, say("一张照片没有被接受：", "A photo was not taken: "), mine(photo.detail ?? "")),
      el("button", { type: "button", class: "quiet", onclick: () => app.dropPhoto(photo) }, say("知道了", "I have read it")))),
    waiting.length ? el("ol", { class: "waiting" }, waiting.map((row) => el("li", {}, `${moment(row.at)} ${kindWord(row.kind)} ${door(app, row)}`))) : null,
    el("div", { class: "act" }, el("button", { type: "button", class: "big", onclick: app.sendNow, "aria-busy": app.sending.busy ? "true" : null }, say("现在发送", "Send now"))),
  ];
}

const door = (app, row) => {
  const step = app.day.steps.find((one) => one.pickup?.booking_id === row.booking_id);
  return step ? step.pickup.village_name_zh : "";
};
