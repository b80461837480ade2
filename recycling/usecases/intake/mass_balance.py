"""Compare what came off the doors with what was weighed, trip by trip, for a day that is over (物料平衡检查)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import InvalidInput
from recycling.logs import logger
from recycling.models.balance import MissingPartsFlag
from recycling.models.booking import Booking
from recycling.models.field import FieldEvent, FieldRuling
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.intake.balance_day import balance_day

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balanced:
    """What a run found.

    Parameters
    ----------
    days
        Days worked out: the one asked for, and earlier ones of which something came in since it began.
    trips, held, stripped
        Trips of the day itself, those of them that are held, and its flags of units that came stripped.
    """

    days: int
    trips: int
    held: int
    stripped: int


def balance_trips(day: date, *, district: District, session: Session, now: datetime) -> Balanced:
    """Work out the balances of a day, and anew those of every day that tickets, records or rulings reached since.

    Run again, it finds nothing to change.

    Raises
    ------
    InvalidInput
        When the day is not over: its vehicles may still be out.
    """
    today = service_day(now)
    if day >= today:
        raise InvalidInput(
            f"{day} is not over; work out the balances of a day before {today} / {day} 尚未结束，请选择之前的日期"
        )
    session.rollback()
    days = {day} | {one for one in _touched(session, begun=day) if one < today}
    trips = held = 0
    for one in sorted(days):
        # One transaction a day: a ticket that is corrected meanwhile waits for a day, not for all of them.
        with atomic(session):
            rows = balance_day(one, district=district, session=session, now=now)
            if one == day:
                trips, held = len(rows), sum(row.state == "held" for row in rows)
    flags = select(func.count()).select_from(MissingPartsFlag).where(MissingPartsFlag.day == day)
    figures = Balanced(days=len(days), trips=trips, held=held, stripped=session.scalar(flags) or 0)
    session.rollback()
    log.info("mass_balance.done", day=str(day), days=figures.days, trips=figures.trips, held=figures.held)
    return figures


def _touched(session: Session, *, begun: date) -> set[date]:
    """Days of whose trips something was written since a day began."""
    since = instant_at(begun, 0)
    ticket = select(IntakeTicket.id, IntakeTicket.corrects_id, IntakeTicket.day)
    # Said apart, for there is no index on instants: a first ticket's day is that of its weighing, a correction has its
    # original's.
    first = ticket.where(IntakeTicket.day >= begun)
    corrections = ticket.where(IntakeTicket.corrects_id.is_not(None), IntakeTicket.weighed_at >= since)
    written = union(first, corrections).cte("written")
    ids = union(select(written.c.id), select(written.c.corrects_id))
    lines = (
        select(Booking.day).join(IntakeLine, IntakeLine.booking_id == Booking.id).where(IntakeLine.ticket_id.in_(ids))
    )
    records = select(FieldEvent.day).where(FieldEvent.received_at >= since)
    ruled = select(FieldRuling.event_id).where(FieldRuling.at >= since)
    rulings = select(FieldEvent.day).where(FieldEvent.event_id.in_(ruled))
    return set(session.scalars(union(select(written.c.day), lines, records, rulings)))
