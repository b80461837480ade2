"""Which stored event decides a booking, worked out for the checks alone: they share nothing with the fold."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.field import FieldEvent, FieldFlag, FieldRuling

OUTCOME_KINDS = ("collected", "partly", "failed")


def deciding_events(session: Session) -> dict[UUID, dict[str, Any]]:
    """The event that decides each booking: the last outcome of the vehicle whose outcome was first."""
    ruled = {
        row.event_id: row.counts
        for row in session.execute(select(FieldRuling.event_id, FieldRuling.counts).order_by(FieldRuling.number))
    }
    events = [
        event
        for event in session.scalars(select(FieldEvent).where(FieldEvent.booking_id.is_not(None)))
        if ruled.get(event.event_id, not event.quarantined)
    ]
    known = {event.event_id: event for event in events}
    taken_back = set()
    for event in events:
        target = known.get(UUID(event.payload["undoes"])) if event.kind == "undo" and event.payload else None
        if target is not None and (target.vehicle_key, target.booking_id) == (event.vehicle_key, event.booking_id):
            taken_back.add(target.event_id)
    found: dict[UUID, dict[str, Any]] = {}
    owner: dict[UUID, str] = {}
    for event in _by_time([event for event in events if event.kind in (*OUTCOME_KINDS, "undo")]):
        if event.kind == "undo" or event.event_id in taken_back or event.booking_id is None:
            continue
        if owner.setdefault(event.booking_id, event.vehicle_key) == event.vehicle_key:
            found[event.booking_id] = {"kind": event.kind, "items": event.items, "reason": event.reason}
    return found


def _by_time(events: list[FieldEvent]) -> list[FieldEvent]:
    """Booking by booking, in the sequence of their instants, where no device goes back in time."""
    reached: dict[tuple[UUID | None, UUID], Any] = {}
    placed = []
    for event in sorted(events, key=lambda one: (one.device_seq, one.made_at, one.event_id)):
        key = (event.booking_id, event.device_id)
        reached[key] = max(reached.get(key, event.made_at), event.made_at)
        placed.append((reached[key], str(event.device_id), event.device_seq, event.made_at, event.event_id, event))
    return [one[-1] for one in sorted(placed, key=lambda one: one[:-1])]


def flagged_bookings(session: Session) -> set[tuple[UUID, str]]:
    """Bookings of which an event has a flag, with the flag."""
    rows = session.execute(
        select(FieldEvent.booking_id, FieldFlag.code).join(FieldFlag, FieldFlag.event_id == FieldEvent.event_id)
    )
    return {(booking_id, code) for booking_id, code in rows if booking_id is not None}
