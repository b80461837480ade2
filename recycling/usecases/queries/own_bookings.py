"""What of bookings only the resident who made them is shown."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.booking import Booking
from recycling.policy.access import Principal


def own_addresses(booking_ids: Iterable[UUID], *, by: Principal, session: Session) -> dict[UUID, str]:
    """The whole addresses of those bookings that are the caller's own: they know where they live, lists mask it."""
    own = select(Booking).where(Booking.id.in_(booking_ids), Booking.resident_id == by.id)
    return {booking.id: booking.place["address"] for booking in session.scalars(own)}
