"""The rule of days: weekdays of every n-th week, or a day of the month, to its last day where it is shorter."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.policy.recurrence import Recurrence


def days(rule: Recurrence, first: str, last: str) -> list[str]:
    return [f"{day:%m-%d}" for day in rule.days_between(date.fromisoformat(first), date.fromisoformat(last))]


def test_weekdays_come_each_week_from_the_first_day_on() -> None:
    # 2026-11-25 is a Wednesday: the Monday of its week lies before the start.
    rule = Recurrence(starts_on=date(2026, 11, 25), weekdays=frozenset({1, 3}))
    assert days(rule, "2026-11-01", "2026-12-09") == ["11-25", "11-30", "12-02", "12-07", "12-09"]


def test_every_second_week_counts_calendar_weeks_across_the_year() -> None:
    # From Thursday 2026-12-17, the week of the 14th: then those of the 28th, of January 11th and 25th.
    rule = Recurrence(starts_on=date(2026, 12, 17), weekdays=frozenset({1, 5}), every_weeks=2)
    assert days(rule, "2026-12-01", "2027-01-31") == ["12-18", "12-28", "01-01", "01-11", "01-15", "01-25", "01-29"]


@pytest.mark.parametrize(
    ("month_day", "expected"),
    [
        (31, ["01-31", "02-28", "03-31", "04-30"]),
        (30, ["01-30", "02-28", "03-30", "04-30"]),
        (29, ["01-29", "02-28", "03-29", "04-29"]),
        (1, ["01-01", "02-01", "03-01", "04-01"]),
    ],
)
def test_a_day_past_the_end_of_a_month_means_its_last_day(month_day: int, expected: list[str]) -> None:
    rule = Recurrence(starts_on=date(2027, 1, 1), month_day=month_day)
    assert days(rule, "2027-01-01", "2027-04-30") == expected


def test_february_of_a_leap_year_has_its_29th() -> None:
    rule = Recurrence(starts_on=date(2028, 1, 1), month_day=30)
    assert days(rule, "2028-02-01", "2028-03-31") == ["02-29", "03-30"]
    assert days(Recurrence(starts_on=date(2028, 1, 1), month_day=29), "2028-02-01", "2028-02-29") == ["02-29"]


def test_the_last_day_is_included_and_nothing_comes_after() -> None:
    rule = Recurrence(starts_on=date(2026, 11, 23), until=date(2026, 11, 30), weekdays=frozenset({1}))
    assert days(rule, "2026-11-01", "2026-12-31") == ["11-23", "11-30"]


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)), st.integers(1, 31))
def test_every_month_has_exactly_one_day_of_a_month_rule(first: date, month_day: int) -> None:
    rule = Recurrence(starts_on=date(2020, 1, 1), month_day=month_day)
    start = first.replace(day=1)
    after = (start + timedelta(days=31)).replace(day=1)
    assert len(list(rule.days_between(start, after - timedelta(days=1)))) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"weekdays": frozenset({1}), "month_day": 3},
        {"weekdays": frozenset({0})},
        {"weekdays": frozenset({8})},
        {"month_day": 32},
        {"month_day": 0},
        {"weekdays": frozenset({1}), "every_weeks": 0},
        {"weekdays": frozenset({1}), "until": date(2026, 11, 22)},
    ],
)
def test_a_rule_that_names_no_days_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each says what is wrong in its own words
        Recurrence(starts_on=date(2026, 11, 23), **wrong)
