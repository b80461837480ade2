"""Periods of reports: days derived by hand from the calendar."""

from __future__ import annotations

from datetime import date

import pytest

from recycling.errors import InvalidInput
from recycling.policy.periods import month_end, quarter_of, read_period


@pytest.mark.parametrize(
    ("key", "kind", "first", "last"),
    [
        ("2026-11", "month", date(2026, 11, 1), date(2026, 11, 30)),
        ("2028-02", "month", date(2028, 2, 1), date(2028, 2, 29)),  # 2028 is divisible by 4 and not by 100
        ("2026-12", "month", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-Q1", "quarter", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-Q2", "quarter", date(2026, 4, 1), date(2026, 6, 30)),
        ("2026-Q3", "quarter", date(2026, 7, 1), date(2026, 9, 30)),
        ("2026-Q4", "quarter", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026", "year", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-03-05..2026-04-17", "span", date(2026, 3, 5), date(2026, 4, 17)),
        ("2026-03-05..2026-03-05", "span", date(2026, 3, 5), date(2026, 3, 5)),
    ],
)
def test_a_period_names_its_days(key: str, kind: str, first: date, last: date) -> None:
    found = read_period(key)
    assert (found.kind, found.first, found.last, found.key) == (kind, first, last, key)


@pytest.mark.parametrize(
    "key",
    ["", "26-11", "2026-13", "2026-00", "2026-Q5", "2026-Q0", "２０２６", "2026-1", "2026-02-29..2026-03-01", "1999",
     "2026-04-17..2026-03-05", "2026-03-05", "2026-03-05...2026-04-17", "2026-11\n", "=2026"],
)  # fmt: skip
def test_what_is_no_period_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput, match="period"):
        read_period(key)


def test_a_day_lies_in_its_quarter_and_its_month_has_an_end() -> None:
    assert [quarter_of(date(2026, month, 1)) for month in (1, 3, 4, 6, 7, 9, 10, 12)] == [
        "2026-Q1", "2026-Q1", "2026-Q2", "2026-Q2", "2026-Q3", "2026-Q3", "2026-Q4", "2026-Q4",
    ]  # fmt: skip
    assert month_end(date(2026, 12, 31)) == date(2026, 12, 31)
