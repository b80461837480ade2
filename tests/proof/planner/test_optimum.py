"""The planner reaches the true optimum of tiny days that hold every rule of the contract, found by driving them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count, islice
from multiprocessing import get_context

import numpy as np

from recycling.routing.problem import Matrix, Problem, Station, Stop, Vehicle
from recycling.routing.solve import solve
from tests.proof.harness import Proof, Size
from tests.routing.days import a_tiny_day
from tests.routing.exhaustive import best_cost

DAYS = {"small": 6, "full": 50, "release": 150}
SECONDS = 120.0  # far beyond what a tiny day takes, also on a busy machine
STEPS = 1000  # of the engines, should it come to them
LIFTED_UP_TO = 5  # stops of the days on which rules are lifted, one after the other

Lift = Callable[[Problem], Problem]


def test_brute_force_agrees_on_optimal_cost(size: Size, proof: Proof) -> None:
    # given tiny days, each with every rule at once, and what the cheapest of all plans costs
    days = list(islice(_full_days(), DAYS[size]))
    smallest = [day for day in days if len(day.stops) <= LIFTED_UP_TO]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        best = list(pool.map(best_cost, days))
        deciding = list(pool.map(partial(_decides, smallest, best_of(days, best)), RULES))
    # when each is planned, and planned by the first draft alone
    planned = [solve(day, seconds=SECONDS, workers=1, iterations=STEPS).cost.total for day in days]
    first = [solve(day, seconds=SECONDS, engines=()).cost.total for day in days]
    # then every plan is the cheapest, none cheaper than that, and no rule is there for nothing
    equal, below, drafted = (
        sum(a == b for a, b in zip(planned, best, strict=True)),
        sum(a < b for a, b in zip(planned, best, strict=True)),
        sum(a == b for a, b in zip(first, best, strict=True)),
    )
    idle = [name for name, decides in zip(RULES, deciding, strict=True) if not decides]
    proof.record(
        figure=f"{equal} of {len(days)} tiny full-feature problems (n <= 7), {below} below; "
        f"{len(RULES) - len(idle)} of {len(RULES)} rules decide a cost",
        target=f"{len(days)}, 0 below; all rules" if size != "small" else f"{len(days)}, 0 below",
        control=f"the first plan alone {drafted}",
        ok=equal == len(days) and below == 0 and drafted < len(days) and (size == "small" or not idle),
    )


def best_of(days: list[Problem], best: list[int]) -> list[int]:
    """The costs of the days on which rules are lifted."""
    return [cost for day, cost in zip(days, best, strict=True) if len(day.stops) <= LIFTED_UP_TO]


def _decides(days: list[Problem], best: list[int], rule: str) -> bool:
    """Whether the best plan of some day costs something else without the rule."""
    return any(best_cost(RULES[rule](day)) != cost for day, cost in zip(days, best, strict=True))


def _full_days() -> Iterator[Problem]:
    """Days of 3 to 7 stops and 1 to 3 vehicles that hold every rule; about one random day in a thousand does."""
    stops = 3
    for seed in count():
        day = a_tiny_day(seed, stops=stops, vehicles=1 + seed % 3, stations=3)
        if _is_full(day):
            yield day
            stops = 3 + (stops - 2) % 5


def _is_full(day: Problem) -> bool:
    fleet, stops, stations = day.vehicles, day.stops, day.stations
    return (
        isinstance(day.travel, Matrix)
        and len({station.can_unload for station in stations}) == 2
        and any(station.intake_limit for station in stations)
        and any(vehicle.start is not None and any(vehicle.start.load) for vehicle in fleet)
        and any(vehicle.locked for vehicle in fleet)
        and any(vehicle.break_ for vehicle in fleet)
        and any(vehicle.max_duration_s is not None for vehicle in fleet)
        and any(vehicle.max_overtime_s and vehicle.overtime_cost_per_s for vehicle in fleet)
        and any(vehicle.fixed_cost for vehicle in fleet)
        and any(vehicle.cost_per_m for vehicle in fleet)
        and len({stop.skip_cost is None for stop in stops}) == 2
        and any(stop.skills for stop in stops)
        and any(len(stop.windows_s) > 1 for stop in stops)
        and any(stop.prefer for stop in stops)
    )


# --- the days without one of the rules ------------------------------------------------------------------------------


def _stations(change: Callable[[Station], Station], day: Problem) -> Problem:
    return replace(day, stations=tuple(map(change, day.stations)))


def _fleet(change: Callable[[Vehicle], Vehicle], day: Problem) -> Problem:
    return replace(day, vehicles=tuple(map(change, day.vehicles)))


def _stops(change: Callable[[Stop], Stop], day: Problem) -> Problem:
    return replace(day, stops=tuple(map(change, day.stops)))


def _both_ways_alike(day: Problem) -> Problem:
    ways = day.travel
    assert isinstance(ways, Matrix)
    both = (np.minimum(cells, cells.T) for cells in (ways.travel_s, ways.distance_m))
    return replace(day, travel=Matrix(travel_s=next(both), distance_m=next(both)))


def _no_shortcuts(day: Problem) -> Problem:
    """Each way as short as any way round: the triangle inequality holds."""
    ways = day.travel
    assert isinstance(ways, Matrix)
    short = [ways.travel_s.copy(), ways.distance_m.copy()]
    for cells in short:
        for via in range(len(cells)):
            np.minimum(cells, cells[:, via, None] + cells[None, via, :], out=cells)
    return replace(day, travel=Matrix(travel_s=short[0], distance_m=short[1]))


RULES: Mapping[str, Lift] = {
    "opening hours": partial(_stations, lambda s: replace(s, open_s=(0, 1000))),
    "can_unload": partial(_stations, lambda s: replace(s, can_unload=True)),
    "intake limits": partial(_stations, lambda s: replace(s, intake_limit=None)),
    "first load unit": partial(_fleet, lambda v: replace(v, capacity=(1000, v.capacity[1]))),
    "second load unit": partial(_fleet, lambda v: replace(v, capacity=(v.capacity[0], 1000))),
    "skills": partial(_stops, lambda s: replace(s, skills=frozenset())),
    "later windows": partial(_stops, lambda s: replace(s, windows_s=s.windows_s[:1])),
    "lunch": partial(_fleet, lambda v: replace(v, break_=None)),
    "overtime": partial(_fleet, lambda v: replace(v, max_overtime_s=0)),
    "its price": partial(_fleet, lambda v: replace(v, overtime_cost_per_s=0)),
    "longest duration": partial(_fleet, lambda v: replace(v, max_duration_s=None)),
    "optional stops": partial(_stops, lambda s: replace(s, skip_cost=None)),
    "mandatory stops": partial(_stops, lambda s: replace(s, skip_cost=s.skip_cost or 0)),
    "preferences": partial(_stops, lambda s: replace(s, prefer=None)),
    "under way": partial(_fleet, lambda v: replace(v, start=None)),
    "load on board": partial(_fleet, lambda v: replace(v, start=v.start and replace(v.start, load=(0, 0)))),
    "locks": partial(_fleet, lambda v: replace(v, locked=())),
    "one way longer": _both_ways_alike,
    "no triangle inequality": _no_shortcuts,
    "fixed cost": partial(_fleet, lambda v: replace(v, fixed_cost=0)),
    "cost_per_m": partial(_fleet, lambda v: replace(v, cost_per_m=0)),
}
"""What each rule's days are like without it."""
