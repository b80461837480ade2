// Opening, renewing and closing accounts. Passwords are never kept as drafts.

import { ask, newKey } from "../api.js";
import { byId, fill, once } from "../dom.js";
import { say } from "../words.js";
import { again, fieldsFor, told } from "./told.js";

const form = byId("add");
let key = newKey();

function addForm() {
  fieldsFor(form, form.elements.role.value);
  form.addEventListener("input", () => {
    key = newKey();
    fieldsFor(form, form.elements.role.value);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form.querySelector("button"), async () => {
      const { body } = await ask("/staff", { body: Object.fromEntries(new FormData(form)), key });
      form.reset();
      again(say(`已为 ${body.login} 开户。`, `${body.login} can sign in now.`));
    }, form.querySelector(".said"));
  });
}

function dialog() {
  const box = byId("ask");
  const out = box.querySelector(".said");
  let deed = null;
  const open = (button, { title, words, password, path, done }) => {
    byId("ask-title").textContent = title;
    byId("ask-words").textContent = words;
    byId("ask-password").hidden = !password;
    byId("new-password").disabled = !password;
    byId("new-password").value = "";
    fill(out);
    let kept = newKey();
    byId("new-password").oninput = () => { kept = newKey(); };
    deed = async () => {
      await ask(path, { method: "POST", body: password ? { password: byId("new-password").value } : undefined, key: kept });
      byId("new-password").value = "";
      again(done);
    };
    box.showModal();
  };
  box.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    once(byId("ask-do"), deed, out);
  });
  byId("ask-leave").addEventListener("click", () => box.close());
  for (const button of document.querySelectorAll("[data-renew]")) {
    const { renew: id, login } = button.dataset;
    button.addEventListener("click", () => open(button, {
      title: say(`重设 ${login} 的密码`, `A new password for ${login}`),
      words: say("所有已登录的设备将立即退出；已停用的账号会重新启用。", "Every device signed in is signed out at once; a closed account is open again."),
      password: true, path: `/staff/${id}/password`, done: say(`${login} 只能用新密码登录。`, `${login} can sign in with the new password only.`),
    }));
  }
  for (const button of document.querySelectorAll("[data-close]")) {
    const { close: id, login } = button.dataset;
    button.addEventListener("click", () => open(button, {
      title: say(`停用 ${login}`, `Close ${login}`),
      words: say("立即退出所有设备，不能再登录；记录全部保留，可重新启用。", "Signed out everywhere at once and unable to sign in; every record stays, and the account can be opened again."),
      password: false, path: `/staff/${id}/closing`, done: say(`${login} 已停用。`, `${login} is closed.`),
    }));
  }
}

told();
addForm();
dialog();
