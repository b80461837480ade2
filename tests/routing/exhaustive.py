"""What the best plan of a tiny day costs, found by driving every route there is, in plain whole seconds.

`oracle.py` asks the same of one sequence after the other and is the plainer of the two; this one drives all sequences
of a vehicle at once and keeps, of routes that have come to exactly the same point, the cheapest. So seven stops with
every rule of the contract take seconds instead of hours. It shares nothing with the search; travel is the checker's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from recycling.routing.cost import leg, start_place
from recycling.routing.problem import MANDATORY_SKIP_COST, Problem, Vehicle

Load = tuple[int, ...]
Taken = tuple[Load, ...]
"""Amounts brought to each station of the day."""

Routes = dict[int, dict[Taken, int]]
"""By set of stops served (bits), by what was brought where: the lowest cost."""


@dataclass(frozen=True, slots=True)
class Point:
    """Everything that what is still possible depends on."""

    now: int
    here: int
    served: int
    load: Load
    rested: bool
    taken: Taken


def best_cost(problem: Problem) -> int:
    """Cost of the best plan. Locked stops come first, and all are served when any route of their vehicle can."""
    stops = problem.stops
    skips = [MANDATORY_SKIP_COST if s.skip_cost is None else s.skip_cost for s in stops]
    missed = [sum(cost for i, cost in enumerate(skips) if not served >> i & 1) for served in range(2 ** len(stops))]
    best = {(0, _nothing(problem)): 0}
    for vehicle in problem.vehicles:
        more: dict[tuple[int, Taken], int] = {}
        table = list(_kept(problem, vehicle))
        for (served, taken), cost in best.items():
            for mine, brought, price in table:
                key = served | mine, _together(taken, brought)
                if not served & mine and _within(problem, key[1]):
                    more[key] = min(more.get(key, cost + price), cost + price)
        best = more
    assert best, "locks of two vehicles need the same intake: no day of these makes sense of that"
    return min(cost + missed[served] for (served, _), cost in best.items())


def _kept(problem: Problem, vehicle: Vehicle) -> Iterator[tuple[int, Taken, int]]:
    """The vehicle's routes and its staying at home, without those that leave out locked stops it could serve."""
    index = {stop.key: i for i, stop in enumerate(problem.stops)}
    locked = sum(1 << index[key] for key in vehicle.locked)
    found = [(0, _nothing(problem), 0)]
    for served, ways in every_route(problem, vehicle).items():
        for taken, cost in ways.items():
            if _within(problem, taken):
                found.append((served, taken, cost))
    all_of_them = any(served & locked == locked for served, _, _ in found)
    for served, taken, cost in found:
        if not all_of_them or served & locked == locked:
            away = sum(
                s.prefer.cost
                for i, s in enumerate(problem.stops)
                if served >> i & 1 and s.prefer is not None and s.prefer.vehicle != vehicle.key
            )
            yield served, taken, cost + away


def _nothing(problem: Problem) -> Taken:
    return tuple((0,) * len(problem.load_units) for _ in problem.stations)


def _together(one: Taken, other: Taken) -> Taken:
    return tuple(tuple(a + b for a, b in zip(x, y, strict=True)) for x, y in zip(one, other, strict=True))


def _within(problem: Problem, taken: Taken) -> bool:
    return all(
        amount <= most
        for station, amounts in zip(problem.stations, taken, strict=True)
        for amount, most in zip(amounts, station.intake_limit or amounts, strict=True)
    )


def every_route(problem: Problem, vehicle: Vehicle) -> Routes:
    """Every set of stops the vehicle can serve, with the cheapest way for everything it could bring to stations."""
    home, found = problem.station_by_key[vehicle.start_station], Routes()
    first, last = vehicle.shift_s
    begins = list(range(max(first, home.open_s[0]), min(last, home.open_s[1]) + 1))
    if vehicle.start is not None:
        begins = [vehicle.start.time_s]
    for begin in begins:
        _Drive(problem, vehicle, begin, found).all()
    return found


