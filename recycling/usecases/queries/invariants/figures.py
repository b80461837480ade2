"""Invariants of tickets, recovered figures and the reports made from them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, case, cast, exists, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from recycling.clock import SHANGHAI
from recycling.models.baseline import BaselineConfirmation, BaselineProposal
from recycling.models.booking import BookedItem, Booking
from recycling.models.history import DeclaredFigure, DeclaredUpload
from recycling.models.intake import IntakeLine, IntakeTicket, Scale
from recycling.models.publication import FORMS, ReportFile, ReportSignature
from recycling.models.recovery import KEY_COLUMNS, ClosedMonth, DailyRecovery, GoalReport, MonthlyRecovery
from recycling.usecases.queries.invariants.rule import MOST_ROWS, Breaches, Query, differences, invariant, rows
from recycling.usecases.reporting.baselines import baseline_digest
from recycling.usecases.reporting.report_body import digest

_newer = aliased(IntakeTicket)
# A ticket that is the newest of its chain of corrections.
NEWEST = IntakeTicket.id.not_in(select(_newer.corrects_id).where(_newer.corrects_id.is_not(None)))


def _month(session: Session, day: Any) -> ColumnElement[Any]:
    """The first day of a day's month."""
    if session.get_bind().dialect.name == "sqlite":
        return func.date(day, "start of month")
    return cast(func.date_trunc("month", day), Date)


@invariant("I-12", "日回收量 = 磅单明细 / each daily figure is its ticket lines, and each line is in one figure")
def figures_are_their_lines(session: Session, _now: datetime) -> Breaches:
    """Figures that are not the sum of the lines that count, and lines that no figure holds.

    Said otherwise than where figures are made: of the tickets of a chain that count on one day, only the newest does.
    """
    fact = DailyRecovery
    facts = select(
        fact.day, fact.station_key, fact.town_key, fact.item_type, fact.channel, fact.provenance,
        fact.units, fact.recovered_g, fact.ticket_lines,
    )  # fmt: skip
    ticket, line = IntakeTicket, IntakeLine

    def signed(sign: int, whose: Any) -> Query:
        """Lines of a ticket, on the day of ``whose`` newest form, at its station."""
        keys = (whose.counts_on, whose.station_key, line.town_key, line.item_type, ticket.channel, line.provenance)
        names = ("day", "station_key", "town_key", "item_type", "channel", "provenance")
        labelled = (key.label(name) for key, name in zip(keys, names, strict=True))
        newer = aliased(IntakeTicket)
        superseded = exists().where(newer.corrects_id == whose.id, newer.counts_on == whose.counts_on)
        amounts = ((sign * line.units).label("units"), (sign * line.net_g).label("net_g"))
        return select(*labelled, *amounts).join(line, line.ticket_id == ticket.id).where(~superseded)

    adjustment = aliased(IntakeTicket)
    countered = signed(-1, adjustment).join(adjustment, adjustment.counters_id == ticket.id)
    both = union_all(signed(1, ticket), countered).subquery()
    keys = list(both.c)[:KEY_COLUMNS]
    lines = select(*keys, func.sum(both.c.units), func.sum(both.c.net_g), func.count()).group_by(*keys)
    return differences(session, KEY_COLUMNS, facts, lines)


@invariant("I-12", "月回收量 = 日回收量之和 / a month's figures are those of its days")
def months_are_their_days(session: Session, _now: datetime) -> Breaches:
    """Figures of months that are not the sum of the days'."""
    fact, month = DailyRecovery, MonthlyRecovery
    first = _month(session, fact.day)
    keys = (first.label("month"), fact.station_key, fact.town_key, fact.item_type, fact.channel, fact.provenance)
    days = select(*keys, func.sum(fact.units), func.sum(fact.recovered_g), func.sum(fact.ticket_lines)).group_by(*keys)
    months = select(
        month.month, month.station_key, month.town_key, month.item_type, month.channel, month.provenance,
        month.units, month.recovered_g, month.ticket_lines,
    )  # fmt: skip
    return differences(session, KEY_COLUMNS, months, days)


@invariant("I-12", "调整冲减其原单 / an adjustment takes off the newest form of a ticket of an earlier, closed month")
def adjustments_counter_their_original(session: Session, _now: datetime) -> Breaches:
    """Adjustments that take off something else than what the closed month holds of their chain."""
    ticket, countered, before = IntakeTicket, aliased(IntakeTicket), aliased(IntakeTicket)
    closed = exists().where(ClosedMonth.month == _month(session, countered.counts_on))
    # It corrects that ticket itself, or an adjustment of the same day that had countered the same.
    fits = or_(
        ticket.corrects_id == ticket.counters_id,
        and_(before.counters_id == ticket.counters_id, before.counts_on == ticket.counts_on),
    )
    wrong = or_(~fits, ticket.counts_on <= countered.counts_on, ~closed, ticket.station_key != countered.station_key)
    wanted = (
        select(ticket.id, ticket.counters_id)
        .join(countered, countered.id == ticket.counters_id)
        .join(before, before.id == ticket.corrects_id)
        .where(wrong)
    )
    return rows(session, wanted)


