"""Intake tickets (入库磅单)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify, make_response

from recycling.clock import utc_now
from recycling.errors import SecondPersonNeeded
from recycling.extensions import db
from recycling.routes.context import configured, district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.printing import PDF, receipt_answer
from recycling.routes.schemas.corrections import CorrectionProposalSchema
from recycling.routes.schemas.intake import (
    CorrectTicketSchema,
    IntakeTicketFilterSchema,
    IntakeTicketListSchema,
    IntakeTicketSchema,
    WeighInSchema,
)
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.propose_correction import propose_correction
from recycling.usecases.intake.read_off import ReadWeighing
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.intake.weighing import Weighing
from recycling.usecases.queries import intake as queries
from recycling.usecases.queries.corrections import proposal_in_full
from recycling.usecases.queries.receipts import receipt

bp = GuardedBlueprint(
    "intake_tickets",
    __name__,
    roles=("keeper", "clerk", "dispatcher", "admin"),
    url_prefix="/intake-tickets",
    description="入库磅单 / weigh-ins at the stations",
)


@bp.post("")
@only("keeper")
@bp.arguments(WeighInSchema)
@idempotent
@bp.response(201, IntakeTicketSchema)
def create_ticket(command: tuple[Weighing | ReadWeighing, str | None]) -> dict[str, Any]:
    """Weigh a load in at the keeper's own station (过磅入库)."""
    weighing, scale_number = command
    ticket = weigh_in(
        weighing, scale_number=scale_number, by=principal(), district=district(), session=db.session(), now=utc_now()
    )
    return queries.noted_ticket(ticket, session=db.session())


@bp.get("")
@bp.arguments(IntakeTicketFilterSchema, location="query")
@bp.response(200, IntakeTicketListSchema)
def list_tickets(wanted: dict[str, Any]) -> dict[str, Any]:
    """List the tickets that the caller may see, newest first; a keeper those of the own station (磅单列表)."""
    return queries.list_tickets(by=principal(), district=configured(), session=db.session(), **wanted)


@bp.get("/<uuid:ticket_id>")
@bp.response(200, IntakeTicketSchema)
def show_ticket(ticket_id: UUID) -> dict[str, Any]:
    """Show one ticket (磅单详情)."""
    return queries.find_ticket(ticket_id, by=principal(), session=db.session())


@bp.get("/<uuid:ticket_id>/receipt.pdf")
@bp.response(200, PDF, content_type="application/pdf")
@bp.alt_response(501, "Problem")
def print_receipt(ticket_id: UUID) -> Response:
    """Print the receipt of a ticket, with a QR code that proves it genuine (磅单回执)."""
    found = receipt(ticket_id, by=principal(), district=district(), session=db.session())
    return receipt_answer(found, now=utc_now())


@bp.post("/<uuid:ticket_id>/corrections")
@only("keeper")
@bp.arguments(CorrectTicketSchema)
@idempotent
@bp.alt_response(202, schema=CorrectionProposalSchema, description="It takes a second person; this waits for them")
@bp.response(201, IntakeTicketSchema)
def create_correction(
    command: tuple[Weighing | ReadWeighing | None, str], ticket_id: UUID
) -> dict[str, Any] | Response:
    """Replace a ticket by a new one, or withdraw it; a large change waits for a second person (更正或作废磅单)."""
    weighing, reason = command
    session = db.session()
    with_all: dict[str, Any] = {
        "reason": reason, "by": principal(), "district": district(), "session": session, "now": utc_now(),
    }  # fmt: skip
    try:
        ticket = correct_ticket(ticket_id, weighing, **with_all)
    except SecondPersonNeeded:
        proposal = propose_correction(ticket_id, weighing, **with_all)
        told = CorrectionProposalSchema().dump(proposal_in_full(proposal, session=session))
        return make_response(jsonify(told), 202)
    return queries.noted_ticket(ticket, session=session)
