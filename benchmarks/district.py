"""District days made up from a seed: ``python -m benchmarks.district 1000 7 full OUT.json``.

Ten stations at the seats of the district's towns, stops in clusters around them, a mixed fleet. The shares and deciles
below are those of collection days as they are expected; no address is real.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Literal, get_args

from recycling.routing.problem import Break, GreatCircle, Problem, Station, Stop, Vehicle, save_problem

Variant = Literal["full", "no_lunch", "one_trip"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)

# Station, latitude, longitude, share of the fleet. The places are those of config/district/towns.csv.
SEATS = (
    ("lincheng", 34.80, 117.26, 0.17),
    ("xingren", 34.81, 117.31, 0.13),
    ("xingcheng", 34.83, 117.35, 0.11),
    ("zhangfan", 34.82, 117.44, 0.065),
    ("changzhuang", 34.77, 117.25, 0.11),
    ("xincheng", 34.82, 117.28, 0.155),
    ("shagou", 34.74, 117.33, 0.065),
    ("zhouying", 34.67, 117.39, 0.065),
    ("zouwu", 34.88, 117.43, 0.065),
    ("taozhuang", 34.87, 117.35, 0.065),
)
KM_PER_DEGREE = 111.19
CLUSTERS_PER_TOWN = 4
TOWN_KM, CLUSTER_KM = 2.6, (0.25, 0.75)  # standard deviations: clusters around a seat, stops around their cluster

OPEN_S, SHIFT_S, LUNCH_S, LUNCH_LENGTH_S = (25200, 68400), (28800, 64800), (41400, 46800), 3600
ALL_DAY = (28800, 61200)
SLOTS = ((28800, 36000), (36000, 43200), (46800, 54000), (54000, 61200))
ALL_DAY_SHARE, TWO_SLOTS_SHARE = 0.24, 0.09
SKILL_SHARES = {"refrigerant": 0.22, "two-person-lift": 0.155}  # of the stops that ask for it
CREW_SKILL_SHARE = 2 / 3  # of the crews that have it, beside the first crew of each station, which has all
OPTIONAL_SHARE, OPTIONAL_COST, SKIP_COST = 0.1, (700, 4000), 180_000
LIMITED_STATIONS, LIMIT_SHARES = 3, (0.1, 0.23)  # what a limited station takes, as a share of the day's whole load

# Deciles from the least to the most: grams of a stop, grams a litre. Heavy stops are bulky ones, hence the correlation.
GRAMS = (3_000, 13_000, 19_300, 25_500, 32_000, 38_000, 48_000, 59_500, 73_000, 92_000, 120_000)
GRAMS_PER_LITRE = (44, 53, 62, 80, 92, 99, 107, 121, 135, 152, 200)
CORRELATION = -0.3

STOPS_PER_VEHICLE: dict[Variant, float] = {"full": 22.0, "no_lunch": 22.0, "one_trip": 15.0}
SMALL, LARGE, LARGE_SHARE = (1_500_000, 12_000), (4_000_000, 24_000), 0.26
SMALL_COST, LARGE_COST = 3600, 5400


def district_day(stops: int = 1000, seed: int = 7, variant: Variant = "full") -> Problem:
    """Make up a day; equal arguments make equal days.

    Parameters
    ----------
    stops
        How many, >= 1. Around 200 to 10,000 are meant.
    variant
        ``full``: the whole contract of a planned day. ``no_lunch``: the same without the break. ``one_trip``: no
        unload on the way, no break, no intake limits, nothing worth leaving out, vehicles for all.
    """
    if stops < 1:
        raise ValueError(f"stops is {stops}; a day has at least one")
    places = _places(stops, _stream(seed, stops, "places"))
    made = _stops(stops, _stream(seed, stops, "stops"), optional=variant != "one_trip")
    return Problem(
        day=date(2026, 11, 24),
        load_units=("g", "l"),
        locations=tuple((lat, lon) for _, lat, lon, _ in SEATS) + tuple(places),
        travel=GreatCircle(factor=1.3, speed_kmh=30),
        stations=_stations(made, _stream(seed, stops, "stations"), variant),
        vehicles=_vehicles(stops, _stream(seed, stops, "fleet"), variant),
        stops=made,
    )


def _stream(seed: int, stops: int, part: str) -> Random:
    """Numbers of its own for each part, so that the variants of a day share its stops."""
    return Random(f"{seed}/{stops}/{part}")


def _places(stops: int, rng: Random) -> list[tuple[float, float]]:
    """Stops in clusters: hamlets and blocks around each town's seat, some many times as large as others."""
    centres, weights = [], []
    for _, lat, lon, _ in SEATS:
        for _ in range(CLUSTERS_PER_TOWN):
            centres.append((_near(rng, (lat, lon), TOWN_KM), rng.uniform(*CLUSTER_KM)))
            weights.append(rng.lognormvariate(0, 0.9))
    return [_near(rng, *centre) for centre in rng.choices(centres, weights, k=stops)]


