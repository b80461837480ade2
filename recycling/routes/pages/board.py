"""The planning board (排线看板): a day's plan on a map and in time, edited by hand; its scripts draw it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import render_template
from marshmallow import fields

from recycling.clock import service_day, utc_now
from recycling.errors import NotFound
from recycling.extensions import db
from recycling.policy.fleet import SKILL_WORDS
from recycling.routes.pages.day import DayQuery, day_after, day_before
from recycling.routes.pages.guard import PageBlueprint
from recycling.usecases.queries.plans import list_plans, plan_of_day

bp = PageBlueprint("page_board", __name__, roles=("dispatcher", "admin"), url_prefix="/pages/board")

MOST_VERSIONS = 50


class BoardQuery(DayQuery):
    """A day, and one of its versions; without one the published or else the newest is shown."""

    plan = fields.UUID(load_default=None)


@bp.get("")
@bp.arguments(BoardQuery, location="query")
def show(wanted: dict[str, Any]) -> str:
    """Show the board of a day; tomorrow's when no day is named."""
    now, session = utc_now(), db.session()
    today = service_day(now)
    day: date = wanted["day"] or day_after(today) or today
    versions = list_plans(session=session, day=day, limit=MOST_VERSIONS)["plans"]
    facts = {
        "day": str(day),
        "plan_id": _shown(wanted["plan"], versions, day),
        "versions": [
            {"id": str(row["id"]), "version": row["version"], "made_at": row["made_at"].isoformat(),
             "published": row["published_at"] is not None}
            for row in versions
        ],
        "plannable": day >= today,
        "skills": SKILL_WORDS,
    }  # fmt: skip
    return render_template(
        "board/board.html", day=day, today=today, before=day_before(day), after=day_after(day), facts=facts
    )


def _shown(wanted: UUID | None, versions: list[dict[str, Any]], day: date) -> str | None:
    """The version to show: the one wanted if it is one of the day, else what the plan page shows."""
    if wanted is not None and any(row["id"] == wanted for row in versions):
        return str(wanted)
    try:
        return str(plan_of_day(day, session=db.session()))
    except NotFound:
        return None
