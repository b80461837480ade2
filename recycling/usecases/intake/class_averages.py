"""Work out the stations' own class averages of a month (站点品类均值)."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import InvalidInput
from recycling.logs import logger
from recycling.models.base import insert_if_absent
from recycling.models.class_average import ClassAverage, ClassAverageVersion
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.recovery import newest
from recycling.models.transaction import atomic
from recycling.policy.class_averages import ClassMean, class_mean, sample_days

log = logger(__name__)

MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)


def make_class_averages(month: str, *, session: Session, now: datetime) -> ClassAverageVersion:
    """Keep the averages of a month such as ``2026-11``; those that stand when there are any.

    They are made of the twelve months before it: of lines that stood on the scale alone or were the only ones without
    a reading, whole and not made up. They are in force from tomorrow on.

    Raises
    ------
    InvalidInput
        When it is no month, or one that has not begun.
    """
    first = _month(month, today=service_day(now))
    with atomic(session):
        standing = session.get(ClassAverageVersion, first)
        if standing is not None:
            return standing
        begins, ends = sample_days(first)
        seen, means = _means(begins, ends, session=session)
        kept = insert_if_absent(
            session, ClassAverageVersion, month=first, first_day=begins, last_day=ends,
            valid_from=service_day(now) + timedelta(days=1), lines=seen, made_at=now,
        )  # fmt: skip
        if kept:
            session.add_all(
                ClassAverage(
                    month=first, station_key=station_key, item_type=item_type, mean_g=mean.mean_g, sd_g=mean.sd_g,
                    units=mean.units, lines=mean.lines,
                )
                for (station_key, item_type), mean in sorted(means.items())
            )  # fmt: skip
    log.info("class_averages.made", month=month, lines=seen, averages=len(means))
    return session.get_one(ClassAverageVersion, first)


def _month(text: str, *, today: date) -> date:
    match = MONTH.fullmatch(text)
    if match is None:
        raise InvalidInput(f"month {text[:20]!r} is no month; write it as 2026-11 / 月份须写作 2026-11")
    first = date(int(match[1]), int(match[2]), 1)
    if first > today:
        raise InvalidInput(f"month {text} has not begun; today is {today} / {text} 尚未开始")
    return first


def _means(begins: date, ends: date, *, session: Session) -> tuple[int, dict[tuple[str, str], ClassMean]]:
    """How many lines a span of days has, and the means that they give by station and item type."""
    of_days = IntakeTicket.day.between(begins, ends)
    seen, found = 0, {}
    # Station by station: a year of one station fits in memory, ten of them need not.
    for station_key in session.scalars(select(IntakeTicket.station_key).where(of_days).distinct()).all():
        lines: dict[str, list[tuple[int, int]]] = defaultdict(list)
        rows = session.execute(
            select(IntakeLine.item_type, IntakeLine.units, IntakeLine.net_g)
            .join(IntakeTicket, IntakeTicket.id == IntakeLine.ticket_id)
            .where(
                of_days,
                IntakeTicket.station_key == station_key,
                newest(),
                IntakeTicket.made_up.is_(False),
                IntakeLine.provenance == "weighed",
                IntakeLine.missing_parts == 0,
            )
        )
        for row in rows:
            lines[row.item_type].append((row.units, row.net_g))
            seen += 1
        for item_type, own in lines.items():
            mean = class_mean(own)
            if mean is not None:
                found[station_key, item_type] = mean
    return seen, found
