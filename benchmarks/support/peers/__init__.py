"""The planners that ours is measured against. One peer is one file here and one row in `PEERS`.

A peer is used as its own documentation says, with default settings, both cores and the right objective: fixed cost of
the vehicles plus travel. Each works in a child process (``python -m benchmarks.support.peers``) and reports sequences;
what its model cannot say is mended afterwards, for free, by `benchmarks.support.repair`.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, cast

from recycling.routing.problem import Problem

Sequences = list[list[int]]
"""Per vehicle the numbers of its stops, as the problem lists them."""

Report = Callable[[Sequences], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One planner.

    Parameters
    ----------
    title
        As the tables print it.
    module
        Where ``plan`` is; imports the library only when called.
    library
        What must be installed.
    seeds
        How many runs share the two cores; the better one counts. 1 for a planner that uses both cores by itself.
    cannot
        Why it cannot plan such a problem, in a few words; empty when it can.
    """

    title: str
    module: str
    library: str
    seeds: int
    cannot: Callable[[Problem], str]

    @property
    def installed(self) -> bool:
        """Whether its library is there."""
        return importlib.util.find_spec(self.library) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The wall time of one run.

    Parameters
    ----------
    began, until
        Instants of `time.monotonic`, the same in all processes of a machine.
    """

    began: float
    until: float

    def left(self, spare: float = 0.0) -> float:
        """Seconds left, ``spare`` of them kept for what comes after; never below a tenth of a second."""
        return max(0.1, self.until - spare - time.monotonic())


def joined(problem: Problem) -> Problem:
    """The same day with windows that touch made one: two peers refuse them otherwise, and it is less to search."""
    return replace(problem, stops=tuple(replace(s, windows_s=_joined(s.windows_s)) for s in problem.stops))


def _joined(windows: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    out: list[tuple[int, int]] = []
    for first, last in sorted(windows):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        else:
            out.append((first, last))
    return tuple(out)


class Planner(Protocol):
    """What a peer's module is."""

    def plan(self, problem: Problem, *, clock: Clock, seed: int, report: Report) -> None:
        """Report sequences, each better than the one before, and return by ``clock.until``."""


def planner(name: str) -> Planner:
    """The peer's module."""
    return cast(Planner, importlib.import_module(PEERS[name].module))


def _under_way(problem: Problem) -> str:
    held = any(v.locked or v.start is not None for v in problem.vehicles)
    return "no vehicles under way" if held else ""


def _vroom(problem: Problem) -> str:
    if any(s.can_unload for s in problem.stations):
        return "no unloads on the way"
    if any(v.max_duration_s is not None for v in problem.vehicles):
        return "no longest duration"
    return _under_way(problem)


PEERS: Mapping[str, Peer] = {
    "pyvrp": Peer(
        title="PyVRP", module="benchmarks.support.peers.with_pyvrp", library="pyvrp", seeds=2, cannot=_under_way
    ),
    "vroom": Peer(title="VROOM", module="benchmarks.support.peers.with_vroom", library="vroom", seeds=1, cannot=_vroom),
    "vrp-cli": Peer(
        title="vrp-cli", module="benchmarks.support.peers.with_vrp_cli", library="vrp_cli", seeds=1, cannot=_under_way
    ),
    "ortools": Peer(
        title="OR-Tools", module="benchmarks.support.peers.with_ortools", library="ortools", seeds=2, cannot=_under_way
    ),
}
