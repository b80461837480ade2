"""The month's residents: the same for whoever takes their bookings, and varied as the page of results says."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from benchmarks.support.residents import AHEAD, DRIVES, ORDINARY, requests_of
from config.settings import ROOT
from recycling.gateways.config_files import read_district
from recycling.policy.district import District
from tests.proof.bookings.quotas import limits_of

ORDINARY_DAY, TRADE_IN, REMOVALS = date(2026, 7, 6), date(2026, 7, 10), date(2026, 7, 22)


@pytest.fixture(scope="module")
def real() -> District:
    """The district, without a database."""
    return read_district(ROOT / "config")


def test_both_ways_meet_the_same_residents(real: District) -> None:
    assert requests_of(TRADE_IN, district=real) == requests_of(TRADE_IN, district=real)


def test_every_choice_is_a_day_that_can_be_booked_ahead(real: District) -> None:
    for today in (ORDINARY_DAY, TRADE_IN, REMOVALS):
        days = {day for request in requests_of(today, district=real) for day, _ in request.choices}
        assert today < min(days) <= max(days) <= today + timedelta(days=AHEAD)


def test_a_trade_in_brings_air_conditioners_beside_the_ordinary_residents(real: District) -> None:
    assert len(requests_of(ORDINARY_DAY, district=real)) == ORDINARY
    trade_in = requests_of(TRADE_IN, district=real)
    assert len(trade_in) == ORDINARY + DRIVES[1].requests

    def cooling(today: date) -> int:
        return sum(
            any(item.item_type.startswith("ac-") for item in request.wish.items)
            for request in requests_of(today, district=real)
        )

    # 10 of 12 parts of the drive's first pieces are air conditioners: more than half of its people give one away.
    assert cooling(TRADE_IN) > cooling(ORDINARY_DAY) + DRIVES[1].requests / 2


def test_removals_want_their_weekend_and_come_from_high_floors(real: District) -> None:
    removals = DRIVES[2]
    wanting = [one for one in requests_of(REMOVALS, district=real) if one.choices[0][0] in removals.wanted]
    high = [one for one in wanting if one.wish.floor >= 3 and not one.wish.has_lift]
    assert len(high) >= removals.requests


def test_a_quota_of_twice_the_size_promises_twice_as_much(real: District) -> None:
    once, twice = limits_of(real.network, "lincheng"), limits_of(real.network, "lincheng", size=2.0)
    # Rounded down, each by itself.
    assert all(twice.places[key] - 2 * places in (0, 1) for key, places in once.places.items())
    assert twice.service_s - 2 * once.service_s in (0, 1)
    assert all(b - 2 * a in (0, 1) for a, b in zip(once.load, twice.load, strict=True))
