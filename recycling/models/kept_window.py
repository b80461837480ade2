"""The ledger of promised windows (时段履约): one row for each visit that a plan promised, kept or missed."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Uuid, false
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, key_column, one_of
from recycling.policy.kept_windows import MISS_CAUSES, MissCause


class KeptWindow(Base):
    """What became of one promised window, as the records of its day come to; rebuilt whenever the day is judged anew.

    Seconds are after midnight of ``day``. ``started_s`` and ``late_s`` are empty when service never started; ``late_s``
    is negative before the window. ``cause`` is empty when the window was kept. ``made_up`` is its booking's. Holds no
    personal data.
    """

    __tablename__ = "kept_window"
    __table_args__ = (
        one_of("cause", MISS_CAUSES),
        CheckConstraint("opens_s <= closes_s", name="window"),
        CheckConstraint("(started_s IS NULL) = (late_s IS NULL)", name="started"),
        CheckConstraint("cause IS NOT NULL OR (late_s IS NOT NULL AND late_s = 0)", name="kept"),
    )

    booking_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("booking.id"), primary_key=True)
    day: Mapped[date] = mapped_column(index=True)
    vehicle_key: Mapped[str] = key_column()
    village_code: Mapped[str] = mapped_column(String(12))
    pickup_window: Mapped[str] = key_column()
    opens_s: Mapped[int]
    closes_s: Mapped[int]
    started_s: Mapped[int | None]
    late_s: Mapped[int | None]
    cause: Mapped[MissCause | None] = mapped_column(String(16))
    made_up: Mapped[bool] = mapped_column(server_default=false())
    judged_at: Mapped[datetime] = mapped_column(UtcDateTime)
