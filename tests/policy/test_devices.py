"""How long a collector's sign-in lasts: to the end of the shift and a margin, at any hour a moment more than now."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from recycling.gateways.config_files import read_district
from recycling.policy.devices import DeviceRule
from recycling.policy.district import District
from recycling.policy.service_calendar import DayOverride, ServiceCalendar
from recycling.units import instant_at

CONFIG = Path(__file__).parents[2] / "config"
DAY, HOUR_S = date(2026, 11, 23), 3600
FOUR_HOURS = DeviceRule(most_per_collector=2, margin_s=4 * HOUR_S)


@pytest.fixture(scope="module")
def district() -> District:
    return read_district(CONFIG)


def at(clock_h: float, day: date = DAY) -> datetime:
    return instant_at(day, int(clock_h * HOUR_S))


# Every shift of the district is 08:00 to 18:00; 18:00 + 4 h = 22:00.
@pytest.mark.parametrize(
    ("signed_in_h", "ends_h"),
    [(0.5, 22), (7.5, 22), (12, 22), (18, 22), (18.5, 22.5), (22, 26), (23.75, 27.75)],
)
def test_it_ends_four_hours_after_the_shift_or_after_signing_in_whichever_is_later(
    district: District, signed_in_h: float, ends_h: float
) -> None:
    ends_at = FOUR_HOURS.sign_in_ends_at(
        "c01", network=district.network, calendar=district.calendar, now=at(signed_in_h)
    )
    assert ends_at == at(ends_h)


def test_without_a_shift_it_is_as_long_as_the_margin(district: District) -> None:
    closed = DayOverride(day=DAY, is_working=False, note="停收", source="通知")
    calendar = ServiceCalendar({DAY: closed})
    ends_at = FOUR_HOURS.sign_in_ends_at("c01", network=district.network, calendar=calendar, now=at(9))
    gone = FOUR_HOURS.sign_in_ends_at("left", network=district.network, calendar=district.calendar, now=at(9))
    assert ends_at == gone == at(13)


def test_the_shipped_rule_is_two_devices_and_four_hours(district: District) -> None:
    assert district.devices == FOUR_HOURS


@pytest.mark.parametrize(("most", "margin_s"), [(0, 600), (11, 600), (2, 599), (2, 43_201)])
def test_a_rule_that_locks_out_or_never_ends_is_refused(most: int, margin_s: int) -> None:
    with pytest.raises(ValueError, match="between"):
        DeviceRule(most_per_collector=most, margin_s=margin_s)
    assert timedelta(seconds=FOUR_HOURS.margin_s) == timedelta(hours=4)
