"""What goals are measured against: baselines that two people state and confirm, and past months as declared."""

from __future__ import annotations

from typing import Any

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.routes.context import configured
from recycling.routes.guard import principal
from recycling.routes.pages.filters import WithoutBlanks, in_address
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.schemas.history import DeclaredFilterSchema, PageFilterSchema
from recycling.usecases.queries import baselines, declared
from recycling.usecases.queries.staff import names_of

bp = PageBlueprint("page_history", __name__, roles=("clerk", "dispatcher", "admin"), url_prefix="/pages/history")

FORMS = {"csv-utf-8": "CSV (UTF-8)", "csv-gb18030": "CSV (GB18030)", "xlsx": "Excel"}
SHOWN_UPLOADS = 20


class BaselinesQuery(WithoutBlanks, PageFilterSchema):
    """Where the page of baselines begins."""


class DeclaredQuery(WithoutBlanks, DeclaredFilterSchema):
    """Which declared figures to show."""


@bp.get("")
@bp.arguments(BaselinesQuery, location="query")
def show(wanted: dict[str, Any]) -> str:
    """Show the baselines in all their versions; state one, confirm somebody else's."""
    session, goals = db.session(), configured().goals
    page = baselines.list_baselines(session=session, **wanted)
    people = [row[name] for row in page["baselines"] for name in ("proposed_by_id", "confirmed_by_id")]
    scopes = goals.current_scopes()
    aimed_at = {goal.scope_key for goal in goals.goals}
    return render_template(
        "desk/baselines.html",
        page=page,
        asked=in_address(wanted),
        names=names_of(people, session=session),
        scopes=sorted(scopes, key=lambda scope: scope.key not in aimed_at),
        scope_names={scope.label: (scope.name_zh, scope.name_en) for scope in goals.scopes},
        placeholders=[base for base in goals.baselines if not base.confirmed],
        last_year=service_day(utc_now()).year - 1,
        me=principal().id,
    )


@bp.get("/declared")
@bp.arguments(DeclaredQuery, location="query")
def show_declared(wanted: dict[str, Any]) -> str:
    """Show declared months and the files that they came in; try a file, then declare it."""
    session, facts = db.session(), configured()
    page = declared.list_declared(session=session, **wanted)
    uploads = declared.list_uploads(session=session, limit=SHOWN_UPLOADS)["uploads"]
    return render_template(
        "desk/declared.html",
        page=page,
        asked=in_address(wanted),
        uploads=uploads,
        names=names_of([row.uploaded_by_id for row in uploads], session=session),
        forms=FORMS,
        network=facts.network,
        name_of=facts.catalogue.latest,
    )
