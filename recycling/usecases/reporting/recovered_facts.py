"""What was recovered in a span of days (回收量), read from the daily and monthly figures that the tickets make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Row, Select, bindparam, cast, func, select, union, union_all
from sqlalchemy.orm import Session, aliased

from recycling.models.base import table_of
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.recovery import DailyRecovery, MonthlyRecovery, month_after, month_of, stands

FACT_KEYS = ("item_type", "town_key", "channel", "provenance")

MadeUpLine = Row[str, str, str, str, UUID]


class Fact(NamedTuple):
    """What was recovered of one item type from one town-level unit, by channel and provenance."""

    item_type: str
    town_key: str
    channel: str
    provenance: str
    units: int
    recovered_g: int
    ticket_lines: int


def facts_between(first: date, last: date, *, session: Session) -> Sequence[Fact]:
    """The recovered figures of a span of days, both included, by item type, town-level unit, channel and provenance.

    Whole months are read from the figures by month, what is left at either end day by day: a year is a hundredth of
    its daily figures. Late in its month the last one is read whole as well, and its last days are taken off.
    """
    fact = union_all(*(_signed(*part) for part in _parts(first, last))).subquery().c
    keys = [fact[name] for name in FACT_KEYS]
    found = session.execute(
        select(
            *keys,
            func.sum(fact.units).label("units"),
            # PostgreSQL adds 64-bit integers up to decimals.
            cast(func.sum(fact.recovered_g), BigInteger).label("recovered_g"),
            func.sum(fact.ticket_lines).label("ticket_lines"),
        )
        .group_by(*keys)
        .having(func.sum(fact.ticket_lines) > 0)
        .order_by(*keys)
    ).all()
    return [Fact._make(row) for row in found]


def _signed(sign: int, model: type[DailyRecovery | MonthlyRecovery], first: date, last: date) -> Select[Any]:
    columns = table_of(model).c
    day = columns.day if model is DailyRecovery else columns.month
    amounts = ((sign * columns[name]).label(name) for name in ("units", "recovered_g", "ticket_lines"))
    return select(*(columns[name] for name in FACT_KEYS), *amounts).where(day.between(first, last))


def _parts(first: date, last: date) -> Iterator[tuple[int, type[DailyRecovery | MonthlyRecovery], date, date]]:
    """A span of days as figures by month and by day to be added, and by day to be taken off."""
    one = timedelta(days=1)
    begin = first if first.day == 1 else month_after(first)
    end = month_of(last + one)  # the first month that is not whole
    if begin >= end:
        yield 1, DailyRecovery, first, last
        return
    if first < begin:
        yield 1, DailyRecovery, first, begin - one
    rest = month_after(end) - last - one
    if end <= last and rest < last + one - end:
        yield 1, MonthlyRecovery, begin, end
        yield -1, DailyRecovery, last + one, month_after(end) - one
        return
    yield 1, MonthlyRecovery, begin, end - one
    if end <= last:
        yield 1, DailyRecovery, end, last


def made_up_between(first: date, last: date, *, session: Session) -> Sequence[MadeUpLine]:
    """What counts in a span of days and stands on made-up tickets, what adjustments take off again too.

    There are many only where a demo runs.
    """
    return session.execute(_MADE_UP, {"first": first, "last": last}).all()


# Built once: it is asked for with every figure, and to put it together takes longer than to find that there are none.
_TAKEN_OFF = aliased(IntakeTicket)
_OF_SPAN = (IntakeTicket.counts_on.between(bindparam("first"), bindparam("last")), stands())
_MADE_UP = union(
    select(IntakeLine.item_type, IntakeLine.town_key, IntakeTicket.channel, IntakeLine.provenance, IntakeTicket.id)
    .join(IntakeTicket)
    .where(IntakeTicket.made_up, *_OF_SPAN),
    select(IntakeLine.item_type, IntakeLine.town_key, _TAKEN_OFF.channel, IntakeLine.provenance, _TAKEN_OFF.id)
    .select_from(IntakeTicket)
    .join(_TAKEN_OFF, _TAKEN_OFF.id == IntakeTicket.counters_id)
    .join(IntakeLine, IntakeLine.ticket_id == _TAKEN_OFF.id)
    .where(_TAKEN_OFF.made_up, *_OF_SPAN),
)
