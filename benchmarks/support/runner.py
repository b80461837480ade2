"""Runs one planner on one problem: same seconds and cores for all, every answer checked and priced the same way."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.support.peers import PEERS
from benchmarks.support.process import Watched, watch
from benchmarks.support.repair import Repair
from benchmarks.support.store import Result, Store, code_of
from benchmarks.table import ROOT
from recycling.routing.check import violations
from recycling.routing.cost import evaluate
from recycling.routing.plan import Plan, load_plan
from recycling.routing.problem import Problem, save_problem

OURS = "ours"
CORES = 2
MOST_PRICED = 12  # reports of a peer that are mended and priced for its line in the chart
PRICING_S = 30.0

Tick = Callable[[float], None]


class Bench:
    """Everything to run planners on one instance: its problem on disk, its repair, its print.

    Parameters
    ----------
    name, problem
        The instance.
    folder
        Where problem, answers and plans go.
    store
        Where results come from and go to.
    """

    def __init__(self, name: str, problem: Problem, folder: Path, store: Store) -> None:
        self._name, self._problem, self._folder, self._store = name, problem, folder, store
        self._file = folder / "problem.json"
        save_problem(problem, self._file)
        self._print = hashlib.sha256(self._file.read_bytes()).hexdigest()[:12]
        self._repair: Repair | None = None

    def measured(self, planner: str, seconds: float) -> Result | None:
        """The result, if this planner, as its code stands, was measured on this problem already."""
        return self._store.get(self._key(planner, seconds))

    def ours(self, seconds: float, *, workers: int = CORES, tick: Tick) -> Result:
        """Our planner, by its command line."""
        planner = OURS if workers else f"{OURS}-first"
        plan, trace = self._folder / "plan.json", self._folder / "trace.jsonl"
        for old in (plan, trace):
            old.unlink(missing_ok=True)
        command = [
            sys.executable, "-m", "recycling.routing", "solve", str(self._file), "--seconds", str(seconds),
            "--workers", str(workers), "--seed", "1", "--out", str(plan), "--trace", str(trace),
        ]  # fmt: skip
        seen = watch([command], began=time.monotonic(), seconds=seconds, cwd=ROOT, tick=tick)
        if not plan.exists():
            return self._keep(planner, seconds, seen, note=_why(seen))
        found = load_plan(plan)
        return self._keep(
            planner, seconds, seen, plan=found, trace=[(s, c) for s, c in _lines(trace)], search_s=found.search.seconds
        )

    def peer(self, name: str, seconds: float, *, tick: Tick) -> Result:
        """A peer, as many of its seeds at once as it has; the better one counts. What it cannot plan is not kept."""
        peer, began = PEERS[name], time.monotonic()
        cannot = "not installed (make peers)" if not peer.installed else peer.cannot(self._problem)
        if cannot:
            return Result(
                key=self._key(name, seconds), planner=name, instance=self._name, seconds=seconds, cost=None,
                wall_s=0.0, peak_mib=None, note=cannot,
            )  # fmt: skip
        answers = [self._folder / f"{name}-{seed}.jsonl" for seed in range(1, peer.seeds + 1)]
        for old in answers:
            old.unlink(missing_ok=True)
        commands = [
            [
                sys.executable, "-m", "benchmarks.support.peers", name, str(self._file), str(answer),
                "--began", repr(began), "--seconds", str(seconds), "--seed", str(seed),
            ]
            for seed, answer in enumerate(answers, start=1)
        ]  # fmt: skip
        seen = watch(commands, began=began, seconds=seconds, cwd=ROOT, tick=tick)
        runs = [run for run in (self._priced(reports(answer)) for answer in answers) if run]
        if not runs:
            return self._keep(name, seconds, seen, note=_why(seen))
        run = min(runs, key=lambda run: min(plan.cost.total for _, plan in run))
        best = min((plan for _, plan in run), key=lambda plan: plan.cost.total)
        trace = [(at, plan.cost.total) for at, plan in run]
        return self._keep(name, seconds, seen, plan=best, trace=trace, note="late" if seen.late else "")

    def _priced(self, found: Sequence[tuple[float, Any]]) -> list[tuple[float, Plan]]:
        """The last report mended, with some of those before it as far as pricing them takes no longer than it may."""
        if not found:
            return []
        self._repair = self._repair or Repair(self._problem)
        last = found[-1]
        priced = [(last[0], self._repair.plan(last[1]))]
        until = time.monotonic() + PRICING_S
        step = max(1, (len(found) - 1) // MOST_PRICED)
        for at, sequences in found[:-1][::step]:
            if time.monotonic() > until:
                break
            priced.append((at, self._repair.plan(sequences)))
        return sorted(priced, key=lambda one: one[0])

    def _keep(
        self, planner: str, seconds: float, seen: Watched, *, plan: Plan | None = None,
        trace: Sequence[tuple[float, int]] = (), note: str = "", search_s: float | None = None,
    ) -> Result:  # fmt: skip
        cost = None
        if plan is not None:
            broken = violations(self._problem, plan)
            cost, note = (None, f"invalid: {broken[0].text}") if broken else (evaluate(self._problem, plan).total, note)
        result = Result(
            key=self._key(planner, seconds), planner=planner, instance=self._name, seconds=seconds, cost=cost,
            wall_s=round(seen.wall_s, 2), peak_mib=None if seen.peak_mib is None else round(seen.peak_mib, 1),
            left_out=0 if plan is None else len(plan.unassigned), note=note, trace=_falling(trace), search_s=search_s,
        )  # fmt: skip
        self._store.put(result)
        return result

    def _key(self, planner: str, seconds: float) -> str:
        if planner in PEERS:
            code = code_of("benchmarks/support/peers")
        else:
            code = code_of("recycling/routing")
        return f"{planner} {code} {self._name} {self._print} {seconds:g}"


def reports(path: Path) -> list[tuple[float, Any]]:
    """A peer's sequences with their seconds; where it plans nothing, mending would plan the day for it."""
    return [(at, rows) for at, rows in _lines(path) if any(rows)]


def _lines(path: Path) -> list[tuple[float, Any]]:
    """Pairs of seconds and what was known then, one a line; a line cut off by the kill does not count."""
    if not path.exists():
        return []
    found: list[tuple[float, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            at, what = json.loads(line)
        except ValueError:
            break
        found.append((float(at), what))
    return found


def _falling(trace: Sequence[tuple[float, int]]) -> tuple[tuple[float, int], ...]:
    """Only what was better than all before."""
    best: list[tuple[float, int]] = []
    for at, cost in trace:
        if not best or cost < best[-1][1]:
            best.append((at, cost))
    return tuple(best)


def _why(seen: Watched) -> str:
    if seen.failed:
        return f"failed: {seen.failed.strip().splitlines()[-1][:160]}"
    return "no answer in time" if seen.late else "no answer"
