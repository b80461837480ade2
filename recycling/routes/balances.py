"""Mass balances of trips (趟次平衡), units that came stripped (缺件), and class averages (品类均值)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.policy.access import Role
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.balances import (
    ClassAverageFilterSchema,
    ClassAverageListSchema,
    MissingPartsFilterSchema,
    MissingPartsListSchema,
    ResolveTripSchema,
    TripBalanceFilterSchema,
    TripBalanceListSchema,
    TripBalanceSchema,
)
from recycling.usecases.intake.resolve_trip import Resolution, resolve_trip
from recycling.usecases.queries import balances as queries
from recycling.usecases.queries.class_averages import list_class_averages

READERS: tuple[Role, ...] = ("keeper", "clerk", "dispatcher", "admin")
bp = GuardedBlueprint(
    "trip_balances", __name__, roles=READERS, url_prefix="/trip-balances",
    description="趟次平衡 / doors of a trip against its weigh-in",
)  # fmt: skip
missing_parts_bp = GuardedBlueprint(
    "missing_parts", __name__, roles=READERS, url_prefix="/missing-parts", description="缺件 / units that came stripped"
)
averages_bp = GuardedBlueprint(
    "class_averages", __name__, roles=READERS, url_prefix="/class-averages",
    description="站点品类均值 / the stations' own mean masses",
)  # fmt: skip


@bp.get("")
@bp.arguments(TripBalanceFilterSchema, location="query")
@bp.response(200, TripBalanceListSchema)
def list_trips(wanted: dict[str, Any]) -> dict[str, Any]:
    """List trips with what to do about held ones; a keeper sees those of the own station (趟次平衡列表)."""
    return queries.list_balances(by=principal(), session=db.session(), **wanted)


@bp.get("/<uuid:balance_id>")
@bp.response(200, TripBalanceSchema)
def show_trip(balance_id: UUID) -> dict[str, Any]:
    """Show one trip (趟次平衡详情)."""
    return queries.find_balance(balance_id, by=principal(), session=db.session())


@bp.post("/<uuid:balance_id>/resolution")
@only("keeper", "clerk")
@bp.arguments(ResolveTripSchema)
@idempotent
@bp.response(201, TripBalanceSchema)
def create_resolution(resolution: Resolution, balance_id: UUID) -> dict[str, Any]:
    """Say what became of a held trip; not by a keeper who weighed any of it (处理待核趟次)."""
    balance = resolve_trip(balance_id, resolution, by=principal(), session=db.session(), now=utc_now())
    return queries.balance_in_full(balance)


@missing_parts_bp.get("")
@missing_parts_bp.arguments(MissingPartsFilterSchema, location="query")
@missing_parts_bp.response(200, MissingPartsListSchema)
def list_missing(wanted: dict[str, Any]) -> dict[str, Any]:
    """List units that came stripped, by day, station and collector, and whether door and station agree (缺件列表)."""
    return queries.list_missing_parts(by=principal(), session=db.session(), **wanted)


@averages_bp.get("")
@averages_bp.arguments(ClassAverageFilterSchema, location="query")
@averages_bp.response(200, ClassAverageListSchema)
def list_averages(wanted: dict[str, Any]) -> dict[str, Any]:
    """List class averages with sample and spread beside the type table (站点品类均值列表)."""
    return list_class_averages(by=principal(), district=district(), session=db.session(), **wanted)
