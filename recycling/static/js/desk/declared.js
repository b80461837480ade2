// Declared history: a file is tried first, with each fault by its line, and declared once.

import { ask, newKey } from "../api.js";
import { byId, el, fill, note, once } from "../dom.js";
import { count, say } from "../words.js";
import { table } from "./pieces.js";

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const LARGEST = 4 * 1024 * 1024;
const READING_MS = 60_000;
const form = document.getElementById("upload");

/** The file as the endpoint takes it: what it is by its first bytes and name, since Windows calls CSV an Excel file. */
async function tableFile() {
  const [file] = byId("file").files;
  if (!file) throw new Error(say("请先选择文件。", "Choose a file first."));
  if (file.size > LARGEST) throw new Error(say("文件超过 4 MB：请按年份拆分后分别上传。", "The file is larger than 4 MB: split it by year."));
  const [first, second] = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const zipped = first === 0x50 && second === 0x4b;
  if (/\.xls$/i.test(file.name)) throw new Error(say("不支持旧版 .xls：请在 Excel 中另存为 .xlsx 或 CSV。", "Old .xls files are not taken: save it as .xlsx or CSV in Excel."));
  if (!zipped && !/\.csv$/i.test(file.name)) throw new Error(say(`「${file.name}」不是 CSV 或 .xlsx 表格：请下载模板，填写后再选择。`, `“${file.name}” is no CSV or .xlsx table: download the template, fill it in, and choose that.`));
  return new Blob([file], { type: zipped ? XLSX : "text/csv" });
}

function faults(problem) {
  const errors = problem.body?.errors ?? [];
  const rows = errors.map((one) => [String(one.line), one.column || "–", say(one.zh, one.en)]);
  const shown = problem.body?.error_count > errors.length ? note(say(`共 ${problem.body.error_count} 处，先列 ${errors.length} 处。`, `${problem.body.error_count} in all; the first ${errors.length} are listed.`)) : null;
  fill(byId("told"), note(problem.message, "bad"),
    rows.length ? table(say("逐行问题", "Faults by line"), [{ name: say("行", "Line"), num: true }, { name: say("列", "Column") }, { name: say("问题与改法", "What is wrong, what to do") }], rows) : null, shown);
}

function rehearsed(told) {
  const months = (first, last) => `${first.slice(0, 7)} – ${last.slice(0, 7)}`;
  fill(byId("told"), note(say(`没有问题：${count(told.figures)} 行数据，${months(told.first_month, told.last_month)}。尚未保存，请点「正式申报」。`, `No faults: ${count(told.figures)} figures, ${months(told.first_month, told.last_month)}. Nothing is kept yet; declare it now.`)),
    told.supersedes.length ? note(say(`其中 ${told.supersedes.length} 个月已有申报，将被取代：`, `${told.supersedes.length} of its months are declared already and will be superseded: `) + told.supersedes.map((month) => month.slice(0, 7)).join(say("、", ", ")), "warn") : null);
}

if (form) {
  let key = newKey();
  const unproven = () => { key = newKey(); byId("declare").hidden = true; fill(byId("told")); };
  byId("file").addEventListener("change", unproven);
  byId("source_document").addEventListener("input", unproven);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const tried = event.submitter?.value !== "declare";
    once(event.submitter ?? form.querySelector("button"), async () => {
      const query = new URLSearchParams({ source_document: byId("source_document").value, dry_run: String(tried) });
      try {
        const { body } = await ask(`/declared-history?${query}`, { method: "POST", file: await tableFile(), key: tried ? newKey() : key, patience: READING_MS });
        if (tried) {
          rehearsed(body);
          byId("declare").hidden = false;
        } else {
          location.replace(`${location.pathname}?upload=${body.number}`);
        }
      } catch (problem) {
        byId("declare").hidden = true;
        faults(problem);
      }
    }, byId("told"));
  });
  fill(byId("told"), el("span", {}));
}
