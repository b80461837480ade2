"""Cut-offs fall on the evening before, in Shanghai time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from recycling.policy.booking_rules import BookingRules
from recycling.policy.service_calendar import DayOverride, ServiceCalendar

RULES = BookingRules(horizon_days=14, booking_cutoff_s=64_800, cancel_cutoff_s=72_000, plan_at_s=72_000)
OPEN = ServiceCalendar({})


def test_cut_offs_are_18_and_20_o_clock_the_day_before() -> None:
    day = date(2026, 11, 24)
    # 18:00 and 20:00 in Shanghai are 10:00 and 12:00 UTC
    assert RULES.booking_closes_at(day) == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert RULES.cancel_closes_at(day) == datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_tomorrow_is_bookable_until_the_cut_off_and_the_fourteenth_day_is_the_last() -> None:
    cutoff = RULES.booking_closes_at(date(2026, 11, 24))
    before = RULES.bookable_days(now=cutoff - timedelta(microseconds=1), calendar=OPEN)
    assert (before[0], before[-1], len(before)) == (date(2026, 11, 24), date(2026, 12, 7), 14)
    after = RULES.bookable_days(now=cutoff, calendar=OPEN)
    assert (after[0], after[-1], len(after)) == (date(2026, 11, 25), date(2026, 12, 7), 13)


def test_today_is_the_day_in_shanghai() -> None:
    # 16:30 UTC on the 23rd is half past midnight on the 24th: the 24th is today and no longer bookable
    days = RULES.bookable_days(now=datetime(2026, 11, 23, 16, 30, tzinfo=UTC), calendar=OPEN)
    assert days[0] == date(2026, 11, 25)


def test_a_closed_day_is_not_bookable() -> None:
    closed = date(2026, 11, 25)
    calendar = ServiceCalendar({closed: DayOverride(day=closed, is_working=False, note="停收", source="a test")})
    assert closed not in RULES.bookable_days(now=datetime(2026, 11, 23, 0, tzinfo=UTC), calendar=calendar)


def test_the_plan_never_runs_before_withdrawals_end() -> None:
    with pytest.raises(ValueError, match="follow each other"):
        BookingRules(horizon_days=14, booking_cutoff_s=64_800, cancel_cutoff_s=72_000, plan_at_s=71_999)
