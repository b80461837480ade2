"""Handling proposals, what people decided on them, and the handling tables that came of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from recycling.models.base import Base, UtcDateTime, WithId
from recycling.models.written_once import written_once


@written_once
class HandlingProposal(WithId, Base):
    """What the records of a period say of the minutes that visits and legs take; a person decides on it.

    ``parameters`` is ``[{"name", "sample", "old", "new", "low", "high", "kept"}]`` in seconds, or basis points for
    travel. ``left_out`` counts visits that did not count, by reason; ``gain`` the errors before and after. Holds no
    personal data.
    """

    __tablename__ = "handling_proposal"
    __table_args__ = (CheckConstraint("first_day <= last_day", name="period"),)

    first_day: Mapped[date]
    last_day: Mapped[date]
    visits: Mapped[int]
    legs: Mapped[int]
    trimmed: Mapped[int]
    left_out: Mapped[dict[str, int]] = mapped_column(JSON)
    parameters: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    gain: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    made_by_id: Mapped[UUID] = mapped_column(Uuid)
    made_by_run_id: Mapped[UUID | None] = mapped_column(ForeignKey("job_run.id"), unique=True)

    decision: Mapped[HandlingDecision | None] = relationship(viewonly=True)


@written_once
class HandlingDecision(Base):
    """What a person decided on a proposal: the names of the values they took, none when they rejected it."""

    __tablename__ = "handling_decision"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("handling_proposal.id"), primary_key=True)
    accepted: Mapped[list[str]] = mapped_column(JSON)
    table_number: Mapped[int | None] = mapped_column(ForeignKey("handling_version.number"), unique=True)
    note: Mapped[str] = mapped_column(String(500))
    by_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


@written_once
class HandlingVersion(Base):
    """A handling table from its first day on: everything accepted so far, by part; what is missing is as configured.

    Of two in force on a day the one with the higher ``number`` holds. ``travel_bp`` is in force from ``travel_from``.
    """

    __tablename__ = "handling_version"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("(travel_bp IS NULL) = (travel_from IS NULL)", name="travel"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    valid_from: Mapped[date]
    seconds: Mapped[dict[str, int]] = mapped_column(JSON)
    travel_bp: Mapped[int | None]
    travel_from: Mapped[date | None]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
