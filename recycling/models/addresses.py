"""A resident's saved addresses, and the counter that bounds them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint, Uuid, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, insert_into
from recycling.models.encrypted import EncryptedJson, EncryptedText, keyring
from recycling.models.transaction import rows_met

MOST_ADDRESSES = 20  # of one resident: a family with its shops has fewer, more is somebody else's list


class AddressBook(Base):
    """How many addresses a resident has saved. Counted up and down with the rows; the check is the limit."""

    __tablename__ = "address_book"
    __table_args__ = (CheckConstraint(f"used BETWEEN 0 AND {MOST_ADDRESSES}", name="used"),)

    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), primary_key=True)
    used: Mapped[int]


class SavedAddress(WithId, Base):
    """An address to book again. ``place`` is as in `Booking`, encrypted; ``place_index`` finds the same one again."""

    __tablename__ = "saved_address"
    __table_args__ = (
        UniqueConstraint("resident_id", "place_index"),
        CheckConstraint("version >= 1", name="version"),
    )

    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    label: Mapped[str] = mapped_column(EncryptedText("saved_address.label"))
    village_code: Mapped[str] = mapped_column(String(12))
    place: Mapped[dict[str, Any]] = mapped_column(EncryptedJson("saved_address.place"))
    place_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    floor: Mapped[int]
    has_lift: Mapped[bool]
    saved_by_id: Mapped[UUID] = mapped_column(Uuid)
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}  # noqa: RUF012  # SQLAlchemy's form


def place_index(resident_id: UUID, village_code: str, address: str) -> bytes:
    """The keyed digest of a door: the same for the same village and the same text, however it is spaced."""
    return keyring.digest(f"{resident_id} {village_code} {''.join(address.split()).lower()}", context="saved_address")


def take_address_place(session: Session, resident_id: UUID) -> bool:
    """Count one more address of a resident; false when the limit is reached. Locks the resident's book."""
    row = insert_into(session, AddressBook).values(resident_id=resident_id, used=1)
    taken = row.on_conflict_do_update(
        index_elements=["resident_id"],
        set_={"used": AddressBook.used + 1},
        where=AddressBook.used < MOST_ADDRESSES,
    )
    return session.scalar(taken.returning(AddressBook.used)) is not None


def lock_address_book(session: Session, resident_id: UUID) -> None:
    """Make two edits of one resident's addresses queue, so that both see what the other has written."""
    same = update(AddressBook).where(AddressBook.resident_id == resident_id).values(used=AddressBook.used)
    rows_met(session, same)


def give_address_place_back(session: Session, resident_id: UUID) -> None:
    """Count one address less."""
    less = update(AddressBook).where(AddressBook.resident_id == resident_id).values(used=AddressBook.used - 1)
    rows_met(session, less)
