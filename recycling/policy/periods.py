"""Periods that are reported on (报告期): a month, a quarter, a year, or any span of days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from recycling.errors import InvalidInput

PeriodKind = Literal["month", "quarter", "year", "span"]

MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)
QUARTER = re.compile(r"(20\d\d)-Q([1-4])", re.ASCII)
YEAR = re.compile(r"(20\d\d)", re.ASCII)
SPAN = re.compile(r"(20\d\d-\d\d-\d\d)\.\.(20\d\d-\d\d-\d\d)", re.ASCII)
FORMS = "2026-11, 2026-Q4, 2026 or 2026-03-05..2026-04-17"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A span of local days under the name by which people ask for it.

    Parameters
    ----------
    key
        ``2026-11``, ``2026-Q4``, ``2026`` or ``2026-03-05..2026-04-17``.
    first, last
        Its days, both included.
    """

    key: str
    kind: PeriodKind
    first: date
    last: date

    @property
    def words(self) -> str:
        """The kind in both languages."""
        return {
            "month": "月报 / monthly report",
            "quarter": "季报 / quarterly report",
            "year": "年报 / yearly report",
            "span": "专题报告 / report on demand",
        }[self.kind]


def read_period(key: str) -> Period:
    """The period that a name stands for.

    Raises
    ------
    InvalidInput
        When it is none of the four forms, or names days that do not exist or run backwards.
    """
    if match := MONTH.fullmatch(key):
        first = date(int(match[1]), int(match[2]), 1)
        return Period(key=key, kind="month", first=first, last=month_end(first))
    if match := QUARTER.fullmatch(key):
        first = date(int(match[1]), 3 * int(match[2]) - 2, 1)
        return Period(key=key, kind="quarter", first=first, last=month_end(first + timedelta(days=62)))
    if match := YEAR.fullmatch(key):
        year = int(match[1])
        return Period(key=key, kind="year", first=date(year, 1, 1), last=date(year, 12, 31))
    if match := SPAN.fullmatch(key):
        try:
            first, last = date.fromisoformat(match[1]), date.fromisoformat(match[2])
        except ValueError:
            raise InvalidInput(f"period {key}: there is no such day; correct it / 报告期日期不存在") from None
        if first > last:
            raise InvalidInput(f"period {key} ends before it begins; exchange the two days / 报告期起止颠倒")
        return Period(key=key, kind="span", first=first, last=last)
    raise InvalidInput(
        f"period {key[:40]!r} is no month, quarter, year or span; write it as {FORMS} / 报告期格式应为 {FORMS}"
    )


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def quarter_of(day: date) -> str:
    """The name of a day's quarter."""
    return f"{day.year}-Q{(day.month + 2) // 3}"
