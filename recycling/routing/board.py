"""Where one more visit fits into the tentative routes of a day: all gaps at once, in constant time each.

Unlike the insertion kernel's estimates an answer from here is a proof. Each gap knows when the vehicle can leave on its
left and must arrive on its right, once with lunch still to come and once with lunch behind it, so that every answer
stands for a whole timetable; `timing` then finds the cheapest one of that sequence. A few insertions are missed for
which several unloads would have to move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np

from recycling.routing.day import Day, Flags, Ints, Load
from recycling.routing.nodes import LATE, NOWHERE, Nodes, nodes_of
from recycling.routing.problem import GreatCircle, Problem
from recycling.routing.standing import StandingRoute, Visit, frame_mark
from recycling.routing.travel import ways

# What a vehicle's first visit is charged, in seconds of driving, instead of its fixed cost. Most vehicles go out in the
# end: to save one for the first bookings makes others drive across the district, twice as far per pickup on made-up
# days, which then took 295 pickups instead of 345. The planner, which sees the whole day, counts the full cost.
OPENING_S = 600
Window = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One proven place for a visit.

    Parameters
    ----------
    vehicle, position
        Key of the vehicle, and the index that the visit gets in the sequence of its route.
    start_s
        When service starts in the timetable that proves the place, in seconds after midnight.
    added_s
        Driving that the visit adds, in seconds.
    cost
        What places are compared by: driving added, and `OPENING_S` of it for a vehicle's first visit.
    first
        Whether the vehicle stays at home otherwise.
    """

    vehicle: str
    position: int
    start_s: int
    added_s: int
    cost: int
    first: bool


