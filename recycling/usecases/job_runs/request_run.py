"""Ask for a job run now (手动触发任务): queued for the scheduler, which does it within seconds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.logs import logger
from recycling.models.job_run import JobRun, enqueue
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.planning.day_problem import check_plannable

log = logger(__name__)

RequestableJob = Literal["plan_day"]
REQUESTABLE_JOBS: tuple[RequestableJob, ...] = get_args(RequestableJob)


def request_run(
    job: RequestableJob, day: date, *, by: Principal, district: District, session: Session, now: datetime
) -> JobRun:
    """Queue a run for a day, or answer with the one that is queued for it already and has not begun.

    Raises
    ------
    InvalidInput, Conflict
        As for `check_plannable`: a run that can only fail would alarm everybody.
    """
    check_plannable(day, district=district, now=now)
    scope = day.isoformat()
    with atomic(session):
        same = select(JobRun).where(JobRun.job == job, JobRun.scope == scope)
        queued = session.scalar(same.where(JobRun.state == "queued", JobRun.asked_by_id.is_not(None)).limit(1))
        if queued is not None:
            return queued
        enqueue(session, job=job, due_at=now, scope=scope, now=now, asked_by_id=by.id)
        # Read back: somebody else may have asked for the same in the same instant, and one row serves both.
        run = session.scalars(same.where(JobRun.due_at == now)).one()
    log.info("job.requested", run_id=str(run.id), job=job, scope=scope, by_id=str(by.id))
    return run
