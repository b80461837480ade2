"""The planner beside its peers: same machine, same seconds, same two cores, every answer checked.

``make bench B=planner`` measures the district days; with ``INSTANCES=folder`` the public instances below it as well.
``PART=one_trip-200,first`` measures some lines only, ``BUDGET=0.1`` a tenth of the time for a quick look, ``FRESH=1``
everything again. Results are kept in benchmarks/results, so that a run that was stopped goes on where it was; only a
whole run at the full budget replaces the tables of docs/benchmarks.md.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks import table
from benchmarks.support import chart, verdicts
from benchmarks.support.instances import Instance, district
from benchmarks.support.lines import Line, Speed, chosen
from benchmarks.support.runner import CORES, OURS, Bench
from benchmarks.support.store import Result, Store
from benchmarks.table import Row

AROUND_S = 2.0  # what starting, reading and checking add to a run, for the estimate
LEAST_S = 3.0  # a budget below it leaves no time to plan in
CHART = "drawings/planner-cost-over-time.svg"  # beside the page of figures
CHARTED = ("one_trip-1000", "no_lunch-1000", "full-1000")

console = Console(stderr=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for on the make line."""

    parts: tuple[str, ...]
    budget: float
    folder: Path | None
    fresh: bool

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Wish:
        """Read ``PART``, ``BUDGET``, ``INSTANCES`` and ``FRESH``.

        Raises
        ------
        ValueError
            When the budget is no positive number.
        """
        budget = float(environment.get("BUDGET") or 1)
        if not 0 < budget < 100:
            raise ValueError(f"BUDGET is {budget}; it multiplies the seconds, so 0.1 is a quick look and 1 the whole")
        folder = environment.get("INSTANCES")
        return cls(
            parts=tuple(part.strip() for part in environment.get("PART", "").split(",") if part.strip()),
            budget=budget,
            folder=Path(folder) if folder else None,
            fresh=bool(environment.get("FRESH")),
        )

    def seconds(self, line: Line | Speed) -> float:
        """What a run of the line may take."""
        return max(LEAST_S, round(line.seconds * self.budget, 1))

    @property
    def whole(self) -> bool:
        """Whether its tables are fit to be kept."""
        return not self.parts and self.budget == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run: a planner on an instance."""

    line: str
    instance: Instance
    planner: str
    seconds: float
    workers: int = CORES


Measured = dict[tuple[str, str], dict[str, Result]]
"""By line and instance: each planner's result."""

_last: Measured = {}


def rows() -> Iterator[Row]:
    """Measure what is not measured yet, print each instance beside the peers, yield the lines' verdicts."""
    wish = Wish.of(os.environ)
    lines, speeds = chosen(wish.parts)
    trials = list(_trials(wish, lines, speeds))
    for line in lines:
        if not any(trial.line == line.key for trial in trials):
            console.print(f"{line.key}: no instances; give the folder of the public ones with INSTANCES=")
    _last.clear()
    _last.update(_measure(trials, Store(fresh=wish.fresh)))
    instances = {trial.instance.name: trial.instance for trial in trials}
    print(table.plain(verdicts.HEADINGS, verdicts.instance_cells(_last, instances)), flush=True)
    for line in lines:
        yield from verdicts.line_rows(line, wish.seconds(line), _of(line.key), instances)
    for speed in speeds:
        yield from verdicts.speed_rows(speed, wish.seconds(speed), _of(speed.key))


def keep(found: Sequence[Row], *, page: Path = table.KEPT_IN) -> None:
    """Keep a whole run's tables and chart; a quick look is only printed."""
    wish = Wish.of(os.environ)
    if not wish.whole:
        console.print("docs/benchmarks.md stays as it is: only a run without PART and BUDGET is kept there")
        return
    table.keep("planner", found, path=page)
    instances = {trial.instance.name: trial.instance for trial in _trials(wish, *chosen(()))}
    cells = table.markdown(verdicts.HEADINGS, verdicts.instance_cells(_last, instances))
    picture = f"![Cost of the best plan over time, ours and the peers]({CHART})"
    table.keep_block("planner instances", f"{picture}\n\n{cells}", path=page)
    drawing = page.parent / CHART
    drawing.parent.mkdir(exist_ok=True)
    panels = {line: next(iter(_of(line).values())) for line in CHARTED if _of(line)}
    drawing.write_text(chart.drawn(panels), encoding="utf-8")


