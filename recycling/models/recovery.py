"""Recovered figures: facts rebuilt from tickets, and the goal reports made from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, key_column


class DailyRecovery(Base):
    """Units and grams of one item type taken in at one station on one day. Only the roll-up writes it, from tickets."""

    __tablename__ = "daily_recovery"
    __table_args__ = (CheckConstraint("units > 0 AND recovered_g > 0 AND ticket_lines > 0", name="amounts"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    station_key: Mapped[str] = key_column(primary_key=True)
    item_type: Mapped[str] = key_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    provenance: Mapped[str] = mapped_column(String(16), primary_key=True)
    units: Mapped[int]
    recovered_g: Mapped[int]
    ticket_lines: Mapped[int]


class GoalReport(WithId, Base):
    """A goal report as it was on its day: the answer in full, and its digest. Written once."""

    __tablename__ = "goal_report"
    __table_args__ = (UniqueConstraint("period", "version"),)

    period: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    as_of: Mapped[date]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
