"""What shows that personal data is dealt with as promised: consents, look-ups by staff, erasures."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, one_of
from recycling.policy.access import ROLES, Role

ConsentWay = Literal["phone", "shop"]
CONSENT_WAYS: tuple[ConsentWay, ...] = get_args(ConsentWay)


class Consent(WithId, Base):
    """A resident's word that staff may keep an account for them: when, how, to whom, after which notice."""

    __tablename__ = "consent"
    __table_args__ = (one_of("how", CONSENT_WAYS),)

    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    how: Mapped[ConsentWay] = mapped_column(String(16))
    by_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    notice_version: Mapped[int]


class ResidentLookup(WithId, Base):
    """Somebody of the staff asked for a resident by phone. The number itself is not kept."""

    __tablename__ = "resident_lookup"

    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    by_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    resident_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    created: Mapped[bool]


class Erasure(WithId, Base):
    """A person was erased. Names whoever of the staff did it, never the person; ``by_id`` is empty when they did."""

    __tablename__ = "erasure"
    __table_args__ = (
        one_of("by_role", ROLES),
        CheckConstraint("(by_role = 'resident') = (by_id IS NULL)", name="by_whom"),
        CheckConstraint("bookings_kept >= 0 AND addresses_removed >= 0", name="counts"),
    )

    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    by_id: Mapped[UUID | None] = mapped_column(Uuid)
    by_role: Mapped[Role] = mapped_column(String(16))
    bookings_kept: Mapped[int]
    addresses_removed: Mapped[int]
