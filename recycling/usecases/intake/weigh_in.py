"""Weigh a load in at a station (过磅入库)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, Forbidden
from recycling.logs import logger
from recycling.models.intake import IntakeTicket, number_ticket
from recycling.models.recovery import hold_open, lock_day, rebuild
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.intake.weighing import Weighing, brings_made_up, count_units, judged_lines

log = logger(__name__)


def weigh_in(
    weighing: Weighing,
    *,
    scale_number: str,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    made_up: bool = False,
) -> IntakeTicket:
    """Write a ticket at the keeper's own station: number, lines, unit counters and figures in one transaction.

    Raises
    ------
    Forbidden
        When the caller is no keeper of a station.
    InvalidInput
        When the weighing contradicts itself, the catalogue or the network.
    Conflict
        When a booking has fewer collected units left to weigh than the ticket names, or the month is closed.
    """
    if by.station_key is None:
        raise Forbidden("only the keeper of a station weighs in, at that station / 仅限本站点保管员过磅")
    station_key, day = by.station_key, service_day(now)
    with atomic(session):
        _refuse_closed(session, day)
        lock_day(session, day=day, station_key=station_key, now=now)
        lines = judged_lines(weighing, station_key=station_key, day=day, district=district, session=session)
        ticket = IntakeTicket(
            id=uuid4(), station_key=station_key, scale_number=scale_number, channel=weighing.channel, day=day,
            counts_on=day, gross_g=weighing.gross_g, tare_g=weighing.tare_g, net_g=weighing.net_g,
            refused_g=weighing.refused_g, refused_reason=weighing.refused_reason, vehicle_key=weighing.vehicle_key,
            trip=weighing.trip, keeper_id=by.id, weighed_at=now,
            made_up=made_up or brings_made_up(lines, session=session), lines=lines,
        )  # fmt: skip
        count_units(session, put=lines)
        number_ticket(session, ticket)
        rebuild(session, day=day, station_key=station_key)
    log.info("ticket.weighed", ticket_id=str(ticket.id), station_key=station_key, net_g=ticket.net_g)
    return ticket


def _refuse_closed(session: Session, day: date) -> None:
    """A month is closed when it is over; only a clock that was set back weighs into one."""
    if not hold_open(session, day):
        raise Conflict(
            f"the figures of {day:%Y-%m} are signed and closed; check this server's clock, then weigh in again"
            f" / {day:%Y-%m} 已结账，请检查系统时间后重新过磅"
        )
