"""The running day on the dispatcher's screen: what each vehicle does, and every open stop, the latest first."""

from __future__ import annotations

from datetime import date

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.pages.day import DayQuery, day_after, day_before
from recycling.routes.pages.guard import PageBlueprint
from recycling.usecases.queries.arrivals import day_board

bp = PageBlueprint("page_live", __name__, roles=("dispatcher", "admin"), url_prefix="/pages/live")


@bp.get("")
@bp.arguments(DayQuery, location="query")
def show(wanted: dict[str, date | None]) -> str:
    """Show a day as it runs, today's when none is named; today's page looks again by itself."""
    now = utc_now()
    today = service_day(now)
    day = wanted["day"] or today
    board = day_board(day, district=district(), session=db.session(), now=now)
    return render_template("live.html", board=board, day=day, today=today, before=day_before(day), after=day_after(day))
