"""One unit of the search's work, as it travels to a worker and back: a part of a day for one engine.

Nothing here knows which executor carries it. The answer is JSON and read with suspicion: an engine may be wrong.
"""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from recycling.routing.day import Day, Load, Sequences
from recycling.routing.draft import Draft, complete
from recycling.routing.engines import Ask, Memory, load_engine
from recycling.routing.pool import Choice
from recycling.routing.problem import MANDATORY_SKIP_COST, Problem
from recycling.routing.timing import Timing

GRACE_S = 2  # how long past its time a unit that nobody kills may go on
MOST_REPORTS = 400  # of one unit; the last are the best
LARGEST_ANSWER = 8_000_000  # bytes; reading more would hold up the whole search
MOST_POOLED_S = 0.15  # share of a unit's time for timing the routes it passed through


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What to do: the engine as ``module:name``, and what it is asked."""

    address: str
    ask: Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One route that an engine passed through, numbered as in the part, with its exact cost and intake.

    ``intake`` has one load per limited station of the part.
    """

    vehicle: int
    stops: tuple[int, ...]
    cost: int
    intake: tuple[Load, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The best sequences of a unit, the routes worth remembering, and what the engine wants to remember."""

    best: Sequences
    routes: tuple[Found, ...]
    memory: Memory


def improve(unit: Unit) -> bytes:
    """Let the engine improve its part; the answer as JSON."""
    with _alarm(unit.ask.seconds):
        return _improve(unit)


def choose(choice: Choice, seconds: float, seed: int, *, effort: float | None) -> bytes:
    """The numbers of the routes to drive, as JSON; ``effort`` as in `best_choice`."""
    from recycling.routing.engines.recombine import best_choice

    with _alarm(seconds):
        return json.dumps(best_choice(choice, seconds=seconds, seed=seed, effort=effort)).encode()


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Should the work hang or the parent die, the kernel ends this process even while C++ holds the interpreter."""
    able = hasattr(signal, "alarm") and threading.current_thread() is threading.main_thread()
    if able:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(seconds) + 1 + GRACE_S)
    try:
        yield
    finally:
        if able:
            signal.alarm(0)


def _improve(unit: Unit) -> bytes:
    began = time.monotonic()
    reports: list[Sequences] = []

    def report(sequences: Sequences) -> None:
        reports.append(sequences)
        if len(reports) > MOST_REPORTS:
            del reports[: MOST_REPORTS // 2]

    memory = load_engine(unit.address).improve(unit.ask, report)
    spare_s = max(unit.ask.seconds * MOST_POOLED_S, began + unit.ask.seconds - time.monotonic())
    return _answer(unit.ask, reports, memory, until=time.monotonic() + spare_s)


def _answer(ask: Ask, reports: list[Sequences], memory: Memory, *, until: float) -> bytes:
    reports = reports or [ask.warm]
    day = Day(ask.problem)
    draft = complete(Draft(day), reports[-1])
    timing = Timing(day)
    seen = {(v, row) for v, row in enumerate(ask.warm)}
    routes: list[Any] = []
    for rows in (draft.sequences, *reversed(reports)):
        for vehicle, stops in enumerate(rows):
            if not stops or (vehicle, tuple(stops)) in seen or time.monotonic() > until:
                continue
            seen.add((vehicle, tuple(stops)))
            timed = timing.time(vehicle, stops)
            if timed is not None:
                routes.append([vehicle, stops, timed.cost, timed.intake])
    return json.dumps({"best": draft.sequences, "routes": routes, "memory": memory}).encode()


def read_answer(raw: Any, problem: Problem) -> Answer | None:
    """The answer of a unit over ``problem``, or ``None`` for anything else: a worker may say whatever it likes."""
    if isinstance(raw, bytes | str) and len(raw) > LARGEST_ANSWER:
        return None
    try:
        found = json.loads(raw)
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    vehicles, stops = len(problem.vehicles), len(problem.stops)
    best = _rows(found.get("best"), vehicles, stops)
    routes = found.get("routes")
    if best is None or not isinstance(routes, list):
        return None
    limited = sum(station.intake_limit is not None for station in problem.stations)
    read = (_found(route, vehicles, stops, limited, len(problem.load_units)) for route in routes)
    memory = found.get("memory")
    if not isinstance(memory, list) or not all(type(x) is float and math.isfinite(x) for x in memory):
        memory = None
    return Answer(
        best=best,
        routes=tuple(route for route in read if route is not None),
        memory=None if memory is None else tuple(memory),
    )


def _rows(rows: Any, vehicles: int, stops: int) -> Sequences | None:
    if not isinstance(rows, list) or len(rows) != vehicles or not all(_is_row(row, stops) for row in rows):
        return None
    return tuple(tuple(row) for row in rows) if sum(map(len, rows)) <= stops else None


def _found(route: Any, vehicles: int, stops: int, limited: int, units: int) -> Found | None:
    match route:
        case [int(vehicle), list(row), int(cost), list(intake)] if (
            0 <= vehicle < vehicles
            and _is_row(row, stops)
            and len(set(row)) == len(row) > 0
            and 0 <= cost < MANDATORY_SKIP_COST
            and len(intake) == limited
            and all(isinstance(load, list) and len(load) == units for load in intake)
            and all(type(amount) is int and amount >= 0 for load in intake for amount in load)
        ):
            return Found(vehicle=vehicle, stops=tuple(row), cost=cost, intake=tuple(tuple(load) for load in intake))
    return None


def read_numbers(raw: Any, count: int) -> list[int] | None:
    """The numbers below ``count`` that `choose` answered, each once, or ``None``."""
    try:
        numbers = json.loads(raw)
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < count for n in numbers):
        return None
    return numbers if numbers and len(set(numbers)) == len(numbers) else None


def _is_row(row: Any, stops: int) -> bool:
    return isinstance(row, list) and all(type(stop) is int and 0 <= stop < stops for stop in row)
