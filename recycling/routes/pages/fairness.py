"""A week of all collectors: who did how much, the middle, and who is far from it; and what a month's residents said."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.policy.periods import month_end
from recycling.policy.ratings import newest_settled
from recycling.routes.context import district
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.pages.mine_words import RATING_WORDS
from recycling.routes.schemas.fields import Schema, Text
from recycling.usecases.queries.fairness import fairness
from recycling.usecases.queries.ratings import rating_figures

bp = PageBlueprint("page_fairness", __name__, roles=("dispatcher", "admin"), url_prefix="/pages/fairness")


class WeekQuery(Schema):
    """The week in the address, the running one when there is none; the month of ratings, else the last settled one."""

    week = Text(most=8, load_default=None)
    month = Text(most=7, load_default=None)


@bp.get("")
@bp.arguments(WeekQuery, location="query")
def show(wanted: dict[str, str | None]) -> str:
    """Show a week, and the ratings of a month."""
    now, facts = utc_now(), district()
    newest = newest_settled(service_day(now))
    report = fairness(wanted["week"], district=facts, session=db.session(), now=now)
    ratings = rating_figures(wanted["month"] or f"{newest:%Y-%m}", district=facts, session=db.session(), now=now)
    first = date.fromisoformat(f"{ratings['month']}-01")
    later = month_end(first) + timedelta(days=1)
    return render_template(
        "fairness.html",
        report=report,
        before=_week(report, -7),
        after=_week(report, 7),
        ratings=ratings,
        rating_words=RATING_WORDS,
        month_before=f"{first - timedelta(days=1):%Y-%m}",
        month_after=f"{later:%Y-%m}" if later <= newest else None,
    )


def _week(report: dict[str, Any], days: int) -> str | None:
    """The week beside it, if the calendar has it."""
    try:
        year, number, _ = (report["first_day"] + timedelta(days=days)).isocalendar()
    except OverflowError:
        return None
    return f"{year:04d}-W{number:02d}"
