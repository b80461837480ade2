"""End a run early (停止任务): one that waits never begins, one under way is asked to stop."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.errors import Conflict, NotFound
from recycling.logs import logger
from recycling.models import job_run
from recycling.models.job_run import JobRun
from recycling.models.run_progress import ask_to_stop
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.usecases.job_runs.request_run import REQUESTABLE_JOBS

log = logger(__name__)

BECAUSE = "cancelled before it began"


def cancel_run(run_id: UUID, *, by: Principal, session: Session, now: datetime) -> JobRun:
    """Ask that a run stops; asked again, or of a run that is over, it changes nothing.

    A search under way hears it within a second or two and keeps its best checked plan.

    Raises
    ------
    NotFound
        When there is none of that id.
    Conflict
        When its job is one of the clock's, which runs to its end.
    """
    with atomic(session):
        run = session.get(JobRun, run_id)
        if run is None:
            raise NotFound(f"no job run {run_id}; list them with GET /job-runs")
        if run.job not in REQUESTABLE_JOBS:
            raise Conflict(
                f"{run.job} runs to its end; only {', '.join(REQUESTABLE_JOBS)} can be stopped"
                " / 该任务不能中途停止，只能停止手动排线"
            )
        withdrawn = job_run.withdraw(session, run_id, because=BECAUSE, now=now)
        if not withdrawn:
            session.refresh(run)  # it may have been taken, or withdrawn by somebody else, since we read it
        if not withdrawn and run.finished_at is None:
            ask_to_stop(session, run_id, by=by, now=now)
    log.info("job.stop_asked", run_id=str(run_id), by_id=str(by.id), before_it_began=withdrawn)
    session.expire_all()
    return session.get_one(JobRun, run_id)
