"""Dated changes of fleet, crews, station hours and service days (日期变更): recorded, perhaps ended, never deleted."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, String, Uuid, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, key_column, one_of
from recycling.models.transaction import queue_for
from recycling.policy.day_changes import CHANGE_KINDS, ChangeKind

# What those who record changes queue for, so that each sees what the one before has left.
DOOR = UUID("6e1d1f0e-5a55-4c07-9a2e-3b8f0f6f2d11")


class DayChangeRow(WithId, Base):
    """One change as `policy.day_changes.DayChange` has it, with who recorded and who ended it.

    ``number`` counts the edits of all changes and ``mark`` is new with each: whoever knows the newest of both knows the
    whole table. ``version`` counts the edits of this row.
    """

    __tablename__ = "day_change"
    __table_args__ = (
        one_of("kind", CHANGE_KINDS),
        CheckConstraint("first_day <= last_day", name="span"),
        CheckConstraint("number >= 1 AND version >= 1", name="numbers"),
        CheckConstraint("(from_s IS NULL) = (to_s IS NULL) AND from_s < to_s", name="hours"),
        CheckConstraint("(ends_on IS NULL) = (ended_at IS NULL)", name="ended_at"),
        CheckConstraint("(ends_on IS NULL) = (ended_by_id IS NULL)", name="ended_by"),
        CheckConstraint("ends_on BETWEEN first_day AND last_day", name="ends_on"),
    )

    kind: Mapped[ChangeKind] = mapped_column(String(16))
    first_day: Mapped[date]
    last_day: Mapped[date] = mapped_column(index=True)
    vehicle_key: Mapped[str | None] = key_column()
    collector_key: Mapped[str | None] = key_column()
    station_key: Mapped[str | None] = key_column()
    from_s: Mapped[int | None]
    to_s: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(200))
    number: Mapped[int] = mapped_column(unique=True)
    mark: Mapped[UUID] = mapped_column(Uuid)
    version: Mapped[int] = mapped_column(default=1)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_id: Mapped[UUID] = mapped_column(Uuid)
    ends_on: Mapped[date | None]
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[UUID | None] = mapped_column(Uuid)


def next_number(session: Session) -> int:
    """The number of the next edit. Until the transaction ends nobody else gets one."""
    queue_for(session, [DOOR])
    return 1 + (session.scalar(select(func.max(DayChangeRow.number))) or 0)
