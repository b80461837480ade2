"""Rebuild a day's recovered figures from its tickets (日汇总)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import InvalidInput
from recycling.logs import logger
from recycling.models.months_anew import add_month_up, set_to_work
from recycling.models.recovery import RecoveryDay, hold_alone, lock_day, month_of, rebuild
from recycling.models.transaction import atomic
from recycling.policy.district import District

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRolledUp:
    """What a day's roll-up found, all stations together.

    Parameters
    ----------
    rows, units, recovered_g
        Facts of the day and what they add up to.
    differences
        Facts that were not what the tickets say: a fault of the program, or somebody's hand in the database.
    month_differences
        Figures of the day's month that were not what its days say.
    """

    rows: int
    units: int
    recovered_g: int
    differences: int
    month_differences: int = 0


def roll_up_day(day: date, *, district: District, session: Session, now: datetime) -> DayRolledUp:
    """Rebuild the facts of every station for one day. Run again, it finds nothing to change.

    Every weigh-in rebuilds its own station and day already, so a difference is an alarm, not routine. Weigh-ins of the
    month wait meanwhile.

    Raises
    ------
    InvalidInput
        When the day lies ahead: nothing was weighed on it.
    """
    today = service_day(now)
    if day > today:
        raise InvalidInput(
            f"{day} has not come yet; roll up {today} or an earlier day / {day} 尚未到来，请选择今天或之前的日期"
        )
    with atomic(session):
        hold_alone(session, day)
        set_to_work(session)
        stored = session.scalars(select(RecoveryDay.station_key).where(RecoveryDay.day == day))
        rebuilt = []
        for station_key in sorted({*district.network.stations, *stored}):  # one that has left keeps its figures
            lock_day(session, day=day, station_key=station_key, now=now)
            found = rebuild(session, day=day, station_key=station_key)
            if found.differences:
                log.critical(
                    "roll_up.difference", day=str(day), station_key=station_key, differences=found.differences,
                    rows=found.rows, units=found.units, recovered_g=found.recovered_g,
                )  # fmt: skip
            rebuilt.append(found)
        # After the days: what they moved the month by was counted from what stood there before.
        of_month = add_month_up(session, month_of(day))
        if of_month:
            log.critical("roll_up.month_difference", month=f"{day:%Y-%m}", differences=of_month)
    figures = DayRolledUp(
        rows=sum(one.rows for one in rebuilt),
        units=sum(one.units for one in rebuilt),
        recovered_g=sum(one.recovered_g for one in rebuilt),
        differences=sum(one.differences for one in rebuilt),
        month_differences=of_month,
    )
    log.info("roll_up.done", day=str(day), rows=figures.rows, differences=figures.differences)
    return figures