def _near(rng: Random, point: tuple[float, float], km: float) -> tuple[float, float]:
    lat = rng.gauss(point[0], km / KM_PER_DEGREE)
    return round(lat, 6), round(rng.gauss(point[1], km / KM_PER_DEGREE / math.cos(math.radians(lat))), 6)


def _stations(stops: Sequence[Stop], rng: Random, variant: Variant) -> tuple[Station, ...]:
    whole = [sum(amounts) for amounts in zip(*(stop.load for stop in stops), strict=True)]
    shares = {n: rng.uniform(*LIMIT_SHARES) for n in rng.sample(range(len(SEATS)), LIMITED_STATIONS)}
    if variant == "one_trip":
        shares = {}
    return tuple(
        Station(
            key=key,
            location=n,
            open_s=OPEN_S,
            unload_s=900,
            can_unload=variant != "one_trip",
            intake_limit=tuple(int(shares[n] * amount) for amount in whole) if n in shares else None,
        )
        for n, (key, *_) in enumerate(SEATS)
    )


def _vehicles(stops: int, rng: Random, variant: Variant) -> tuple[Vehicle, ...]:
    wanted = stops / STOPS_PER_VEHICLE[variant]
    rest = Break(window_s=LUNCH_S, duration_s=LUNCH_LENGTH_S) if variant == "full" else None
    fleet = []
    for key, _, _, share in SEATS:
        for number in range(1, max(1, round(share * wanted)) + 1):
            large = rng.random() < LARGE_SHARE
            had = {skill for skill in SKILL_SHARES if rng.random() < CREW_SKILL_SHARE}
            fleet.append(
                Vehicle(
                    key=f"{key}-{number}",
                    start_station=key,
                    end_station=key,
                    capacity=LARGE if large else SMALL,
                    skills=frozenset(SKILL_SHARES if number == 1 else had),
                    shift_s=SHIFT_S,
                    max_duration_s=None,
                    max_overtime_s=0,
                    overtime_cost_per_s=3,
                    break_=rest,
                    fixed_cost=LARGE_COST if large else SMALL_COST,
                    cost_per_travel_s=1,
                    cost_per_m=0,
                    start=None,
                    locked=(),
                )
            )
    return tuple(fleet)


def _stops(stops: int, rng: Random, *, optional: bool) -> tuple[Stop, ...]:
    made = []
    for number in range(stops):
        windows, load = _windows(rng), _load(rng)
        service_s = max(360, 60 * rng.randint(4, 25))
        skills = frozenset(skill for skill, share in SKILL_SHARES.items() if rng.random() < share)
        low = rng.randint(*OPTIONAL_COST) if rng.random() < OPTIONAL_SHARE else SKIP_COST
        made.append(
            Stop(
                key=f"b-{number}",
                location=len(SEATS) + number,
                windows_s=windows,
                service_s=service_s,
                load=load,
                skills=skills,
                skip_cost=low if optional else SKIP_COST,
                prefer=None,
            )
        )
    return tuple(made)


def _windows(rng: Random) -> tuple[tuple[int, int], ...]:
    kind = rng.random()
    if kind < ALL_DAY_SHARE:
        return (ALL_DAY,)
    return tuple(sorted(rng.sample(SLOTS, 2 if kind < ALL_DAY_SHARE + TWO_SLOTS_SHARE else 1)))


def _load(rng: Random) -> tuple[int, int]:
    """Grams and litres with the deciles above, correlated as two halves of a normal pair are."""
    a, b = rng.gauss(0, 1), rng.gauss(0, 1)
    grams = _at(GRAMS, _share(a))
    return round(grams), round(
        grams / _at(GRAMS_PER_LITRE, _share(CORRELATION * a + math.sqrt(1 - CORRELATION**2) * b))
    )


def _share(z: float) -> float:
    """The share of a normal population below z."""
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


def _at(deciles: Sequence[float], share: float) -> float:
    whole, part = divmod(share * (len(deciles) - 1), 1)
    n = min(int(whole), len(deciles) - 2)
    return deciles[n] + (deciles[n + 1] - deciles[n]) * part


def main(arguments: Sequence[str] | None = None) -> int:
    """Write one day to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.district", description=__doc__)
    parser.add_argument("stops", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("out", type=Path, metavar="OUT.json", help="gzipped when it ends in .gz")
    given = parser.parse_args(arguments)
    save_problem(district_day(given.stops, given.seed, given.variant), given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