class _Drive:
    """All routes of one vehicle begun at one instant."""

    def __init__(self, problem: Problem, vehicle: Vehicle, begin: int, found: Routes) -> None:
        self.problem, self.vehicle, self.begin, self.found = problem, vehicle, begin, found
        rest = vehicle.break_
        self.owing = rest is not None and begin < rest.window_s[0]
        owners = {key: v.key for v in problem.vehicles for key in v.locked}
        self.mine = [
            stop.skills <= vehicle.skills and owners.get(stop.key, vehicle.key) == vehicle.key for stop in problem.stops
        ]
        self.lock_rank = {key: rank for rank, key in enumerate(vehicle.locked)}

    def all(self) -> None:
        """Put every route into what was found."""
        nothing = (0,) * len(self.problem.load_units)
        start = self.vehicle.start
        point = Point(
            now=max(self.begin, self.vehicle.shift_s[0]),
            here=start_place(self.problem, self.vehicle),
            served=0,
            load=nothing if start is None else start.load,
            rested=False,
            taken=_nothing(self.problem),
        )
        ahead: dict[Point, int] = {point: 0}
        cheapest = dict(ahead)
        while ahead:
            further: dict[Point, int] = {}
            for here, cost in ahead.items():
                if here.served:
                    self._home(here, cost)
                for there, more in self._next(here):
                    price = cost + more
                    # Unloads may follow each other, for a shortcut; round in a circle nothing gets cheaper.
                    if price < cheapest.get(there, price + 1):
                        cheapest[there] = further[there] = price
            ahead = further

    def _way(self, a: int, b: int) -> int:
        seconds, metres = leg(self.problem, a, b)
        return self.vehicle.cost_per_travel_s * seconds + self.vehicle.cost_per_m * metres

    def _go(self, point: Point, to: int) -> Iterator[tuple[int, bool]]:
        """Arrivals, having rested before or after the leg, or not."""
        way_s, rest = leg(self.problem, point.here, to)[0], self.vehicle.break_
        yield point.now + way_s, point.rested
        if rest is not None and self.owing and not point.rested:
            opens, closes = rest.window_s
            if point.now <= closes:
                yield max(point.now, opens) + rest.duration_s + way_s, True
            if point.now + way_s <= closes:
                yield max(point.now + way_s, opens) + rest.duration_s, True

    def _next(self, point: Point) -> Iterator[tuple[Point, int]]:
        latest = self.vehicle.shift_s[1] + self.vehicle.max_overtime_s
        for i, station in enumerate(self.problem.stations):
            if station.can_unload:
                for arrival, rested in self._go(point, station.location):
                    done = max(arrival, station.open_s[0]) + station.unload_s
                    if done <= min(station.open_s[1], latest):
                        yield self._brought(point, i, done, rested=rested), self._way(point.here, station.location)
        for i, stop in enumerate(self.problem.stops):
            if self.mine[i] and not point.served >> i & 1 and self._may_follow(point.served, stop.key):
                load = tuple(a + b for a, b in zip(point.load, stop.load, strict=True))
                if any(a > b for a, b in zip(load, self.vehicle.capacity, strict=True)):
                    continue
                for arrival, rested in self._go(point, stop.location):
                    starts = [max(a, arrival) for a, b in stop.windows_s if arrival <= b]
                    if starts and min(starts) + stop.service_s <= latest:
                        after = Point(
                            now=min(starts) + stop.service_s, here=stop.location, served=point.served | 1 << i,
                            load=load, rested=rested, taken=point.taken,
                        )  # fmt: skip
                        yield after, self._way(point.here, stop.location)

    def _may_follow(self, served: int, key: str) -> bool:
        """Locked stops come first, in their sequence; one may be passed over, but not made up for later."""
        rank = self.lock_rank.get(key)
        done = [stop.key for i, stop in enumerate(self.problem.stops) if served >> i & 1]
        last = max((self.lock_rank.get(key, len(self.lock_rank)) for key in done), default=-1)
        return last < rank if rank is not None else True

    def _brought(self, point: Point, i: int, now: int, *, rested: bool) -> Point:
        return Point(
            now=now, here=self.problem.stations[i].location, served=point.served, load=(0,) * len(point.load),
            rested=rested, taken=self._taken(point, i),
        )  # fmt: skip

    def _taken(self, point: Point, i: int) -> Taken:
        if self.problem.stations[i].intake_limit is None:
            return point.taken
        more = tuple(a + b for a, b in zip(point.taken[i], point.load, strict=True))
        return (*point.taken[:i], more, *point.taken[i + 1 :])

    def _home(self, point: Point, cost: int) -> None:
        vehicle, i = self.vehicle, [s.key for s in self.problem.stations].index(self.vehicle.end_station)
        end = self.problem.stations[i]
        for arrival, rested in self._go(point, end.location):
            done = max(arrival, end.open_s[0]) + (end.unload_s if any(point.load) else 0)
            due = self.owing and vehicle.break_ is not None and done > vehicle.break_.window_s[1]
            if (
                done <= min(end.open_s[1], vehicle.shift_s[1] + vehicle.max_overtime_s)
                and (vehicle.max_duration_s is None or done - self.begin <= vehicle.max_duration_s)
                and (rested or not due)
            ):
                overtime = vehicle.overtime_cost_per_s * max(0, done - vehicle.shift_s[1])
                total = cost + self._way(point.here, end.location) + overtime + vehicle.fixed_cost
                ways = self.found.setdefault(point.served, {})
                taken = self._taken(point, i)
                ways[taken] = min(ways.get(taken, total), total)
