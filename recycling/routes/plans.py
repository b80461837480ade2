"""Plans of service days (调度计划)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.plan import PublishedPlan
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.printing import PDF, pdf_answer
from recycling.routes.schemas.plans import (
    PlanFilterSchema,
    PlanListSchema,
    PlannerAnswerSchema,
    PlannerProblemSchema,
    PlanSchema,
    PublicationSchema,
    PublishedSchema,
)
from recycling.usecases.planning.publish_plan import publish_plan
from recycling.usecases.queries import plans as queries
from recycling.usecases.queries.route_sheet import plan_route_sheet

bp = GuardedBlueprint(
    "plans",
    __name__,
    roles=("dispatcher", "admin"),
    url_prefix="/plans",
    description="调度计划 / plans of service days",
)


@bp.get("")
@bp.arguments(PlanFilterSchema, location="query")
@bp.response(200, PlanListSchema)
def list_plans(wanted: dict[str, Any]) -> dict[str, Any]:
    """List plan versions, latest day and version first (计划列表)."""
    return queries.list_plans(session=db.session(), **wanted)


@bp.get("/<uuid:plan_id>")
@bp.response(200, PlanSchema)
def show_plan(plan_id: UUID) -> dict[str, Any]:
    """Show a plan: routes step by step, what is left out and why, cost (计划详情)."""
    return queries.plan_in_full(plan_id, session=db.session())


@bp.get("/<uuid:plan_id>/problem")
@bp.response(200, PlannerProblemSchema)
def show_problem(plan_id: UUID) -> dict[str, Any]:
    """The problem as the planner was given it, for anybody's checker (排线输入)."""
    return queries.planner_file(plan_id, "problem", session=db.session())


@bp.get("/<uuid:plan_id>/answer")
@bp.response(200, PlannerAnswerSchema)
def show_answer(plan_id: UUID) -> dict[str, Any]:
    """The planner's answer, for anybody's checker (排线结果)."""
    return queries.planner_file(plan_id, "answer", session=db.session())


@bp.get("/<uuid:plan_id>/routes/<vehicle_key>.pdf")
@bp.alt_response(501, "Problem")
@bp.response(200, PDF, content_type="application/pdf", description="A4, for the crew to take along")
def print_route(plan_id: UUID, vehicle_key: str) -> Response:
    """Print a vehicle's route on A4, of a draft as well; phones stay masked (打印车辆路线单)."""
    now = utc_now()
    sheet = plan_route_sheet(plan_id, vehicle_key, district=district(), session=db.session(), now=now)
    return pdf_answer(sheet, now=now)


@bp.post("/<uuid:plan_id>/publication")
@bp.arguments(PublicationSchema)
@idempotent
@bp.response(201, PublishedSchema)
def create_publication(body: dict[str, UUID | None], plan_id: UUID) -> PublishedPlan:
    """Publish a plan: close the day, tell residents and collectors (发布计划)."""
    return publish_plan(
        plan_id,
        replaces=body["replaces"],
        by=principal(),
        district=district(),
        session=db.session(),
        now=utc_now(),
    )
