"""Who drives what on a day, and what is different from when to when."""

from __future__ import annotations

from datetime import date, timedelta

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.policy.day_changes import CALENDAR_KINDS, CHANGE_KINDS
from recycling.routes.context import district
from recycling.routes.pages.day import DayQuery, day_after, day_before
from recycling.routes.pages.guard import PageBlueprint
from recycling.usecases.queries.day_changes import fleet_of_day, list_day_changes

AHEAD = timedelta(days=366)  # as far as changes may begin
OF_DAYS = (*CALENDAR_KINDS, "station_hours")

bp = PageBlueprint("page_fleet", __name__, roles=("dispatcher", "admin"), url_prefix="/pages/fleet")


@bp.get("")
@bp.arguments(DayQuery, location="query")
def show(wanted: dict[str, date | None]) -> str:
    """Show the fleet of a day, tomorrow's when none is named, and the changes from today on."""
    today = service_day(utc_now())
    tomorrow = today + timedelta(days=1)
    day, facts = wanted["day"] or tomorrow, district()
    changes = list_day_changes(today, today + AHEAD, session=db.session())
    return render_template(
        "today/fleet.html",
        fleet=fleet_of_day(day, district=facts),
        changes=[one for one in changes if one.kind not in OF_DAYS],
        kinds=[kind for kind in CHANGE_KINDS if kind not in OF_DAYS],
        network=facts.network,
        day=day,
        today=today,
        first_day=tomorrow,
        before=day_before(day),
        after=day_after(day),
    )
