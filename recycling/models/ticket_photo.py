"""Pictures of what stood on the scale, kept with the ticket."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base
from recycling.models.encrypted import EncryptedBytes
from recycling.models.photo import KeptPicture
from recycling.models.written_once import written_once
from recycling.policy.photos import MOST_PHOTOS


@written_once
class TicketPhoto(KeptPicture, Base):
    """One picture as it is kept: a plain JPEG, encrypted. Evidence of a weighing: only housekeeping deletes it, by age.

    ``position`` bounds how many there are.
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
    content: Mapped[bytes] = mapped_column(EncryptedBytes("ticket_photo.content"), deferred=True)
