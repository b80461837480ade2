"""Reading job runs: what the clock did, when, and with which figures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.models.job_run import JobRun, RunState
from recycling.models.run_progress import RunProgress
from recycling.usecases.queries.cursors import instant, read_cursor, write_cursor


def find_run(run_id: UUID, *, session: Session) -> JobRun:
    """One run.

    Raises
    ------
    NotFound
        When there is none of that id.
    """
    run = session.get(JobRun, run_id)
    if run is None:
        raise NotFound(f"no job run {run_id}; list them with GET /job-runs")
    return run


def run_progress(run_id: UUID, *, session: Session) -> dict[str, Any]:
    """How far a run is, and when it is over with what.

    Raises
    ------
    NotFound
        When there is none of that id.
    """
    run = find_run(run_id, session=session)
    far = session.get(RunProgress, run_id)
    figures = ("elapsed_ms", "best_cost", "stops_planned", "stops_total")
    return {name: None if far is None else getattr(far, name) for name in figures} | {
        "state": run.state,
        "stop_asked": far is not None and far.stop_asked_at is not None,
        "over": run.finished_at is not None,
        "figures": run.figures,
        "error": run.error,
    }


def list_runs(
    *,
    session: Session,
    limit: int,
    job: str | None = None,
    state: RunState | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of runs, last due first; ``next_cursor`` leads to the next, ``None`` at the end."""
    wanted = select(JobRun).order_by(JobRun.due_at.desc(), JobRun.id.desc())
    if job is not None:
        wanted = wanted.where(JobRun.job == job)
    if state is not None:
        wanted = wanted.where(JobRun.state == state)
    if cursor is not None:
        wanted = wanted.where(tuple_(JobRun.due_at, JobRun.id) < read_cursor(cursor, instant, UUID))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {
        "job_runs": shown,
        "next_cursor": write_cursor(shown[-1].due_at, shown[-1].id) if len(rows) > limit else None,
    }
