"""Days that are hard on the clock: large matrices, long routes, much to insert, much to leave out and explain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np

from benchmarks.district import district_day
from recycling.routing.problem import GreatCircle, Matrix, Problem, Station, Stop, Vehicle
from tests.routing.days import DAY

CITY = GreatCircle(factor=1.3, speed_kmh=30)


def a_matrix_of_5000(stops: int = 4990) -> Problem:
    """4,990 stops and ten stations with limits over a matrix in memory that is neither symmetric nor metric."""
    day = district_day(stops, 11)
    n = len(day.locations)
    draw = np.random.default_rng(5)
    travel_s, distance_m = (draw.integers(30, 3600, size=(n, n)) for _ in range(2))
    for cells in (travel_s, distance_m):
        np.fill_diagonal(cells, 0)
    tight = tuple(replace(s, intake_limit=(20_000_000, 200_000)) for s in day.stations)
    return replace(day, travel=Matrix(travel_s=travel_s, distance_m=distance_m), stations=tight)


def a_few_stops_on_a_large_matrix() -> Problem:
    """300 stops of the same."""
    day = a_matrix_of_5000()
    return replace(day, stops=day.stops[:300], vehicles=day.vehicles[:20])


def everybody_at_one_address(stops: int = 500) -> Problem:
    """All stops, and the station, at one place."""
    day = district_day(stops, 3)
    return replace(day, locations=(day.locations[0],) * len(day.locations))


def more_than_a_first_plan_can_hold(stops: int = 10_000) -> Problem:
    """A day whose first plan alone takes longer than the test's few seconds."""
    return district_day(stops, 7)


def nobody_to_drive(stops: int = 3000) -> Problem:
    """One vehicle for all, everything mandatory: nearly all of it is left out and has to be explained."""
    day = district_day(stops, 5)
    must = tuple(replace(s, skip_cost=None) for s in day.stops)
    return replace(day, vehicles=day.vehicles[:1], stops=must)


def one_endless_route(stops: int = 3000) -> Problem:
    """One vehicle that can serve everything in a single trip: each exact timing runs along the whole day."""
    rng = Random(2)
    station = Station(key="home", location=0, open_s=(0, 86_400), unload_s=60, can_unload=True, intake_limit=None)
    van = Vehicle(
        key="van", start_station="home", end_station="home", capacity=(10**9, 10**9), skills=frozenset(),
        shift_s=(0, 86_400), max_duration_s=None, max_overtime_s=0, overtime_cost_per_s=0, break_=None, fixed_cost=1,
        cost_per_travel_s=1, cost_per_m=0, start=None, locked=(),
    )  # fmt: skip
    places = tuple((34.8 + rng.uniform(0, 0.01), 117.2 + rng.uniform(0, 0.01)) for _ in range(stops + 1))
    visits = tuple(_a_visit(n, ((0, 86_400),)) for n in range(1, stops + 1))
    return Problem(
        day=DAY,
        load_units=("g", "l"),
        locations=places,
        travel=CITY,
        stations=(station,),
        vehicles=(van,),
        stops=visits,
    )


def one_endless_lock(stops: int = 1500) -> Problem:
    """The same route, all of it locked, and the last stop of it cannot be reached in time."""
    day = one_endless_route(stops)
    late = replace(day.stops[-1], windows_s=((0, 1),))
    locked = replace(day.vehicles[0], locked=tuple(s.key for s in day.stops))
    return replace(day, vehicles=(locked,), stops=(*day.stops[:-1], late))


def many_windows(stops: int = 500) -> Problem:
    """Forty windows a stop, of a minute each."""
    day = district_day(stops, 9)
    rng = Random(4)
    minutes = [tuple((m * 60, m * 60 + 59) for m in sorted(rng.sample(range(480, 1080, 2), 40))) for _ in day.stops]
    return replace(day, stops=tuple(replace(s, windows_s=w) for s, w in zip(day.stops, minutes, strict=True)))


def a_hundred_load_units(stops: int = 300) -> Problem:
    """A hundred amounts to add up wherever there used to be two."""
    day = district_day(stops, 13)
    return replace(
        day,
        load_units=tuple(f"u{n}" for n in range(100)),
        stations=tuple(replace(s, intake_limit=s.intake_limit and s.intake_limit * 50) for s in day.stations),
        vehicles=tuple(replace(v, capacity=v.capacity * 50) for v in day.vehicles),
        stops=tuple(replace(s, load=s.load * 50) for s in day.stops),
    )


def a_thousand_vehicles(stops: int = 300) -> Problem:
    """Vehicles without end, no two alike."""
    day = district_day(stops, 15)
    fleet = [replace(day.vehicles[n % len(day.vehicles)], key=f"v{n}", fixed_cost=3600 + n) for n in range(1000)]
    return replace(day, vehicles=tuple(fleet))


def full_stations(stops: int = 400) -> Problem:
    """Every station's limit within reach of every route, and unloading pays everywhere: labels without end."""
    day = district_day(stops, 17)
    most = [sum(s.load[u] for s in day.stops) // 8 for u in range(2)]
    tight = tuple(replace(s, intake_limit=(most[0], most[1])) for s in day.stations)
    heaviest = [max(s.load[u] for s in day.stops) for u in range(2)]
    small = tuple(
        replace(v, capacity=tuple(max(h, c // 4) for h, c in zip(heaviest, v.capacity, strict=True)))
        for v in day.vehicles
    )
    return replace(day, stations=tight, vehicles=small)


def _a_visit(n: int, windows_s: tuple[tuple[int, int], ...]) -> Stop:
    return Stop(
        key=f"b{n}", location=n, windows_s=windows_s, service_s=5, load=(1, 1), skills=frozenset(), skip_cost=5000,
        prefer=None,
    )  # fmt: skip


HARD_DAYS: tuple[Callable[[], Problem], ...] = (
    a_matrix_of_5000, a_few_stops_on_a_large_matrix, everybody_at_one_address, more_than_a_first_plan_can_hold,
    nobody_to_drive, one_endless_route, one_endless_lock, many_windows, a_hundred_load_units, a_thousand_vehicles,
    full_stations,
)  # fmt: skip
