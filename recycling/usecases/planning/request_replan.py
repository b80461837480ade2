"""Ask for the rest of today to be planned (请求重排): queued for the scheduler, which does it within seconds."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict
from recycling.logs import logger
from recycling.models.job_run import JobRun, enqueue
from recycling.models.plan import PublishedPlan
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.usecases.planning.breakdowns import REPLAN_JOB

log = logger(__name__)


def request_replan(day: date, *, by: Principal, session: Session, now: datetime) -> JobRun:
    """Queue a run for today, or answer with the one that is queued already and has not begun.

    Raises
    ------
    Conflict
        When the day is not today, or nobody drives by a plan of it.
    """
    with atomic(session):
        if day != service_day(now) or session.get(PublishedPlan, day) is None:
            raise Conflict(
                f"{day} is not running by a published plan today; plan it with POST /job-runs instead"
                f" / {day} 不是今日已发布计划的运行日，请使用普通排线"
            )
        scope = day.isoformat()
        same = select(JobRun).where(JobRun.job == REPLAN_JOB, JobRun.scope == scope)
        queued = session.scalar(same.where(JobRun.state == "queued", JobRun.asked_by_id.is_not(None)).limit(1))
        if queued is not None:
            return queued
        enqueue(session, job=REPLAN_JOB, due_at=now, scope=scope, now=now, asked_by_id=by.id)
        # Read back: somebody else may have asked for the same in the same instant, and one row serves both.
        run = session.scalars(same.where(JobRun.due_at == now)).one()
    log.info("replan.requested", run_id=str(run.id), scope=scope, by_id=str(by.id))
    return run
