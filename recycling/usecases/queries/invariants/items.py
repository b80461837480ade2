"""Invariants of what is kept beside booked items."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.models.photo import Photo, PhotoCount
from recycling.usecases.queries.invariants.rule import Breaches, differences, invariant


@invariant("I-31", "照片计数 = 照片张数 / a booking's counter of photos is the number of its photos")
def photos_are_counted(session: Session, _now: datetime) -> Breaches:
    """Bookings whose counter says another number than there are photos."""
    counted = select(PhotoCount.booking_id, PhotoCount.used)
    return differences(session, 1, counted, select(Photo.booking_id, func.count()).group_by(Photo.booking_id))
