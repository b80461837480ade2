"""Goal progress (目标进度)."""

from __future__ import annotations

from typing import Any

from flask import Response

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.figures import GoalProgressFilterSchema, GoalProgressSchema
from recycling.routes.schemas.forecast import GoalForecastSchema, GoalMonthsSchema
from recycling.usecases.audit.note_export import note_export
from recycling.usecases.reporting.goal_csv import goal_csv
from recycling.usecases.reporting.goal_forecast import goal_forecast
from recycling.usecases.reporting.goal_months import goal_months
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
    now = utc_now()
    report = goal_progress(**wanted, district=district(), session=db.session(), now=now)
    note_export("goal_progress", subject=report["on"], by=principal(), session=db.session(), now=now)
    name = f"goal-progress-{report['on']}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(goal_csv(report), content_type="text/csv; charset=utf-8", headers=headers)


@bp.get("/goal-forecast")
@bp.arguments(GoalProgressFilterSchema, location="query")
@bp.response(200, GoalForecastSchema)
def show_forecast(wanted: dict[str, Any]) -> dict[str, Any]:
    """Show where each scope will probably stand at the end of the year, and which lever moves it (目标预测)."""
    return goal_forecast(**wanted, district=district(), session=db.session(), now=utc_now())


@bp.get("/goal-months")
@bp.arguments(GoalProgressFilterSchema, location="query")
@bp.response(200, GoalMonthsSchema)
def show_months(wanted: dict[str, Any]) -> dict[str, Any]:
    """Show the months of this year beside those of the last, and how the two compare (逐月对比)."""
    return goal_months(**wanted, district=district(), session=db.session(), now=utc_now())
