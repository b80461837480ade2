"""What the best plan of a tiny day costs, found by trying everything with the plainest code possible.

Shares nothing with the search: it steps through whole seconds for the begin of a route, and through every choice of
unload and rest, on the checker's own travel.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import permutations, product

from recycling.routing.cost import leg, start_place
from recycling.routing.problem import MANDATORY_SKIP_COST, Problem, Station, Stop, Vehicle

Load = tuple[int, ...]
Outcome = tuple[int, tuple[tuple[str, Load], ...]]
"""Cost of a route, and what it unloads where, one entry per unload."""


def plus(a: Load, b: Load) -> Load:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def outcomes(problem: Problem, vehicle: Vehicle, stops: tuple[Stop, ...]) -> set[Outcome]:
    """Every way of driving the stops in sequence, as cost and intake."""
    found: set[Outcome] = set()
    home = problem.station_by_key[vehicle.start_station]
    first, last = vehicle.shift_s
    if vehicle.start is not None:
        begins = [vehicle.start.time_s]
    else:
        begins = list(range(max(first, home.open_s[0]), min(last, home.open_s[1]) + 1))
    if not all(stop.skills <= vehicle.skills for stop in stops):
        return found
    for begin in begins:
        load = (0,) * len(problem.load_units) if vehicle.start is None else vehicle.start.load
        walk = _Walk(problem, vehicle, begin)
        for end, way, taken in walk.on(max(begin, first), start_place(problem, vehicle), load, stops, 0, ()):
            overtime = vehicle.overtime_cost_per_s * max(0, end - last)
            found.add((vehicle.fixed_cost + way + overtime, taken))
    return found


class _Walk:
    """All continuations of one route begun at one instant."""

    def __init__(self, problem: Problem, vehicle: Vehicle, begin: int) -> None:
        self.problem, self.vehicle, self.begin = problem, vehicle, begin
        rest = vehicle.break_
        self.owing = rest is not None and begin < rest.window_s[0]

    def go(self, now: int, a: int, b: int, *, rested: bool) -> Iterator[tuple[int, bool]]:
        """Arrive at ``b``, having rested before or after the leg, or not."""
        way_s, rest = leg(self.problem, a, b)[0], self.vehicle.break_
        yield now + way_s, rested
        if rest is not None and not rested and self.owing:
            opens, closes = rest.window_s
            if now <= closes:
                yield max(now, opens) + rest.duration_s + way_s, True
            if now + way_s <= closes:
                yield max(now + way_s, opens) + rest.duration_s, True

    def way(self, a: int, b: int) -> int:
        seconds, metres = leg(self.problem, a, b)
        return self.vehicle.cost_per_travel_s * seconds + self.vehicle.cost_per_m * metres

    def on(
        self,
        now: int,
        here: int,
        load: Load,
        stops: tuple[Stop, ...],
        cost: int,
        taken: tuple[tuple[str, Load], ...],
        *,
        rested: bool = False,
        emptied: bool = False,
    ) -> Iterator[tuple[int, int, tuple[tuple[str, Load], ...]]]:
        """Ends as (instant, way cost, unloads)."""
        if not emptied:
            for station in self.problem.stations:
                if station.can_unload:
                    for arrival, slept in self.go(now, here, station.location, rested=rested):
                        done = self.unload(station, arrival)
                        if done is not None:
                            yield from self.on(
                                done, station.location, (0,) * len(load), stops,
                                cost + self.way(here, station.location), (*taken, (station.key, load)),
                                rested=slept, emptied=True,
                            )  # fmt: skip
        if not stops:
            yield from self.home(now, here, load, cost, taken, rested=rested)
            return
        stop = stops[0]
        full = plus(load, stop.load)
        if any(x > c for x, c in zip(full, self.vehicle.capacity, strict=True)):
            return
        for arrival, slept in self.go(now, here, stop.location, rested=rested):
            starts = [max(a, arrival) for a, b in stop.windows_s if arrival <= b]
            if starts:
                yield from self.on(
                    min(starts) + stop.service_s, stop.location, full, stops[1:],
                    cost + self.way(here, stop.location), taken, rested=slept,
                )  # fmt: skip

    def unload(self, station: Station, arrival: int) -> int | None:
        """When an unload is over, or ``None`` when the station closes before."""
        done = max(arrival, station.open_s[0]) + station.unload_s
        return done if done <= station.open_s[1] else None

    def home(
        self, now: int, here: int, load: Load, cost: int, taken: tuple[tuple[str, Load], ...], *, rested: bool
    ) -> Iterator[tuple[int, int, tuple[tuple[str, Load], ...]]]:
        """The end of the route, if every limit is kept."""
        vehicle, end = self.vehicle, self.problem.station_by_key[self.vehicle.end_station]
        for arrival, slept in self.go(now, here, end.location, rested=rested):
            done = max(arrival, end.open_s[0]) + (end.unload_s if any(load) else 0)
            due = self.owing and vehicle.break_ is not None and done > vehicle.break_.window_s[1]
            if (
                done <= end.open_s[1]
                and done <= vehicle.shift_s[1] + vehicle.max_overtime_s
                and (vehicle.max_duration_s is None or done - self.begin <= vehicle.max_duration_s)
                and (slept or not due)
            ):
                yield done, cost + self.way(here, end.location), (*taken, (end.key, load)) if any(load) else taken


def best_route(problem: Problem, vehicle: Vehicle, stops: tuple[Stop, ...]) -> int | None:
    """Cost of the best way of driving the stops in sequence, all intake limits for this route alone."""
    return min((c for c, taken in outcomes(problem, vehicle, stops) if _within(problem, taken)), default=None)


def _within(problem: Problem, taken: tuple[tuple[str, Load], ...]) -> bool:
    for station in problem.stations:
        if station.intake_limit is not None:
            total = (0,) * len(problem.load_units)
            for key, load in taken:
                if key == station.key:
                    total = plus(total, load)
            if any(x > most for x, most in zip(total, station.intake_limit, strict=True)):
                return False
    return True


def best_plan(problem: Problem) -> int:
    """Cost of the best plan; locked stops may be left out at their cost, never served otherwise."""

    @cache
    def options(v: int, stops: tuple[int, ...]) -> list[Outcome]:
        if not stops:
            return [(0, ())]
        vehicle = problem.vehicles[v]
        visits = tuple(problem.stops[s] for s in stops)
        away = sum(s.prefer.cost for s in visits if s.prefer is not None and s.prefer.vehicle != vehicle.key)
        found = outcomes(problem, vehicle, visits)
        limited = {s.key for s in problem.stations if s.intake_limit is not None}
        best: dict[tuple[tuple[str, Load], ...], int] = {}
        for cost, taken in found:
            key = tuple(sorted((k, load) for k, load in taken if k in limited))
            best[key] = min(best.get(key, cost), cost)
        return [(cost + away, taken) for taken, cost in best.items()]

    def sequences(v: int, stops: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        locked = [k for k in problem.vehicles[v].locked if k in {problem.stops[s].key for s in stops}]
        for row in permutations(stops):
            if [problem.stops[s].key for s in row[: len(locked)]] == locked:
                yield row

    owner = {key: v for v, vehicle in enumerate(problem.vehicles) for key in vehicle.locked}
    best = sum(_skip(stop) for stop in problem.stops)
    fleet = range(len(problem.vehicles))
    for split in product((*fleet, -1), repeat=len(problem.stops)):
        if any(v not in (-1, owner.get(problem.stops[s].key, v)) for s, v in enumerate(split)):
            continue
        skipped = sum(_skip(problem.stops[s]) for s, v in enumerate(split) if v == -1)
        rows = [
            [o for row in sequences(v, tuple(s for s, w in enumerate(split) if w == v)) for o in options(v, row)]
            for v in fleet
        ]
        for chosen in product(*rows):
            cost = skipped + sum(c for c, _ in chosen)
            if cost < best and _within(problem, tuple(t for _, taken in chosen for t in taken)):
                best = cost
    return best


def _skip(stop: Stop) -> int:
    return MANDATORY_SKIP_COST if stop.skip_cost is None else stop.skip_cost
