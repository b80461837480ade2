"""Invariants of readings, trips, and corrections by two."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from recycling.models.correction import CorrectionDecision, CorrectionProposal
from recycling.models.intake import IntakeTicket
from recycling.models.weighbridge import ScaleReading, WeighedReading, WeighedTrip
from recycling.usecases.queries.invariants.figures import NEWEST
from recycling.usecases.queries.invariants.rule import Breaches, invariant, rows


@invariant("I-49", "一读数一磅单 / each standing ticket with a reading holds that reading, and nothing else holds one")
def readings_are_held_by_their_ticket(session: Session, _now: datetime) -> Breaches:
    """Tickets whose reading is not theirs, and readings held by a ticket that does not stand or does not name them."""
    ticket, held = IntakeTicket, WeighedReading
    fits = and_(held.ticket_id == ticket.id, held.reading_id == ticket.reading_id)
    without = select(ticket.id, ticket.reading_id).outerjoin(held, fits)
    strays = select(held.ticket_id, held.reading_id).outerjoin(ticket, and_(fits, NEWEST))
    return [
        *rows(session, without.where(NEWEST, ticket.reading_id.is_not(None), held.ticket_id.is_(None))),
        *rows(session, strays.where(ticket.id.is_(None))),
    ]


@invariant("I-49", "磅单如读数 / a first ticket has the masses, the scale and the instant of its reading")
def tickets_are_as_read(session: Session, _now: datetime) -> Breaches:
    """Tickets that say something else than the reading they were taken off."""
    ticket, reading = IntakeTicket, ScaleReading
    wrong = or_(
        ticket.station_key != reading.station_key,
        and_(
            ticket.corrects_id.is_(None),
            or_(
                ticket.gross_g != reading.gross_g, ticket.tare_g != reading.tare_g,
                ticket.scale_number != reading.scale_number, ticket.weighed_at != reading.at,
            ),
        ),
    )  # fmt: skip
    return rows(session, select(ticket.id, reading.id).join(reading, reading.id == ticket.reading_id).where(wrong))


@invariant("I-47", "一趟一磅单 / each standing door ticket with a trip holds that trip, and nothing else holds one")
def trips_are_held_by_their_ticket(session: Session, _now: datetime) -> Breaches:
    """Tickets whose trip is not theirs, and trips held by a ticket that does not stand or is of another load."""
    ticket, held = IntakeTicket, WeighedTrip
    fits = and_(
        held.ticket_id == ticket.id, held.day == ticket.day, held.vehicle_key == ticket.vehicle_key,
        held.trip == ticket.trip, ticket.channel == "door",
    )  # fmt: skip
    without = select(ticket.id, ticket.vehicle_key, ticket.trip).outerjoin(held, fits)
    strays = select(held.ticket_id, held.vehicle_key, held.trip).outerjoin(ticket, and_(fits, NEWEST))
    loads = (NEWEST, ticket.channel == "door", ticket.trip.is_not(None))
    return [
        *rows(session, without.where(*loads, held.ticket_id.is_(None))),
        *rows(session, strays.where(ticket.id.is_(None))),
    ]


@invariant("I-48", "更正由两人 / an approved correction is the ticket that its proposer wrote down, seen by another")
def approvals_are_what_was_proposed(session: Session, _now: datetime) -> Breaches:
    """Approvals by the proposer, and those whose ticket corrects another ticket or has another net or author."""
    proposal, decision, made = CorrectionProposal, CorrectionDecision, aliased(IntakeTicket)
    wrong = or_(
        decision.decided_by_id == proposal.proposed_by_id, made.corrects_id != proposal.ticket_id,
        made.net_g != proposal.net_after_g, made.keeper_id != proposal.proposed_by_id,
    )  # fmt: skip
    wanted = (
        select(proposal.id, made.id)
        .join(decision, decision.proposal_id == proposal.id)
        .outerjoin(made, made.id == decision.correction_id)
    )
    return rows(session, wanted.where(wrong))
