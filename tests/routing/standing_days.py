"""Made-up tentative days: a small fleet with lunches, unloads and limits, and visits to promise."""

from __future__ import annotations

import random
from datetime import date

from recycling.routing.problem import Break, GreatCircle, Problem, Station, Vehicle
from recycling.routing.standing import Visit

WINDOWS = ((28_800, 36_000), (36_000, 43_200), (46_800, 54_000), (54_000, 61_200), (28_800, 61_200))


def a_frame(seed: int, *, vehicles: int = 3, limited: bool = False) -> Problem:
    """Stations and vehicles without stops; some of the vehicles without lunch, of small capacity, or with overtime."""
    draw = random.Random(seed)
    stations = 3
    return Problem(
        day=date(2026, 11, 24),
        load_units=("g", "l"),
        locations=tuple((34.7 + draw.random() / 5, 117.2 + draw.random() / 5) for _ in range(stations)),
        travel=GreatCircle(factor=1.3, speed_kmh=30.0),
        stations=tuple(
            Station(
                key=f"s{n}", location=n, open_s=(27_000, draw.choice((64_000, 68_400))), unload_s=900,
                can_unload=n != 2,
                intake_limit=(draw.choice((150_000, 700_000)), 9_000) if limited and n == 0 else None,
            )
            for n in range(stations)
        ),
        vehicles=tuple(
            Vehicle(
                key=f"v{n}", start_station=f"s{n % stations}", end_station=f"s{n % stations}",
                capacity=draw.choice(((1_000_000, 8_000), (300_000, 3_000))),
                skills=frozenset(draw.choice((("upright", "two"), ("upright",), ()))),
                shift_s=draw.choice(((28_800, 64_800), (25_200, 43_200), (45_000, 64_800))), max_duration_s=None,
                max_overtime_s=draw.choice((0, 1_800)), overtime_cost_per_s=3,
                break_=Break(window_s=(41_400, 46_800), duration_s=3_600) if draw.random() < 0.8 else None,
                fixed_cost=3_600, cost_per_travel_s=1, cost_per_m=0, start=None, locked=(),
            )
            for n in range(vehicles)
        ),
        stops=(),
    )  # fmt: skip


def a_visit(key: str, draw: random.Random) -> Visit:
    """A visit somewhere in the district."""
    return Visit(
        key=key,
        lat=34.7 + draw.random() / 5,
        lon=117.2 + draw.random() / 5,
        windows_s=(draw.choice(WINDOWS),),
        service_s=draw.choice((300, 900, 1_800, 3_600)),
        load=draw.choice(((40_000, 800), (120_000, 1_500), (5_000, 60), (260_000, 2_600))),
        skills=frozenset(draw.choice(((), (), ("upright",), ("two",)))),
    )
