"""Reading the photos of bookings."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session, undefer

from recycling.clock import service_day
from recycling.errors import NotFound
from recycling.models.booking import Booking
from recycling.models.photo import Photo
from recycling.policy.access import Principal
from recycling.usecases.bookings.sight import visible_to


def list_photos(booking_id: UUID, *, by: Principal, session: Session, now: datetime) -> list[Photo]:
    """The photos of a booking that the caller may see, oldest first; at most as many as one booking takes.

    Raises
    ------
    NotFound
        When the caller has no booking of that id.
    """
    shown = select(Booking.id).where(Booking.id == booking_id, _shown_to(by, now))
    if session.scalar(shown) is None:
        raise NotFound(f"no booking {booking_id} of yours / 未找到该预约")
    wanted = select(Photo).where(Photo.booking_id == booking_id).order_by(Photo.created_at, Photo.id)
    return list(session.scalars(wanted))


def find_photo(photo_id: UUID, *, by: Principal, session: Session, now: datetime) -> Photo:
    """One photo of a booking that the caller may see, with its content.

    Raises
    ------
    NotFound
        When there is none; a foreign one answers the same.
    """
    wanted = select(Photo).join(Booking, Booking.id == Photo.booking_id).where(Photo.id == photo_id, _shown_to(by, now))
    photo = session.scalar(wanted.options(undefer(Photo.content)))
    if photo is None:
        raise NotFound(f"no photo {photo_id} of yours / 未找到该照片")
    return photo


def _shown_to(by: Principal, now: datetime) -> ColumnElement[bool]:
    """Whose photos a caller sees. A picture of somebody's home is for the crew on the day itself, as its address is."""
    if by.role == "collector":
        return and_(visible_to(by), Booking.day == service_day(now))
    return visible_to(by)
