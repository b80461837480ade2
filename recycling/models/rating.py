"""Ratings (评价): what a resident says of a visit, once for each booking."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, key_column
from recycling.models.encrypted import EncryptedText


class Rating(Base):
    """One to five stars for a booking's visit, reasons by code, and words, encrypted, until their time is over.

    ``day`` is the visit's. ``collector_key`` is who recorded its outcome and ``station_key`` their vehicle's home, as
    they were when the rating was given first; empty where no record tells.
    """

    __tablename__ = "rating"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    day: Mapped[date] = mapped_column(index=True)
    stars: Mapped[int]
    reasons: Mapped[list[str]] = mapped_column(JSON)
    words: Mapped[str | None] = mapped_column(EncryptedText("rating.words"))
    collector_key: Mapped[str | None] = key_column()
    station_key: Mapped[str | None] = key_column()
    rated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
