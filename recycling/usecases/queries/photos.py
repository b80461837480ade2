"""Reading the photos of bookings."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from recycling.errors import NotFound
from recycling.models.booking import Booking
from recycling.models.photo import Photo
from recycling.policy.access import Principal
from recycling.usecases.bookings.sight import visible_to
from recycling.usecases.queries.bookings import find_booking


def list_photos(booking_id: UUID, *, by: Principal, session: Session) -> list[Photo]:
    """The photos of a booking that the caller may see, oldest first; at most as many as one booking takes.

    Raises
    ------
    NotFound
        When the caller has no booking of that id.
    """
    find_booking(booking_id, by=by, session=session)
    wanted = select(Photo).where(Photo.booking_id == booking_id).order_by(Photo.created_at, Photo.id)
    return list(session.scalars(wanted))


def find_photo(photo_id: UUID, *, by: Principal, session: Session) -> Photo:
    """One photo of a booking that the caller may see, with its content.

    Raises
    ------
    NotFound
        When there is none; a foreign one answers the same.
    """
    wanted = select(Photo).join(Booking, Booking.id == Photo.booking_id).where(Photo.id == photo_id, visible_to(by))
    photo = session.scalar(wanted.options(undefer(Photo.content)))
    if photo is None:
        raise NotFound(f"no photo {photo_id} of yours / 未找到该照片")
    return photo
