"""A running day that mends itself (当日自愈): disruptions, proposals for its rest, and promises that broke."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.healing import Disruption
from recycling.models.job_run import JobRun
from recycling.models.plan import PublishedPlan
from recycling.policy.access import Role
from recycling.routes.bookings import whole
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.bookings import BookingSchema
from recycling.routes.schemas.healing import (
    AskReplanSchema,
    DayFilterSchema,
    DisruptionListSchema,
    DisruptionSchema,
    IncidentSchema,
    PromiseFilterSchema,
    PromiseListSchema,
    ProposalListSchema,
    ProposalSchema,
    TakeAlternativeSchema,
)
from recycling.routes.schemas.job_runs import JobRunSchema
from recycling.routes.schemas.plans import PublishedSchema
from recycling.usecases.bookings.take_alternative import take_alternative
from recycling.usecases.planning.publish_replan import publish_replan
from recycling.usecases.planning.record_disruption import Incident, record_disruption
from recycling.usecases.planning.request_replan import request_replan
from recycling.usecases.queries import healing as queries

PLANNERS: tuple[Role, ...] = ("dispatcher", "admin")
disruptions_bp = GuardedBlueprint(
    "disruptions", __name__, roles=PLANNERS, url_prefix="/disruptions",
    description="当日异常 / what went wrong on a running day",
)  # fmt: skip
replans_bp = GuardedBlueprint(
    "replans", __name__, roles=PLANNERS, url_prefix="/replans",
    description="当日重排方案 / proposals for the rest of a running day",
)  # fmt: skip
promises_bp = GuardedBlueprint(
    "broken_promises", __name__, roles=("resident", *PLANNERS), url_prefix="/broken-promises",
    description="失约与改约 / promised windows that were not kept, and what is offered instead",
)  # fmt: skip


@disruptions_bp.post("")
@disruptions_bp.arguments(IncidentSchema)
@idempotent
@disruptions_bp.response(201, DisruptionSchema)
def create_disruption(incident: Incident) -> Disruption:
    """Record what went wrong today; a cancelled booking is withdrawn and its resident told (登记当日异常)."""
    return record_disruption(incident, by=principal(), district=district(), session=db.session(), now=utc_now())


@disruptions_bp.get("")
@disruptions_bp.arguments(DayFilterSchema, location="query")
@disruptions_bp.response(200, DisruptionListSchema)
def list_disruptions(wanted: dict[str, date]) -> dict[str, Any]:
    """List what went wrong on a day (当日异常列表)."""
    return {"disruptions": queries.list_disruptions(wanted["day"], session=db.session())}


@replans_bp.post("")
@replans_bp.arguments(AskReplanSchema)
@idempotent
@replans_bp.response(202, JobRunSchema)
def ask_replan(body: dict[str, date]) -> JobRun:
    """Ask for proposals for the rest of today: a quick one, then a better one; see GET /replans (请求重排)."""
    return request_replan(body["day"], by=principal(), session=db.session(), now=utc_now())


@replans_bp.get("")
@replans_bp.arguments(DayFilterSchema, location="query")
@replans_bp.response(200, ProposalListSchema)
def list_replans(wanted: dict[str, date]) -> dict[str, Any]:
    """List the proposals of a day, newest first (重排方案列表)."""
    return {"replans": queries.list_proposals(wanted["day"], session=db.session())}


@replans_bp.get("/<uuid:plan_id>")
@replans_bp.response(200, ProposalSchema)
def show_replan(plan_id: UUID) -> dict[str, Any]:
    """Show what a proposal changes for whom (重排方案详情)."""
    return queries.proposal_in_full(plan_id, session=db.session())


@replans_bp.post("/<uuid:plan_id>/publication")
@idempotent
@replans_bp.response(201, PublishedSchema)
def publish(plan_id: UUID) -> PublishedPlan:
    """Publish a proposal; residents and crews whose day changes hear (发布重排)."""
    return publish_replan(plan_id, by=principal(), district=district(), session=db.session(), now=utc_now())


@promises_bp.get("")
@promises_bp.arguments(PromiseFilterSchema, location="query")
@promises_bp.response(200, PromiseListSchema)
def list_promises(wanted: dict[str, date]) -> dict[str, Any]:
    """List the broken promises that the caller may see, with the windows offered instead (失约列表)."""
    found = queries.list_promises(by=principal(), district=district(), session=db.session(), day=wanted.get("day"))
    return {"broken_promises": found}


@promises_bp.post("/<uuid:promise_id>/alternative")
@only("resident")
@promises_bp.arguments(TakeAlternativeSchema)
@idempotent
@promises_bp.response(201, BookingSchema)
def take(body: dict[str, int], promise_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Take one of the windows offered for a broken promise (选择改约时段)."""
    booking = take_alternative(
        promise_id, body["number"], by=principal(), district=district(), session=db.session(), now=utc_now()
    )
    answer, headers = whole(booking)
    return answer, headers | {"Location": f"/bookings/{booking.id}"}
