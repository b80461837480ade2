"""Corrections that wait for a second person (更正复核)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.corrections import (
    CorrectionProposalFilterSchema,
    CorrectionProposalListSchema,
    CorrectionProposalSchema,
    RejectCorrectionSchema,
)
from recycling.routes.schemas.intake import IntakeTicketSchema
from recycling.usecases.intake.propose_correction import approve_correction, reject_correction
from recycling.usecases.queries.corrections import list_proposals, proposal_in_full
from recycling.usecases.queries.intake import noted_ticket

bp = GuardedBlueprint(
    "correction_proposals",
    __name__,
    roles=("keeper", "clerk", "dispatcher", "admin"),
    url_prefix="/correction-proposals",
    description="更正复核 / corrections of tickets that take two people",
)


@bp.get("")
@bp.arguments(CorrectionProposalFilterSchema, location="query")
@bp.response(200, CorrectionProposalListSchema)
def list_all(wanted: dict[str, Any]) -> dict[str, Any]:
    """List proposals, newest first; a keeper those of the own station (更正申请列表)."""
    waiting = wanted.pop("waiting") == "true"
    return list_proposals(by=principal(), session=db.session(), waiting=waiting, **wanted)


@bp.post("/<uuid:correction_proposal_id>/approval")
@only("keeper", "clerk")
@idempotent
@bp.response(201, IntakeTicketSchema)
def create_approval(correction_proposal_id: UUID) -> dict[str, Any]:
    """Approve a correction that somebody else has proposed; its ticket is written now (批准更正)."""
    ticket = approve_correction(
        correction_proposal_id, by=principal(), district=district(), session=db.session(), now=utc_now()
    )
    return noted_ticket(ticket, session=db.session())


@bp.post("/<uuid:correction_proposal_id>/rejection")
@only("keeper", "clerk")
@bp.arguments(RejectCorrectionSchema)
@idempotent
@bp.response(201, CorrectionProposalSchema)
def create_rejection(command: dict[str, str], correction_proposal_id: UUID) -> dict[str, Any]:
    """Reject a correction that somebody else has proposed; the ticket stands (驳回更正)."""
    proposal = reject_correction(correction_proposal_id, by=principal(), session=db.session(), now=utc_now(), **command)
    return proposal_in_full(proposal, session=db.session())
