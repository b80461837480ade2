"""Baselines (基准): proposed by one person, confirmed and frozen by another; a restatement is a new version."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from recycling.models.base import Base, UtcDateTime, WithId, key_column
from recycling.models.written_once import written_once


@written_once
class BaselineProposal(WithId, Base):
    """What the base year of a scope amounts to, as one person states it from a document. Counts once confirmed."""

    __tablename__ = "baseline_proposal"
    __table_args__ = (
        UniqueConstraint("scope_key", "year", "version"),
        UniqueConstraint("id", "proposed_by_id"),  # for the confirmation to name
        CheckConstraint("version >= 1 AND scope_version >= 1", name="versions"),
        CheckConstraint("units >= 1 AND mass_g >= 1", name="amounts"),
    )

    scope_key: Mapped[str] = key_column()
    scope_version: Mapped[int]
    year: Mapped[int]
    version: Mapped[int]
    units: Mapped[int] = mapped_column(BigInteger)
    mass_g: Mapped[int] = mapped_column(BigInteger)
    source_document: Mapped[str] = mapped_column(String(200))
    document_sha256: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(500))
    reason: Mapped[str] = mapped_column(String(500))  # why it restates a confirmed one; empty for the first
    proposed_by_id: Mapped[UUID] = mapped_column(Uuid)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    confirmation: Mapped[BaselineConfirmation | None] = relationship(viewonly=True)


@written_once
class BaselineConfirmation(Base):
    """That a second person confirmed a baseline, with the digest of what they confirmed."""

    __tablename__ = "baseline_confirmation"
    __table_args__ = (
        # Who proposed it cannot be misstated here, so that the database itself holds the two apart.
        ForeignKeyConstraint(
            ["baseline_id", "proposed_by_id"], ["baseline_proposal.id", "baseline_proposal.proposed_by_id"]
        ),
        CheckConstraint("confirmed_by_id <> proposed_by_id", name="two_people"),
    )

    baseline_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    proposed_by_id: Mapped[UUID] = mapped_column(Uuid)
    confirmed_by_id: Mapped[UUID] = mapped_column(Uuid)
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sha256: Mapped[str] = mapped_column(String(64))
