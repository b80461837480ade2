"""Parts of a day: routes near each other with their stops, as problems of their own, and where to cut next.

What a part leaves out stands still around it: the routes outside keep what they use of the stations' intake.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import numpy.typing as npt

from recycling.routing.day import Day, Load, Sequences
from recycling.routing.draft import Draft
from recycling.routing.problem import GreatCircle, Matrix, Problem, Stop, Vehicle
from recycling.routing.travel import table

SPARE_VEHICLES = 4  # unused vehicles that a part may call on beside those on its routes
NEAR_WAITING = 25  # stops on no route that a part takes along

_Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Vehicles and stops of a day, ascending, and the same as a problem.

    Parameters
    ----------
    warm
        The part's routes as they stand, numbered as in ``problem``.
    """

    vehicles: tuple[int, ...]
    stops: tuple[int, ...]
    problem: Problem
    warm: Sequences

    def outside(self, rows: Sequences) -> dict[int, tuple[int, ...]]:
        """Sequences of the part by the day's vehicles, in the day's stops."""
        return {v: tuple(self.stops[s] for s in row) for v, row in zip(self.vehicles, rows, strict=True)}


def cut(draft: Draft, vehicles: Collection[int], stops: Collection[int], room: Sequence[Load]) -> Part:
    """Cut vehicles and stops out of a day.

    Parameters
    ----------
    room
        What the limited stations take from the part, in the numbering of `Day.limited`.
    """
    day, problem = draft.day, draft.day.problem
    fleet = tuple(sorted(vehicles))
    # A locked stop goes where its vehicle goes, also when it is on no route.
    mine = {stop for v in fleet for stop in day.rigs[v].locked}
    others = {stop for rig in day.rigs for stop in rig.locked} - mine
    served = tuple(sorted(mine | (set(stops) - others)))
    rigs = [day.rigs[v] for v in fleet]
    wanted = {s.location for s in problem.stations} | {day.place[s] for s in served}
    places = sorted(wanted | {rig.start for rig in rigs} | {rig.end for rig in rigs})
    place = {old: new for new, old in enumerate(places)}
    stations = tuple(
        replace(
            station,
            location=place[station.location],
            intake_limit=room[day.limited[i]] if i in day.limited else station.intake_limit,
        )
        for i, station in enumerate(problem.stations)
    )
    keys = {problem.vehicles[v].key for v in fleet}
    number = {stop: n for n, stop in enumerate(served)}
    sequences = draft.sequences
    return Part(
        vehicles=fleet,
        stops=served,
        problem=Problem(
            day=problem.day,
            load_units=problem.load_units,
            locations=tuple(problem.locations[p] for p in places),
            travel=Matrix(
                travel_s=table(day.travel_s, places),
                distance_m=table(day.distance_m, places),
            ),
            stations=stations,
            vehicles=tuple(_vehicle(problem.vehicles[v], place) for v in fleet),
            stops=tuple(_stop(problem.stops[s], place, keys) for s in served),
        ),
        warm=tuple(tuple(number[s] for s in sequences[v]) for v in fleet),
    )


def _vehicle(vehicle: Vehicle, place: dict[int, int]) -> Vehicle:
    if vehicle.start is None:
        return vehicle
    return replace(vehicle, start=replace(vehicle.start, location=place[vehicle.start.location]))


def _stop(stop: Stop, place: dict[int, int], keys: Collection[str]) -> Stop:
    # A preference for a vehicle outside the part costs the same whatever the part does.
    prefer = stop.prefer if stop.prefer is not None and stop.prefer.vehicle in keys else None
    return replace(stop, location=place[stop.location], prefer=prefer)


