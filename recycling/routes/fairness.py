"""Collectors' weeks in figures: all for dispatchers, each one's own for collectors (工作量)."""

from __future__ import annotations

from typing import Any

from flask import Response

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.fairness import FairnessSchema, MyFiguresSchema, WeekFilterSchema
from recycling.usecases.audit.note_export import note_export
from recycling.usecases.queries.fairness import fairness, fairness_csv, my_figures

bp = GuardedBlueprint(
    "fairness", __name__, roles=("dispatcher", "admin"), description="工作量 / who did how much in a week"
)
mine_bp = GuardedBlueprint(
    "my_figures", __name__, roles=("collector",), description="我的工作量 / a collector's own week"
)


@bp.get("/fairness")
@bp.arguments(WeekFilterSchema, location="query")
@bp.response(200, FairnessSchema)
def show_fairness(wanted: dict[str, str]) -> dict[str, Any]:
    """Show every collector's week, the middle, and who is far from it (工作量)."""
    return fairness(wanted.get("week"), district=district(), session=db.session(), now=utc_now())


@bp.get("/fairness.csv")
@bp.arguments(WeekFilterSchema, location="query")
@bp.response(200, {"type": "string"}, content_type="text/csv", description="UTF-8 with byte-order mark")
def export_fairness(wanted: dict[str, str]) -> Response:
    """Export the same for a spreadsheet (导出工作量)."""
    now = utc_now()
    report = fairness(wanted.get("week"), district=district(), session=db.session(), now=now)
    note_export("fairness", subject=report["week"], by=principal(), session=db.session(), now=now)
    headers = {"Content-Disposition": f'attachment; filename="fairness-{report["week"]}.csv"'}
    return Response(fairness_csv(report), content_type="text/csv; charset=utf-8", headers=headers)


@mine_bp.get("/my-figures")
@mine_bp.arguments(WeekFilterSchema, location="query")
@mine_bp.response(200, MyFiguresSchema)
def show_my_figures(wanted: dict[str, str]) -> dict[str, Any]:
    """Show my week beside the middle of all (我的工作量)."""
    return my_figures(wanted.get("week"), by=principal(), district=district(), session=db.session(), now=utc_now())
