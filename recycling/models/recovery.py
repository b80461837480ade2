"""Recovered figures: facts rebuilt from tickets, and the goal reports made from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Select,
    String,
    UniqueConstraint,
    delete,
    exists,
    func,
    insert,
    select,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, insert_into, key_column
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

    `rebuild` is its only writer.
    """

    __tablename__ = "daily_recovery"
    __table_args__ = (CheckConstraint("units > 0 AND recovered_g > 0 AND ticket_lines > 0", name="amounts"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    station_key: Mapped[str] = key_column(primary_key=True)
    town_key: Mapped[str] = key_column(primary_key=True)
    item_type: Mapped[str] = key_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    provenance: Mapped[str] = mapped_column(String(16), primary_key=True)
    units: Mapped[int]
    recovered_g: Mapped[int] = mapped_column(BigInteger)  # forty full trucks of one item type pass 32 bits
    ticket_lines: Mapped[int]


KEY_COLUMNS = 6  # of a fact: day, station, town-level unit, item type, channel, provenance


@written_once
class GoalReport(WithId, Base):
    """A goal report as it was on its day: the answer in full, and its digest. Written once."""

    __tablename__ = "goal_report"
    __table_args__ = (UniqueConstraint("period", "version"),)

    period: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    as_of: Mapped[date]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


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


def stands() -> ColumnElement[bool]:
    """Tells of a ticket that no correction has replaced it: only then do its lines count."""
    newer = aliased(IntakeTicket)
    return ~exists().where(newer.corrects_id == IntakeTicket.id)


def counting_lines() -> Select[*tuple[Any, ...]]:
    """The facts that the tickets give: sums over the lines of tickets that no correction has replaced."""
    keys = (
        IntakeTicket.day,
        IntakeTicket.station_key,
        IntakeLine.town_key,
        IntakeLine.item_type,
        IntakeTicket.channel,
        IntakeLine.provenance,
    )
    return (
        select(
            *keys,
            func.sum(IntakeLine.units).label("units"),
            func.sum(IntakeLine.net_g).label("recovered_g"),
            func.count().label("ticket_lines"),
        )
        .join(IntakeLine, IntakeLine.ticket_id == IntakeTicket.id)
        .where(stands())
        .group_by(*keys)
    )


def rebuild(session: Session, *, day: date, station_key: str) -> Rebuilt:
    """Write the facts of one station and day anew from its tickets. The caller holds `lock_day`."""
    facts = DailyRecovery.__table__.c
    mine = (DailyRecovery.day == day, DailyRecovery.station_key == station_key)
    told: Sequence[Any] = session.execute(
        counting_lines().where(IntakeTicket.day == day, IntakeTicket.station_key == station_key)
    ).all()
    stood = {tuple(row) for row in session.execute(select(*facts).where(*mine))}
    wanted = {tuple(row) for row in told}
    if stood != wanted:
        session.execute(delete(DailyRecovery).where(*mine))
        if told:
            session.execute(insert(DailyRecovery), [dict(row._mapping) for row in told])
    return Rebuilt(
        rows=len(told),
        units=sum(row.units for row in told),
        recovered_g=sum(row.recovered_g for row in told),
        differences=len({row[:KEY_COLUMNS] for row in stood ^ wanted}),
    )
