"""Reading what a person has to look at: flagged records, and what came under an id that was taken."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, undefer

from recycling.models.booking import Booking
from recycling.models.field import FieldEvent, FieldEventClash, FieldFlag, FieldRuling
from recycling.usecases.field.flags import FLAG_WORDS
from recycling.usecases.queries.cursors import instant, read_cursor, write_cursor


def flagged_events(
    *, session: Session, limit: int, day: date | None = None, settled: bool = False, cursor: str | None = None
) -> dict[str, Any]:
    """A page of flagged records, the newest first: those that wait for a person, or those that were ruled on."""
    wanted_flags = FieldFlag.settled_at.is_not(None) if settled else FieldFlag.settled_at.is_(None)
    wanted = (
        select(FieldEvent)
        .options(undefer(FieldEvent.words))
        .where(FieldEvent.event_id.in_(select(FieldFlag.event_id).where(wanted_flags)))
    )
    if day is not None:
        wanted = wanted.where(FieldEvent.day == day)
    place = tuple_(FieldEvent.received_at, FieldEvent.event_id)
    if cursor is not None:
        wanted = wanted.where(place < tuple_(*read_cursor(cursor, instant, UUID)))
    found = session.scalars(
        wanted.order_by(FieldEvent.received_at.desc(), FieldEvent.event_id.desc()).limit(limit + 1)
    ).all()
    shown, more = found[:limit], len(found) > limit
    about = _About(session, [event.event_id for event in shown], [event.booking_id for event in shown])
    return {
        "field_events": [about.event(event) for event in shown],
        "next_cursor": write_cursor(shown[-1].received_at.isoformat(), shown[-1].event_id) if more else None,
    }


def flagged_event(event: FieldEvent, *, session: Session) -> dict[str, Any]:
    """One record with its flags and rulings."""
    return _About(session, [event.event_id], [event.booking_id]).event(event)


class _About:
    """What is shown beside the records of a page."""

    def __init__(self, session: Session, events: list[UUID], bookings: list[UUID | None]) -> None:
        self.flags: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        for flag in session.scalars(select(FieldFlag).where(FieldFlag.event_id.in_(events)).order_by(FieldFlag.code)):
            zh, en = FLAG_WORDS.get(flag.code, (flag.code, flag.code))
            self.flags[flag.event_id].append(
                {"code": flag.code, "why_zh": zh, "why_en": en, "at": flag.at, "settled_at": flag.settled_at}
            )
        self.rulings: dict[UUID, list[FieldRuling]] = defaultdict(list)
        for ruling in session.scalars(
            select(FieldRuling).where(FieldRuling.event_id.in_(events)).order_by(FieldRuling.number)
        ):
            self.rulings[ruling.event_id].append(ruling)
        self.clashes: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        for clash in session.scalars(
            select(FieldEventClash)
            .where(FieldEventClash.event_id.in_(events))
            .order_by(FieldEventClash.received_at, FieldEventClash.fingerprint)
        ):
            self.clashes[clash.event_id].append({"received_at": clash.received_at, "content": clash.content})
        known = [booking_id for booking_id in bookings if booking_id is not None]
        self.states = {
            row.id: row.state for row in session.execute(select(Booking.id, Booking.state).where(Booking.id.in_(known)))
        }

    def event(self, event: FieldEvent) -> dict[str, Any]:
        """A record as it is shown."""
        names = (
            "event_id", "day", "vehicle_key", "plan_version", "booking_id", "collector_id", "device_id", "device_seq",
            "kind", "reason", "items", "device_time", "made_at", "skew_s", "quarantined", "counts_on", "received_at",
        )  # fmt: skip
        return {name: getattr(event, name) for name in names} | {
            "note": (event.words or {}).get("note"),
            "proof": (event.payload or {}).get("proof"),
            "booking_state": None if event.booking_id is None else self.states.get(event.booking_id),
            "flags": self.flags[event.event_id],
            "rulings": self.rulings[event.event_id],
            "clashes": self.clashes[event.event_id],
        }
