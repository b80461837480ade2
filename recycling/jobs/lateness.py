"""Which due runs are not done although they should be by now: for the alarm, for people who look, and for the outside.

A run that nobody has written down yet counts as well, so that late jobs are seen while no scheduler is awake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.jobs.schedule import Job
from recycling.logs import logger
from recycling.models.job_run import JobRun, last_due
from recycling.models.transaction import atomic
from recycling.usecases.messages.tell_staff import tell_staff

log = logger(__name__)

# A due time missed for longer is not caught up; the figures of such a day can still be asked for by hand.
CATCH_UP = timedelta(days=62)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRun:
    """A run of the clock that is not done ``late_after`` of its job past its due time.

    ``run_id`` is empty while nobody has written it down; a failed one counts until a later run of its job is due.
    """

    job: str
    scope: str
    due_at: datetime
    state: Literal["unwritten", "queued", "running", "failed"]
    run_id: UUID | None = None


def late_runs(session: Session, jobs: Mapping[str, Job], *, now: datetime) -> list[LateRun]:
    """All of them, earliest due first."""
    written = last_due(session, now=now)
    found = [*_written(session, jobs, written, now=now), *_unwritten(jobs, written, now=now)]
    return sorted(found, key=lambda late: (late.due_at, late.job))


def tell_late(session: Session, jobs: Mapping[str, Job], *, now: datetime) -> Sequence[LateRun]:
    """Tell administrators of each run that is late, once; a failed one was told when it failed. Returns all of them."""
    session.rollback()
    found = late_runs(session, jobs, now=now)
    session.rollback()
    late = [one for one in found if one.state != "failed"]
    if late:
        with atomic(session):
            for one in late:
                facts = {"job": one.job, "scope": one.scope, "due_at": one.due_at.isoformat()}
                about = f"{one.job}:{one.due_at:%Y%m%dT%H%M%SZ}"
                if tell_staff(session, ("admin",), about=about, kind="job.late", facts=facts, now=now):
                    log.error("job.late", state=one.state, **facts)
    return found


def missing_times(job: Job, written: Mapping[str, datetime], *, now: datetime) -> list[datetime]:
    """Due times of a job that have no row yet; for a job without any row, only its last due time."""
    if job.cron is None:
        return []
    known = written.get(job.key)
    if known is None:
        return list(job.cron.due_times(after=now - CATCH_UP, until=now))[-1:]
    if known < now - CATCH_UP:
        log.warning("job.catch_up_cut", job=job.key, last_due_at=known.isoformat(), days=CATCH_UP.days)
    return list(job.cron.due_times(after=max(known, now - CATCH_UP), until=now))


def _written(
    session: Session, jobs: Mapping[str, Job], written: Mapping[str, datetime], *, now: datetime
) -> Iterator[LateRun]:
    run = JobRun
    # What was due before the first scheduler of all is late when that one has had its time.
    begun = session.scalar(select(run.queued_at).where(run.asked_by_id.is_(None)).order_by(run.due_at).limit(1))
    open_ones = select(run.id, run.job, run.scope, run.due_at, run.state).where(
        run.asked_by_id.is_(None), run.state.in_(("queued", "running", "failed")), run.due_at <= now
    )
    for row in session.execute(open_ones):
        job = jobs.get(row.job)
        if job is None or begun is None or max(row.due_at, begun) + job.late_after > now:
            continue
        if row.state == "failed" and row.due_at < written[row.job]:
            continue
        yield LateRun(job=row.job, scope=row.scope, due_at=row.due_at, state=row.state, run_id=row.id)


def _unwritten(jobs: Mapping[str, Job], written: Mapping[str, datetime], *, now: datetime) -> Iterator[LateRun]:
    for job in jobs.values():
        if job.key not in written:
            continue  # never scheduled here: it begins with the first scheduler
        times = missing_times(job, written, now=now)
        for due_at in times[-1:] if job.latest_only else times:
            if due_at + job.late_after <= now:
                # In UTC like those of written rows: the same run is told of under the same name.
                at = due_at.astimezone(UTC)
                yield LateRun(job=job.key, scope=job.scope_at(due_at), due_at=at, state="unwritten")
