"""Goal progress (目标进度) and the reports kept of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.schemas.figures import (
    GoalProgressFilterSchema,
    GoalProgressSchema,
    GoalReportFilterSchema,
    GoalReportListSchema,
    GoalReportSchema,
)
from recycling.routes.schemas.forecast import GoalForecastSchema
from recycling.usecases.queries import recovered as queries
from recycling.usecases.reporting.goal_csv import goal_csv
from recycling.usecases.reporting.goal_forecast import goal_forecast
from recycling.usecases.reporting.goal_progress import goal_progress

bp = GuardedBlueprint(
    "goal_progress",
    __name__,
    roles=("clerk", "dispatcher", "admin"),
    description="目标进度 / where the district stands against its goals",
)


@bp.get("/goal-progress")
@bp.arguments(GoalProgressFilterSchema, location="query")
@bp.response(200, GoalProgressSchema)
def show_progress(wanted: dict[str, Any]) -> dict[str, Any]:
    """Show where each scope stands at the end of a day (目标进度)."""
    return goal_progress(**wanted, district=district(), session=db.session(), now=utc_now())


@bp.get("/goal-progress.csv")
@bp.arguments(GoalProgressFilterSchema, location="query")
@bp.response(200, {"type": "string"}, content_type="text/csv", description="UTF-8 with byte-order mark")
def export_progress(wanted: dict[str, Any]) -> Response:
    """Export the same for a spreadsheet (导出目标进度)."""
    report = goal_progress(**wanted, district=district(), session=db.session(), now=utc_now())
    name = f"goal-progress-{report['on']}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(goal_csv(report), content_type="text/csv; charset=utf-8", headers=headers)


@bp.get("/goal-forecast")
@bp.arguments(GoalProgressFilterSchema, location="query")
@bp.response(200, GoalForecastSchema)
def show_forecast(wanted: dict[str, Any]) -> dict[str, Any]:
    """Show where each scope will probably stand at the end of the year, and which lever moves it (目标预测)."""
    return goal_forecast(**wanted, district=district(), session=db.session(), now=utc_now())


@bp.get("/goal-reports")
@bp.arguments(GoalReportFilterSchema, location="query")
@bp.response(200, GoalReportListSchema)
def list_reports(wanted: dict[str, Any]) -> dict[str, Any]:
    """List the kept monthly reports, newest first (目标月报)."""
    return queries.list_goal_reports(session=db.session(), **wanted)


@bp.get("/goal-reports/<uuid:report_id>")
@bp.response(200, GoalReportSchema)
def show_report(report_id: UUID) -> Any:
    """Show one kept report as it was (月报详情)."""
    return queries.find_goal_report(report_id, session=db.session())
