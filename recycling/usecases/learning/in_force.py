"""The reference facts with what people decided since: accepted handling tables, and dated changes of days."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.base import table_of
from recycling.models.day_change import DayChangeRow
from recycling.models.handling import HandlingVersion
from recycling.policy.day_changes import DayChange, DayChangeBook
from recycling.policy.district import District
from recycling.policy.handling import HandlingBook, HandlingTable

_version = table_of(HandlingVersion)
# Read on every request that makes promises: as rows of a table, not as objects.
_READ = select(
    _version.c.number, _version.c.valid_from, _version.c.seconds, _version.c.travel_bp, _version.c.travel_from
)

_change = table_of(DayChangeRow)
_NEWEST_CHANGE = select(_change.c.mark, _change.c.number).order_by(_change.c.number.desc()).limit(1)
_READ_CHANGES = select(
    _change.c.kind, _change.c.first_day, _change.c.last_day, _change.c.number, _change.c.vehicle_key,
    _change.c.collector_key, _change.c.station_key, _change.c.from_s, _change.c.to_s, _change.c.reason,
    _change.c.ends_on,
).order_by(_change.c.number)  # fmt: skip

_Newest = tuple[UUID, int] | None  # mark and number of the newest change: where they are the same, all changes are

# Facts as configured; tables and newest change; all of it together.
_last: tuple[District, HandlingBook, _Newest, District] | None = None


def handling_book(session: Session) -> HandlingBook:
    """Every handling table that was ever accepted."""
    rows = session.execute(_READ)
    return HandlingBook(
        tuple(
            HandlingTable(
                number=row.number, valid_from=row.valid_from, seconds=row.seconds, travel_bp=row.travel_bp,
                travel_from=row.travel_from,
            )
            for row in rows
        )
    )  # fmt: skip


def day_change_book(session: Session) -> DayChangeBook:
    """Every dated change that was ever recorded."""
    return DayChangeBook(tuple(DayChange(**row) for row in session.execute(_READ_CHANGES).mappings()))


def facts_in_force(district: District, *, session: Session) -> District:
    """The reference facts with the accepted handling tables and the dated changes.

    Until people decide something new the answer is the same object: what a process remembers of days goes by it.
    """
    global _last  # one tuple, replaced as a whole
    book = handling_book(session)
    row = session.execute(_NEWEST_CHANGE).first()
    newest = None if row is None else (row.mark, row.number)
    if not book.tables and newest is None:
        return district
    known = _last
    if known is None or known[0] is not district or known[1:3] != (book, newest):
        changes = day_change_book(session)
        found = replace(
            district, handling=book, day_changes=changes,
            calendar=replace(district.calendar, changes=changes.overrides()),
        )  # fmt: skip
        # Should it hold a change that is never committed: nobody will read its mark again.
        known = _last = (district, book, newest, found)
    return known[3]
