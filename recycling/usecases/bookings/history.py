"""A booking's changes: written down and told, by every use case that changes one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.orm import Session

from recycling.errors import Conflict
from recycling.models.base import table_of
from recycling.models.booking import NEXT_STATES, Booking, BookingChange, BookingState
from recycling.models.outbox import post
from recycling.models.transaction import run
from recycling.policy.access import Principal

_NOTE = insert(table_of(BookingChange))


def note_change(session: Session, booking: Booking, *, kind: str, by: Principal, now: datetime) -> None:
    """Write one line of history: what happened to the booking, by whom, and what it asks for since."""
    wish = {
        "area": booking.area, "pickup_window": booking.pickup_window, "declared_g": booking.declared_g,
        "items": {item.item_type: item.declared_units for item in booking.items},
    }  # fmt: skip
    line = {
        "id": uuid4(), "booking_id": booking.id, "at": now, "by_id": by.id, "by_role": by.role, "kind": kind,
        "state": booking.state, "version": booking.version, "day": booking.day, "wish": wish,
    }  # fmt: skip
    run(session, _NOTE, line)


def tell_resident(session: Session, booking: Booking, *, kind: str, now: datetime, **facts: str | int | None) -> None:
    """Post a message about the booking as it is now, one of a kind for each version; ``facts`` beside id and day."""
    if booking.made_up:
        return  # nobody is there
    post(
        session,
        dedupe_key=f"{kind}:{booking.id}:{booking.version}",
        kind=kind,
        to=("resident", booking.resident_id),
        facts={"booking_id": str(booking.id), "day": str(booking.day), **facts},
        now=now,
    )


def tell_booked(
    session: Session, booking: Booking, *, by: Principal, now: datetime, parts: Sequence[Booking] = ()
) -> None:
    """Write down that places are promised, and tell whom they are for: of one booking, however many visits it has."""
    for visit in (booking, *parts):
        note_change(session, visit, kind="booked", by=by, now=now)
    tell_resident(
        session, booking, kind="booking.confirmed", now=now, pickup_window=booking.pickup_window,
        **visits_fact(1 + len(parts)),
    )  # fmt: skip


def visits_fact(visits: int) -> dict[str, int]:
    """What a message says of a booking's visits: nothing where there is one."""
    return {"visits": visits} if visits > 1 else {}


def one_of_fact(visits: int) -> dict[str, int]:
    """What a message about one visit says of the others of its booking: nothing where there are none."""
    return {"one_of": visits} if visits > 1 else {}


def enter(booking: Booking, state: BookingState, *, now: datetime) -> None:
    """Move a booking along the allowed graph and count its version up.

    Raises
    ------
    Conflict
        When no arrow leads from its state to ``state``.
    """
    if state != booking.state and state not in NEXT_STATES[booking.state]:
        raise Conflict(
            f"the booking is {booking.state} and cannot become {state}; call the dispatcher if you were at the door"
            f" / 预约当前状态为 {booking.state}，不可改为 {state}，如已上门请联系调度"
        )
    booking.state = state
    booking.version += 1
    # A clock that was set back an hour must not make the change older than what it changes.
    booking.changed_at = max(now, booking.changed_at)
