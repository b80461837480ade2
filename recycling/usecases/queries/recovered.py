"""Reading recovered figures."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import BigInteger, cast, func, select, tuple_
from sqlalchemy.orm import Session

from recycling.models.recovery import DailyRecovery
from recycling.policy.district import District
from recycling.usecases.queries.cursors import key, read_cursor, write_cursor
from recycling.usecases.queries.scopes import in_scope, scope_named
from recycling.usecases.queries.spans import within

_FACT_KEY = (
    DailyRecovery.day,
    DailyRecovery.station_key,
    DailyRecovery.town_key,
    DailyRecovery.item_type,
    DailyRecovery.channel,
    DailyRecovery.provenance,
)
_AMOUNTS = (DailyRecovery.units, DailyRecovery.recovered_g, DailyRecovery.ticket_lines)
_FACT_READERS = (date.fromisoformat, key, key, key, key, key)


def list_recovered(
    *,
    district: District,
    session: Session,
    limit: int,
    first: date | None = None,
    last: date | None = None,
    scope: str | None = None,
    cursor: str | None = None,
    **of: str | None,
) -> dict[str, Any]:
    """A page of daily figures in sequence of day and station, and what all of them add up to; each names its tickets.

    ``of`` narrows to a ``station_key``, ``item_type``, ``town_key``, ``channel`` or ``provenance``.

    Raises
    ------
    InvalidInput
        When the span ends before it begins, or there is no such scope.
    """
    fact = DailyRecovery
    mine = within(fact.day, first, last)
    mine += [getattr(fact, name) == value for name, value in of.items() if value is not None]
    if scope is not None:
        mine += in_scope(
            scope_named(scope, district=district), district=district, item_type=fact.item_type, channel=fact.channel,
            town_key=fact.town_key, provenance=fact.provenance,
        )  # fmt: skip
    units, recovered_g, ticket_lines = (cast(func.coalesce(func.sum(amount), 0), BigInteger) for amount in _AMOUNTS)
    total = session.execute(select(units, recovered_g, ticket_lines).where(*mine)).one()
    wanted = select(fact).where(*mine).order_by(*_FACT_KEY)
    if cursor is not None:
        wanted = wanted.where(tuple_(*_FACT_KEY) > read_cursor(cursor, *_FACT_READERS))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {
        "recovered": [_fact(row) for row in shown],
        "sum": dict(zip(("units", "recovered_g", "ticket_lines"), total, strict=True)),
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