class Board:
    """The tentative routes of a day, ready to be asked.

    Parameters
    ----------
    frame
        The day without stops; its travel is by great circle, so that a way to any point is known at once.
    """

    def __init__(self, frame: Problem) -> None:
        if not isinstance(frame.travel, GreatCircle):
            raise TypeError(f"offers are proven on estimated ways; the travel given is {type(frame.travel).__name__}")
        self.frame = frame
        self._day = Day(frame)
        self._seconds, _ = ways(frame.travel)
        rigs = self._day.rigs
        self._rest = np.array([rig.rest or (0, -1, 0) for rig in rigs], dtype=np.int64).reshape(-1, 3).T
        self._capacity = np.array([rig.capacity for rig in rigs], dtype=np.int64).reshape(len(rigs), -1).T
        self._per_s = np.array([rig.cost_per_travel_s for rig in rigs], dtype=np.int64)
        self._opening = np.array(
            [min(rig.fixed_cost, OPENING_S * rig.cost_per_travel_s) for rig in rigs], dtype=np.int64
        )
        # Where a full vehicle may empty in between: a station with a limit is somebody's reserve.
        stations = [s for s in frame.stations if s.can_unload and s.intake_limit is None]
        self._relief_at = np.radians(np.array([frame.locations[s.location] for s in stations]).reshape(-1, 2))
        self._relief_open = np.array([[s.open_s[0], s.open_s[1] - s.unload_s] for s in stations], dtype=np.int64)
        self._relief_unload = np.array([s.unload_s for s in stations], dtype=np.int64)
        self._able: dict[frozenset[str], Flags] = {}
        self._used = np.zeros(len(rigs), dtype=np.bool_)
        self._taken = [(0,) * len(frame.load_units)] * len(self._day.limits)
        self.routes: list[StandingRoute] = []
        self._parts: list[Nodes | None] = []
        for v in frame.vehicles:
            self.routes.append(StandingRoute(vehicle=v.key))
            self._parts.append(self._nodes_of(self.routes[-1], len(self._parts)))
        self._all: Nodes | None = None
        # Of one wish several versions are asked about, all at the same door.
        self._last_ways: tuple[tuple[float, float], Nodes, Ints, Ints] | None = None

    def copy(self) -> Board:
        """The same routes on a board of its own."""
        twin = object.__new__(Board)
        twin.__dict__.update(self.__dict__)
        twin.routes, twin._parts, twin._taken = list(self.routes), list(self._parts), list(self._taken)
        twin._used = self._used.copy()
        return twin

    def on(self, day: date) -> Board:
        """The same routes as those of another day."""
        twin = self.copy()
        twin.frame = replace(self.frame, day=day)
        return twin

    @cached_property
    def mark(self) -> str:
        """Names stations, vehicles and travel: a stored route was timed for these or must be timed anew."""
        return frame_mark(self.frame)

    @property
    def taken(self) -> dict[str, tuple[Load, Load]]:
        """What the routes bring to each station with an intake limit, and that limit, by the station's key."""
        stations = self.frame.stations
        return {stations[i].key: (self._taken[n], self._day.limits[n]) for i, n in self._day.limited.items()}

    def vehicle_of(self, key: str) -> str | None:
        """The vehicle whose route holds a visit, ``None`` when no route does."""
        for route in self.routes:
            for visit in route.visits:
                if visit.key == key:
                    return route.vehicle
        return None

    def route(self, vehicle: str) -> StandingRoute:
        """The route of a vehicle as it stands."""
        return self.routes[self._day.vehicle_index[vehicle]]

    def put(self, route: StandingRoute) -> None:
        """Give a vehicle this route.

        Raises
        ------
        KeyError
            When the day has no such vehicle.
        """
        v = self._day.vehicle_index[route.vehicle]
        for n in range(len(self._taken)):
            for old, sign in ((self.routes[v], -1), (route, +1)):
                if old.intake:
                    self._taken[n] = tuple(a + sign * b for a, b in zip(self._taken[n], old.intake[n], strict=True))
        self.routes[v], self._used[v] = route, bool(route.visits)
        self._parts[v] = self._nodes_of(route, v)
        self._all = None

    def room(self, vehicle: str) -> tuple[Load, ...]:
        """What the limited stations take from this vehicle beside all others; for `standing.timed_route`."""
        own = self.route(vehicle).intake
        left = [tuple(m - t for m, t in zip(*pair, strict=True)) for pair in zip(self._day.limits, self._taken)]  # noqa: B905  # same length by construction
        if own:
            left = [tuple(a + b for a, b in zip(*pair, strict=True)) for pair in zip(left, own, strict=True)]
        return tuple(left)

    # --- one more visit -------------------------------------------------------------------------------------------

    def fits(self, visit: Visit, windows: Sequence[Window]) -> list[Fit | None]:
        """The cheapest proven place for a visit in each of several windows; ``None`` where there is none.

        Parameters
        ----------
        visit
            Its own windows are not looked at.
        windows
            First and last second at which service may start.
        """
        nodes = self._nodes()
        if nodes is None:
            return [None] * len(windows)
        way, station_s = self._ways_to(visit, nodes)
        gap = np.flatnonzero((nodes.end == 0) & self._able_for(visit)[nodes.vehicle])
        to, fro = way[gap], way[gap + 1]
        leave, latest = nodes.leave_s[:, gap], nodes.latest_s[:, gap + 1]
        in_time = leave.min(axis=0) + to + visit.service_s + fro <= latest[1]
        gap, to, fro, leave, latest = gap[in_time], to[in_time], fro[in_time], leave[:, in_time], latest[:, in_time]
        choices = [self._straight(visit, nodes, gap, to, fro, leave, latest)]
        if len(self._relief_at):
            choices += self._relieved(visit, nodes, gap, to, fro, leave, latest, station_s)
        best: list[Fit | None] = [None] * len(windows)
        spans = np.array(windows, dtype=np.int64).reshape(-1, 2)
        for choice in choices:
            self._improve(best, choice, visit.service_s, spans)
        return best

    def _ways_to(self, visit: Visit, nodes: Nodes) -> tuple[Ints, Ints]:
        """Seconds from a place to every node, and to every relief station (a column)."""
        place, known = (visit.lat, visit.lon), self._last_ways
        if known is not None and known[0] == place and known[1] is nodes:
            return known[2], known[3]
        here = np.radians(np.array(place))
        way = self._seconds(here, nodes.point.T).astype(np.int64)
        station_s = self._seconds(here, self._relief_at).astype(np.int64)[:, None]
        self._last_ways = place, nodes, way, station_s
        return way, station_s

    def _improve(self, best: list[Fit | None], choice: _Choice, service_s: int, spans: Ints) -> None:
        """Put a choice's cheapest row in the place of a dearer fit, window by window."""
        if not len(choice.vehicle):
            return
        starts = choice.starts(service_s, spans)
        cost = np.where(starts < LATE, choice.cost, LATE)
        rows = cost.argmin(axis=1)
        for n, row in enumerate(rows.tolist()):
            least, known = int(cost[n, row]), best[n]
            if least >= LATE or (known is not None and least >= known.cost):
                continue
            v = int(choice.vehicle[row])
            best[n] = Fit(
                vehicle=self.frame.vehicles[v].key, position=int(choice.position[row]), start_s=int(starts[n, row]),
                added_s=int(choice.added[row]), cost=least, first=not self._used[v],
            )  # fmt: skip

    def _straight(
        self, visit: Visit, nodes: Nodes, gap: Ints, to: Ints, fro: Ints, leave: Ints, latest: Ints
    ) -> _Choice:
        """Between two places, on the trip as it is."""
        vehicle = nodes.vehicle[gap]
        fits = np.ones(len(gap), dtype=np.bool_)
        sink = nodes.sink[gap]
        for unit, amount in enumerate(visit.load):
            fits &= nodes.on_board[unit, gap] + nodes.ahead[unit, gap] + amount <= self._capacity[unit, vehicle]
            for n, most in enumerate(self._day.limits):
                if amount > most[unit] - self._taken[n][unit]:
                    fits &= sink != n
        gap, vehicle = gap[fits], vehicle[fits]
        return self._choice(
            vehicle, nodes.position[gap], added=to[fits] + fro[fits] - nodes.to_next_s[gap], before=to[fits],
            after=fro[fits], leave=leave[:, fits], latest=latest[:, fits], lunch=True,
        )  # fmt: skip

    def _relieved(
        self, visit: Visit, nodes: Nodes, gap: Ints, to: Ints, fro: Ints, leave: Ints, latest: Ints, station_s: Ints
    ) -> list[_Choice]:
        """With one unload more, right before the visit or right after it; for gaps whose trip is too full without."""
        vehicle = nodes.vehicle[gap]
        full = np.zeros(len(gap), dtype=np.bool_)
        before_fits, after_fits = np.ones(len(gap), dtype=np.bool_), np.ones(len(gap), dtype=np.bool_)
        sink = nodes.sink[gap]
        for unit, amount in enumerate(visit.load):
            most = self._capacity[unit, vehicle]
            on_board, ahead = nodes.on_board[unit, gap], nodes.ahead[unit, gap]
            full |= on_board + ahead + amount > most
            before_fits &= ahead + amount <= most
            after_fits &= on_board + amount <= most
            for n, limit in enumerate(self._day.limits):
                if amount > limit[unit] - self._taken[n][unit]:
                    full |= sink == n
                    before_fits &= sink != n
        found = []
        for fits, unload_first in ((full & before_fits, True), (full & after_fits, False)):
            at = gap[fits]
            if not len(at):
                continue
            other = nodes.to_station_s[:, at if unload_first else at + 1]
            by_way = other + station_s
            which = by_way.argmin(axis=0)
            columns = np.arange(len(at))
            on_way, near, far = by_way[which, columns], other[which, columns], station_s[which, 0]
            opens, closes = self._relief_open[which, 0], self._relief_open[which, 1]
            unload = self._relief_unload[which]
            depart, bound = leave[:, fits], latest[:, fits]
            if unload_first:
                begun = np.maximum(depart + near, opens)
                depart = np.where(begun <= closes, begun + unload, LATE)
                before, after = far, fro[fits]
            else:
                begun = np.minimum(bound - near - unload, closes)
                bound = np.where(begun >= opens, begun, NOWHERE)
                before, after = to[fits], far
            added = on_way + (fro[fits] if unload_first else to[fits]) - nodes.to_next_s[at]
            found.append(
                self._choice(
                    nodes.vehicle[at], nodes.position[at], added=added, before=before, after=after, leave=depart,
                    latest=bound, lunch=False,
                )
            )  # fmt: skip
        return found

    def _choice(
        self, vehicle: Ints, position: Ints, *, added: Ints, before: Ints, after: Ints, leave: Ints, latest: Ints,
        lunch: bool,
    ) -> _Choice:  # fmt: skip
        return _Choice(
            vehicle=vehicle,
            position=position,
            added=added,
            cost=self._per_s[vehicle] * added + np.where(self._used[vehicle], 0, self._opening[vehicle]),
            arrival=leave + before,
            after=after,
            latest=latest,
            rest=self._rest[:, vehicle] if lunch else None,
        )

    def _able_for(self, visit: Visit) -> Flags:
        skilled = self._able.get(visit.skills)
        if skilled is None:
            skilled = self._able[visit.skills] = np.array(
                [rig.starts_s is not None and visit.skills <= rig.skills for rig in self._day.rigs], dtype=np.bool_
            )
        able: Flags = skilled & (self._capacity >= np.array(visit.load)[:, None]).all(axis=0)
        return able

    def _nodes_of(self, route: StandingRoute, v: int) -> Nodes | None:
        return nodes_of(route, v, self._day, seconds=self._seconds, relief=self._relief_at)

    def _nodes(self) -> Nodes | None:
        if self._all is None:
            parts = [part for part in self._parts if part is not None]
            self._all = Nodes.joined(parts) if parts else None
        return self._all


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """Rows of insertions of one shape: arrival and latest arrival behind it with lunch owed (0) and settled (1)."""

    vehicle: Ints
    position: Ints
    added: Ints
    cost: Ints
    arrival: Ints
    after: Ints
    latest: Ints
    rest: Ints | None

    def starts(self, service_s: int, spans: Ints) -> Ints:
        """Earliest start of service per window and row, `LATE` where no timetable holds it."""
        opens, closes = spans[:, 0, None], spans[:, 1, None]
        spent = service_s + self.after
        best = np.full((len(spans), len(self.vehicle)), LATE, dtype=np.int64)
        straight = [np.maximum(self.arrival[owed], opens) for owed in (0, 1)]
        for start, latest in zip(straight, self.latest, strict=True):
            np.minimum(best, start, out=best, where=(start <= closes) & (start + spent <= latest))
        if self.rest is not None:
            # Lunch falls into this gap: before the service, behind it, or on arriving at the next place.
            begins, ends, length = self.rest
            rest = np.maximum(self.arrival[0], begins)
            start = np.maximum(rest + length, opens)
            in_time = (rest <= ends) & (start <= closes) & (start + spent <= self.latest[1])
            np.minimum(best, start, out=best, where=in_time)
            start = straight[0]
            for driven in (0, self.after):
                rest = np.maximum(start + (service_s + driven), begins)
                over = rest + (length + self.after - driven)
                in_time = (start <= closes) & (rest <= ends) & (over <= self.latest[1])
                np.minimum(best, start, out=best, where=in_time)
        return best
