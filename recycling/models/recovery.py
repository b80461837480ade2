"""Recovered figures: facts rebuilt from tickets, and the goal reports made from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Select,
    String,
    UniqueConstraint,
    Uuid,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, insert_if_absent, insert_into, key_column
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.written_once import written_once


class RecoveryDay(Base):
    """One station on one day: when its facts were last rebuilt.

    Also the row that a weigh-in and the nightly roll-up lock before they touch tickets or facts of that station and
    day. A lock on the scale would not do: two scales of one station would each rebuild the facts without the other's
    uncommitted ticket.
    """

    __tablename__ = "recovery_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    station_key: Mapped[str] = key_column(primary_key=True)
    rolled_up_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DailyRecovery(Base):
    """Units and grams of one item type from one town-level unit, taken in at one station on one day.

    Below zero where dated adjustments of closed months take off more than came in. `rebuild` is its only writer.
    """

    __tablename__ = "daily_recovery"
    __table_args__ = (CheckConstraint("ticket_lines > 0", name="lines"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    station_key: Mapped[str] = key_column(primary_key=True)
    town_key: Mapped[str] = key_column(primary_key=True)
    item_type: Mapped[str] = key_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    provenance: Mapped[str] = mapped_column(String(24), primary_key=True)
    units: Mapped[int]
    recovered_g: Mapped[int] = mapped_column(BigInteger)  # forty full trucks of one item type pass 32 bits
    ticket_lines: Mapped[int]


KEY_COLUMNS = 6  # of a fact: day, station, town-level unit, item type, channel, provenance


class MonthlyRecovery(Base):
    """The daily figures of a month added up, so that a year is a few thousand rows; `rebuild` moves them along."""

    __tablename__ = "monthly_recovery"

    month: Mapped[date] = mapped_column(primary_key=True)  # its first day
    station_key: Mapped[str] = key_column(primary_key=True)
    town_key: Mapped[str] = key_column(primary_key=True)
    item_type: Mapped[str] = key_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    provenance: Mapped[str] = mapped_column(String(24), primary_key=True)
    units: Mapped[int]
    recovered_g: Mapped[int] = mapped_column(BigInteger)
    ticket_lines: Mapped[int]


class ClosedMonth(Base):
    """A month whose figures are signed: from now on it changes by dated adjustments only. Publishing closes it."""

    __tablename__ = "closed_month"

    month: Mapped[date] = mapped_column(primary_key=True)  # its first day
    closed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_by_id: Mapped[UUID] = mapped_column(Uuid)


@written_once
class GoalReport(WithId, Base):
    """A goal report of a period: what it was made of, what came out, and the digests of both. Written once.

    ``inputs`` name the tickets taken in, so that ``body`` can be worked out again however much was corrected since;
    they are empty in a report from before they were kept. ``reason`` says why there is another version.
    """

    __tablename__ = "goal_report"
    __table_args__ = (UniqueConstraint("period", "version"),)

    period: Mapped[str] = mapped_column(String(24))
    version: Mapped[int]
    as_of: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200))
    inputs: Mapped[dict[str, Any]] = mapped_column(JSON)
    inputs_sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_id: Mapped[UUID] = mapped_column(Uuid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """The facts of one station and day after a rebuild.

    Parameters
    ----------
    rows, units, recovered_g
        Fact rows, and what they add up to.
    differences
        Fact rows that stood there before and are not what the tickets say, or that were missing.
    """

    rows: int
    units: int
    recovered_g: int
    differences: int


def lock_day(session: Session, *, day: date, station_key: str, now: datetime) -> None:
    """Make everybody else who weighs in or rolls up at this station and day wait until the transaction ends."""
    row = insert_into(session, RecoveryDay).values(day=day, station_key=station_key, rolled_up_at=now)
    session.execute(
        row.on_conflict_do_update(
            index_elements=["day", "station_key"], set_={"rolled_up_at": row.excluded.rolled_up_at}
        )
    )


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def month_after(day: date) -> date:
    """The first day of the month after a day's."""
    return month_of(month_of(day) + timedelta(days=31))


def hold_open(session: Session, day: date) -> bool:
    """Whether the month of a day is open; it stays as it is until the transaction ends.

    On PostgreSQL everybody who writes tickets or figures shares a lock on the month they count in, which closing it
    and writing all of it anew take alone.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock_shared(*_month_lock(day))))
    return session.get(ClosedMonth, month_of(day), populate_existing=True) is None


def close_month(session: Session, day: date, *, by_id: UUID, now: datetime) -> bool:
    """Close the month of a day; false when it was closed before."""
    hold_alone(session, day)
    return insert_if_absent(session, ClosedMonth, month=month_of(day), closed_at=now, closed_by_id=by_id)


def hold_alone(session: Session, day: date) -> None:
    """Make everybody who writes tickets or figures that count in the month of a day wait until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(*_month_lock(day))))


