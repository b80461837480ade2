"""The collector's route of a day: read on the phone, or printed on A4 and taken along."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import principal
from recycling.routes.pages.day import DayQuery, day_after, day_before
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.schemas.fields import QueryWhole
from recycling.usecases.queries.my_route import my_route

bp = PageBlueprint("page_my_route", __name__, roles=("collector",), url_prefix="/pages/my-route")


class MyRouteQuery(DayQuery):
    """The day, and the version that the reader has seen, to be shown what changed."""

    seen_version = QueryWhole(least=1, most=1_000_000, load_default=None)


@bp.get("")
@bp.arguments(MyRouteQuery, location="query")
def show(wanted: dict[str, Any]) -> str:
    """Show the route of a day, today's when none is named."""
    now = utc_now()
    today = service_day(now)
    day: date = wanted["day"] or today
    route = my_route(
        principal(), day, district=district(), session=db.session(), now=now, seen_version=wanted["seen_version"]
    )
    return render_template(
        "my_route.html",
        route=route,
        span=_span(route["steps"]),
        unload_count=sum(step["kind"] == "unload" for step in route["steps"]),
        day=day,
        today=today,
        before=day_before(day),
        after=day_after(day),
        now=now,
    )


def _span(steps: list[dict[str, Any]]) -> tuple[str, str] | None:
    """When the vehicle leaves and when it is back, as clock texts."""
    return (steps[0]["start"], steps[-1]["end"]) if steps else None
