"""Reading recovered figures."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from recycling.models.recovery import DailyRecovery
from recycling.usecases.queries.cursors import key, read_cursor, write_cursor
from recycling.usecases.queries.spans import within

_FACT_KEY = (
    DailyRecovery.day,
    DailyRecovery.station_key,
    DailyRecovery.town_key,
    DailyRecovery.item_type,
    DailyRecovery.channel,
    DailyRecovery.provenance,
)
_FACT_READERS = (date.fromisoformat, key, key, key, key, key)


def list_recovered(
    *,
    session: Session,
    limit: int,
    first: date | None = None,
    last: date | None = None,
    station_key: str | None = None,
    item_type: str | None = None,
    town_key: str | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of daily figures in sequence of day and station; each names where its tickets are.

    Raises
    ------
    InvalidInput
        When the span ends before it begins.
    """
    wanted = select(DailyRecovery).where(*within(DailyRecovery.day, first, last)).order_by(*_FACT_KEY)
    if station_key is not None:
        wanted = wanted.where(DailyRecovery.station_key == station_key)
    if item_type is not None:
        wanted = wanted.where(DailyRecovery.item_type == item_type)
    if town_key is not None:
        wanted = wanted.where(DailyRecovery.town_key == town_key)
    if cursor is not None:
        wanted = wanted.where(tuple_(*_FACT_KEY) > read_cursor(cursor, *_FACT_READERS))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {
        "recovered": [_fact(row) for row in shown],
        "next_cursor": write_cursor(*_key_of(shown[-1])) if len(rows) > limit else None,
    }


def _fact(row: DailyRecovery) -> dict[str, Any]:
    fields = (
        "day", "station_key", "town_key", "item_type", "channel", "provenance", "units", "recovered_g", "ticket_lines"
    )  # fmt: skip
    tickets = urlencode({"day": row.day.isoformat(), "station_key": row.station_key, "item_type": row.item_type})
    return {name: getattr(row, name) for name in fields} | {"tickets": f"/intake-tickets?{tickets}"}


def _key_of(row: DailyRecovery) -> tuple[Any, ...]:
    return row.day, row.station_key, row.town_key, row.item_type, row.channel, row.provenance
