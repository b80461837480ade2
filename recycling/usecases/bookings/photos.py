"""Add photos of a booking's items, and delete them (预约照片)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, NotFound, WindowClosed
from recycling.logs import logger
from recycling.models.booking import Booking
from recycling.models.counters import spend_attempt
from recycling.models.photo import Photo, add_photo_row, delete_photo_row
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.change_pickup import DESK
from recycling.usecases.bookings.sight import visible_to

log = logger(__name__)

# Decoding costs a second of a core: enough for a household's whole clearance in an hour, too little to keep us busy.
UPLOADS = ((60, 3600),)


class Decoded(Protocol):
    """A photo as it is kept."""

    @property
    def content(self) -> bytes: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102


def add_photo(
    booking_id: UUID,
    content: bytes,
    *,
    decode: Callable[[bytes], Decoded],
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> tuple[Photo, bool]:
    """Keep a photo of a booking's items; the flag says whether it is new, for the same file is kept once.

    Raises
    ------
    NotFound
        When the caller has no booking of that id.
    WindowClosed
        When the crew has its list already.
    Conflict
        When the booking is over, or has as many photos as it may have.
    TooManyRequests
        When the caller has sent very many within the hour.
    UnsupportedMedia, InvalidInput
        As ``decode`` judges.
    """
    sent_sha256 = hashlib.sha256(content).hexdigest()
    with atomic(session):
        _open_booking(booking_id, by=by, district=district, session=session, now=now)
        standing = _same_file(booking_id, sent_sha256, session)
        if standing is not None:
            return standing, False
        spend_attempt(session, kind="photo", subject=str(by.id), limits=UPLOADS, now=now)
    # Between two transactions: it takes a second, and nobody shall wait for a lock that long.
    plain = decode(content)
    with atomic(session):
        _open_booking(booking_id, by=by, district=district, session=session, now=now)
        standing = _same_file(booking_id, sent_sha256, session)
        if standing is not None:
            return standing, False
        photo = Photo(
            id=uuid4(), booking_id=booking_id, sha256=plain.sha256, sent_sha256=sent_sha256, width=plain.width,
            height=plain.height, size_bytes=len(plain.content), by_id=by.id, created_at=now, content=plain.content,
        )  # fmt: skip
        add_photo_row(session, photo)
    log.info("photo.added", booking_id=str(booking_id), photo_id=str(photo.id), bytes=photo.size_bytes)
    return photo, True


def delete_photo(photo_id: UUID, *, by: Principal, district: District, session: Session, now: datetime) -> None:
    """Delete a photo for good: until the cut-off, and again when the visit is over.

    Raises
    ------
    NotFound
        When the caller has no photo of that id.
    WindowClosed
        When the crew is on its way by what the photos show.
    """
    with atomic(session):
        wanted = select(Photo, Booking).join(Booking, Booking.id == Photo.booking_id)
        found = session.execute(wanted.where(Photo.id == photo_id, visible_to(by))).one_or_none()
        if found is None:
            raise NotFound(f"no photo {photo_id} of yours / 未找到该照片")
        photo, booking = found
        if booking.state == "booked" and booking.day >= service_day(now):
            _refuse_late(booking, by=by, district=district, now=now)
        delete_photo_row(session, photo)
    log.info("photo.deleted", photo_id=str(photo_id))


def _open_booking(booking_id: UUID, *, by: Principal, district: District, session: Session, now: datetime) -> Booking:
    """The booking, locked, when it still takes photos from the caller."""
    # The lock makes two uploads of one booking queue, so that the second sees the first's file.
    booking = session.scalar(select(Booking).where(Booking.id == booking_id, visible_to(by)).with_for_update())
    if booking is None:
        raise NotFound(f"no booking {booking_id} of yours / 未找到该预约")
    if booking.state != "booked":
        raise Conflict(
            f"the booking is {booking.state} and takes no photos any more; make a new booking for other items"
            " / 当前状态不可再添加照片，如有其他物品请重新预约"
        )
    _refuse_late(booking, by=by, district=district, now=now)
    return booking


def _refuse_late(booking: Booking, *, by: Principal, district: District, now: datetime) -> None:
    if by.role not in DESK and now >= district.booking_rules.cancel_closes_at(booking.day):
        raise WindowClosed(
            f"photos for {booking.day} could be changed until the evening before; call the dispatcher, or delete them"
            f" after the visit / {booking.day} 的照片已截止更改，请联系调度，或在上门后删除"
        )


def _same_file(booking_id: UUID, sent_sha256: str, session: Session) -> Photo | None:
    return session.scalar(select(Photo).where(Photo.booking_id == booking_id, Photo.sent_sha256 == sent_sha256))
