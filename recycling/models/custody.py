"""Custody tags and seals: which labelled unit left which door, and the labels that were met twice."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, key_column, one_of
from recycling.models.written_once import written_once
from recycling.policy.custody_tags import LONGEST_AS_READ, TAG_CHARS

Label = Literal["tag", "seal"]
LABELS: tuple[Label, ...] = get_args(Label)

# Why a label was not taken as what it was read for: it stands at another door, on another item, or is no label at all;
# or it is a seal on a unit whose own label was not taken.
ClashReason = Literal["elsewhere", "other_item", "unreadable", "untagged"]
CLASH_REASONS: tuple[ClashReason, ...] = get_args(ClashReason)


@written_once
class CustodyTag(Base):
    """One unit of an item type under the label it was given at the door. The first who reads a label has it."""

    __tablename__ = "custody_tag"

    tag: Mapped[str] = mapped_column(String(TAG_CHARS), primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), index=True)
    item_type: Mapped[str] = key_column()
    collector_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    # Of the collector's record; no foreign key, since labels are attached before it is known whether all of it holds.
    event_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


@written_once
class CustodySeal(Base):
    """A numbered seal on a tagged unit that holds somebody's data."""

    __tablename__ = "custody_seal"

    seal: Mapped[str] = mapped_column(String(24), primary_key=True)
    tag: Mapped[str] = mapped_column(ForeignKey("custody_tag.tag"), index=True)
    event_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


@written_once
class CustodyClash(WithId, Base):
    """A label as a record names it although it cannot be: both sides are kept, for a person to look at."""

    __tablename__ = "custody_clash"
    __table_args__ = (
        one_of("label", LABELS),
        one_of("reason", CLASH_REASONS),
        Index(None, "label", "text"),
        # The same record once more says nothing new.
        Index("uq_custody_clash_said_once", "event_id", "label", "text", "reason", unique=True),
    )

    label: Mapped[Label] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(String(LONGEST_AS_READ))
    reason: Mapped[ClashReason] = mapped_column(String(16))
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), index=True)
    item_type: Mapped[str] = key_column()
    collector_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    event_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