def _month_lock(day: date) -> tuple[int, int]:
    return MONTH_LOCKS, day.year * 12 + day.month


MONTH_LOCKS = 0x6D6F  # the first half of the advisory locks of months


def stands() -> ColumnElement[bool]:
    """Tells of a ticket that its lines count: no correction has replaced it, but for one that counters it later."""
    newer = aliased(IntakeTicket)
    replaced = and_(newer.corrects_id == IntakeTicket.id, newer.counters_id.is_distinct_from(IntakeTicket.id))
    return ~exists().where(replaced)


def newest() -> ColumnElement[bool]:
    """Tells of a ticket that no correction has replaced it, dated adjustments included: what was found out last."""
    newer = aliased(IntakeTicket)
    return ~exists().where(newer.corrects_id == IntakeTicket.id)


def counting_lines(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The facts that the tickets give: sums over the lines that count, less those that adjustments take off again.

    ``where`` holds of the ticket on whose day they count.
    """
    adjusted = aliased(IntakeTicket)
    lines = (
        _signed(1, IntakeTicket).join(IntakeLine, IntakeLine.ticket_id == IntakeTicket.id),
        _signed(-1, adjusted)
        .select_from(IntakeTicket)
        .join(adjusted, adjusted.id == IntakeTicket.counters_id)
        .join(IntakeLine, IntakeLine.ticket_id == adjusted.id),
    )
    both = union_all(*(one.where(stands(), *where) for one in lines)).subquery()
    keys = list(both.c)[:KEY_COLUMNS]
    return select(
        *keys,
        func.sum(both.c.units).label("units"),
        cast(func.sum(both.c.net_g), BigInteger).label("recovered_g"),
        func.count().label("ticket_lines"),
    ).group_by(*keys)


def _signed(sign: int, ticket: Any) -> Select[*tuple[Any, ...]]:
    """Lines with a sign, on the day of the ticket that makes them count, by the channel of the one they are on."""
    return select(
        IntakeTicket.counts_on.label("day"),
        IntakeTicket.station_key,
        IntakeLine.town_key,
        IntakeLine.item_type,
        ticket.channel,
        IntakeLine.provenance,
        (sign * IntakeLine.units).label("units"),
        (sign * IntakeLine.net_g).label("net_g"),
    )


def rebuild(session: Session, *, day: date, station_key: str) -> Rebuilt:
    """Write the facts of one station and day anew from its tickets. The caller holds `lock_day`."""
    facts = DailyRecovery.__table__.c
    mine = (DailyRecovery.day == day, DailyRecovery.station_key == station_key)
    told: Sequence[Any] = session.execute(
        counting_lines(IntakeTicket.counts_on == day, IntakeTicket.station_key == station_key)
    ).all()
    stood = {tuple(row) for row in session.execute(select(*facts).where(*mine))}
    wanted = {tuple(row) for row in told}
    if stood != wanted:
        session.execute(delete(DailyRecovery).where(*mine))
        if told:
            session.execute(insert(DailyRecovery), [dict(row._mapping) for row in told])
        _move_month(session, stood - wanted, wanted - stood)
    return Rebuilt(
        rows=len(told),
        units=sum(row.units for row in told),
        recovered_g=sum(row.recovered_g for row in told),
        differences=len({row[:KEY_COLUMNS] for row in stood ^ wanted}),
    )


def _move_month(session: Session, gone: Iterable[tuple[Any, ...]], new: Iterable[tuple[Any, ...]]) -> None:
    """Take figures of days out of their months' and put others in."""
    change: dict[tuple[Any, ...], list[int]] = {}
    for sign, rows in ((-1, gone), (1, new)):
        for day, *rest in rows:
            key = (month_of(day), *rest[: KEY_COLUMNS - 1])
            sums = change.setdefault(key, [0, 0, 0])
            for place, amount in enumerate(rest[KEY_COLUMNS - 1 :]):
                sums[place] += sign * amount
    table = MonthlyRecovery.__table__.c
    # In one sequence for everybody, so that two days of a month queue and do not wait in a circle.
    moved = [dict(zip(table.keys(), (*key, *sums), strict=True)) for key, sums in sorted(change.items()) if any(sums)]
    if not moved:
        return
    row = insert_into(session, MonthlyRecovery)
    amounts = ("units", "recovered_g", "ticket_lines")
    session.execute(
        row.on_conflict_do_update(
            index_elements=list(table.keys())[:KEY_COLUMNS],
            set_={name: table[name] + row.excluded[name] for name in amounts},
        ),
        moved,
    )
    emptied = [tuple(one.values())[:KEY_COLUMNS] for one in moved if one["ticket_lines"] < 0]
    if emptied:
        session.execute(
            delete(MonthlyRecovery).where(
                tuple_(*list(table)[:KEY_COLUMNS]).in_(emptied), MonthlyRecovery.ticket_lines == 0
            )
        )