@invariant("I-12", "每件只计一次 / a booking's weighed units are those on the newest tickets")
def weighed_units_are_on_tickets(session: Session, _now: datetime) -> Breaches:
    """Booked items whose weighed units no ticket lines add up to, and lines that no booking counts."""
    counted = select(BookedItem.booking_id, BookedItem.item_type, BookedItem.weighed_units)
    keys = (IntakeLine.booking_id, IntakeLine.item_type)
    lines = (
        select(*keys, func.sum(IntakeLine.units))
        .join(IntakeTicket, IntakeTicket.id == IntakeLine.ticket_id)
        .where(NEWEST, IntakeLine.booking_id.is_not(None))
        .group_by(*keys)
    )
    return differences(session, 2, counted, lines)


@invariant(
    "I-12", "明细之和 = 净重 − 扣杂 / a ticket's lines add up to net less refused; door lines name their booking"
)
def tickets_are_whole(session: Session, _now: datetime) -> Breaches:
    """Tickets with another sum than their net, or with lines of the other channel."""
    ticket, line = IntakeTicket, IntakeLine
    lines_g = func.coalesce(func.sum(line.net_g), 0)
    named = func.count(line.booking_id)
    wanted = (
        select(ticket.id, ticket.gross_g, ticket.tare_g, ticket.net_g, ticket.refused_g, lines_g)
        .outerjoin(line, line.ticket_id == ticket.id)
        .group_by(ticket.id)
        .having(
            or_(
                ticket.net_g != ticket.gross_g - ticket.tare_g,
                lines_g != ticket.net_g - ticket.refused_g,
                named != case((ticket.channel == "door", func.count(line.ticket_id)), else_=0),
            )
        )
    )
    return rows(session, wanted)


@invariant("I-12", "更正与原单同站同日 / a correction stands at the station and day of the ticket it replaces")
def corrections_stay_in_place(session: Session, _now: datetime) -> Breaches:
    """Corrections that would move a mass to another station or day."""
    ticket, original = IntakeTicket, aliased(IntakeTicket)
    moved = or_(ticket.station_key != original.station_key, ticket.day != original.day, ticket.id == original.id)
    return rows(session, select(ticket.id, original.id).join(original, original.id == ticket.corrects_id).where(moved))


@invariant("I-14", "磅单号连续 / the ticket numbers of a scale run from 1 without a gap")
def numbers_have_no_gap(session: Session, _now: datetime) -> Breaches:
    """Scales whose tickets are not numbered 1 to the number they stand at, and tickets of no scale."""
    keys = (IntakeTicket.station_key, IntakeTicket.scale_number)
    count = func.count(IntakeTicket.id)
    # Numbers of a scale are unique, so that as many of them as the highest one leave no gap.
    gapless = and_(Scale.last_number == count, Scale.last_number == func.coalesce(func.max(IntakeTicket.number), 0))
    scales = (
        select(Scale.station_key, Scale.scale_number, Scale.last_number, count)
        .outerjoin(IntakeTicket, and_(keys[0] == Scale.station_key, keys[1] == Scale.scale_number))
        .group_by(Scale.station_key, Scale.scale_number, Scale.last_number)
        .having(~and_(gapless, func.coalesce(func.min(IntakeTicket.number), 1) == 1))
    )
    strays = (
        select(*keys, IntakeTicket.number)
        .outerjoin(Scale, and_(keys[0] == Scale.station_key, keys[1] == Scale.scale_number))
        .where(Scale.station_key.is_(None))
    )
    return [*rows(session, scales), *rows(session, strays)]


@invariant("I-15", "报告与其摘要一致 / a kept report, its inputs and its files are what their digests say")
def reports_are_what_was_kept(session: Session, _now: datetime) -> Breaches:
    """Reports whose body or inputs were changed after they were kept, and files that were."""
    kept = session.scalars(select(GoalReport))
    changed: list[tuple[Any, ...]] = [
        (row.id, row.period, row.version)
        for row in kept
        if digest(row.body) != row.sha256 or (row.inputs and digest(row.inputs) != row.inputs_sha256)
    ]
    files = session.scalars(select(ReportFile).execution_options(yield_per=1))
    changed += [(row.report_id, row.form) for row in files if hashlib.sha256(row.content).hexdigest() != row.sha256]
    return changed[:MOST_ROWS]


