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

import numpy as np
import numpy.typing as npt

from recycling.routing.course import PICKUP, REST, UNLOAD, Act
from recycling.routing.day import Day, Flags, Ints, Load, Rig, Windows
from recycling.routing.problem import GreatCircle, Problem
from recycling.routing.standing import StandingRoute, Visit
from recycling.routing.travel import ways

LATE = 2**40  # a departure that never comes
NOWHERE = -1
# What a vehicle's first visit is charged, in seconds of driving, instead of its fixed cost. Most vehicles go out in the
# end: to save one for the first bookings makes others drive across the district, twice as far per pickup on made-up
# days, which then took 295 pickups instead of 345. The planner, which sees the whole day, counts the full cost.
OPENING_S = 600
Window = tuple[int, int]
Floats = npt.NDArray[np.float64]


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


class _Nodes:
    """The places along one or more routes, one after the other; the gap of a node lies between it and the next.

    All in one table, a row per figure, so that the routes of a day are joined in one step.

    Parameters
    ----------
    point
        2 × nodes: latitude and longitude in radians.
    table
        Rows: vehicle; departure with lunch owed, and settled; latest arrival likewise; limited station that the trip
        goes to; position; whether the node ends its route; seconds to the next node; per load unit the load when
        leaving; per load unit the load still to come on the trip; per relief station the seconds to it.
    """

    __slots__ = ("ahead", "end", "latest_s", "leave_s", "on_board", "point", "position", "sink", "table", "to_next_s",
                 "to_station_s", "units", "vehicle")  # fmt: skip

    def __init__(self, point: Floats, table: Ints, *, units: int) -> None:
        self.point, self.table, self.units = point, table, units
        self.vehicle, self.leave_s, self.latest_s = table[0], table[1:3], table[3:5]
        self.sink, self.position, self.end, self.to_next_s = table[5], table[6], table[7], table[8]
        self.on_board, self.ahead = table[9 : 9 + units], table[9 + units : 9 + 2 * units]
        self.to_station_s = table[9 + 2 * units :]

    @classmethod
    def joined(cls, parts: Sequence[_Nodes]) -> _Nodes:
        """The nodes of several routes."""
        return cls(
            np.concatenate([part.point for part in parts], axis=1),
            np.concatenate([part.table for part in parts], axis=1),
            units=parts[0].units,
        )


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
        self._stations = np.radians(np.array([frame.locations[s.location] for s in frame.stations]).reshape(-1, 2))
        rigs = self._day.rigs
        self._rest = np.array([rig.rest or (0, -1, 0) for rig in rigs], dtype=np.int64).reshape(-1, 3).T
        self._capacity = np.array([rig.capacity for rig in rigs], dtype=np.int64).reshape(len(rigs), -1).T
        self._per_s = np.array([rig.cost_per_travel_s for rig in rigs], dtype=np.int64)
        self._opening = np.array(
            [min(rig.fixed_cost, OPENING_S * rig.cost_per_travel_s) for rig in rigs], dtype=np.int64
        )
        # Where a full vehicle may empty in between: a station with a limit is somebody's reserve.
        self._relief = np.array(
            [i for i, s in enumerate(frame.stations) if s.can_unload and s.intake_limit is None], dtype=np.int64
        )
        stations = [frame.stations[i] for i in self._relief]
        self._relief_open = np.array([[s.open_s[0], s.open_s[1] - s.unload_s] for s in stations], dtype=np.int64)
        self._relief_unload = np.array([s.unload_s for s in stations], dtype=np.int64)
        self._able: dict[frozenset[str], Flags] = {}
        self._used = np.zeros(len(rigs), dtype=np.bool_)
        self._taken = [(0,) * len(frame.load_units)] * len(self._day.limits)
        self.routes: list[StandingRoute] = []
        self._parts: list[_Nodes | None] = []
        for v in frame.vehicles:
            self.routes.append(StandingRoute(vehicle=v.key))
            self._parts.append(self._nodes_of(len(self._parts), self.routes[-1]))
        self._all: _Nodes | None = None
        # Of one wish several versions are asked about, all at the same door.
        self._last_ways: tuple[tuple[float, float], _Nodes, Ints, Ints] | None = None

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
        self._parts[v] = self._nodes_of(v, route)
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
        if len(self._relief):
            choices += self._relieved(visit, nodes, gap, to, fro, leave, latest, station_s)
        best: list[Fit | None] = [None] * len(windows)
        spans = np.array(windows, dtype=np.int64).reshape(-1, 2)
        for choice in choices:
            self._improve(best, choice, visit.service_s, spans)
        return best

    def _ways_to(self, visit: Visit, nodes: _Nodes) -> tuple[Ints, Ints]:
        """Seconds from a place to every node, and to every relief station (a column)."""
        place, known = (visit.lat, visit.lon), self._last_ways
        if known is not None and known[0] == place and known[1] is nodes:
            return known[2], known[3]
        here = np.radians(np.array(place))
        way = self._seconds(here, nodes.point.T).astype(np.int64)
        station_s = self._seconds(here, self._stations[self._relief]).astype(np.int64)[:, None]
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
        self, visit: Visit, nodes: _Nodes, gap: Ints, to: Ints, fro: Ints, leave: Ints, latest: Ints
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
        self, visit: Visit, nodes: _Nodes, gap: Ints, to: Ints, fro: Ints, leave: Ints, latest: Ints, station_s: Ints
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

    # --- the places along a route ---------------------------------------------------------------------------------

    def _nodes(self) -> _Nodes | None:
        if self._all is None:
            parts = [part for part in self._parts if part is not None]
            self._all = _Nodes.joined(parts) if parts else None
        return self._all

    def _nodes_of(self, v: int, route: StandingRoute) -> _Nodes | None:
        """The nodes of one route; ``None`` for a vehicle that cannot go out, or whose day has a limit on its length."""
        rig = self._day.rigs[v]
        if rig.starts_s is None or rig.max_duration_s is not None:
            return None
        acts = [act for act in route.acts if act[0] != REST]
        spans = [self._span(act, route) for act in acts]
        stations = self.frame.locations
        places = [self.frame.locations[rig.start]]
        for kind, index, _ in acts:
            if kind == PICKUP:
                places.append((route.visits[index].lat, route.visits[index].lon))
            else:
                places.append(stations[self.frame.stations[index].location])
        places.append(stations[rig.end])
        point = np.radians(np.array(places))
        to_next = np.zeros(len(places), dtype=np.int64)
        to_next[:-1] = self._seconds(point[:-1], point[1:])
        relief = self._stations[self._relief]
        hops = [int(seconds) for seconds in to_next[:-1]]
        on_board, ahead, sink, position = self._loads(rig, acts, route)
        departures, arrivals = _departures(rig, hops, spans), _arrivals(rig, hops, spans)
        end = [0] * (len(places) - 1) + [1]
        figures = [
            [v] * len(places), *zip(*departures, strict=True), *zip(*arrivals, strict=True), sink, position, end,
            to_next.tolist(), *zip(*on_board, strict=True), *zip(*ahead, strict=True),
        ]  # fmt: skip
        to_station = self._seconds(point[None, :], relief[:, None]).astype(np.int64).reshape(-1, len(places))
        return _Nodes(
            np.ascontiguousarray(point.T),
            np.concatenate([np.array(figures, dtype=np.int64), to_station]),
            units=len(self.frame.load_units),
        )

    def _span(self, act: Act, route: StandingRoute) -> tuple[Windows, int]:
        kind, index, _ = act
        if kind == UNLOAD:
            station = self.frame.stations[index]
            return ((station.open_s[0], station.open_s[1] - station.unload_s),), station.unload_s
        return route.visits[index].windows_s, route.visits[index].service_s

    def _loads(
        self, rig: Rig, acts: Sequence[Act], route: StandingRoute
    ) -> tuple[list[Load], list[Load], list[int], list[int]]:
        """Per node: load when leaving it, load still to come on that trip, the limited station it goes to, position."""
        nothing = self._day.nothing
        on_board, position = [rig.begins_with], [0]
        for kind, index, _ in acts:
            load = nothing if kind == UNLOAD else _plus(on_board[-1], route.visits[index].load)
            on_board.append(load)
            position.append(position[-1] + (kind == PICKUP))
        on_board.append(nothing)
        position.append(position[-1])
        ahead, sink = [nothing, nothing], [NOWHERE, self._day.limited.get(rig.end_station, NOWHERE)]
        for kind, index, _ in reversed(acts):
            to_come, where = ahead[-1], sink[-1]
            if kind == UNLOAD:
                ahead.append(nothing)
                sink.append(self._day.limited.get(index, NOWHERE))
            else:
                ahead.append(_plus(to_come, route.visits[index].load))
                sink.append(where)
        ahead.reverse()
        sink.reverse()
        return on_board, ahead, sink, position


