"""A plan on the dispatcher's board (排线看板): drawn, edited by hand, judged, compared."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district, expected_version, versioned
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.plan_edits import (
    BoardSchema,
    EditsSchema,
    OtherPlanSchema,
    PlaceListSchema,
    PlacesSchema,
    PlanChangesSchema,
    PlanDifferencesSchema,
    PlanNewsSchema,
    VerdictSchema,
)
from recycling.routes.schemas.plans import PlanRowSchema
from recycling.usecases.planning.edit_plan import edit_plan
from recycling.usecases.planning.judge_edits import find_places, judge_edits
from recycling.usecases.planning.judges import Judges
from recycling.usecases.queries import plan_board as queries
from recycling.usecases.queries.plans import plan_row

bp = GuardedBlueprint(
    "plan_edits",
    __name__,
    roles=("dispatcher", "admin"),
    url_prefix="/plans/<uuid:plan_id>",
    description="排线看板 / plans edited by hand",
)


def _judges() -> Judges:
    """Those of this process."""
    found: Judges = current_app.extensions["judges"]
    return found


@bp.get("/board")
@bp.response(200, BoardSchema)
def show_board(plan_id: UUID) -> dict[str, Any]:
    """All that the board draws of a plan, without names, phones and addresses (看板数据)."""
    return queries.plan_board(plan_id, judges=_judges(), district=district(), session=db.session(), now=utc_now())


@bp.get("/news")
@bp.response(200, PlanNewsSchema)
def show_news(plan_id: UUID) -> dict[str, Any]:
    """What became of a plan's day since: its newest version, and the published one (新版动态)."""
    return queries.plan_news(plan_id, session=db.session())


@bp.get("/changes")
@bp.response(200, PlanChangesSchema)
def show_changes(plan_id: UUID) -> dict[str, Any]:
    """How the day differs from the one that the plan was made for, so that no edits are kept (计划后的变动)."""
    found = queries.plan_changes(plan_id, district=district(), session=db.session(), now=utc_now())
    return {"changes": None if found is None else dict(zip(("zh", "en"), found.words, strict=True))}


@bp.post("/verdicts")
@bp.arguments(EditsSchema)
@bp.response(200, VerdictSchema)
def judge(edits: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """Judge edits without keeping them: what breaks, in words, and what they cost (判定调整)."""
    return judge_edits(plan_id, edits["routes"], judges=_judges(), session=db.session())


@bp.post("/places")
@bp.arguments(PlacesSchema)
@bp.response(200, PlaceListSchema)
def list_places(wanted: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """The best place for a booking on each vehicle that can take it, beside some edits (最佳位置)."""
    return find_places(plan_id, wanted["booking_id"], wanted["routes"], judges=_judges(), session=db.session())


@bp.post("/edits")
@bp.arguments(EditsSchema)
@versioned
@idempotent
@bp.response(201, PlanRowSchema)
def create_edits(edits: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """Keep edits as the day's next version, a draft; If-Match is its newest version so far (保存调整)."""
    plan = edit_plan(
        plan_id, edits["routes"], newest=expected_version(), judges=_judges(), by=principal(), district=district(),
        session=db.session(), now=utc_now(),
    )  # fmt: skip
    return plan_row(plan)


@bp.get("/differences")
@bp.arguments(OtherPlanSchema, location="query")
@bp.response(200, PlanDifferencesSchema)
def show_differences(wanted: dict[str, UUID | None], plan_id: UUID) -> dict[str, Any]:
    """Compare a version with another one of its day: visits that move, cost, promises kept (比较版本)."""
    return queries.plan_differences(plan_id, wanted["other"], session=db.session())
