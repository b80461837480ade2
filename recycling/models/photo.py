"""Photos of a booking's items, and the counter that bounds them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, Uuid, delete, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.errors import Conflict
from recycling.models.base import Base, UtcDateTime, WithId, insert_into
from recycling.models.encrypted import EncryptedBytes
from recycling.policy.photos import MOST_PHOTOS


class KeptPicture(WithId):
    """What every kept picture says of itself; its content is a column of each table, encrypted under its own name.

    ``sha256`` names the plain JPEG, ``sent_sha256`` the file it was made of, so that a repeated upload is recognised.
    """

    sha256: Mapped[str] = mapped_column(String(64))
    sent_sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    by_id: Mapped[UUID] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Photo(KeptPicture, Base):
    """One photo as it is kept: a plain JPEG, encrypted."""

    __tablename__ = "photo"
    __table_args__ = (
        UniqueConstraint("booking_id", "sent_sha256"),
        CheckConstraint("width >= 1 AND height >= 1 AND size_bytes >= 1", name="amounts"),
    )

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    # Lists name photos; only the one that is fetched is read and decrypted.
    content: Mapped[bytes] = mapped_column(EncryptedBytes("photo.content"), deferred=True)


class PhotoCount(Base):
    """How many photos a booking has: the database, not a count of rows, says when it has enough."""

    __tablename__ = "photo_count"
    __table_args__ = (CheckConstraint(f"used BETWEEN 0 AND {MOST_PHOTOS}", name="used"),)

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    used: Mapped[int]


def add_photo_row(session: Session, photo: Photo) -> None:
    """Store a photo and count it.

    Raises
    ------
    Conflict
        When the booking has as many as it may have.
    """
    row = insert_into(session, PhotoCount).values(booking_id=photo.booking_id, used=1)
    # RETURNING, since drivers do not agree on the row count of an INSERT that found its row there already.
    counted = session.scalar(
        row.on_conflict_do_update(
            index_elements=["booking_id"], set_={"used": PhotoCount.used + 1}, where=PhotoCount.used < MOST_PHOTOS
        ).returning(PhotoCount.used)
    )
    if counted is None:
        raise Conflict(
            f"the booking has {MOST_PHOTOS} photos already; delete one to make room for this one"
            f" / 每个预约最多 {MOST_PHOTOS} 张照片，请先删除一张"
        )
    session.add(photo)
    session.flush()


def delete_photo_row(session: Session, photo: Photo) -> None:
    """Delete a photo for good and give its place back; nothing happens when somebody else has just deleted it."""
    gone = session.execute(delete(Photo).where(Photo.id == photo.id).returning(Photo.id)).first()
    if gone is not None:
        counter = update(PhotoCount).where(PhotoCount.booking_id == photo.booking_id)
        session.execute(counter.values(used=PhotoCount.used - 1))
