"""Pictures of what stood on the scale, kept with the ticket."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId
from recycling.models.encrypted import EncryptedBytes
from recycling.models.written_once import written_once
from recycling.policy.photos import MOST_PHOTOS


@written_once
class TicketPhoto(WithId, Base):
    """One picture as it is kept: a plain JPEG, encrypted. Evidence of a weighing, so that nobody deletes it.

    ``sha256`` names that JPEG, ``sent_sha256`` the file it was made of. ``position`` bounds how many there are.
    """

    __tablename__ = "ticket_photo"
    __table_args__ = (
        UniqueConstraint("ticket_id", "sent_sha256"),
        UniqueConstraint("ticket_id", "position"),
        CheckConstraint(f"position BETWEEN 1 AND {MOST_PHOTOS}", name="position"),
        CheckConstraint("width >= 1 AND height >= 1 AND size_bytes >= 1", name="amounts"),
    )

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("intake_ticket.id"))
    position: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    sent_sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    by_id: Mapped[UUID] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    content: Mapped[bytes] = mapped_column(EncryptedBytes("ticket_photo.content"), deferred=True)
