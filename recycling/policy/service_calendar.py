"""Which days we collect, and which days count as working days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import holidays

SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOverride:
    """One row of the bureau's own calendar; it wins over every rule.

    Parameters
    ----------
    is_working
        ``False`` closes the day for pickups; it then is no working day either. ``True`` makes it a working day.
    note, source
        Why, and which document says so.
    """

    day: date
    is_working: bool
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class ServiceCalendar:
    """Service days and working days of the district.

    Notes
    -----
    Three things differ. *Service days* are the days on which we collect: every day, public holidays included, except
    those an override closes. *Working days* (Monday to Friday without public holidays, plus swap days 调休) carry the
    pace of the reports. Both come from the PyPI package ``holidays``, which holds the State Council's yearly notices,
    with the bureau's overrides on top. A year whose notice neither holds is *provisional*. ``changes`` are what people
    closed or opened since: they win for pickups, and leave the working days, by which goals are paced, as they were.
    """

    overrides: Mapping[date, DayOverride]
    changes: Mapping[date, DayOverride] = field(default_factory=dict)

    def is_service_day(self, day: date) -> bool:
        """Tell whether pickups take place on a local day."""
        override = self.changes.get(day) or self.overrides.get(day)
        return override is None or override.is_working

    def is_working_day(self, day: date) -> bool:
        """Tell whether a local day is a working day by the State Council's calendar and the overrides."""
        override = self.overrides.get(day)
        if override is not None:
            return override.is_working
        names, swaps = _public_year(day.year)
        return day in swaps or (day.weekday() < SATURDAY and day not in names)

    def is_provisional(self, year: int) -> bool:
        """Tell whether the year's swap days (调休) are still unknown, so that its working days may change.

        Notes
        -----
        The notice of a year is loaded when its swap days are: in the package, or as overrides that make a Saturday or
        Sunday a working day.
        """
        own_swaps = any(
            row.is_working and row.day.year == year and row.day.weekday() >= SATURDAY for row in self.overrides.values()
        )
        return not own_swaps and not _public_year(year)[1]

    def note(self, day: date) -> str:
        """Say what is special about a local day; empty when nothing is."""
        override = self.changes.get(day) or self.overrides.get(day)
        if override is not None:
            return override.note
        names, swaps = _public_year(day.year)
        return "调休工作日" if day in swaps else names.get(day, "")

    def next_service_days(self, start: date, *, count: int) -> tuple[date, ...]:
        """List the first service days from a local day on, that day included, among the next 400 days at most."""
        found = (day for day in _days(start, 400) if self.is_service_day(day))
        return tuple(day for day, _ in zip(found, range(count), strict=False))

    def working_days_between(self, first: date, last: date) -> int:
        """Count working days from ``first`` to ``last``, both included; 0 when ``last`` lies before ``first``."""
        return sum(self.is_working_day(day) for day in _days(first, (last - first).days + 1))


def _days(start: date, count: int) -> Iterator[date]:
    return (start + timedelta(days=offset) for offset in range(count))


@lru_cache(maxsize=64)
def _public_year(year: int) -> tuple[Mapping[date, str], frozenset[date]]:
    """Names of the public days off of a year, and its swap working days."""
    # The neighbours too: a swap day for New Year may fall in the year before, and only that year's rule names it.
    calendar = holidays.country_holidays("CN", years=(year, year + 1), language="zh_CN")
    names = {day: name for day, name in calendar.items() if day.year == year}
    swaps = frozenset(day for day in calendar.weekend_workdays if day.year == year)
    return names, swaps
