"""Everything that is held of a resident, for them to take away (个人信息副本, PIPL art. 45)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.booking import Booking, BookingChange
from recycling.models.field import FieldEvent
from recycling.models.outbox import OutboxMessage
from recycling.models.people import Resident, SignIn
from recycling.models.privacy import Consent, ResidentLookup
from recycling.models.rating import Rating
from recycling.models.transaction import see_one_state
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.people.addresses import address_in_full, list_addresses
from recycling.usecases.queries.bookings import booking_in_full


def my_data(*, by: Principal, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """The caller's account, bookings with what happened to them, addresses, messages, sign-ins, consents, look-ups."""
    see_one_state(session)
    resident = session.get_one(Resident, by.id)
    mine = select(Booking.id).where(Booking.resident_id == by.id)
    history = _by_booking(
        session.scalars(
            select(BookingChange).where(BookingChange.booking_id.in_(mine)).order_by(BookingChange.at, BookingChange.id)
        ),
        ("at", "kind", "by_role", "state", "version"),
    )
    doorstep = _by_booking(
        session.scalars(select(FieldEvent).where(FieldEvent.booking_id.in_(mine)).order_by(FieldEvent.received_at)),
        ("device_time", "received_at", "kind", "reason", "items"),
    )
    bookings = session.scalars(
        select(Booking).where(Booking.resident_id == by.id).order_by(Booking.created_at, Booking.id)
    )
    messages = session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.recipient_kind == "resident", OutboxMessage.recipient_id == by.id)
        .order_by(OutboxMessage.created_at, OutboxMessage.id)
    )
    sign_ins = session.scalars(select(SignIn).where(SignIn.resident_id == by.id).order_by(SignIn.created_at))
    consents = session.scalars(select(Consent).where(Consent.resident_id == by.id).order_by(Consent.at))
    lookups = session.scalars(
        select(ResidentLookup).where(ResidentLookup.resident_id == by.id).order_by(ResidentLookup.at)
    )
    ratings = session.scalars(select(Rating).where(Rating.booking_id.in_(mine)).order_by(Rating.rated_at))
    return {
        "exported_at": now,
        "notice_version": district.privacy.head.version,
        "resident": _fields(resident, ("id", "phone", "created_at")),
        "bookings": [
            booking_in_full(booking)
            | {"history": history.get(booking.id, []), "field_events": doorstep.get(booking.id, [])}
            for booking in bookings
        ],
        "addresses": [address_in_full(row) for row in list_addresses(None, by=by, session=session)],
        "messages": [_fields(row, ("kind", "facts", "created_at", "sent_at")) for row in messages],
        "sign_ins": [_fields(row, ("created_at", "expires_at", "ended_at")) for row in sign_ins],
        "consents": [_fields(row, ("at", "how", "notice_version")) for row in consents],
        "lookups": [_fields(row, ("at", "created")) for row in lookups],
        "ratings": [
            _fields(row, ("booking_id", "stars", "reasons", "words", "rated_at", "changed_at")) for row in ratings
        ],
    }


def _by_booking(rows: Iterable[Any], names: tuple[str, ...]) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.booking_id, []).append(_fields(row, names))
    return found


def _fields(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
