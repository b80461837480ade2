"""Recurring pickups of enterprises (企业定期回收), and what came of each of their days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, key_column, one_of
from recycling.models.encrypted import EncryptedJson

RecurringState = Literal["active", "paused", "ended"]
RECURRING_STATES: tuple[RecurringState, ...] = get_args(RecurringState)
OccurrenceState = Literal["booked", "moved", "unplaced", "holiday"]
OCCURRENCE_STATES: tuple[OccurrenceState, ...] = get_args(OccurrenceState)


class RecurringPickup(WithId, Base):
    """A wish that is booked again and again: on weekdays of every n-th week, or on a day of the month.

    ``resident_id`` is the contact, who is told of every booking; ``name`` is the enterprise's. ``month_day`` past the
    end of a month means its last day. Paused or ended, no more days are booked, and the bookings made stay.
    """

    __tablename__ = "recurring_pickup"
    __table_args__ = (
        one_of("state", RECURRING_STATES),
        CheckConstraint("month_day IS NULL OR month_day BETWEEN 1 AND 31", name="month_day"),
        CheckConstraint("every_weeks BETWEEN 1 AND 52 AND version >= 1", name="counts"),
        CheckConstraint("until IS NULL OR until >= starts_on", name="span"),
        Index(None, "created_at", "id"),
    )

    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    wish: Mapped[dict[str, Any]] = mapped_column(EncryptedJson("recurring_pickup.wish"))
    weekdays: Mapped[list[int]] = mapped_column(JSON)
    every_weeks: Mapped[int] = mapped_column(default=1)
    month_day: Mapped[int | None]
    pickup_window: Mapped[str] = key_column()
    starts_on: Mapped[date]
    until: Mapped[date | None]
    state: Mapped[RecurringState] = mapped_column(String(16))
    made_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RecurringDay(Base):
    """One day of a recurring pickup: booked once, in its window or in another (``moved``), or why not."""

    __tablename__ = "recurring_day"
    __table_args__ = (
        one_of("state", OCCURRENCE_STATES),
        CheckConstraint("(state IN ('booked', 'moved')) = (booking_id IS NOT NULL)", name="booked"),
    )

    recurring_id: Mapped[UUID] = mapped_column(ForeignKey("recurring_pickup.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    state: Mapped[OccurrenceState] = mapped_column(String(16))
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"), unique=True)
    note: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
