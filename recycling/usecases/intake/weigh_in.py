"""Weigh a load in at a station (过磅入库)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, Forbidden, InvalidInput
from recycling.logs import logger
from recycling.models.intake import IntakeTicket, number_ticket
from recycling.models.recovery import hold_open, lock_day, rebuild
from recycling.models.stock import stock_ticket
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.intake.balance_day import balance_again
from recycling.usecases.intake.claims import claim
from recycling.usecases.intake.read_off import ReadWeighing, read_off
from recycling.usecases.intake.storage import tell_of_full_station
from recycling.usecases.intake.tagging import read_tags, tag_lines
from recycling.usecases.intake.weighing import Weighing, brings_made_up, count_units, judged_lines

log = logger(__name__)

OLDEST_DAYS = 31  # of a reading that is weighed in: a memory is read out once a month at the latest (ours)


def weigh_in(
    weighing: Weighing | ReadWeighing,
    *,
    scale_number: str | None,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    made_up: bool = False,
) -> IntakeTicket:
    """Write a ticket at the keeper's own station: number, lines, counters, stock and figures in one transaction.

    A weighing that names a reading was weighed when the reading says, and counts for that day.

    Raises
    ------
    Forbidden
        When the caller is no keeper of a station.
    InvalidInput
        When the weighing contradicts itself, its reading, the catalogue or the network.
    Conflict
        When a booking has fewer collected units left to weigh than the ticket names, the month is closed, another
        standing ticket has the reading or the trip, or a label belongs to another unit or was weighed before.
    """
    if by.station_key is None:
        raise Forbidden("only the keeper of a station weighs in, at that station / 仅限本站点保管员过磅")
    station_key, weighed_at = by.station_key, now
    tags = read_tags(weighing.lines)
    with atomic(session):
        if isinstance(weighing, ReadWeighing):
            weighing, reading = read_off(weighing, station_key=station_key, scale_number=scale_number, session=session)
            scale_number, weighed_at = reading.scale_number, reading.at
        if scale_number is None:
            raise InvalidInput("scale_number is missing; say on which scale the load stood / 请填写磅秤编号")
        day = service_day(weighed_at)
        _refuse_tomorrow(day, now)
        _refuse_closed(session, day)
        _refuse_old(day, now)
        lock_day(session, day=day, station_key=station_key, now=now)
        lines = judged_lines(weighing, station_key=station_key, day=day, district=district, session=session)
        ticket_id = uuid4()
        trip = claim(session, weighing, ticket_id=ticket_id, day=day)
        ticket = IntakeTicket(
            id=ticket_id, station_key=station_key, scale_number=scale_number, channel=weighing.channel, day=day,
            counts_on=day, gross_g=weighing.gross_g, tare_g=weighing.tare_g, net_g=weighing.net_g,
            refused_g=weighing.refused_g, refused_reason=weighing.refused_reason, vehicle_key=weighing.vehicle_key,
            trip=trip, reading_id=weighing.reading_id, keeper_id=by.id, weighed_at=weighed_at, recorded_at=now,
            made_up=made_up or brings_made_up(lines, session=session), lines=lines,
        )  # fmt: skip
        count_units(session, put=lines)
        number_ticket(session, ticket)
        stock_ticket(session, ticket)
        tag_lines(ticket, tags, by=by, session=session, now=now)
        rebuild(session, day=day, station_key=station_key)
        balance_again(lines, district=district, session=session, now=now)
        tell_of_full_station(station_key, district=district, session=session, now=now)
    log.info("ticket.weighed", ticket_id=str(ticket.id), station_key=station_key, net_g=ticket.net_g)
    return ticket


def _refuse_tomorrow(day: date, now: datetime) -> None:
    """A scale whose clock is ahead reaches midnight before us."""
    if day > service_day(now):
        raise InvalidInput(
            f"the reading is of {day}, and today is {service_day(now)}: a ticket is not dated tomorrow; set the scale's"
            f" clock and weigh in when {day} has begun / 读数日期 {day} 晚于今天，请校准地磅时钟后再过磅"
        )


def _refuse_closed(session: Session, day: date) -> None:
    """A month is closed when it is over: only an old reading, or a clock that was set back, weighs into one."""
    if not hold_open(session, day):
        raise Conflict(
            f"the figures of {day:%Y-%m} are signed and closed; check this server's clock, then weigh in again, an old"
            f" reading by hand / {day:%Y-%m} 已结账，请检查系统时间后重新过磅；旧读数请按今日人工过磅"
        )


def _refuse_old(day: date, now: datetime) -> None:
    """The memory of a scale is a file that a keeper hands in: it opens no month that everybody has done with."""
    if (service_day(now) - day).days > OLDEST_DAYS:
        raise InvalidInput(
            f"the reading is of {day}, more than {OLDEST_DAYS} days ago; what is still there is weighed in by hand, for"
            f" today / 读数日期 {day} 已超过 {OLDEST_DAYS} 天；货物仍在的，请按今日人工过磅"
        )
