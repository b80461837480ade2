"""Goal progress for the bureau: each scope apart, with what it covers, what it rests on and where its tickets are."""

from __future__ import annotations

from datetime import date

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.pages.day import day_after, day_before
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.schemas.fields import Day, Schema
from recycling.usecases.reporting.goal_csv import BASELINE_STATES, PROVENANCE_NAMES
from recycling.usecases.reporting.goal_progress import FIRST_DAY, goal_progress
from recycling.usecases.reporting.report_tables import OUTLET_NAMES

bp = PageBlueprint("page_goals", __name__, roles=("clerk", "dispatcher", "admin"), url_prefix="/pages/goals")


class OnQuery(Schema):
    """The day at whose end to judge; today when left out."""

    on = Day(load_default=None)


@bp.get("")
@bp.arguments(OnQuery, location="query")
def show(wanted: dict[str, date | None]) -> str:
    """Show where each scope stands at the end of a day."""
    now = utc_now()
    today = service_day(now)
    report = goal_progress(wanted["on"], district=district(), session=db.session(), now=now)
    day = date.fromisoformat(report["on"])
    return render_template(
        "goals.html",
        report=report,
        day=day,
        today=today,
        before=day_before(day) if day > FIRST_DAY else None,
        after=day_after(day) if day < today else None,
        new_year=date(day.year, 1, 1),
        network=district().network,
        provenance_names=PROVENANCE_NAMES,
        baseline_states=BASELINE_STATES,
        outlet_names=OUTLET_NAMES,
    )
