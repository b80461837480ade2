"""Free the places of holds that were not confirmed in time (释放过期占位)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.booking import Booking
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.bookings.tentative import changing


def free_lapsed(*, district: District, session: Session, now: datetime) -> int:
    """Delete every hold whose time is over, however long ago, day by day; returns of how many days."""
    session.rollback()
    lapsed = select(Booking.day).where(Booking.state == "held", Booking.held_until <= now).distinct()
    days = sorted(session.scalars(lapsed))
    session.rollback()
    for day in days:
        # Locking a day drops what has lapsed in it.
        with atomic(session), changing(session, [day], district=district, now=now, even_closed=True):
            pass
    return len(days)
