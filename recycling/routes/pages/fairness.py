"""A week of all collectors: who did how much, the middle, and who is far from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import render_template

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.schemas.fields import Schema, Text
from recycling.usecases.queries.fairness import fairness

bp = PageBlueprint("page_fairness", __name__, roles=("dispatcher", "admin"), url_prefix="/pages/fairness")


class WeekQuery(Schema):
    """The week in the address; the running one when there is none."""

    week = Text(most=8, load_default=None)


@bp.get("")
@bp.arguments(WeekQuery, location="query")
def show(wanted: dict[str, str | None]) -> str:
    """Show a week."""
    report = fairness(wanted["week"], district=district(), session=db.session(), now=utc_now())
    return render_template("fairness.html", report=report, before=_week(report, -7), after=_week(report, 7))


def _week(report: dict[str, Any], days: int) -> str | None:
    """The week beside it, if the calendar has it."""
    try:
        year, number, _ = (report["first_day"] + timedelta(days=days)).isocalendar()
    except OverflowError:
        return None
    return f"{year:04d}-W{number:02d}"
