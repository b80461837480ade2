"""Recurring pickups of enterprises (企业定期回收)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.recurring import RecurringPickup
from recycling.policy.access import Role
from recycling.routes.context import district, etag, expected_version, versioned
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.recurring_pickups import (
    AgreeRecurringSchema,
    AmendRecurringSchema,
    RecurringFilterSchema,
    RecurringListSchema,
    RecurringPickupSchema,
)
from recycling.usecases.bookings.recurring import Agreement, agree_recurring, amend_recurring
from recycling.usecases.queries import recurring as queries

PLANNERS: tuple[Role, ...] = ("dispatcher", "admin")
# The enterprise's contact sees what was agreed, and may end it.
READERS: tuple[Role, ...] = ("resident", *PLANNERS)
bp = GuardedBlueprint(
    "recurring_pickups", __name__, roles=READERS, url_prefix="/recurring-pickups",
    description="企业定期回收 / pickups of enterprises that recur, booked at night as their days become bookable",
)  # fmt: skip


@bp.post("")
@only(*PLANNERS)
@bp.arguments(AgreeRecurringSchema)
@idempotent
@bp.response(201, RecurringPickupSchema)
def agree(agreement: Agreement) -> tuple[dict[str, Any], dict[str, str]]:
    """Agree on a recurring pickup (登记定期回收)."""
    pickup = agree_recurring(agreement, by=principal(), district=district(), session=db.session(), now=utc_now())
    body, headers = _whole(pickup)
    return body, headers | {"Location": f"{bp.url_prefix}/{pickup.id}"}


@bp.get("")
@bp.arguments(RecurringFilterSchema, location="query")
@bp.response(200, RecurringListSchema)
def list_recurring(wanted: dict[str, Any]) -> dict[str, Any]:
    """List recurring pickups, newest first (定期回收列表)."""
    return queries.list_recurring(by=principal(), session=db.session(), **wanted)


@bp.get("/<uuid:recurring_id>")
@bp.response(200, RecurringPickupSchema)
def show_recurring(recurring_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Show one, with what came of its newest days (定期回收详情)."""
    return _whole(queries.find_recurring(recurring_id, by=principal(), session=db.session()))


@bp.patch("/<uuid:recurring_id>")
@only(*PLANNERS)
@versioned
@bp.arguments(AmendRecurringSchema)
@bp.response(200, RecurringPickupSchema)
def amend(changes: dict[str, Any], recurring_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Change, pause or resume one; bookings that are made already stay (变更定期回收)."""
    return _whole(_amended(recurring_id, changes))


@bp.post("/<uuid:recurring_id>/end")
@versioned
@bp.response(200, RecurringPickupSchema)
def end(recurring_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """End one for good; bookings that are made already stay, and are cancelled one by one (终止定期回收)."""
    return _whole(_amended(recurring_id, {"state": "ended"}))


def _amended(recurring_id: UUID, changes: Mapping[str, Any]) -> RecurringPickup:
    return amend_recurring(
        recurring_id, changes, version=expected_version(), by=principal(), district=district(), session=db.session(),
        now=utc_now(),
    )  # fmt: skip


def _whole(pickup: RecurringPickup) -> tuple[dict[str, Any], dict[str, str]]:
    return queries.recurring_in_full(pickup, session=db.session()), etag(pickup.version)
