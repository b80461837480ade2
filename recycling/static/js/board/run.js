// Ask for a plan and look on while it is made: the best cost so far, drawn as it falls, and a way to stop.

import { ask, newKey } from "../api.js";
import { chart } from "../charts.js";
import { byId, fill, note, once } from "../dom.js";
import { count, say } from "../words.js";

const KEPT = 600; // points of the curve

/** The section about automatic planning; it finds a run under way by itself. */
export async function runs(facts) {
  if (!facts.plannable) return;
  byId("run").hidden = false;
  const said = byId("run-said");
  let key = newKey();
  byId("plan-day").addEventListener("click", (event) => once(event.currentTarget, async () => {
    const { body } = await ask("/job-runs", { body: { job: "plan_day", day: facts.day }, key });
    key = newKey();
    follow(body.id, facts);
  }, said));
  const { body } = await ask("/job-runs?job=plan_day&limit=10");
  const going = body.job_runs.find((run) => run.scope === facts.day && ["queued", "running"].includes(run.state));
  if (going) follow(going.id, facts);
}

function follow(id, facts) {
  const [said, stop, ask_, made] = ["run-said", "stop-run", "plan-day", "show-made"].map(byId);
  const points = [];
  let drawn = null;
  let key = newKey();
  stop.hidden = false;
  ask_.hidden = true;
  made.hidden = true;
  stop.onclick = () => once(stop, async () => {
    await ask(`/job-runs/${id}/cancellation`, { method: "POST", key });
    key = newKey();
    fill(said, say("正在停止…保留目前最好的方案。", "Stopping… the best plan so far is kept."));
  }, said);
  fill(said, say("已排队，等待调度程序…", "Queued; the scheduler takes it within seconds…"));
  const source = new EventSource(`/job-runs/${id}/progress`);
  const over = () => {
    source.close();
    stop.hidden = true;
    ask_.hidden = false;
  };
  source.onmessage = (event) => {
    const far = JSON.parse(event.data);
    if (far.best_cost !== null && far.elapsed_ms !== null) {
      points.push([far.elapsed_ms / 1000, far.best_cost]);
      points.splice(0, points.length - KEPT);
      byId("curve").hidden = false;
      drawn ??= chart(byId("curve"), option(points), say("最好成本随时间的变化", "Best cost over time"));
      drawn.setOption({ series: [{ data: points }] });
      if (!far.stop_asked) fill(said, say(`已用 ${Math.round(far.elapsed_ms / 1000)} 秒，最好成本 ${count(far.best_cost)}，已排入 ${far.stops_planned}/${far.stops_total}`, `${Math.round(far.elapsed_ms / 1000)} s, best cost ${count(far.best_cost)}, ${far.stops_planned} of ${far.stops_total} stops on routes`));
    } else if (far.state === "running") fill(said, say("正在建立初始方案…", "Making a first plan…"));
    if (far.over) {
      over();
      ended(far, facts, said, made);
    }
  };
  source.addEventListener("over", over);
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // it asks again by itself
    over();
    ask(`/job-runs/${id}`).catch((problem) => fill(said, note(problem.message, "bad")));
  };
}

function ended(far, facts, said, made) {
  const planId = far.figures?.plan_id;
  if (planId) {
    const stopped = far.figures.stopped ? say("已提前停止，保留了最好的一版。", "Ended early; the best plan so far was kept. ") : "";
    fill(said, note(stopped + say(`第 ${far.figures.version} 版已生成：成本 ${count(far.figures.cost_total)}，未排入 ${far.figures.unassigned}。`, `Version ${far.figures.version} is made: cost ${count(far.figures.cost_total)}, ${far.figures.unassigned} left out.`)));
    made.href = `/pages/board?day=${facts.day}&plan=${planId}`;
    made.hidden = false;
  } else if (far.state === "failed") fill(said, note(say(`排线失败：${far.error}`, `Planning failed: ${far.error}`), "bad"));
  else fill(said, note(say("已取消，没有生成新版。", "Cancelled before it began; no version was made."), "warn"));
}

const option = (points) => ({
  xAxis: { type: "value", name: say("秒", "s"), min: 0 },
  yAxis: { type: "value", scale: true, name: say("最好成本", "best cost") },
  series: [{ type: "line", step: "end", showSymbol: false, data: points }],
});
