"""The figures of a whole month written anew from its tickets: a few statements, however many lines they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Select,
    Table,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    true,
    update,
)
from sqlalchemy.orm import Session

from recycling.models.base import Base, insert_into, table_of
from recycling.models.intake import IntakeTicket
from recycling.models.recovery import (
    KEY_COLUMNS,
    DailyRecovery,
    MonthlyRecovery,
    RecoveryDay,
    counting_lines,
    month_after,
    month_of,
)

# How PostgreSQL goes about a month in the middle of years: in memory, as a month is some ten thousand figures; by the
# index, as its lines lie together, and not through the lines of all years; and at once, as compiling takes longer.
SETTINGS = {"work_mem": "'64MB'", "random_page_cost": "1.1", "jit": "off"}

# What the tickets of the month say, until the transaction ends.
_told = Table(
    "told_recovery",
    MetaData(),
    *(Column(column.name, column.type) for column in table_of(DailyRecovery).c),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthAnew:
    """The figures of a month after they were written anew, all stations together.

    Parameters
    ----------
    rows, units, recovered_g
        Daily figures, and what they add up to.
    differences, month_differences
        Figures by day and by month that stood there before and are not what the tickets say, or that were missing.
    """

    month: date
    rows: int
    units: int
    recovered_g: int
    differences: int
    month_differences: int


def months_on_record(session: Session) -> list[date]:
    """The months from the first ticket or figure to the last, each as its first day."""
    ends: list[date] = []
    for column in (IntakeTicket.counts_on, DailyRecovery.day, MonthlyRecovery.month):
        for end in (func.min(column), func.max(column)):  # one at a time: each is a look at an end of an index
            found = session.scalar(select(end))
            ends += [month_of(found)] if found is not None else []
    months, last = ([min(ends)], max(ends)) if ends else ([], date.min)
    while months and months[-1] < last:
        months.append(month_after(months[-1]))
    return months


def write_month_anew(session: Session, month: date, *, now: datetime) -> MonthAnew:
    """Write the figures of a month, by day and in sum, anew from its tickets. The caller holds the month alone."""
    set_to_work(session)
    connection = session.connection()
    _told.create(connection)
    within = (IntakeTicket.counts_on >= month, IntakeTicket.counts_on < month_after(month))
    session.execute(insert(_told).from_select([column.name for column in _told.c], counting_lines(*within)))
    days = (DailyRecovery.day >= month, DailyRecovery.day < month_after(month))
    differences = _replace(session, DailyRecovery, select(*_told.c), *days)
    of_month = _replace(session, MonthlyRecovery, _in_sum(_told, month), MonthlyRecovery.month == month)
    _mark_rebuilt(session, month, now=now)
    rows, units, recovered_g = session.execute(
        select(
            func.count(), func.coalesce(func.sum(_told.c.units), 0), func.coalesce(func.sum(_told.c.recovered_g), 0)
        ).select_from(_told)
    ).one()
    _told.drop(connection)
    return MonthAnew(
        month=month, rows=rows, units=int(units), recovered_g=int(recovered_g), differences=differences,
        month_differences=of_month,
    )  # fmt: skip


def add_month_up(session: Session, month: date) -> int:
    """Write the figures of a month anew from those of its days; returns how many were not what they said.

    The caller holds the month alone: whoever else moves a day and its month between two looks at them would be undone.
    """
    set_to_work(session)
    days = table_of(DailyRecovery)
    wanted = _in_sum(days, month).where(days.c.day >= month, days.c.day < month_after(month))
    return _replace(session, MonthlyRecovery, wanted, MonthlyRecovery.month == month)


def set_to_work(session: Session) -> None:
    """Let PostgreSQL go about the rest of the transaction as the figures of a month need it."""
    if session.get_bind().dialect.name == "postgresql":
        for name, value in SETTINGS.items():
            session.execute(text(f"SET LOCAL {name} = {value}"))


def _in_sum(days: Table, month: date) -> Select[*tuple[Any, ...]]:
    keys = [days.c[column.name] for column in list(_told.c)[1:KEY_COLUMNS]]
    return select(
        literal(month).label("month"),
        *keys,
        cast(func.sum(days.c.units), Integer).label("units"),
        cast(func.sum(days.c.recovered_g), BigInteger).label("recovered_g"),
        cast(func.sum(days.c.ticket_lines), Integer).label("ticket_lines"),
    ).group_by(*keys)


def _replace(session: Session, model: type[Base], wanted: Select[*tuple[Any, ...]], *mine: ColumnElement[bool]) -> int:
    """Put the wanted figures in the place of mine, unless they are the same; returns how many were not."""
    table, told = table_of(model), wanted.subquery()
    put = insert(table).from_select([column.name for column in table.c], wanted)
    stood = session.execute(select(func.count()).select_from(table).where(*mine)).scalar_one()
    if not stood:
        return session.connection().execute(put, execution_options={"preserve_rowcount": True}).rowcount
    pairs = [(told.c[column.name], column) for column in table.c]
    met = [one == other for one, other in pairs[:KEY_COLUMNS]]
    same = case((and_(*(one == other for one, other in pairs[KEY_COLUMNS:])), 1))
    count, common, right = session.execute(
        select(func.count(), func.count(pairs[0][1]), func.count(same)).select_from(
            told.outerjoin(table, and_(*met, *mine))
        )
    ).one()
    # Those that are on one side alone, and those that are on both and not the same.
    differences: int = (count - common) + (stood - common) + (common - right)
    if differences:
        session.execute(delete(table).where(*mine))
        session.execute(put)
    return differences


def _mark_rebuilt(session: Session, month: date, *, now: datetime) -> None:
    session.execute(
        update(RecoveryDay)
        .where(RecoveryDay.day >= month, RecoveryDay.day < month_after(month))
        .values(rolled_up_at=now)
        .execution_options(synchronize_session=False)
    )
    # SQLite needs a WHERE before ON CONFLICT, or reads it as the condition of a join.
    seen = select(_told.c.day, _told.c.station_key, literal(now, RecoveryDay.rolled_up_at.type)).where(true())
    session.execute(
        insert_into(session, RecoveryDay)
        .from_select(["day", "station_key", "rolled_up_at"], seen.distinct())
        .on_conflict_do_nothing()
    )
