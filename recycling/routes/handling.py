"""Handling proposals, decisions on them, and the handling table of a day (作业时长)."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import configured, district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.handling import (
    HandlingAcceptanceSchema,
    HandlingDecisionSchema,
    HandlingProposalFilterSchema,
    HandlingProposalListSchema,
    HandlingProposalSchema,
    HandlingRejectionSchema,
    HandlingTableFilterSchema,
    HandlingTableSchema,
)
from recycling.usecases.learning.decide_handling import Acceptance, accept_handling, reject_handling
from recycling.usecases.queries import handling as queries

bp = GuardedBlueprint(
    "handling",
    __name__,
    roles=("clerk", "dispatcher", "admin"),
    description="作业时长 / minutes of a stop, learned and accepted",
)


@bp.get("/handling-proposals")
@bp.arguments(HandlingProposalFilterSchema, location="query")
@bp.response(200, HandlingProposalListSchema)
def list_proposals(wanted: dict[str, Any]) -> dict[str, Any]:
    """List proposals, newest first (作业时长建议)."""
    return queries.list_proposals(session=db.session(), **wanted)


@bp.get("/handling-proposals/<uuid:proposal_id>")
@bp.response(200, HandlingProposalSchema)
def show_proposal(proposal_id: UUID) -> dict[str, Any]:
    """Show a proposal: values old and new, sample, interval, gain (作业时长建议详情)."""
    return queries.proposal_in_full(proposal_id, district=configured(), session=db.session())


@bp.post("/handling-proposals/<uuid:proposal_id>/acceptance")
@only("dispatcher", "admin")
@bp.arguments(HandlingAcceptanceSchema)
@idempotent
@bp.response(201, HandlingDecisionSchema)
def create_acceptance(wish: Acceptance, proposal_id: UUID) -> dict[str, Any]:
    """Take a proposal, whole or in part: new promises are made with it from its day on (采纳建议)."""
    decision = accept_handling(
        proposal_id, wish, by=principal(), district=configured(), session=db.session(), now=utc_now()
    )
    return queries.decision_in_full(decision, session=db.session())


@bp.post("/handling-proposals/<uuid:proposal_id>/rejection")
@only("dispatcher", "admin")
@bp.arguments(HandlingRejectionSchema)
@idempotent
@bp.response(201, HandlingDecisionSchema)
def create_rejection(body: dict[str, str], proposal_id: UUID) -> dict[str, Any]:
    """Put a proposal aside, and say why (否决建议)."""
    decision = reject_handling(proposal_id, note=body["note"], by=principal(), session=db.session(), now=utc_now())
    return queries.decision_in_full(decision, session=db.session())


@bp.get("/handling-table")
@bp.arguments(HandlingTableFilterSchema, location="query")
@bp.response(200, HandlingTableSchema)
def show_table(wanted: dict[str, date]) -> dict[str, Any]:
    """Show the values that new promises of a day are made with, beside the configured ones (作业时长表)."""
    return queries.handling_table(wanted.get("day"), district=district(), now=utc_now())
