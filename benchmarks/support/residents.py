"""A month of residents: who asks on which day, what they give away, and which days and windows they would take.

All of it is made up; no source counts a district's requests. What varies is what varies where such services run:

* Ordinary days: the demo's mix, `ORDINARY` requests, a little more than the fleet serves. A quarter of those who think
  of a weekday are at work then and want the weekend.
* A heat wave with a trade-in (以旧换新): for ten days more people give an old air conditioner away, soon, because the
  new one is bought. As many of them as in the demo want it taken off the wall.
* Two removal weekends, where leases end: in the week before more people ask for one of the two days, to give big
  furniture away, from the third to the sixth floor and without a lift.

Neither way of taking bookings knows of these days beforehand. Both see the same residents in the same sequence, with
the same choices.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from recycling.cli.demo_day import made_up_wishes
from recycling.policy.district import District
from recycling.usecases.bookings.promise import Wish

ORDINARY, AHEAD = 320, 14  # requests a day; how far ahead a resident may book
MEAN_AHEAD_DAYS = 4
TO_WEEKEND = 0.25  # of those who think of a weekday
PATIENCE_DAYS = 2  # a resident takes another day as near as that
OTHER_WINDOWS = 2  # and so many windows beside the one wanted
SATURDAY = 5
SEED = 20260701  # a benchmark wants the same month again


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One resident: what they give away, and days and windows from the dearest to the last they would take."""

    wish: Wish
    choices: tuple[tuple[date, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """Days on which more people ask than usual, to give the same things away.

    Parameters
    ----------
    first, last
        Days on which they ask.
    requests
        Of each such day, beside the ordinary ones.
    mix
        What they give away, by weight.
    wanted
        The days wanted; empty = soon, `mean_ahead_days` on average.
    high_up
        Whether they live on the third to the sixth floor without a lift.
    """

    name: str
    first: date
    last: date
    requests: int
    mix: Mapping[str, int]
    wanted: tuple[date, ...] = ()
    mean_ahead_days: float = 2.0
    high_up: bool = False


FURNITURE = {
    "sofa-three": 6, "mattress-150": 6, "wardrobe-two": 5, "bed-double": 4, "desk": 3, "bookcase": 3, "fridge": 2,
    "washer-drum": 1,
}  # fmt: skip
DRIVES = (
    Drive(
        name="removals", first=date(2026, 6, 29), last=date(2026, 7, 3), requests=60, mix=FURNITURE,
        wanted=(date(2026, 7, 4), date(2026, 7, 5)), high_up=True,
    ),
    Drive(
        name="trade-in", first=date(2026, 7, 8), last=date(2026, 7, 17), requests=130,
        mix={"ac-split": 8, "ac-unit": 2, "fridge": 1, "fan": 1},
    ),
    Drive(
        name="removals", first=date(2026, 7, 20), last=date(2026, 7, 24), requests=60, mix=FURNITURE,
        wanted=(date(2026, 7, 25), date(2026, 7, 26)), high_up=True,
    ),
)  # fmt: skip


def requests_of(today: date, *, district: District) -> list[Request]:
    """Everybody who asks on a day, ordinary residents and those of the drives mixed."""
    rng = random.Random(f"{SEED}:{today}")
    found = [
        _request(wish, _ordinary_day(today, rng), today, rng, district=district)
        for wish in made_up_wishes(district, today, count=ORDINARY)
    ]
    for drive in DRIVES:
        if drive.first <= today <= drive.last:
            found += _driven(drive, today, rng, district=district)
    rng.shuffle(found)
    return found


def ordinary_wishes(day: date, count: int, *, district: District) -> Iterator[Request]:
    """Residents of no drive who all want one day, and take another window: what a quota's size is found on."""
    rng = random.Random(f"{SEED}:ordinary:{day}")
    for wish in made_up_wishes(district, day, count=count, crowd="ordinary"):
        windows = _windows(wish, rng, district=district)
        yield Request(wish=wish, choices=tuple((day, window) for window in windows))


def _driven(drive: Drive, today: date, rng: random.Random, *, district: District) -> Iterator[Request]:
    for wish in made_up_wishes(district, today, count=drive.requests, mix=drive.mix, crowd=drive.name):
        lived = replace(wish, floor=rng.randint(3, 6), has_lift=False) if drive.high_up else wish
        wanted = rng.choice(drive.wanted) if drive.wanted else _soon(today, drive.mean_ahead_days, rng)
        yield _request(lived, wanted, today, rng, district=district)


def _ordinary_day(today: date, rng: random.Random) -> date:
    wanted = _soon(today, MEAN_AHEAD_DAYS, rng)
    if wanted.weekday() < SATURDAY and rng.random() < TO_WEEKEND:
        weekend = wanted + timedelta(days=SATURDAY - wanted.weekday() + rng.randint(0, 1))
        return min(weekend, today + timedelta(days=AHEAD))
    return wanted


def _soon(today: date, mean_days: float, rng: random.Random) -> date:
    return today + timedelta(days=min(AHEAD, 1 + int(rng.expovariate(1 / mean_days))))


def _request(wish: Wish, wanted: date, today: date, rng: random.Random, *, district: District) -> Request:
    first, last = today + timedelta(days=1), today + timedelta(days=AHEAD)
    near = [wanted + timedelta(days=d) for d in range(-PATIENCE_DAYS, PATIENCE_DAYS + 1)]
    days = sorted((day for day in near if first <= day <= last), key=lambda day: (abs(day - wanted), day))
    windows = _windows(wish, rng, district=district)
    return Request(wish=wish, choices=tuple((day, window) for day in days for window in windows))


def _windows(wish: Wish, rng: random.Random, *, district: District) -> list[str]:
    others = [key for key in district.network.pickup_windows if key != wish.pickup_window]
    return [wish.pickup_window, *rng.sample(others, k=OTHER_WINDOWS)]
