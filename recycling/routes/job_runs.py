"""Runs of scheduled jobs (任务执行)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, current_app

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.job_run import JobRun
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.job_runs import (
    JobRunFilterSchema,
    JobRunListSchema,
    JobRunSchema,
    RequestRunSchema,
    RunProgressSchema,
)
from recycling.routes.streams import EVENT_STREAM, STREAM, event_stream
from recycling.usecases.job_runs.cancel_run import cancel_run
from recycling.usecases.job_runs.request_run import request_run
from recycling.usecases.queries import job_runs as queries

bp = GuardedBlueprint(
    "job_runs",
    __name__,
    roles=("clerk", "dispatcher", "admin"),
    url_prefix="/job-runs",
    description="任务执行 / runs of scheduled jobs",
)


@bp.post("")
@only("dispatcher", "admin")
@bp.arguments(RequestRunSchema)
@idempotent
@bp.response(202, JobRunSchema)
def create_job_run(wanted: dict[str, Any]) -> JobRun:
    """Ask for a job to be done now; look again at its run for the result (手动触发任务)."""
    return request_run(**wanted, by=principal(), district=district(), session=db.session(), now=utc_now())


@bp.get("")
@bp.arguments(JobRunFilterSchema, location="query")
@bp.response(200, JobRunListSchema)
def list_job_runs(wanted: dict[str, Any]) -> dict[str, Any]:
    """List runs, last due first, and beside them what should be done by now and is not (任务执行记录)."""
    late = current_app.extensions["late_runs"](db.session(), now=utc_now())
    return queries.list_runs(session=db.session(), **wanted) | {"late_runs": late}


@bp.get("/<uuid:run_id>")
@bp.response(200, JobRunSchema)
def show_job_run(run_id: UUID) -> JobRun:
    """Show one run (任务执行详情)."""
    return queries.find_run(run_id, session=db.session())


@bp.get("/<uuid:run_id>/progress")
@only("dispatcher", "admin")
@bp.response(200, STREAM, content_type=EVENT_STREAM, description="server-sent events: each `data` is a RunProgress")
def show_progress(run_id: UUID) -> Response:
    """Follow a run as it goes: an event with every change, and `over` at its end (任务进度)."""
    queries.find_run(run_id, session=db.session())
    schema = RunProgressSchema()
    return event_stream(lambda: schema.dump(queries.run_progress(run_id, session=db.session())))


@bp.post("/<uuid:run_id>/cancellation")
@only("dispatcher", "admin")
@idempotent
@bp.response(202, JobRunSchema)
def create_cancellation(run_id: UUID) -> JobRun:
    """End a plan's run early; one under way keeps its best checked plan as a draft (停止排线)."""
    return cancel_run(run_id, by=principal(), session=db.session(), now=utc_now())
