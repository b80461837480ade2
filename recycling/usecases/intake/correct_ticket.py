"""Correct or withdraw a ticket by a new one (更正磅单). Nothing is ever changed or deleted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.errors import SecondPersonNeeded
from recycling.logs import logger
from recycling.models.intake import IntakeTicket
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import kg_text
from recycling.usecases.intake.read_off import ReadWeighing
from recycling.usecases.intake.replacing import judged_correction, takes_two, write_correction
from recycling.usecases.intake.weighing import Weighing

log = logger(__name__)


def correct_ticket(
    ticket_id: UUID,
    weighing: Weighing | ReadWeighing | None,
    *,
    reason: str,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> IntakeTicket:
    """Replace a ticket by what should have stood on it; ``None`` withdraws it.

    Raises
    ------
    NotFound
        When the caller's station has no ticket of that id.
    SecondPersonNeeded
        When it moves the ticket further than one person may: `propose_correction` keeps it for a second.
    Conflict
        When the ticket is already replaced, a booking has fewer units left to weigh, another standing ticket has the
        reading or the trip, a label belongs to another unit, or goods that it takes out have left the station.
    InvalidInput
        As for `weigh_in`.
    """
    with atomic(session):
        correction = judged_correction(ticket_id, weighing, reason=reason, by=by, district=district, session=session)
        before_g = correction.original.net_g
        if takes_two(correction, district=district, session=session):
            raise SecondPersonNeeded(
                f"from {kg_text(before_g)} to {kg_text(correction.net_g)} is more than one person may correct, in mass"
                " or in pieces; propose it and let a second approve / 更正的重量或件数超过单人权限，须由第二人复核"
            )
        ticket = write_correction(correction, keeper_id=by.id, by=by, district=district, session=session, now=now)
    log.info("ticket.corrected", ticket_id=str(ticket.id), corrects_id=str(ticket_id), net_g=ticket.net_g)
    return ticket
