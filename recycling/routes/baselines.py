"""Baselines (基准): stated by one person from a document, confirmed by a second."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import configured
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.history import (
    BaselineListSchema,
    BaselineVersionSchema,
    PageFilterSchema,
    StatedBaselineSchema,
)
from recycling.usecases.queries import baselines as queries
from recycling.usecases.reporting.baselines import StatedBaseline, confirm_baseline, propose_baseline

bp = GuardedBlueprint(
    "baselines", __name__, roles=("clerk", "dispatcher", "admin"), url_prefix="/baselines",
    description="基准 / what goals are measured against, confirmed by two people",
)  # fmt: skip


@bp.post("")
@only("clerk")
@bp.arguments(StatedBaselineSchema)
@idempotent
@bp.response(201, BaselineVersionSchema)
def create_baseline(stated: StatedBaseline) -> dict[str, Any]:
    """State a baseline for a second person to confirm (申报基准)."""
    made = propose_baseline(stated, by=principal(), district=configured(), session=db.session(), now=utc_now())
    return queries.baseline_in_full(made)


@bp.post("/<uuid:baseline_id>/confirmation")
@only("clerk", "admin")
@idempotent
@bp.response(201, BaselineVersionSchema)
def create_confirmation(baseline_id: UUID) -> dict[str, Any]:
    """Freeze a baseline that somebody else stated: goals are measured against it from now on (确认基准)."""
    confirmed = confirm_baseline(baseline_id, by=principal(), session=db.session(), now=utc_now())
    return queries.baseline_in_full(confirmed)


@bp.get("")
@bp.arguments(PageFilterSchema, location="query")
@bp.response(200, BaselineListSchema)
def list_baselines(wanted: dict[str, Any]) -> dict[str, Any]:
    """List all versions, newest first (基准版本)."""
    return queries.list_baselines(session=db.session(), **wanted)
