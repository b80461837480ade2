"""Reading recovered figures and the goal reports made from them."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, defer

from recycling.errors import NotFound
from recycling.models.recovery import DailyRecovery, GoalReport
from recycling.usecases.queries.cursors import instant, key, read_cursor, write_cursor
from recycling.usecases.queries.spans import within

_FACT_KEY = (
    DailyRecovery.day,
    DailyRecovery.station_key,
    DailyRecovery.town_key,
    DailyRecovery.item_type,
    DailyRecovery.channel,
    DailyRecovery.provenance,
)
_FACT_READERS = (date.fromisoformat, key, key, key, key, key)


def list_recovered(
    *,
    session: Session,
    limit: int,
    first: date | None = None,
    last: date | None = None,
    station_key: str | None = None,
    item_type: str | None = None,
    town_key: str | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of daily figures in sequence of day and station; each names where its tickets are.

    Raises
    ------
    InvalidInput
        When the span ends before it begins.
    """
    wanted = select(DailyRecovery).where(*within(DailyRecovery.day, first, last)).order_by(*_FACT_KEY)
    if station_key is not None:
        wanted = wanted.where(DailyRecovery.station_key == station_key)
    if item_type is not None:
        wanted = wanted.where(DailyRecovery.item_type == item_type)
    if town_key is not None:
        wanted = wanted.where(DailyRecovery.town_key == town_key)
    if cursor is not None:
        wanted = wanted.where(tuple_(*_FACT_KEY) > read_cursor(cursor, *_FACT_READERS))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {
        "recovered": [_fact(row) for row in shown],
        "next_cursor": write_cursor(*_key_of(shown[-1])) if len(rows) > limit else None,
    }


def list_goal_reports(*, session: Session, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """A page of kept goal reports without their bodies, newest first."""
    wanted = (
        select(GoalReport).options(defer(GoalReport.body)).order_by(GoalReport.made_at.desc(), GoalReport.id.desc())
    )
    if cursor is not None:
        wanted = wanted.where(tuple_(GoalReport.made_at, GoalReport.id) < read_cursor(cursor, instant, UUID))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    return {
        "goal_reports": shown,
        "next_cursor": write_cursor(last.made_at.isoformat(), last.id) if last is not None else None,
    }


def find_goal_report(report_id: UUID, *, session: Session) -> GoalReport:
    """One kept goal report.

    Raises
    ------
    NotFound
        When there is none.
    """
    report = session.get(GoalReport, report_id)
    if report is None:
        raise NotFound(f"no goal report {report_id}; take an id from GET /goal-reports / 未找到该报告")
    return report


def _fact(row: DailyRecovery) -> dict[str, Any]:
    fields = (
        "day", "station_key", "town_key", "item_type", "channel", "provenance", "units", "recovered_g", "ticket_lines"
    )  # fmt: skip
    tickets = urlencode({"day": row.day.isoformat(), "station_key": row.station_key, "item_type": row.item_type})
    return {name: getattr(row, name) for name in fields} | {"tickets": f"/intake-tickets?{tickets}"}


def _key_of(row: DailyRecovery) -> tuple[Any, ...]:
    return row.day, row.station_key, row.town_key, row.item_type, row.channel, row.provenance
