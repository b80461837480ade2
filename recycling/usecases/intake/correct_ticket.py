"""Correct or withdraw a ticket by a new one (更正磅单). Nothing is ever changed or deleted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, NotFound
from recycling.logs import logger
from recycling.models.intake import IntakeTicket, number_ticket
from recycling.models.recovery import hold_open, lock_day, rebuild
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.field.fold_bookings import fold_bookings, locked_bookings
from recycling.usecases.intake.sight import visible_to
from recycling.usecases.intake.weighing import Weighing, brings_made_up, count_units, judged_lines

log = logger(__name__)


def correct_ticket(
    ticket_id: UUID,
    weighing: Weighing | None,
    *,
    reason: str,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> IntakeTicket:
    """Replace a ticket by what should have stood on it; ``None`` withdraws it.

    The new ticket takes the next number of the same scale and counts for the day of its original. When the month of
    that day is closed it is a dated adjustment: the original stays where it counts, and today its lines are taken off
    and the new ones put in.

    Raises
    ------
    NotFound
        When the caller's station has no ticket of that id.
    Conflict
        When the ticket is already replaced, a booking has fewer units left to weigh, or its month is closed
        and today is no later day of an open one.
    InvalidInput
        As for `weigh_in`.
    """
    with atomic(session):
        original = session.scalar(select(IntakeTicket).where(IntakeTicket.id == ticket_id, visible_to(by)))
        if original is None:
            raise NotFound(f"no ticket {ticket_id} of yours / 未找到该磅单")
        station_key, day = original.station_key, original.day
        wanted = {line.booking_id for line in original.lines}
        wanted |= {line.booking_id for line in (weighing.lines if weighing is not None else ())}
        # Before the items of a ticket are counted: a record at the door locks in this sequence too.
        named = locked_bookings(session, {booking_id for booking_id in wanted if booking_id is not None})
        still_open = hold_open(session, original.counts_on)
        counts_on = original.counts_on if still_open else service_day(now)
        if not still_open and (counts_on <= original.counts_on or not hold_open(session, counts_on)):
            raise Conflict(
                f"{original.counts_on:%Y-%m} is closed, and {counts_on} is no later day of an open month; check this"
                " server's clock, then correct it again"
                f" / {original.counts_on:%Y-%m} 已结账，{counts_on} 不是其后未结账的日期，请检查系统时间后重新更正"
            )
        lock_day(session, day=counts_on, station_key=station_key, now=now)
        _refuse_replaced(original, session=session)
        lines = (
            judged_lines(weighing, station_key=station_key, day=day, district=district, session=session)
            if weighing is not None
            else []
        )
        shown = weighing or Weighing(channel=original.channel, gross_g=0, tare_g=0, lines=())
        weighed_at = max(now, original.weighed_at)  # a clock that was set back does not turn the two round
        ticket = IntakeTicket(
            id=uuid4(), station_key=station_key, scale_number=original.scale_number, channel=shown.channel, day=day,
            counts_on=counts_on, gross_g=shown.gross_g, tare_g=shown.tare_g, net_g=shown.net_g,
            refused_g=shown.refused_g, refused_reason=shown.refused_reason, vehicle_key=shown.vehicle_key,
            trip=shown.trip, keeper_id=by.id, weighed_at=weighed_at, corrects_id=original.id,
            counters_id=original.counters_id if still_open else original.id, correction_reason=reason,
            made_up=original.made_up or brings_made_up(lines, session=session), lines=lines,
        )  # fmt: skip
        count_units(session, put=lines, take_back=original.lines)
        number_ticket(session, ticket)
        # A record that left fewer units than the ticket said could not count in full; now it may.
        fold_bookings(list(named.values()), by=by, district=district, session=session, now=now)
        rebuild(session, day=counts_on, station_key=station_key)
    log.info("ticket.corrected", ticket_id=str(ticket.id), corrects_id=str(ticket_id), net_g=ticket.net_g)
    return ticket


def _refuse_replaced(original: IntakeTicket, *, session: Session) -> None:
    """Refuse a ticket that a correction has replaced, naming the newest one of the chain."""
    newest = original
    while (newer := session.scalar(select(IntakeTicket).where(IntakeTicket.corrects_id == newest.id))) is not None:
        newest = newer
    if newest is not original:
        raise Conflict(
            f"ticket {original.id} is already replaced; correct the newest, {newest.id} (number {newest.number})"
            f" / 该磅单已被更正，请更正最新磅单 {newest.number} 号"
        )
