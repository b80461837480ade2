"""Goal progress for the bureau: each scope apart, with what it covers, what it rests on and where its tickets are."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, url_for
from marshmallow import fields, validate

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

# Loaded by the page's module once everything else stands: together they are half of what the page weighs.
DRAWN_WITH = {
    "charts": "vendor/echarts-6.1.0/echarts.common.min.js",
    "maps": "vendor/leaflet-1.9.4/leaflet.js",
    "maps_style": "vendor/leaflet-1.9.4/leaflet.css",
}


class OnQuery(Schema):
    """The day at whose end to judge, today when left out; all scopes, or only that of the goals."""

    on = Day(load_default=None)
    view = fields.String(load_default="all", validate=validate.OneOf(("all", "goal")))


@bp.get("")
@bp.arguments(OnQuery, location="query")
def show(wanted: dict[str, Any]) -> str:
    """Show where each scope stands at the end of a day."""
    now = utc_now()
    today = service_day(now)
    report = goal_progress(wanted["on"], district=district(), session=db.session(), now=now)
    day = date.fromisoformat(report["on"])
    only_goal = wanted["view"] == "goal"
    scopes = report["scopes"][:1] if only_goal else report["scopes"]
    return render_template(
        "desk/goals.html",
        report=report,
        scopes=scopes,
        view=wanted["view"],
        kept="&view=goal" if only_goal else "",
        facts=_facts(report, scopes),
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


def _facts(report: dict[str, Any], scopes: list[dict[str, Any]]) -> dict[str, Any]:
    """What the page's module draws."""
    return {
        "on": report["on"],
        "drawn_with": {name: url_for("static", filename=path) for name, path in DRAWN_WITH.items()},
        "scopes": [
            {
                "label": found["scope"]["label"],
                "unit": found["scope"]["unit"],
                "recovered": found["recovered"],
                "by_town": found["by_town"],
            }
            for found in scopes
        ],
    }
