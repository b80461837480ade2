"""Reports for the bureau: made, read, signed by two people, and the ticket lines behind each of their figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.policy.periods import read_period
from recycling.routes.context import configured
from recycling.routes.guard import principal
from recycling.routes.pages.filters import WithoutBlanks, in_address
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.schemas.goal_reports import GoalReportFilterSchema, ReportTicketsFilterSchema
from recycling.usecases.queries import goal_reports as queries
from recycling.usecases.queries.staff import names_of
from recycling.usecases.reporting.goal_csv import BASELINE_STATES, PROVENANCE_NAMES
from recycling.usecases.reporting.report_differences import differences, version_before
from recycling.usecases.reporting.report_tables import OUTLET_NAMES

bp = PageBlueprint("page_reports", __name__, roles=("clerk", "dispatcher", "admin"), url_prefix="/pages/reports")

MOST_DIFFERENCES = 200  # shown on the page; the workbook has them all
REPORT_STATES = {
    "draft": "草稿，待第一人签字 / draft, to be signed",
    "signed": "已签字，待第二人签发 / signed, to be published by a second person",
    "published": "已签发 / published",
}
# Parts of a report's period by the names that its lines are asked for with.
BREAKDOWNS = (
    ("by_town", "town_key", "按镇街", "By town-level unit"),
    ("by_item_type", "item_type", "按品类", "By item type"),
    ("by_station", "station_key", "按站点", "By station"),
    ("provenance", "provenance", "按计重来源", "By provenance"),
    ("by_day", "day", "按日", "By day"),
)


class ReportsQuery(WithoutBlanks, GoalReportFilterSchema):
    """Which reports to list."""


class LinesQuery(WithoutBlanks, ReportTicketsFilterSchema):
    """Which figure of the report."""


@bp.get("")
@bp.arguments(ReportsQuery, location="query")
def show(wanted: dict[str, Any]) -> str:
    """List the reports, newest first, and let a new one be made."""
    session = db.session()
    page = queries.list_goal_reports(session=session, **wanted)
    today = service_day(utc_now())
    return render_template(
        "desk/reports.html",
        page=page,
        asked=in_address(wanted),
        names=names_of([row["made_by_id"] for row in page["goal_reports"]], session=session),
        states=REPORT_STATES,
        last_month=today.replace(day=1) - timedelta(days=1),
        today=today,
    )


@bp.get("/<uuid:report_id>")
def show_report(report_id: UUID) -> str:
    """Show one report, what it says otherwise than the one before, and who answers for it."""
    session = db.session()
    report = queries.find_goal_report(report_id, session=session)
    shown = queries.report_in_full(report_id, session=session)
    told = differences(report, version_before(report, session=session), session=session)
    newest = queries.list_goal_reports(session=session, limit=1, period=report.period)["goal_reports"][0]
    signed_by = [row.signed_by_id for row in shown["signatures"]]
    return render_template(
        "desk/report.html",
        report=shown,
        body=shown["body"],
        period=read_period(report.period),
        newest=newest,
        names=names_of([report.made_by_id], session=session),
        states=REPORT_STATES,
        told=told,
        most=MOST_DIFFERENCES,
        breakdowns=BREAKDOWNS,
        i_signed=principal().id in signed_by,
        may_sign=principal().role in ("clerk", "admin"),
        named=_named(),
        provenance_names=PROVENANCE_NAMES,
        baseline_states=BASELINE_STATES,
        outlet_names=OUTLET_NAMES,
        facts={"id": str(report_id), "period": report.period, "version": report.version},
    )


@bp.get("/<uuid:report_id>/tickets")
@bp.arguments(LinesQuery, location="query")
def show_lines(wanted: dict[str, Any], report_id: UUID) -> str:
    """Show the ticket lines behind a figure of a report, as they were when it was made."""
    session = db.session()
    page = queries.tickets_behind(report_id, session=session, **wanted)
    report = queries.report_row(queries.find_goal_report(report_id, session=session))
    return render_template(
        "desk/report_lines.html",
        report=report,
        page=page,
        asked=in_address(wanted),
        named=_named(),
        provenance_names=PROVENANCE_NAMES,
    )


def _named() -> Callable[[str, str], tuple[str, str]]:
    """Names by what is named and its key: a station and the town unit that it stands in share theirs.

    Days speak for themselves.
    """
    facts = configured()
    names = {
        "item_type": {one.key: (one.name_zh, one.name_en) for one in facts.catalogue.rows},
        "town_key": {one.key: (one.name_zh, one.name_en) for one in facts.network.towns.values()},
        "station_key": {one.key: (one.name_zh, one.name_en) for one in facts.network.stations.values()},
        "provenance": {key: (zh, en) for key, text in PROVENANCE_NAMES.items() for zh, en in [text.split(" / ", 1)]},
    }
    return lambda by, key: names.get(by, {}).get(key, (key, key))
