"""The span of days that a list is asked for: from a first to a last day, both included, either left open."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from recycling.errors import InvalidInput


def within(day: InstrumentedAttribute[date], first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    """The clauses that hold a day's column in a span.

    Raises
    ------
    InvalidInput
        When the span ends before it begins.
    """
    if first is not None and last is not None and last < first:
        raise InvalidInput(f"to = {last} lies before from = {first}; exchange them / 结束日期早于开始日期")
    clauses: list[ColumnElement[bool]] = []
    if first is not None:
        clauses.append(day >= first)
    if last is not None:
        clauses.append(day <= last)
    return clauses
