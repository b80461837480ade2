"""Signing and publishing goal reports (报告签发): two people, the files they answer for, and what was found since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint, Uuid, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, one_of
from recycling.models.written_once import written_once
from recycling.policy.access import Role

ReportState = Literal["draft", "signed", "published"]
STATES: tuple[ReportState, ...] = get_args(ReportState)

FileForm = Literal["json", "csv", "xlsx", "pdf"]
FORMS: tuple[FileForm, ...] = get_args(FileForm)


@written_once
class ReportSignature(Base):
    """One of the two people who answer for a report: the first signs, the second publishes.

    That they are two is said by the database: nobody signs a report twice.
    """

    __tablename__ = "report_signature"
    __table_args__ = (
        CheckConstraint("place IN (1, 2)", name="place"),
        UniqueConstraint("report_id", "signed_by_id"),
    )

    report_id: Mapped[UUID] = mapped_column(ForeignKey("goal_report.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    signed_by_id: Mapped[UUID] = mapped_column(Uuid)
    signed_by_role: Mapped[Role] = mapped_column(String(16))
    signed_by_name: Mapped[str] = mapped_column(String(64))  # as it was: it stands in the files
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sha256: Mapped[str] = mapped_column(String(64))


@written_once
class ReportFile(Base):
    """A published report as a file: the bytes that were signed. ``made_with`` says which programs wrote them."""

    __tablename__ = "report_file"
    __table_args__ = (one_of("form", FORMS),)

    report_id: Mapped[UUID] = mapped_column(ForeignKey("goal_report.id"), primary_key=True)
    form: Mapped[FileForm] = mapped_column(String(8), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    made_with: Mapped[dict[str, Any]] = mapped_column(JSON)


@written_once
class ReportCheck(WithId, Base):
    """A published report that is not what its tickets say any more: what differs, and what comes out. Both are kept."""

    __tablename__ = "report_check"
    __table_args__ = (UniqueConstraint("report_id", "found_sha256"),)

    report_id: Mapped[UUID] = mapped_column(ForeignKey("goal_report.id"))
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    differences: Mapped[list[str]] = mapped_column(JSON)
    body: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    found_sha256: Mapped[str] = mapped_column(String(64))


def signatures_of(session: Session, report_ids: Iterable[UUID]) -> dict[UUID, list[ReportSignature]]:
    """The signatures of some reports, the first one first."""
    found: dict[UUID, list[ReportSignature]] = {report_id: [] for report_id in report_ids}
    wanted = select(ReportSignature).where(ReportSignature.report_id.in_(found)).order_by(ReportSignature.place)
    for row in session.scalars(wanted):
        found[row.report_id].append(row)
    return found


def state_of(signatures: Sequence[ReportSignature]) -> ReportState:
    """What a report with these signatures is."""
    return STATES[len(signatures)]
