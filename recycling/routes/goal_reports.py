"""Goal reports (目标报告): made, compared, signed by one, published by another, handed out, down to their tickets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from recycling.clock import utc_now
from recycling.errors import NotFound
from recycling.extensions import db
from recycling.models.publication import FORMS
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.goal_reports import (
    DifferencesSchema,
    GoalReportFilterSchema,
    GoalReportListSchema,
    GoalReportSchema,
    GoalReportWishSchema,
    ReportSignatureSchema,
    ReportTicketsFilterSchema,
    ReportTicketsSchema,
    ReportVerdictSchema,
)
from recycling.usecases.queries import goal_reports as queries
from recycling.usecases.reporting.download_report import download_report
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.publish_report import publish_report
from recycling.usecases.reporting.report_differences import differences, version_before
from recycling.usecases.reporting.report_files import MEDIA_TYPES
from recycling.usecases.reporting.sign_report import sign_report
from recycling.usecases.reporting.verify_report import verify_report

bp = GuardedBlueprint(
    "goal_reports",
    __name__,
    url_prefix="/goal-reports",
    roles=("clerk", "dispatcher", "admin"),
    description="目标报告 / reports that a bureau can sign",
)

FILE = {"type": "string", "format": "binary"}


@bp.get("")
@bp.arguments(GoalReportFilterSchema, location="query")
@bp.response(200, GoalReportListSchema)
def list_reports(wanted: dict[str, Any]) -> dict[str, Any]:
    """List the kept reports, newest first (目标报告列表)."""
    return queries.list_goal_reports(session=db.session(), **wanted)


@bp.post("")
@only("clerk", "admin")
@bp.arguments(GoalReportWishSchema)
@idempotent
@bp.response(201, GoalReportSchema)
def create_report(wish: dict[str, str]) -> Any:
    """Report on a month, quarter, year or span; the standing version when nothing changed (生成报告)."""
    report = make_goal_report(wish["period"], by=principal(), district=district(), session=db.session(), now=utc_now())
    return queries.report_in_full(report.id, session=db.session()), 201, {"Location": f"/goal-reports/{report.id}"}


@bp.get("/<uuid:report_id>")
@bp.response(200, GoalReportSchema)
def show_report(report_id: UUID) -> Any:
    """Show one kept report as it was, and what it was made of (报告详情)."""
    return queries.report_in_full(report_id, session=db.session())


@bp.get("/<uuid:report_id>/differences")
@bp.response(200, DifferencesSchema)
def show_differences(report_id: UUID) -> Any:
    """Show what a version says otherwise than the one before, and the tickets that made it so (版本差异)."""
    session = db.session()
    report = queries.find_goal_report(report_id, session=session)
    return differences(report, version_before(report, session=session), session=session)


@bp.get("/<uuid:report_id>/verification")
@bp.response(200, ReportVerdictSchema)
def show_verification(report_id: UUID) -> Any:
    """Work a report out again from its tickets and say whether it stands (核验)."""
    session = db.session()
    queries.find_goal_report(report_id, session=session)
    return verify_report(report_id, district=district(), session=session)


@bp.get("/<uuid:report_id>/tickets")
@bp.arguments(ReportTicketsFilterSchema, location="query")
@bp.response(200, ReportTicketsSchema)
def list_tickets(wanted: dict[str, Any], report_id: UUID) -> dict[str, Any]:
    """List the ticket lines behind a figure, as they were when the report was made (数字溯源)."""
    return queries.tickets_behind(report_id, session=db.session(), **wanted)


@bp.post("/<uuid:report_id>/signatures")
@only("clerk", "admin")
@idempotent
@bp.response(201, ReportSignatureSchema)
def create_signature(report_id: UUID) -> Any:
    """Sign a report as the first of two people (签字)."""
    return sign_report(report_id, by=principal(), session=db.session(), now=utc_now())


@bp.put("/<uuid:report_id>/publication")
@only("clerk", "admin")
@bp.response(200, GoalReportSchema)
def put_publication(report_id: UUID) -> Any:
    """Publish a signed report as the second person: its files are kept, its month is closed (签发)."""
    publish_report(report_id, by=principal(), district=district(), session=db.session(), now=utc_now())
    return queries.report_in_full(report_id, session=db.session())


@bp.get("/<uuid:report_id>/files/<form>")
@bp.response(200, FILE, content_type="application/octet-stream", description="json, csv, xlsx or pdf")
@bp.alt_response(501, "Problem")
def download(report_id: UUID, form: str) -> Response:
    """Hand a report out as a file: as it was signed, or as a draft that says so (下载报告)."""
    if form not in FORMS:
        raise NotFound(f"no form {form[:20]!r} of a report; choose from {', '.join(FORMS)} / 没有该格式")
    name, content = download_report(report_id, form, by=principal(), session=db.session(), now=utc_now())
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, content_type=MEDIA_TYPES[form], headers=headers)