def _plus(one: Load, other: Load) -> Load:
    return tuple(a + b for a, b in zip(one, other, strict=True))


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


def _departures(rig: Rig, hops: Sequence[int], spans: Sequence[tuple[Windows, int]]) -> list[tuple[int, int]]:
    """Earliest departure from each node with lunch owed, and with lunch settled: taken, or never due."""
    first, last = rig.starts_s or (0, 0)
    ready = max(first, rig.ready_s)
    if rig.rest is None:
        owed, settled = LATE, ready
    else:
        opens, closes, length = rig.rest
        owed, settled = (ready, max(first, opens)) if first < opens else (LATE, ready)
        if settled > last and first != last:
            settled = LATE
    out = [(owed, settled)]
    for hop, (windows, service_s) in zip(hops, spans, strict=False):
        reached = _served(settled + hop, windows)
        arrived = owed + hop
        owed = _served(arrived, windows)
        if rig.rest is not None and arrived < LATE:
            for rest, still in ((max(arrived - hop, opens), hop), (max(arrived, opens), 0)):
                if rest <= closes:
                    reached = min(reached, _served(rest + length + still, windows))
        owed, settled = owed + service_s, reached + service_s
        if rig.rest is not None and owed < LATE and max(owed, opens) <= closes:
            settled = min(settled, max(owed, opens) + length)
        owed, settled = min(owed, LATE), min(settled, LATE)
        out.append((owed, settled))
    out.append((LATE, LATE))  # nothing leaves from the end
    return out