class Neighbourhoods:
    """Chooses which routes to improve together next: those around the route that has been tried least.

    Parameters
    ----------
    day
        The day.
    rng
        Breaks ties.
    """

    def __init__(self, day: Day, rng: Random) -> None:
        self._day, self._rng = day, rng
        self._points = plane(day.problem)
        self._tried = [0] * len(day.rigs)

    def next(
        self, draft: Draft, size: int, *, busy: Collection[int] = (), busy_stops: Collection[int] = ()
    ) -> tuple[set[int], set[int]] | None:
        """Vehicles and stops of the next part.

        Parameters
        ----------
        size
            About how many stops it shall have.
        busy, busy_stops
            Vehicles and stops that are being worked on elsewhere.

        Returns
        -------
        tuple or None
            ``None`` when nothing is free.
        """
        rows = draft.sequences
        free = [v for v, row in enumerate(rows) if row and v not in busy]
        waiting = [s for s in draft.waiting if s not in busy_stops]
        if not free:
            idle = {v for v in range(len(rows)) if v not in busy}
            return (idle, set(waiting[:size])) if idle and waiting else None
        least = min(self._tried[v] for v in free)
        seed = self._rng.choice([v for v in free if self._tried[v] == least])
        chosen: set[int] = set()
        stops: set[int] = set()
        for v in self._by_nearness(seed, free, rows):
            if chosen and len(stops) + len(rows[v]) > size * 1.15:
                break
            chosen.add(v)
            stops.update(rows[v])
        for v in chosen:
            self._tried[v] += 1
        middle = self._points[[self._day.place[s] for s in stops]].mean(axis=0)
        stops.update(self._nearest(waiting, middle, NEAR_WAITING))
        chosen.update(self._spare(middle, [v for v, row in enumerate(rows) if not row and v not in busy]))
        return chosen, stops

    def _by_nearness(self, seed: int, free: Sequence[int], rows: Sequences) -> list[int]:
        """Routes by how near their stops are to those of the seed, mean over the seed's stops."""
        here = self._points[[self._day.place[s] for s in rows[seed]]]
        others = [v for v in free if v != seed]
        if not others:
            return [seed]
        there = self._points[[self._day.place[s] for v in others for s in rows[v]]]
        first = np.cumsum([0, *(len(rows[v]) for v in others[:-1])])
        way = np.hypot(here[:, None, 0] - there[None, :, 0], here[:, None, 1] - there[None, :, 1])
        nearness = np.minimum.reduceat(way, first, axis=1).mean(axis=0)
        return [seed, *(others[i] for i in np.argsort(nearness, kind="stable"))]

    def _nearest(self, stops: Sequence[int], middle: _Points, most: int) -> list[int]:
        if len(stops) <= most:
            return list(stops)
        way = self._points[[self._day.place[s] for s in stops]] - middle
        return [stops[i] for i in np.argsort(np.hypot(way[:, 0], way[:, 1]), kind="stable")[:most]]

    def _spare(self, middle: _Points, unused: Sequence[int]) -> list[int]:
        """The unused vehicles that stand nearest, of each kind at each place no more than two."""
        usable = [v for v in unused if self._day.rigs[v].starts_s is not None]
        if not usable:
            return []
        way = self._points[[self._day.rigs[v].start for v in usable]] - middle
        taken: list[int] = []
        kinds: dict[object, int] = {}
        for i in np.argsort(np.hypot(way[:, 0], way[:, 1]), kind="stable"):
            rig = self._day.rigs[usable[i]]
            kind = replace(rig, index=-1)
            kinds[kind] = kinds.get(kind, 0) + 1
            if kinds[kind] <= 2:
                taken.append(usable[i])
            if len(taken) == SPARE_VEHICLES:
                break
        return taken


def split(day: Day, size: int) -> list[tuple[list[int], list[int]]]:
    """The whole day as groups of vehicles and stops near each other, each of about ``size`` stops.

    Halves across the longest extent, again and again; each half gets stops in proportion to its vehicles.
    """
    points = plane(day.problem)
    vehicles = [rig.index for rig in day.rigs if rig.starts_s is not None]
    groups, out = [(vehicles, list(range(len(day.place))))], []
    while groups:
        fleet, stops = groups.pop()
        if len(stops) <= size or len(fleet) < 2:
            out.append((fleet, stops))
            continue
        here = points[[day.place[s] for s in stops]]
        _, axes = np.linalg.eigh(np.cov(here.T))
        along = axes[:, -1]
        by_stop = [stops[i] for i in np.argsort(here @ along, kind="stable")]
        by_start = [fleet[i] for i in np.argsort(points[[day.rigs[v].start for v in fleet]] @ along, kind="stable")]
        half = len(fleet) // 2
        share = len(stops) * half // len(fleet)
        groups += [(by_start[half:], by_stop[share:]), (by_start[:half], by_stop[:share])]
    return out


def plane(problem: Problem) -> _Points:
    """The locations on a plane whose two axes measure alike: degrees of longitude shrink with the latitude."""
    points = np.array(problem.locations, dtype=np.float64).reshape(-1, 2)
    spherical = isinstance(problem.travel, GreatCircle) or bool(
        len(points) and isinstance(problem.travel, Matrix) and (np.abs(points) <= [90, 180]).all()
    )
    if spherical and len(points):
        points = points * [1.0, math.cos(math.radians(float(points[:, 0].mean())))]
    return points
