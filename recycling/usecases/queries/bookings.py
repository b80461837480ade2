"""Reading bookings and the places left in a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.models.booking import Booking
from recycling.models.ledger import closed_days
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.sight import visible_to
from recycling.usecases.queries.cursors import instant, read_cursor, write_cursor

SHOWN_OF_ADDRESS = 4  # characters of a masked address at the most; the village stands beside it in clear


def find_booking(booking_id: UUID, *, by: Principal, session: Session) -> Booking:
    """One booking, or hold, that the caller may see.

    Raises
    ------
    NotFound
        When there is none; a foreign one answers the same.
    """
    booking = session.scalar(select(Booking).where(Booking.id == booking_id, visible_to(by)))
    if booking is None:
        raise NotFound(f"no booking {booking_id} of yours / 未找到该预约")
    return booking


def list_bookings(
    *,
    by: Principal,
    session: Session,
    limit: int,
    day: date | None = None,
    state: str | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of bookings, newest first; ``next_cursor`` leads to the next, ``None`` at the end."""
    wanted = (
        select(Booking)
        .where(visible_to(by), Booking.state != "held")
        .order_by(Booking.created_at.desc(), Booking.id.desc())
    )
    if day is not None:
        wanted = wanted.where(Booking.day == day)
    if state is not None:
        wanted = wanted.where(Booking.state == state)
    if cursor is not None:
        wanted = wanted.where(tuple_(Booking.created_at, Booking.id) < read_cursor(cursor, instant, UUID))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    more = len(rows) > limit
    shown = rows[:limit]
    parts: dict[UUID | None, list[UUID]] = {}
    further = select(Booking.part_of, Booking.id).where(Booking.part_of.in_([row.id for row in shown]))
    for main, part in session.execute(further.order_by(Booking.id)) if shown else ():
        parts.setdefault(main, []).append(part)
    return {
        "bookings": [_row(booking) | {"parts": parts.get(booking.id, [])} for booking in shown],
        "next_cursor": write_cursor(shown[-1].created_at, shown[-1].id) if more else None,
    }


def own_holds(*, by: Principal, session: Session, now: datetime) -> Sequence[Booking]:
    """The places kept for a resident that are neither booked nor lapsed, the one that lapses first before the others.

    Of a booking of several visits the first stands for all. What the waiting list keeps for them is among these.
    """
    mine = (Booking.resident_id == by.id, Booking.state == "held", Booking.held_until > now, Booking.part_of.is_(None))
    return session.scalars(select(Booking).where(*mine).order_by(Booking.held_until)).all()


def visits_of(booking: Booking) -> list[Booking]:
    """The visits of a booking, itself first; those that an amendment has left without items are none any more."""
    return [booking, *(row for row in booking.parts if row.items)]


def own_addresses(booking_ids: Iterable[UUID], *, by: Principal, session: Session) -> dict[UUID, str]:
    """The whole addresses of those bookings that are the caller's own: they know where they live, lists mask it."""
    own = select(Booking).where(Booking.id.in_(booking_ids), Booking.resident_id == by.id)
    return {booking.id: booking.place["address"] for booking in session.scalars(own)}


def open_days(*, district: District, session: Session, now: datetime) -> list[date]:
    """The service days that can be booked now, without those whose routes are planned already."""
    days = district.booking_rules.bookable_days(now=now, calendar=district.calendar)
    closed = closed_days(session, days)
    return [day for day in days if day not in closed]


def booking_in_full(booking: Booking) -> dict[str, Any]:
    """A booking with its address, for somebody who may read it."""
    fields = (
        "id", "part_of", "resident_id", "state", "held_until", "consent", "day", "pickup_window", "area",
        "village_code", "floor", "has_lift", "items", "declared_g", "declared_l", "service_s", "made_up", "version",
        "created_at", "changed_at",
    )  # fmt: skip
    return {name: getattr(booking, name) for name in fields} | booking.place


def masked_address(address: str) -> str:
    """The beginning of an address, a third of it at the most: of a short one the rest is house and door."""
    return address[: min(SHOWN_OF_ADDRESS, len(address) // 3)] + "…"


def _row(booking: Booking) -> dict[str, Any]:
    fields = (
        "id", "part_of", "state", "day", "pickup_window", "area", "village_code", "items", "version", "created_at",
    )  # fmt: skip
    return {name: getattr(booking, name) for name in fields} | {
        "address_masked": masked_address(booking.place["address"])
    }
