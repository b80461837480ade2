"""Job runs: the row that makes a scheduled job happen once, however many schedulers are awake."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, one_of

RunState = Literal["queued", "running", "done", "failed"]


class JobRun(WithId, Base):
    """One job at one due time. ``token`` fences a worker that comes back after its lease ran out."""

    __tablename__ = "job_run"
    __table_args__ = (
        one_of("state", get_args(RunState)),
        UniqueConstraint("job", "due_at", "scope"),
        CheckConstraint("attempts >= 0", name="attempts"),
        Index(None, "state", "due_at"),
    )

    job: Mapped[str] = mapped_column(String(32))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    scope: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[RunState] = mapped_column(String(16), default="queued")
    late: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    token: Mapped[UUID | None] = mapped_column(Uuid)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(String(500))
