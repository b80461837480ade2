"""The shared step of correcting: judge what a ticket should have been, and write the ticket that replaces it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, InvalidInput, NotFound
from recycling.models.audit import audit
from recycling.models.correction import CorrectionDecision
from recycling.models.intake import IntakeLine, IntakeTicket, number_ticket
from recycling.models.recovery import hold_open, lock_day, rebuild
from recycling.models.stock import stock_ticket
from recycling.models.weighbridge import let_go
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.field.fold_bookings import fold_bookings, locked_bookings
from recycling.usecases.intake.balance_day import balance_again
from recycling.usecases.intake.claims import claim
from recycling.usecases.intake.read_off import ReadWeighing, read_off
from recycling.usecases.intake.sight import visible_to
from recycling.usecases.intake.storage import tell_of_full_station
from recycling.usecases.intake.tagging import read_tags, tag_lines
from recycling.usecases.intake.weighing import Weighing, brings_made_up, count_units, judged_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A ticket, and what should have stood on it: ``None`` withdraws it."""

    original: IntakeTicket
    weighing: Weighing | None
    lines: list[IntakeLine]
    tags: dict[str, int]
    reason: str

    @property
    def net_g(self) -> int:
        """Net as it should have been."""
        return self.weighing.net_g if self.weighing is not None else 0

    @property
    def accepted_g(self) -> int:
        """Net less what was refused."""
        return self.net_g - (self.weighing.refused_g if self.weighing is not None else 0)


def judged_correction(
    ticket_id: UUID,
    said: Weighing | ReadWeighing | None,
    *,
    reason: str,
    by: Principal,
    district: District,
    session: Session,
) -> Correction:
    """What a correction would write, its lines judged as on any ticket. Writes nothing.

    A correction that names no reading keeps the one of its original beside what it says itself.

    Raises
    ------
    NotFound
        When the caller may see no ticket of that id.
    InvalidInput
        As for `weigh_in`, or when the reading is of another scale or day.
    """
    original = session.scalar(select(IntakeTicket).where(IntakeTicket.id == ticket_id, visible_to(by)))
    if original is None:
        raise NotFound(f"no ticket {ticket_id} of yours / 未找到该磅单")
    if said is None:
        return Correction(original=original, weighing=None, lines=[], tags={}, reason=reason)
    station_key, day = original.station_key, original.day
    if isinstance(said, ReadWeighing):
        weighing, reading = read_off(said, station_key=station_key, scale_number=original.scale_number, session=session)
        if service_day(reading.at) != day:
            raise InvalidInput(
                f"reading {reading.reading_number} is of {service_day(reading.at)}, the ticket of {day}; withdraw it"
                " and weigh in by that reading / 读数与磅单不是同一天，请作废后按该读数重新过磅"
            )
    else:
        weighing = said
    lines = judged_lines(weighing, station_key=station_key, day=day, district=district, session=session)
    return Correction(original=original, weighing=weighing, lines=lines, tags=read_tags(weighing.lines), reason=reason)


def takes_two(correction: Correction, *, district: District, session: Session) -> bool:
    """Whether it moves the ticket further than one person may, all they did since two looked at it taken together."""
    ground = correction.original
    while ground.corrects_id is not None:
        if session.scalar(select(CorrectionDecision).where(CorrectionDecision.correction_id == ground.id)) is not None:
            break
        ground = session.get_one(IntakeTicket, ground.corrects_id)
    rule = district.corrections
    return (
        rule.takes_two(ground.net_g, correction.net_g)
        or rule.takes_two(ground.net_g - ground.refused_g, correction.accepted_g)
        or rule.units_take_two(_units(ground.lines), _units(correction.lines))
    )


def _units(lines: Iterable[IntakeLine]) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in lines:
        units[line.item_type] += line.units
    return units


def write_correction(
    correction: Correction, *, keeper_id: UUID, by: Principal, district: District, session: Session, now: datetime
) -> IntakeTicket:
    """Write the ticket that replaces another; inside the caller's transaction.

    It takes the next number of the same scale and counts for the day of its original. When the month of that day is
    closed it is a dated adjustment: the original stays where it counts, and today its lines are taken off and the new
    ones put in.

    Raises
    ------
    Conflict
        When the ticket is already replaced, a booking has fewer units left to weigh, another standing ticket has the
        reading or the trip, a label belongs to another unit, or goods that it takes out have left the station; or when
        its month is closed and today is no later day of an open one.
    """
    original, lines = correction.original, correction.lines
    station_key, day = original.station_key, original.day
    wanted = {line.booking_id for line in (*original.lines, *lines)}
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
    refuse_replaced(original, session=session)
    let_go(session, original.id)
    shown = correction.weighing or Weighing(channel=original.channel, gross_g=0, tare_g=0, lines=())
    if correction.weighing is not None and shown.reading_id is None:
        shown = replace(shown, reading_id=original.reading_id)
    ticket_id = uuid4()
    trip = claim(session, shown, ticket_id=ticket_id, day=day, before=original)
    ticket = IntakeTicket(
        id=ticket_id, station_key=station_key, scale_number=original.scale_number, channel=shown.channel, day=day,
        counts_on=counts_on, gross_g=shown.gross_g, tare_g=shown.tare_g, net_g=shown.net_g,
        refused_g=shown.refused_g, refused_reason=shown.refused_reason, vehicle_key=shown.vehicle_key,
        trip=trip, reading_id=shown.reading_id, keeper_id=keeper_id, corrects_id=original.id,
        # A scale's clock may be minutes ahead of ours; nothing is corrected before it was weighed.
        weighed_at=max(now, original.weighed_at), recorded_at=now,
        counters_id=original.counters_id if still_open else original.id, correction_reason=correction.reason,
        made_up=original.made_up or brings_made_up(lines, session=session), lines=lines,
    )  # fmt: skip
    count_units(session, put=lines, take_back=original.lines)
    number_ticket(session, ticket)
    stock_ticket(session, ticket, take_back=original.lines)
    tag_lines(ticket, correction.tags, original=original, by=by, session=session, now=now)
    # A record that left fewer units than the ticket said could not count in full; now it may.
    fold_bookings(list(named.values()), by=by, district=district, session=session, now=now)
    rebuild(session, day=counts_on, station_key=station_key)
    balance_again([*original.lines, *lines], district=district, session=session, now=now)
    tell_of_full_station(station_key, district=district, session=session, now=now)
    facts = {
        "corrects_id": str(original.id), "station_key": station_key, "net_g_before": original.net_g,
        "net_g": ticket.net_g, "counts_on": counts_on.isoformat(),
    }  # fmt: skip
    audit(session, action=_action(ticket), subject=ticket.id, by=by, now=now, facts=facts)
    return ticket


def _action(ticket: IntakeTicket) -> str:
    if ticket.counters_id is not None:
        return "ticket.adjusted"
    return "ticket.corrected" if ticket.lines else "ticket.withdrawn"


def refuse_replaced(original: IntakeTicket, *, session: Session) -> None:
    """Refuse a ticket that a correction has replaced, naming the newest one of the chain.

    Raises
    ------
    Conflict
        When it is.
    """
    newest = original
    while (newer := session.scalar(select(IntakeTicket).where(IntakeTicket.corrects_id == newest.id))) is not None:
        newest = newer
    if newest is not original:
        raise Conflict(
            f"ticket {original.id} is already replaced; correct the newest, {newest.id} (number {newest.number})"
            f" / 该磅单已被更正，请更正最新磅单 {newest.number} 号"
        )
