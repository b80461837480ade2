"""Job runs: the row that makes a scheduled job happen once, however many schedulers are awake.

One unique row per (job, due time, scope); one conditional UPDATE to take it, with a token and a lease; the same token
to end it. A worker that comes back after its lease ran out finds another token there, and its ending is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    Index,
    String,
    UniqueConstraint,
    Update,
    Uuid,
    and_,
    case,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, insert_into, one_of
from recycling.models.transaction import rows_met

RunState = Literal["queued", "running", "done", "failed", "skipped"]
RUN_STATES: tuple[RunState, ...] = get_args(RunState)

LATE_AFTER = timedelta(minutes=5)  # a first attempt that begins later than this after its due time is recorded as late
LONGEST_ERROR = 500  # characters, as wide as the column


class JobRun(WithId, Base):
    """One job at one due time: queued, taken, and then done, failed, or skipped because a later run replaces it.

    ``scope`` is what the run is about: a local day, a month, or nothing. ``asked_by_id`` is empty when the clock asked.
    """

    __tablename__ = "job_run"
    __table_args__ = (
        one_of("state", RUN_STATES),
        UniqueConstraint("job", "due_at", "scope"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(state = 'running') = (token IS NOT NULL AND lease_until IS NOT NULL)", name="held"),
        CheckConstraint("(state IN ('done', 'failed', 'skipped')) = (finished_at IS NOT NULL)", name="finished"),
        Index(None, "state", "due_at"),
    )

    job: Mapped[str] = mapped_column(String(32))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    scope: Mapped[str] = mapped_column(String(64))
    asked_by_id: Mapped[UUID | None] = mapped_column(Uuid)
    state: Mapped[RunState] = mapped_column(String(16))
    late: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    claim_after: Mapped[datetime] = mapped_column(UtcDateTime)
    token: Mapped[UUID | None] = mapped_column(Uuid)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(String(LONGEST_ERROR))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run in the hands of one worker, until its lease ends; ``attempt`` counts from 1."""

    run_id: UUID
    token: UUID
    job: str
    due_at: datetime
    scope: str
    attempt: int
    late: bool


def enqueue(
    session: Session,
    *,
    job: str,
    due_at: datetime,
    scope: str,
    now: datetime,
    asked_by_id: UUID | None = None,
    skip_because: str | None = None,
) -> UUID | None:
    """Write the row of a run, queued or at once skipped; ``None`` when somebody else has written it."""
    state: dict[str, Any] = {"state": "queued"}
    if skip_because is not None:
        state = {"state": "skipped", "finished_at": now, "figures": {"reason": skip_because}}
    row = insert_into(session, JobRun).values(
        id=uuid4(), job=job, due_at=due_at, scope=scope, asked_by_id=asked_by_id, late=now - due_at > LATE_AFTER,
        attempts=0, claim_after=now, queued_at=now, **state,
    )  # fmt: skip
    return session.scalar(row.on_conflict_do_nothing().returning(JobRun.id))


def last_due(session: Session, *, now: datetime) -> dict[str, datetime]:
    """The newest due time of each job up to which the clock's runs are all written.

    Rows beyond ``now`` do not count: a clock that ran ahead for a while must not silence a job until it is caught up
    with. A job with no other rows is looked at from a moment ago.
    """
    newest = func.max(case((JobRun.due_at <= now, JobRun.due_at)))
    found = session.execute(select(JobRun.job, newest).where(JobRun.asked_by_id.is_(None)).group_by(JobRun.job))
    return {job: due_at or now - LATE_AFTER for job, due_at in found}


def skip_older(session: Session, *, job: str, than: datetime, because: str, now: datetime) -> int:
    """Skip the clock's runs of a job that nobody has taken yet and that a run due at ``than`` replaces."""
    older = update(JobRun).where(
        JobRun.job == job, JobRun.asked_by_id.is_(None), JobRun.state == "queued", JobRun.due_at < than
    )
    return rows_met(session, older.values(state="skipped", finished_at=now, figures={"reason": because}))


def withdraw(session: Session, run_id: UUID, *, because: str, now: datetime) -> bool:
    """Skip a run that nobody has taken yet; false when somebody has."""
    waits = update(JobRun).where(JobRun.id == run_id, JobRun.state == "queued")
    return rows_met(session, waits.values(state="skipped", finished_at=now, figures={"reason": because})) == 1


def waiting(session: Session, *, now: datetime) -> bool:
    """Whether a run waits to be taken; a read that spares idle workers the write lock."""
    return session.scalar(select(JobRun.id).where(_free(now)).limit(1)) is not None


def claim(session: Session, *, now: datetime, lease: timedelta, run_id: UUID | None = None) -> Claim | None:
    """Take the run that is due longest, or the one named; ``None`` when there is none to take.

    A run whose lease ended before ``now`` is taken over, however long ago that was.
    """
    wanted = select(JobRun).where(_free(now)).order_by(JobRun.due_at, JobRun.id).limit(1)
    if run_id is not None:
        wanted = wanted.where(JobRun.id == run_id)
    # On PostgreSQL workers pass by rows that others are just taking; on SQLite the transaction holds the only write
    # lock. The UPDATE repeats the condition, so that it alone decides.
    row = session.scalar(wanted.with_for_update(skip_locked=True))
    if row is None:
        return None
    found = Claim(
        run_id=row.id,
        token=uuid4(),
        job=row.job,
        due_at=row.due_at,
        scope=row.scope,
        attempt=row.attempts + 1,
        late=row.late or (row.attempts == 0 and now - row.due_at > LATE_AFTER),
    )
    taken = update(JobRun).where(JobRun.id == row.id, _free(now))
    values = {
        "state": "running", "token": found.token, "lease_until": now + lease, "attempts": found.attempt,
        "late": found.late, "started_at": now,
    }  # fmt: skip
    return found if rows_met(session, taken.values(values)) else None


def keep(session: Session, held: Claim, *, now: datetime, lease: timedelta) -> bool:
    """Extend a lease; false when the run is no longer in these hands."""
    return rows_met(session, _mine(held).values(lease_until=now + lease)) == 1


def finish(session: Session, held: Claim, *, figures: Mapping[str, Any], now: datetime) -> bool:
    """Record a run as done; false, and nothing written, when another worker has taken it over."""
    return _end(session, held, state="done", finished_at=now, figures=dict(figures), error=None)


def put_back(session: Session, held: Claim, *, error: str, again_at: datetime) -> bool:
    """Queue a run again after a failed attempt; false when another worker has taken it over."""
    return _end(session, held, state="queued", claim_after=again_at, error=error[:LONGEST_ERROR])


def give_up(session: Session, held: Claim, *, error: str, now: datetime) -> bool:
    """Record a run as failed for good; false when another worker has taken it over."""
    return _end(session, held, state="failed", finished_at=now, error=error[:LONGEST_ERROR])


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(JobRun.state == "queued", JobRun.claim_after <= now),
        and_(JobRun.state == "running", JobRun.lease_until < now),
    )


def _mine(held: Claim) -> Update:
    return update(JobRun).where(JobRun.id == held.run_id, JobRun.state == "running", JobRun.token == held.token)


def _end(session: Session, held: Claim, **values: Any) -> bool:
    return rows_met(session, _mine(held).values(token=None, lease_until=None, **values)) == 1
