"""Stored field events as the folds read them: those that count, after what people have ruled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from recycling.models.base import table_of
from recycling.models.field import FieldEvent, FieldRuling
from recycling.policy.field_events import FieldRecord

# Read as rows, not as objects: a route's day is folded on every look at it.
_event = table_of(FieldEvent)
_READ = select(
    _event.c.event_id, _event.c.booking_id, _event.c.vehicle_key, _event.c.device_id, _event.c.device_seq,
    _event.c.kind, _event.c.reason, _event.c["items"], _event.c.payload, _event.c.made_at, _event.c.quarantined,
)  # fmt: skip


def records_of_bookings(session: Session, bookings: Iterable[UUID]) -> dict[UUID, list[FieldRecord]]:
    """What counts of each booking's records; one without any is missing."""
    ids = list(bookings)
    found: dict[UUID, list[FieldRecord]] = {}
    if not ids:
        return found
    for record in _counting(session, _event.c.booking_id.in_(ids)):
        if record.booking_id is not None:
            found.setdefault(record.booking_id, []).append(record)
    return found


def records_of_day(session: Session, day: date, *, vehicle_key: str | None = None) -> list[FieldRecord]:
    """What counts of a day's records, of all vehicles or of one."""
    wanted = _event.c.day == day
    return _counting(session, wanted if vehicle_key is None else wanted & (_event.c.vehicle_key == vehicle_key))


def _counting(session: Session, wanted: ColumnElement[bool]) -> list[FieldRecord]:
    rows = session.execute(_READ.where(wanted)).all()
    ruled = _rulings(session, wanted) if rows else {}
    return [as_record(row) for row in rows if ruled.get(row.event_id, not row.quarantined)]


def _rulings(session: Session, wanted: ColumnElement[bool]) -> dict[UUID, bool]:
    """The newest ruling on each event there is one on."""
    rulings = (
        select(FieldRuling.event_id, FieldRuling.counts)
        .join(_event, _event.c.event_id == FieldRuling.event_id)
        .where(wanted)
        .order_by(FieldRuling.number)
    )
    return {row.event_id: row.counts for row in session.execute(rulings)}


def as_record(row: Any) -> FieldRecord:
    """One row of the table as the folds read it."""
    payload = row.payload or {}
    undoes = payload.get("undoes")
    return FieldRecord(
        event_id=row.event_id,
        device_id=row.device_id,
        device_seq=row.device_seq,
        kind=row.kind,
        made_at=row.made_at,
        vehicle_key=row.vehicle_key,
        booking_id=row.booking_id,
        reason=row.reason,
        units={item["item_type"]: item["units"] for item in row.items},
        station_key=payload.get("station_key"),
        undoes=None if undoes is None else UUID(undoes),
        drives=payload.get("drives", True),
    )
