"""Reading the audit log: who did what, newest first."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.models.audit import AuditRow, actor_of
from recycling.policy.access import Principal
from recycling.units import instant_at
from recycling.usecases.queries.cursors import read_cursor, whole, write_cursor

FIRST_YEAR, LAST_YEAR = 2000, 2200  # beyond them an instant overflows on its way to another zone


def list_audit_rows(
    *,
    session: Session,
    limit: int,
    action: str | None = None,
    subject: str | None = None,
    actor_id: UUID | None = None,
    first: date | None = None,
    last: date | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of rows; an ``actor_id`` is that of staff, or of a resident, whose rows stand under another one.

    Raises
    ------
    InvalidInput
        When the span ends before it begins, or lies at an end of the calendar.
    """
    for day in (first, last):
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise InvalidInput(f"{day} lies outside {FIRST_YEAR} to {LAST_YEAR}; give a day inside / 日期超出范围")
    if first is not None and last is not None and last < first:
        raise InvalidInput(f"to = {last} lies before from = {first}; exchange them / 结束日期早于开始日期")
    wanted = select(AuditRow).order_by(AuditRow.number.desc())
    if action is not None:
        wanted = wanted.where(AuditRow.action == action)
    if subject is not None:
        wanted = wanted.where(AuditRow.subject == subject)
    if actor_id is not None:
        as_resident = actor_of(Principal(id=actor_id, role="resident"))
        wanted = wanted.where(AuditRow.actor_id.in_((actor_id, as_resident)))
    if first is not None:
        wanted = wanted.where(AuditRow.at >= instant_at(first, 0))
    if last is not None:
        wanted = wanted.where(AuditRow.at < instant_at(last + timedelta(days=1), 0))
    if cursor is not None:
        wanted = wanted.where(AuditRow.number < read_cursor(cursor, whole)[0])
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {"audit_rows": shown, "next_cursor": write_cursor(shown[-1].number) if len(rows) > limit else None}