@invariant("I-15", "签发须两人 / a published report has two signatures of its digest, all its files and a closed month")
def published_reports_are_whole(session: Session, _now: datetime) -> Breaches:
    """Published reports that lack a first signature, a file or their closed month; files of reports not published."""
    signature, first = ReportSignature, aliased(ReportSignature)
    files = select(func.count()).where(ReportFile.report_id == signature.report_id).scalar_subquery()
    day = GoalReport.as_of
    # A month has the only name of seven characters without a quarter in it.
    month = and_(func.length(GoalReport.period) == 7, GoalReport.period.not_like("%Q%"))
    unclosed = and_(month, ~exists().where(ClosedMonth.month == _month(session, day)))
    wanted = (
        select(signature.report_id, first.place, files)
        .join(GoalReport, GoalReport.id == signature.report_id)
        .outerjoin(first, and_(first.report_id == signature.report_id, first.place == 1))
        .where(
            signature.place == 2,
            or_(
                first.place.is_(None),
                first.signed_by_id == signature.signed_by_id,
                first.sha256 != GoalReport.sha256,
                signature.sha256 != GoalReport.sha256,
                files != len(FORMS),
                unclosed,
            ),
        )
    )
    published = select(signature.report_id).where(signature.place == 2)
    strays = select(ReportFile.report_id, ReportFile.form).where(ReportFile.report_id.not_in(published))
    return [*rows(session, wanted), *rows(session, strays)]


@invariant("I-15", "已确认基准未被改动 / a confirmed baseline is what its digest says, by two people")
def baselines_are_what_was_confirmed(session: Session, _now: datetime) -> Breaches:
    """Confirmed baselines that were changed afterwards, or that one person confirmed alone."""
    both = select(BaselineProposal, BaselineConfirmation).join(
        BaselineConfirmation, BaselineConfirmation.baseline_id == BaselineProposal.id
    )
    return [
        (proposal.id, proposal.scope_key, proposal.year, proposal.version)
        for proposal, confirmation in session.execute(both)
        if confirmation.confirmed_by_id == proposal.proposed_by_id
        or confirmation.sha256
        != baseline_digest(
            proposal, confirmed_by_id=confirmation.confirmed_by_id, confirmed_at=confirmation.confirmed_at
        )
    ][:MOST_ROWS]


@invariant("I-15", "申报数据整份保存 / an upload of declared history holds as many figures as were taken")
def uploads_are_whole(session: Session, _now: datetime) -> Breaches:
    """Uploads of which figures are missing, or were added."""
    upload, figure = DeclaredUpload, DeclaredFigure
    found = (
        select(upload.number, upload.figures, func.count(figure.upload_number))
        .outerjoin(figure, figure.upload_number == upload.number)
        .group_by(upload.number, upload.figures)
        .having(
            or_(
                upload.figures != func.count(figure.upload_number),
                func.min(figure.month) < func.min(upload.first_month),
                func.max(figure.month) > func.max(upload.last_month),
            )
        )
    )
    return rows(session, found)


@invariant("I-28", "服务日 = 过磅时刻的上海日期 / a ticket's day is the Shanghai date of its weighing")
def days_are_local_dates(session: Session, _now: datetime) -> Breaches:
    """First tickets that count for another day than the one on which they were weighed."""
    ticket = IntakeTicket
    local: ColumnElement[Any] = cast(func.timezone(SHANGHAI.key, ticket.weighed_at), Date)
    if session.get_bind().dialect.name == "sqlite":
        local = func.date(ticket.weighed_at, "+8 hours")  # Shanghai keeps UTC+8 without daylight saving
    wrong = and_(ticket.corrects_id.is_(None), local != ticket.day)
    return rows(session, select(ticket.id, ticket.day, ticket.weighed_at).where(wrong))


@invariant("I-28", "时间先后一致 / nothing is changed or corrected before it was made")
def times_follow_each_other(session: Session, _now: datetime) -> Breaches:
    """Bookings changed before they were made, and corrections older than their original."""
    original = aliased(IntakeTicket)
    changed = select(Booking.id, Booking.created_at, Booking.changed_at).where(Booking.changed_at < Booking.created_at)
    corrected = (
        select(IntakeTicket.id, original.weighed_at, IntakeTicket.weighed_at)
        .join(original, original.id == IntakeTicket.corrects_id)
        .where(IntakeTicket.weighed_at < original.weighed_at)
    )
    return [*rows(session, changed), *rows(session, corrected)]
