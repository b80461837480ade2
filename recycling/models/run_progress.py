"""How far a run under way has come, and whether somebody asked it to stop: told and read across processes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Uuid
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, insert_into
from recycling.policy.access import Principal


class RunProgress(Base):
    """One row a run. The worker writes how far it is, anybody who may the wish to stop; neither touches the other's.

    It has served its purpose when the run is over, and goes with housekeeping.
    """

    __tablename__ = "run_progress"
    __table_args__ = (
        CheckConstraint("elapsed_ms >= 0", name="elapsed"),
        CheckConstraint("stops_planned BETWEEN 0 AND stops_total", name="stops"),
        CheckConstraint("(told_at IS NULL) = (best_cost IS NULL)", name="told"),
        CheckConstraint("(stop_asked_at IS NULL) = (stop_asked_by_id IS NULL)", name="stop"),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("job_run.id"), primary_key=True)
    elapsed_ms: Mapped[int | None]
    best_cost: Mapped[int | None] = mapped_column(BigInteger)
    stops_planned: Mapped[int | None]
    stops_total: Mapped[int | None]
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stop_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stop_asked_by_id: Mapped[UUID | None] = mapped_column(Uuid)


def tell(
    session: Session,
    run_id: UUID,
    *,
    elapsed_ms: int,
    best_cost: int,
    stops_planned: int,
    stops_total: int,
    now: datetime,
) -> bool:
    """Write how far the run is; whether somebody asked it to stop."""
    far = {
        "elapsed_ms": elapsed_ms, "best_cost": best_cost, "stops_planned": stops_planned, "stops_total": stops_total,
        "told_at": now,
    }  # fmt: skip
    return _put(session, run_id, far) is not None


def ask_to_stop(session: Session, run_id: UUID, *, by: Principal, now: datetime) -> None:
    """Write the wish down; who asks first stands in it."""
    first = insert_into(session, RunProgress).values(run_id=run_id, stop_asked_at=now, stop_asked_by_id=by.id)
    wish = {"stop_asked_at": now, "stop_asked_by_id": by.id}
    session.execute(
        first.on_conflict_do_update(index_elements=["run_id"], set_=wish, where=RunProgress.stop_asked_at.is_(None))
    )


def _put(session: Session, run_id: UUID, values: dict[str, Any]) -> datetime | None:
    row = insert_into(session, RunProgress).values(run_id=run_id, **values)
    stored = row.on_conflict_do_update(index_elements=["run_id"], set_=values)
    found: datetime | None = session.scalar(stored.returning(RunProgress.stop_asked_at))
    return found