def _of(line: str) -> dict[str, dict[str, Result]]:
    return {instance: results for (of, instance), results in _last.items() if of == line}


def _trials(wish: Wish, lines: Sequence[Line], speeds: Sequence[Speed]) -> Iterator[Trial]:
    for line in lines:
        for instance in line.instances(wish.folder):
            for planner in (OURS, *line.peers):
                yield Trial(line=line.key, instance=instance, planner=planner, seconds=wish.seconds(line))
    for speed in speeds:
        for size in speed.sizes:
            yield Trial(
                line=speed.key, instance=district(size, speed.seed, "full"), planner=OURS,
                seconds=wish.seconds(speed) if speed.workers else speed.seconds, workers=speed.workers,
            )  # fmt: skip


def _measure(trials: Sequence[Trial], store: Store) -> Measured:
    """Run every trial without a result, with a bar over the expected seconds."""
    _two_cores()
    # Ended from outside, the planners that run in sessions of their own must end as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    found: Measured = {}
    missing: list[Trial] = []
    with tempfile.TemporaryDirectory() as name:
        desk = _Desk(Path(name), store)
        for trial in trials:
            kept = desk.bench(trial.instance).measured(_named(trial), trial.seconds)
            if kept is None:
                missing.append(trial)
            else:
                found.setdefault((trial.line, trial.instance.name), {})[trial.planner] = kept
        expected = [_expected_s(trial) for trial in missing]
        console.print(
            f"{len(missing)} of {len(trials)} runs to make, about {sum(expected) / 60:.0f} minutes; "
            f"the others are in {store.path}"
        )
        with _bar() as progress:
            row = progress.add_task("", total=sum(expected))
            for n, trial in enumerate(missing):
                before = sum(expected[:n])
                progress.update(row, description=f"{trial.planner} on {trial.instance.name}", completed=before)

                def tick(passed: float, before: float = before, most: float = expected[n]) -> None:
                    progress.update(row, completed=before + min(passed, most))

                result = _run(desk.bench(trial.instance), trial, tick)
                found.setdefault((trial.line, trial.instance.name), {})[trial.planner] = result
                if not progress.console.is_terminal:
                    cost = "–" if result.cost is None else f"{result.cost:,}"
                    console.print(f"{trial.line}: {trial.planner} on {trial.instance.name}: {cost} {result.note}")
            progress.update(row, completed=sum(expected))
    return found


class _Desk:
    """The newest instance's files: many trials in a row share one, and large ones are not kept."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder, self._store, self._name = folder, store, ""
        self._bench: Bench | None = None

    def bench(self, instance: Instance) -> Bench:
        """The instance, ready to be run on."""
        if self._bench is None or self._name != instance.name:
            self._name, self._bench = instance.name, Bench(instance.name, instance.load(), self._folder, self._store)
        return self._bench


def _run(bench: Bench, trial: Trial, tick: Callable[[float], None]) -> Result:
    if trial.planner == OURS:
        return bench.ours(trial.seconds, workers=trial.workers, tick=tick)
    return bench.peer(trial.planner, trial.seconds, tick=tick)


def _named(trial: Trial) -> str:
    return trial.planner if trial.workers else f"{OURS}-first"


def _expected_s(trial: Trial) -> float:
    """First plans take far less than they may."""
    if not trial.workers:
        return 1.0 + trial.instance.stops / 400
    return trial.seconds + AROUND_S


def _bar() -> Progress:
    return Progress(
        TextColumn("measuring"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        TextColumn("{task.description}"), console=console, transient=True,
    )  # fmt: skip


def _two_cores() -> None:
    """Keep this process, and with it all that it starts, on as many cores as the targets are meant for."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    else:
        console.print(f"this system cannot keep processes to {CORES} cores; all planners use what there is")
