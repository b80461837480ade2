"""Random days that use every part of the planner's contract, made from a seed: same seed, same day.

`a_day` is like a real one, with kilograms and hours; `a_tiny_day` lives in a world of a hundred seconds, small enough
for an oracle that tries everything. Every rule of the contract occurs on some days, none on all of them, and some days
cannot be planned without leaving stops out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from random import Random

import numpy as np

from recycling.routing.problem import (
    Break,
    Euclidean,
    GreatCircle,
    Matrix,
    Preference,
    Problem,
    Station,
    Stop,
    Travel,
    UnderWay,
    Vehicle,
)

DAY = date(2026, 11, 24)
SKILLS = ("refrigerant", "two-person-lift")
Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class World:
    """The sizes a day is drawn from: seconds, grams and litres, each between two bounds."""

    dawn: Pair
    dusk: Pair
    shift: Pair
    rest_opens: Pair
    rest_window: Pair
    rest: Pair
    unload: Pair
    service: Pair
    window: Pair
    load: tuple[Pair, Pair]
    capacity: tuple[Pair, Pair]
    intake: tuple[Pair, Pair]
    fixed: Pair
    skip: Pair
    longest: Pair
    overtime: int


REAL = World(
    dawn=(21600, 28800), dusk=(64800, 72000), shift=(28800, 61200), rest_opens=(39600, 43200), rest_window=(1800, 7200),
    rest=(1800, 3600), unload=(600, 1200), service=(300, 1800), window=(3600, 14400),
    load=((0, 200_000), (0, 2000)), capacity=((500_000, 2_000_000), (5_000, 15_000)),
    intake=((500_000, 4_000_000), (5_000, 40_000)), fixed=(0, 5400), skip=(500, 180_000), longest=(21600, 36000),
    overtime=3600,
)  # fmt: skip
TINY = World(
    dawn=(0, 8), dusk=(70, 110), shift=(3, 90), rest_opens=(20, 40), rest_window=(0, 20), rest=(5, 15), unload=(0, 6),
    service=(0, 6), window=(0, 30), load=((0, 4), (0, 4)), capacity=((3, 9), (3, 9)), intake=((3, 12), (3, 12)),
    fixed=(0, 20), skip=(5, 200), longest=(30, 80), overtime=15,
)  # fmt: skip


def a_day(seed: int, *, stops: int = 30, vehicles: int = 4, stations: int = 3) -> Problem:
    """A day of realistic size in or about the district."""
    rng = Random(seed)
    places = tuple((rng.uniform(34.63, 34.94), rng.uniform(117.15, 117.48)) for _ in range(stations + stops))
    travel: Travel = GreatCircle(factor=1.3, speed_kmh=rng.choice((25, 30, 36)))
    if rng.random() < 0.25:
        travel = _lopsided(rng, len(places), 3600)
    return _day(rng, REAL, places, travel, stops=stops, vehicles=vehicles, stations=stations)


def a_tiny_day(seed: int, *, stops: int = 4, vehicles: int = 2, stations: int = 2) -> Problem:
    """A day of about a hundred seconds; one in two has a matrix without symmetry or triangle inequality."""
    rng = Random(seed)
    places = tuple((float(rng.randrange(12)), float(rng.randrange(12))) for _ in range(stations + stops))
    travel: Travel = Euclidean(scale=1, rounding=rng.choice(("floor", "round", "ceil")))
    if rng.random() < 0.5:
        travel = _lopsided(rng, len(places), 15)
    return _day(rng, TINY, places, travel, stops=stops, vehicles=vehicles, stations=stations)


def _day(
    rng: Random,
    world: World,
    places: tuple[tuple[float, float], ...],
    travel: Travel,
    *,
    stops: int,
    vehicles: int,
    stations: int,
) -> Problem:
    sites = tuple(_station(rng, world, i) for i in range(stations))
    fleet = [_vehicle(rng, world, i, sites, len(places)) for i in range(vehicles)]
    visits = tuple(_stop(rng, world, stations + i, vehicles) for i in range(stops))
    if vehicles and rng.random() < 0.35:
        v = rng.randrange(vehicles)
        able = [stop.key for stop in rng.sample(visits, min(2, stops)) if stop.skills <= fleet[v].skills]
        fleet[v] = replace(fleet[v], locked=tuple(able))
    return Problem(
        day=DAY, load_units=("g", "l"), locations=places, travel=travel, stations=sites, vehicles=tuple(fleet),
        stops=visits,
    )  # fmt: skip


def _station(rng: Random, world: World, i: int) -> Station:
    return Station(
        key=f"s{i}",
        location=i,
        open_s=(rng.randint(*world.dawn), rng.randint(*world.dusk)),
        unload_s=rng.randint(*world.unload),
        can_unload=rng.random() < 0.8,
        intake_limit=_amounts(rng, world.intake) if rng.random() < 0.3 else None,
    )


def _vehicle(rng: Random, world: World, i: int, sites: tuple[Station, ...], places: int) -> Vehicle:
    home = rng.choice(sites)
    first, last = world.shift
    opens = rng.randint(*world.rest_opens)
    rest = Break(window_s=(opens, opens + rng.randint(*world.rest_window)), duration_s=rng.randint(*world.rest))
    capacity = _amounts(rng, world.capacity)
    start = None
    if rng.random() < 0.2:
        begun = UnderWay(
            location=rng.randrange(places),
            time_s=rng.randint(first - 2, (first + last) // 2),
            load=tuple(rng.randint(0, c) for c in capacity),
        )
        start = begun
    return Vehicle(
        key=f"v{i}",
        start_station=home.key,
        end_station=home.key if rng.random() < 0.8 else rng.choice(sites).key,
        capacity=capacity,
        skills=frozenset(skill for skill in SKILLS if rng.random() < 0.7),
        shift_s=(rng.randint(first, first + (last - first) // 6), rng.randint((first + last) // 2, last)),
        max_duration_s=rng.randint(*world.longest) if rng.random() < 0.3 else None,
        max_overtime_s=rng.choice((0, 0, world.overtime)),
        overtime_cost_per_s=rng.randint(0, 3),
        break_=rest if rng.random() < 0.7 else None,
        fixed_cost=rng.randint(*world.fixed),
        cost_per_travel_s=rng.choice((0, 1, 1, 1, 2)),
        cost_per_m=rng.choice((0, 0, 1)),
        start=start,
        locked=(),
    )


def _stop(rng: Random, world: World, place: int, vehicles: int) -> Stop:
    windows: list[Pair] = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        opens = rng.randint(world.shift[0], world.shift[1] - world.window[0])
        windows.append((opens, opens + rng.randint(*world.window)))
    return Stop(
        key=f"b{place}",
        location=place,
        windows_s=tuple(sorted(windows)),
        service_s=rng.randint(*world.service),
        load=_amounts(rng, world.load),
        skills=frozenset(skill for skill in SKILLS if rng.random() < 0.15),
        skip_cost=None if rng.random() < 0.3 else rng.randint(*world.skip),
        prefer=Preference(vehicle=f"v{rng.randrange(vehicles)}", cost=rng.randint(1, world.fixed[1] + 1))
        if rng.random() < 0.2
        else None,
    )


def _amounts(rng: Random, bounds: tuple[Pair, Pair]) -> tuple[int, ...]:
    return tuple(rng.randint(*pair) for pair in bounds)


def _lopsided(rng: Random, n: int, longest: int) -> Matrix:
    """Travel by matrix: neither symmetric nor keeping the triangle inequality, distance unrelated to time."""
    draw = np.random.default_rng(rng.randrange(2**32))
    travel_s, distance_m = (draw.integers(0, longest, size=(n, n), endpoint=True) for _ in range(2))
    for cells in (travel_s, distance_m):
        np.fill_diagonal(cells, 0)
    return Matrix(travel_s=travel_s, distance_m=distance_m)