def _arrivals(rig: Rig, hops: Sequence[int], spans: Sequence[tuple[Windows, int]]) -> list[tuple[int, int]]:
    """Latest arrival at each node that keeps what follows possible, with lunch owed and with lunch settled."""
    home = min(rig.latest_s, rig.end_open_s[1]) - rig.end_unload_s
    settled = home if home >= rig.end_open_s[0] else NOWHERE
    owed = NOWHERE
    if rig.rest is not None:
        closes = rig.rest[1]
        owed = min(home, closes - rig.end_unload_s)  # home before lunch would be due
        if owed < rig.end_open_s[0]:
            owed = NOWHERE
        owed = max(owed, _rest_before(home, rig.rest))
    out = [(owed, settled)]
    for hop, (windows, service_s) in zip(reversed(hops), (*reversed(spans), ((), 0)), strict=True):
        leave_settled, leave_owed = settled - hop, owed - hop
        if rig.rest is not None:
            leave_owed = max(leave_owed, _rest_before(leave_settled, rig.rest), _rest_before(settled, rig.rest) - hop)
        owed, settled = (_reached(leave - service_s, windows) for leave in (leave_owed, leave_settled))
        out.append((owed, settled))
    out.reverse()
    return out


def _served(arrival: int, windows: Windows) -> int:
    """Earliest start of service of somebody who arrives then, `LATE` when that is too late."""
    return next((max(arrival, opens) for opens, closes in windows if arrival <= closes), LATE)


def _reached(latest_start: int, windows: Windows) -> int:
    """Latest arrival for a service that starts no later than ``latest_start``."""
    return next((min(latest_start, closes) for opens, closes in reversed(windows) if latest_start >= opens), NOWHERE)


def _rest_before(instant: int, rest: tuple[int, int, int]) -> int:
    """Latest begin of standing still so that a whole break is over by ``instant``; `NOWHERE` when none is possible."""
    opens, closes, length = rest
    latest = min(closes, instant - length)
    return latest if latest >= opens else NOWHERE
