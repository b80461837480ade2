"""The planner's command line: ``solve`` a problem file, ``check`` a plan file against its problem."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from recycling.errors import DomainError
from recycling.routing.check import violations
from recycling.routing.engines import DEFAULT_ENGINES, ENGINES
from recycling.routing.fullness import why_full
from recycling.routing.plan import load_plan, save_plan
from recycling.routing.problem import load_problem
from recycling.routing.solve import Progress as Found
from recycling.routing.solve import solve

VALID, VIOLATED, UNREADABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None, *, began: float | None = None) -> int:
    """Run one command; the exit code is 0 for success, 1 for a plan that breaks rules, 2 for what cannot be read.

    Parameters
    ----------
    began
        Instant of `time.monotonic` from which ``--seconds`` counts; ``None`` = now.
    """
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        return (
            _solve(chosen, time.monotonic() if began is None else began)
            if chosen.command == "solve"
            else _check(chosen)
        )
    except DomainError as error:
        print(_one_line(error.message), file=sys.stderr)
    except OSError as error:
        print(_one_line(f"{error.filename}: {error.strerror}; choose a file that can be written"), file=sys.stderr)
    return UNREADABLE


def _one_line(message: str) -> str:
    """The message with whatever would break its line or steer a terminal written as an escape."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recycling.routing", description="Plan a day, or check a plan.")
    commands = parser.add_subparsers(dest="command", required=True)
    solving = commands.add_parser("solve", help="plan the day in PROBLEM and write the plan")
    solving.add_argument("problem", type=Path, metavar="PROBLEM.json")
    solving.add_argument("--seconds", type=float, default=30.0, help="wall time, start-up included (30)")
    solving.add_argument("--workers", type=int, default=2, help="engine processes at once; 0: first plan only (2)")
    solving.add_argument("--seed", type=int, default=1, help="makes runs differ (1)")
    usual = ",".join(DEFAULT_ENGINES)
    solving.add_argument("--engines", default=usual, help=f"of {', '.join(ENGINES)}, with commas between ({usual})")
    solving.add_argument("--warm", type=Path, metavar="PLAN.json", help="a standing plan to start from")
    solving.add_argument("--out", type=Path, required=True, metavar="PLAN.json", help="where the plan goes")
    solving.add_argument("--trace", type=Path, metavar="TRACE.jsonl", help="a line of seconds and cost per better plan")
    checking = commands.add_parser("check", help="exit 0: the plan is valid; 1: violations, one line each")
    checking.add_argument("problem", type=Path, metavar="PROBLEM.json")
    checking.add_argument("plan", type=Path, metavar="PLAN.json")
    return parser


def _solve(chosen: argparse.Namespace, began: float) -> int:
    problem = load_problem(chosen.problem)
    warm = None if chosen.warm is None else load_plan(chosen.warm)
    # The caller's seconds are wall time: starting up and reading have spent some of them.
    spent_s = time.monotonic() - began
    with _bar(chosen.seconds) as bar, _traced(chosen.trace, spent_s, bar) as show:
        plan = solve(
            problem,
            seconds=max(chosen.seconds / 2, chosen.seconds - spent_s) if chosen.seconds > 0 else chosen.seconds,
            workers=chosen.workers,
            seed=chosen.seed,
            engines=[name for name in chosen.engines.split(",") if name],
            warm=warm,
            on_progress=show,
        )
    save_plan(plan, chosen.out)
    served = len(problem.stops) - len(plan.unassigned)
    print(
        f"cost {plan.cost.total}, {served} of {len(problem.stops)} stops on {len(plan.routes)} routes, "
        f"{plan.search.seconds:.1f} s, {chosen.out}"
    )
    full = why_full(problem, plan)
    if full is not None:
        print(full)
    return VALID


def _check(chosen: argparse.Namespace) -> int:
    found = violations(load_problem(chosen.problem), load_plan(chosen.plan))
    for violation in found:
        where = " ".join(filter(None, (violation.vehicle, violation.stop)))
        print(f"{violation.cause} {where} {violation.excess}: {violation.text}")
    return VIOLATED if found else VALID


class _Bar:
    """A progress bar over the wall time, with the best cost beside it."""

    def __init__(self, seconds: float, console: Console) -> None:
        self._seconds = seconds
        self._progress = Progress(
            TextColumn("planning"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"), console=console
        )
        self._row = self._progress.add_task("", total=seconds)

    def __enter__(self) -> Callable[[Found], None]:
        self._progress.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _show(self, found: Found) -> None:
        self._progress.update(
            self._row,
            completed=min(found.elapsed_s, self._seconds),
            description=f"cost {found.best_cost}, {found.stops_planned}/{found.stops_total} stops",
        )


def _bar(seconds: float) -> AbstractContextManager[Callable[[Found], None] | None]:
    console = Console(stderr=True)
    return _Bar(seconds, console) if console.is_terminal else nullcontext()


@contextmanager
def _traced(
    path: Path | None, spent_s: float, show: Callable[[Found], None] | None
) -> Iterator[Callable[[Found], None] | None]:
    """Pass progress on, and write each better cost with the seconds since the start to a file."""
    if path is None:
        yield show
        return
    costs: list[int] = []
    with path.open("w", encoding="utf-8") as file:

        def note(found: Found) -> None:
            if not costs or found.best_cost < costs[-1]:
                costs.append(found.best_cost)
                file.write(json.dumps([round(spent_s + found.elapsed_s, 3), found.best_cost]) + "\n")
                file.flush()
            if show is not None:
                show(found)

        yield note


if __name__ == "__main__":
    # What this process computed so far was starting up, which nothing else waited for.
    sys.exit(main(began=time.monotonic() - time.process_time()))
