"""A day as engines without breaks and locks can read it, and the way back from their answers."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from recycling.routing.breaks import Squeeze
from recycling.routing.day import Day, Sequences
from recycling.routing.draft import Draft, complete
from recycling.routing.engines import Ask
from recycling.routing.problem import Problem, UnderWay, Vehicle
from recycling.routing.timing import Timed


class PlainDay:
    """The asked day without breaks and locks.

    Breaks leave by squeezing the clock. A vehicle with locked stops becomes one under way: it stands at its last locked
    stop, as early as it can, with what it has on board there, and its fixed cost is spent.

    Parameters
    ----------
    ask
        What the engine was asked.
    """

    def __init__(self, ask: Ask) -> None:
        self._whole = Day(ask.problem)
        self._held = tuple(self._locked_route(v, stops) for v, stops in enumerate(ask.warm))
        locked = {stop for rig in self._whole.rigs for stop in rig.locked}
        self._stops = [s for s in range(len(self._whole.place)) if s not in locked]
        # Engines whose search has no seed of its own still break ties by the numbers of the stops.
        Random(ask.seed).shuffle(self._stops)  # noqa: S311  # a search, not a secret
        self._number = {s: n for n, s in enumerate(self._stops)}
        squeeze = Squeeze.common(ask.problem)
        free = replace(
            ask.problem,
            vehicles=tuple(self._unlocked(v, vehicle) for v, vehicle in enumerate(ask.problem.vehicles)),
            stops=tuple(ask.problem.stops[s] for s in self._stops),
        )
        self.day = Day(squeeze.problem(free), travel=(self._whole.travel_s, self._whole.distance_m))

    @property
    def problem(self) -> Problem:
        """The plain problem."""
        return self.day.problem

    def warm(self, sequences: Sequences) -> Draft:
        """The asked sequences as a draft of the plain day, unloads placed."""
        plain = tuple(tuple(self._number[s] for s in row if s in self._number) for row in sequences)
        return complete(Draft(self.day), plain)

    def whole(self, sequences: Sequences) -> Sequences:
        """Sequences of the plain day as sequences of the asked one."""
        return tuple(
            (() if held is None else held.stops) + tuple(self._stops[s] for s in row)
            for held, row in zip(self._held, sequences, strict=True)
        )

    def _locked_route(self, vehicle: int, stops: tuple[int, ...]) -> Timed | None:
        locked = set(self._whole.rigs[vehicle].locked)
        held = [s for s in stops if s in locked]
        return Draft(self._whole).time(vehicle, held) if held else None

    def _unlocked(self, index: int, vehicle: Vehicle) -> Vehicle:
        held = self._held[index]
        if held is None:
            return replace(vehicle, locked=())
        gaps = Draft(self._whole).kernel.gaps(index, held)
        if gaps is None:
            return replace(vehicle, locked=())
        load = tuple(c - int(left) for c, left in zip(vehicle.capacity, gaps.free[0], strict=True))
        here = UnderWay(location=int(gaps.place_before[0]), time_s=int(gaps.leave_s[0]), load=load)
        return replace(vehicle, locked=(), start=here, fixed_cost=0)
