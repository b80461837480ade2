"""Intake tickets (入库磅单)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.intake import (
    CorrectTicketSchema,
    IntakeTicketFilterSchema,
    IntakeTicketListSchema,
    IntakeTicketSchema,
    WeighInSchema,
)
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.intake.weighing import Weighing
from recycling.usecases.queries import intake as queries

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
def create_ticket(command: tuple[Weighing, str]) -> dict[str, Any]:
    """Weigh a load in at the keeper's own station (过磅入库)."""
    weighing, scale_number = command
    ticket = weigh_in(
        weighing, scale_number=scale_number, by=principal(), district=district(), session=db.session(), now=utc_now()
    )
    return queries.ticket_in_full(ticket)


@bp.get("")
@bp.arguments(IntakeTicketFilterSchema, location="query")
@bp.response(200, IntakeTicketListSchema)
def list_tickets(wanted: dict[str, Any]) -> dict[str, Any]:
    """List the tickets that the caller may see, newest first; a keeper those of the own station (磅单列表)."""
    return queries.list_tickets(by=principal(), session=db.session(), **wanted)


@bp.get("/<uuid:ticket_id>")
@bp.response(200, IntakeTicketSchema)
def show_ticket(ticket_id: UUID) -> dict[str, Any]:
    """Show one ticket (磅单详情)."""
    return queries.find_ticket(ticket_id, by=principal(), session=db.session())


@bp.post("/<uuid:ticket_id>/corrections")
@only("keeper")
@bp.arguments(CorrectTicketSchema)
@idempotent
@bp.response(201, IntakeTicketSchema)
def create_correction(command: tuple[Weighing | None, str], ticket_id: UUID) -> dict[str, Any]:
    """Replace a ticket by a new one, or withdraw it; the old one stays readable (更正或作废磅单)."""
    weighing, reason = command
    ticket = correct_ticket(
        ticket_id,
        weighing,
        reason=reason,
        by=principal(),
        district=district(),
        session=db.session(),
        now=utc_now(),
    )
    return queries.ticket_in_full(ticket)
