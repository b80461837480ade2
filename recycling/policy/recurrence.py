"""On which days something recurs: weekdays of every n-th week, or a day of the month."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from recycling.policy.checks import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A rule of days from ``starts_on`` to ``until``, both included; without end when that is ``None``.

    Parameters
    ----------
    weekdays
        ISO weekdays, 1 for Monday to 7 for Sunday; empty when ``month_day`` is the rule.
    every_weeks
        Every n-th calendar week, Monday to Sunday, counted from the one of ``starts_on``.
    month_day
        Day of each month, 1 to 31; past the end of a month it means the month's last day.

    Raises
    ------
    ValueError
        When neither or both rules are given, or a number is out of range.
    """

    starts_on: date
    until: date | None = None
    weekdays: frozenset[int] = frozenset()
    every_weeks: int = 1
    month_day: int | None = None

    def __post_init__(self) -> None:
        if bool(self.weekdays) == (self.month_day is not None):
            raise ValueError("give either weekdays or month_day")
        for weekday in self.weekdays:
            check_range("weekdays", weekday, least=1, most=7)
        check_range("every_weeks", self.every_weeks, least=1, most=52)
        if self.month_day is not None:
            check_range("month_day", self.month_day, least=1, most=31)
        if self.until is not None and self.until < self.starts_on:
            raise ValueError(f"until {self.until} lies before starts_on {self.starts_on}")

    def falls_on(self, day: date) -> bool:
        """Whether the rule names a day."""
        if day < self.starts_on or (self.until is not None and day > self.until):
            return False
        if self.month_day is not None:
            return day.day == min(self.month_day, monthrange(day.year, day.month)[1])
        weeks = (_monday(day) - _monday(self.starts_on)).days // 7
        return day.isoweekday() in self.weekdays and weeks % self.every_weeks == 0

    def days_between(self, first: date, last: date) -> Iterator[date]:
        """The days of the rule in a span, both ends included, ascending."""
        day = first
        while day <= last:
            if self.falls_on(day):
                yield day
            day += timedelta(days=1)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
