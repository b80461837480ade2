"""Corrections that take two people: what one proposes, and what another decides on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, ForeignKeyConstraint, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from recycling.models.base import Base, UtcDateTime, WithId, one_of
from recycling.models.written_once import written_once

Verdict = Literal["approved", "rejected"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@written_once
class CorrectionProposal(WithId, Base):
    """A correction of a ticket that is too large for one person: the weighing as it should have been, and why.

    ``weighing`` is empty when the ticket is to be withdrawn. The masses are net before and after.
    """

    __tablename__ = "correction_proposal"
    # Its only use is to be pointed at by a decision, which so repeats the proposer and cannot name another.
    __table_args__ = (UniqueConstraint("id", "proposed_by_id"),)

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("intake_ticket.id"), index=True)
    weighing: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str] = mapped_column(String(200))
    net_before_g: Mapped[int]
    net_after_g: Mapped[int]
    proposed_by_id: Mapped[UUID] = mapped_column(Uuid)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    decision: Mapped[CorrectionDecision | None] = relationship(viewonly=True, lazy="joined")


@written_once
class CorrectionDecision(Base):
    """What a second person decided; the database itself refuses the proposer. ``correction_id`` is the new ticket."""

    __tablename__ = "correction_decision"
    __table_args__ = (
        one_of("verdict", VERDICTS),
        ForeignKeyConstraint(
            ["proposal_id", "proposed_by_id"], ["correction_proposal.id", "correction_proposal.proposed_by_id"]
        ),
        CheckConstraint("decided_by_id <> proposed_by_id", name="by_two"),
        CheckConstraint("(verdict = 'approved') = (correction_id IS NOT NULL)", name="correction"),
    )

    proposal_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    proposed_by_id: Mapped[UUID] = mapped_column(Uuid)
    verdict: Mapped[Verdict] = mapped_column(String(8))
    decided_by_id: Mapped[UUID] = mapped_column(Uuid)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(String(200))
    correction_id: Mapped[UUID | None] = mapped_column(ForeignKey("intake_ticket.id"), unique=True)
