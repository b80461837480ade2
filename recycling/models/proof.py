"""Photos taken at the door, the parts they arrive in, the counter that bounds both, and the resident's code."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, delete, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.errors import Conflict
from recycling.models.base import Base, UtcDateTime, WithId, insert_into
from recycling.models.encrypted import EncryptedBytes, EncryptedText
from recycling.policy.door_code import MOST_WRONG
from recycling.policy.proof_photos import LARGEST_PROOF, MOST_PROOFS


class ProofPhoto(WithId, Base):
    """One photo of a visit as it is kept: a plain JPEG, encrypted, named by the file it was made of.

    ``sent_sha256`` is what events name; ``sha256``, of the JPEG, is the same for a file of which only what a camera
    writes beside the picture was changed. By it one photo of two bookings is found.
    """

    __tablename__ = "proof_photo"
    __table_args__ = (
        UniqueConstraint("booking_id", "sent_sha256"),
        CheckConstraint("width >= 1 AND height >= 1 AND size_bytes >= 1 AND sent_bytes >= 1", name="amounts"),
        Index(None, "sha256"),
    )

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    collector_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    sent_sha256: Mapped[str] = mapped_column(String(64))
    sent_bytes: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Lists name photos; only the one that is fetched is read and decrypted.
    content: Mapped[bytes] = mapped_column(EncryptedBytes("proof_photo.content"), deferred=True)


class ProofUpload(WithId, Base):
    """A photo of a visit of which ``stored_bytes`` have arrived, from the first one on and without a gap."""

    __tablename__ = "proof_upload"
    __table_args__ = (
        UniqueConstraint("booking_id", "sent_sha256"),
        CheckConstraint(f"total_bytes BETWEEN 1 AND {LARGEST_PROOF}", name="total"),
        CheckConstraint("stored_bytes BETWEEN 0 AND total_bytes", name="stored"),
    )

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    collector_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    sent_sha256: Mapped[str] = mapped_column(String(64))
    total_bytes: Mapped[int]
    stored_bytes: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ProofPart(Base):
    """Bytes of an upload from ``first_byte`` on, encrypted like the photo that comes of them."""

    __tablename__ = "proof_part"
    __table_args__ = (CheckConstraint("first_byte >= 0 AND size_bytes >= 1", name="span"),)

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("proof_upload.id"), primary_key=True)
    first_byte: Mapped[int] = mapped_column(primary_key=True)
    size_bytes: Mapped[int]
    content: Mapped[bytes] = mapped_column(EncryptedBytes("proof_part.content"))


class ProofCount(Base):
    """How many photos of its visit a booking has, those under way included: the database says when it is enough."""

    __tablename__ = "proof_count"
    __table_args__ = (CheckConstraint(f"used BETWEEN 0 AND {MOST_PROOFS}", name="used"),)

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    used: Mapped[int]


class DoorCode(Base):
    """The code that a booking's resident shows at the door, and how often a wrong one was typed in."""

    __tablename__ = "door_code"
    __table_args__ = (CheckConstraint(f"wrong_tries BETWEEN 0 AND {MOST_WRONG}", name="wrong_tries"),)

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    # Encrypted and no digest, since its resident must be able to read it; of six digits a digest would hide nothing.
    code: Mapped[str] = mapped_column(EncryptedText("door_code.code"))
    wrong_tries: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


def count_proof(session: Session, booking_id: UUID) -> None:
    """Take a photo's place in its booking, before its first byte is stored.

    Raises
    ------
    Conflict
        When the booking has as many as it may have.
    """
    row = insert_into(session, ProofCount).values(booking_id=booking_id, used=1)
    # RETURNING, since drivers do not agree on the row count of an INSERT that found its row there already.
    counted = session.scalar(
        row.on_conflict_do_update(
            index_elements=["booking_id"], set_={"used": ProofCount.used + 1}, where=ProofCount.used < MOST_PROOFS
        ).returning(ProofCount.used)
    )
    if counted is None:
        raise Conflict(
            f"this visit has {MOST_PROOFS} photos already, those under way included; no more are needed"
            f" / 本次上门最多 {MOST_PROOFS} 张照片（含上传中），无需再传"
        )


def store_part(session: Session, upload: ProofUpload, content: bytes, *, now: datetime) -> None:
    """Store the next bytes of an upload whose row is locked."""
    session.add(
        ProofPart(upload_id=upload.id, first_byte=upload.stored_bytes, size_bytes=len(content), content=content)
    )
    upload.stored_bytes += len(content)
    upload.changed_at = now
    session.flush()


def discard_upload(session: Session, upload_id: UUID) -> None:
    """Drop an upload with its parts and give its place back; nothing happens when somebody else has just done so."""
    session.execute(delete(ProofPart).where(ProofPart.upload_id == upload_id))
    gone = delete(ProofUpload).where(ProofUpload.id == upload_id).returning(ProofUpload.booking_id)
    booking_id = session.scalar(gone)
    if booking_id is not None:
        session.execute(update(ProofCount).where(ProofCount.booking_id == booking_id).values(used=ProofCount.used - 1))


def keep_proof(session: Session, upload_id: UUID, photo: ProofPhoto) -> None:
    """Put the photo in its upload's place, which stays counted."""
    session.execute(delete(ProofPart).where(ProofPart.upload_id == upload_id))
    session.execute(delete(ProofUpload).where(ProofUpload.id == upload_id))
    session.add(photo)
    session.flush()


def count_wrong_try(session: Session, code: DoorCode) -> None:
    """Count a wrong code against a booking whose code's row is locked."""
    code.wrong_tries += 1
    session.flush()
