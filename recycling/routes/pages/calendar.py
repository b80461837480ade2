"""The calendar: on which days we collect, how much is promised, and closing or opening days."""

from __future__ import annotations

from datetime import date, timedelta

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.pages.day import DayQuery
from recycling.routes.pages.fleet import AHEAD, OF_DAYS
from recycling.routes.pages.guard import PageBlueprint
from recycling.usecases.queries.day_changes import calendar_days, list_day_changes

WEEKS = 5
SPAN = timedelta(days=7 * WEEKS)

bp = PageBlueprint("page_calendar", __name__, roles=("dispatcher", "admin"), url_prefix="/pages/calendar")


@bp.get("")
@bp.arguments(DayQuery, location="query")
def show(wanted: dict[str, date | None]) -> str:
    """Show five weeks from the Monday of a day's week, today's when none is named."""
    today, facts = service_day(utc_now()), district()
    named = wanted["day"] or today
    first = min(named, date.max - SPAN)  # far beyond what there is a calendar for, which is said below
    first -= timedelta(days=min(first.weekday(), (first - date.min).days))
    last = first + SPAN - timedelta(days=1)
    return render_template(
        "today/calendar.html",
        days=calendar_days(first, last, district=facts, session=db.session()),
        changes=[one for one in list_day_changes(today, today + AHEAD, session=db.session()) if one.kind in OF_DAYS],
        kinds=OF_DAYS,
        network=facts.network,
        today=today,
        first_day=today + timedelta(days=1),
        first=first,
        last=last,
        before=first - SPAN if first - date.min > SPAN else None,
        after=first + SPAN if date.max - first > 2 * SPAN else None,
    )
