"""Exact timing of one route: given a vehicle and its stops in sequence, where to unload, when to rest, when to leave.

A label-setting dynamic programme runs along the sequence; the labels and their moves are in `course.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import add

from recycling.routing.course import MOST_LABELS, PICKUP, REST, UNLOAD, Act, Course, Label, thinned
from recycling.routing.day import Day, Load, Rig, Windows
from recycling.routing.plan import Route, Step, StepKind
from recycling.routing.unloading import Unloading

_KINDS: dict[int, StepKind] = {PICKUP: "pickup", UNLOAD: "unload", REST: "break"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One route, timed at the lowest cost its sequence allows.

    Parameters
    ----------
    cost
        Fixed, travel, distance and overtime cost; preferences are not the route's affair.
    begin_s, end_s
        When it leaves (as late as costs nothing) and ends.
    acts
        Pickups, unloads on the way and the break, in sequence.
    intake
        Amounts unloaded at each limited station of the day, the final unload included.
    """

    vehicle: int
    stops: tuple[int, ...]
    cost: int
    begin_s: int
    end_s: int
    acts: tuple[Act, ...]
    intake: tuple[Load, ...]


class Timing:
    """Times routes of one day, remembering what it learns about the day's stations.

    Parameters
    ----------
    day
        The day.
    most_labels
        Labels kept after each stop. Only routes that may unload anywhere, near intake limits, ever have many; above
        this number their timing is quick but no longer exact.
    """

    def __init__(self, day: Day, *, most_labels: int = MOST_LABELS) -> None:
        self.day, self._most_labels = day, most_labels
        self._unloading: dict[tuple[tuple[int, ...], tuple[int, ...]], Unloading] = {}

    def time(self, vehicle: int, stops: Sequence[int], room: Sequence[Load] | None = None) -> Timed | None:
        """Place unloads and break in a route, and set its clock, at the lowest cost.

        Parameters
        ----------
        vehicle, stops
            Indices; the stops are served in the given sequence.
        room
            What the limited stations still take, beside all other routes; ``None`` = the whole limits.

        Returns
        -------
        Timed or None
            ``None`` when no placement keeps every rule. Skills and locks are the caller's affair.
        """
        rig = self.day.rigs[vehicle]
        if rig.starts_s is None or not stops:
            return None
        ahead = _loads_ahead(self.day, stops)
        total = tuple(map(add, rig.begins_with, ahead[0]))
        course = self._course(rig, stops, total, self.day.limits if room is None else room)
        labels, here = course.begin(), rig.start
        for position, stop in enumerate(stops):
            there = self.day.place[stop]
            kept: list[Label] = []
            for label in labels:
                for arrived in course.arrivals(label, here, there, ahead[position]):
                    course.serve(arrived, stop, kept)
            if not kept:
                return None
            labels, here = thinned(kept, self._most_labels), there
        ends = [
            home
            for label in labels
            for arrived in course.arrivals(label, here, rig.end, None)
            for home in course.finish(arrived)
        ]
        return self._timed(rig, tuple(stops), min(ends, key=lambda end: (end[4], end[0], -end[1]))) if ends else None

    def _course(self, rig: Rig, stops: Sequence[int], total: Load, room: Sequence[Load]) -> Course:
        """The moves of a vehicle; only a limit that the route's whole load could break is worth watching."""
        tight = tuple(
            station
            for station, n in self.day.limited.items()
            if any(amount > most for amount, most in zip(total, room[n], strict=True))
        )
        shut: tuple[int, ...] = ()
        if tight and not self.day.detours_shorten:
            loads = [self.day.load[s] for s in stops] + ([rig.begins_with] if any(rig.begins_with) else [])
            least = [min(amounts) for amounts in zip(*loads, strict=True)]
            shut = tuple(
                station
                for station in tight
                if any(amount > most for amount, most in zip(least, room[self.day.limited[station]], strict=True))
            )
            tight = tuple(station for station in tight if station not in shut)
        unloading = self._unloading.get((tight, shut))
        if unloading is None:
            unloading = self._unloading[tight, shut] = Unloading(self.day, tight, shut)
        return Course(self.day, unloading, rig, tuple(room[self.day.limited[station]] for station in tight))

    def _timed(self, rig: Rig, stops: tuple[int, ...], label: Label) -> Timed:
        end_s, begin_s, _, _, price, _, _, past = label
        acts: list[Act] = []
        while past is not None:
            past, act = past
            acts.append(act)
        acts.reverse()
        return Timed(
            vehicle=rig.index, stops=stops, cost=price + rig.fixed_cost, begin_s=begin_s, end_s=end_s,
            acts=tuple(acts), intake=self._intake(rig, acts),
        )  # fmt: skip

    def _intake(self, rig: Rig, acts: Sequence[Act]) -> tuple[Load, ...]:
        taken = [self.day.nothing] * len(self.day.limited)
        load = rig.begins_with
        for kind, index, _ in (*acts, (UNLOAD, rig.end_station, rig.end)):
            if kind == PICKUP:
                load = tuple(map(add, load, self.day.load[index]))
            elif kind == UNLOAD:
                n = self.day.limited.get(index)
                if n is not None:
                    taken[n] = tuple(map(add, taken[n], load))
                load = self.day.nothing
        return tuple(taken)


def _loads_ahead(day: Day, stops: Sequence[int]) -> list[Load]:
    """Load still to come before each stop, that stop included."""
    ahead = [day.nothing]
    for stop in reversed(stops):
        ahead.append(tuple(map(add, ahead[-1], day.load[stop])))
    ahead.reverse()
    return ahead


def steps(day: Day, timed: Timed) -> Route:
    """The route's steps: leave at the begin, do each act as early as it goes."""
    vehicle, rig = day.problem.vehicles[timed.vehicle], day.rigs[timed.vehicle]
    load, here, now = rig.begins_with, rig.start, max(timed.begin_s, rig.ready_s)
    out = [Step(kind="start", location=here, arrival_s=timed.begin_s, start_s=timed.begin_s, end_s=now, load=load)]
    for kind, index, place in timed.acts:
        arrival = now + day.seconds[here, place]
        if kind == PICKUP:
            load = tuple(map(add, load, day.load[index]))
        elif kind == UNLOAD:
            load = day.nothing
        windows, length_s = span(day, rig, kind, index)
        start = next(max(arrival, opens) for opens, closes in windows if arrival <= closes)
        here, now = place, start + length_s
        out.append(
            Step(
                kind=_KINDS[kind], location=place, arrival_s=arrival, start_s=start, end_s=now, load=load,
                stop=day.problem.stops[index].key if kind == PICKUP else None,
                station=day.problem.stations[index].key if kind == UNLOAD else None,
            )
        )  # fmt: skip
    arrival = now + day.seconds[here, rig.end]
    start = max(arrival, rig.end_open_s[0])
    end = Step(
        kind="end", station=vehicle.end_station, location=rig.end, arrival_s=arrival, start_s=start,
        end_s=start + (rig.end_unload_s if any(load) else 0), load=day.nothing,
    )  # fmt: skip
    return Route(vehicle=vehicle.key, steps=(*out, end))


def span(day: Day, rig: Rig, kind: int, index: int) -> tuple[Windows, int]:
    """When an act may start, and how long it takes."""
    if kind == PICKUP:
        return day.windows[index], day.service[index]
    if kind == UNLOAD:
        station = day.problem.stations[index]
        return ((station.open_s[0], station.open_s[1] - station.unload_s),), station.unload_s
    opens, closes, length_s = rig.rest or (0, 0, 0)
    return ((opens, closes),), length_s
