"""Reading recurring pickups and what came of their days."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.models.recurring import RecurringDay, RecurringPickup
from recycling.policy.access import Principal
from recycling.usecases.bookings.recurring import recurs_visible_to
from recycling.usecases.queries.bookings import masked_address
from recycling.usecases.queries.cursors import instant, read_cursor, write_cursor

SHOWN_DAYS = 60  # the newest: two weeks ahead, and what came of those before


def find_recurring(recurring_id: UUID, *, by: Principal, session: Session) -> RecurringPickup:
    """One recurring pickup that the caller may see.

    Raises
    ------
    NotFound
        When there is none; a foreign one answers the same.
    """
    wanted = select(RecurringPickup).where(RecurringPickup.id == recurring_id, recurs_visible_to(by))
    pickup = session.scalar(wanted)
    if pickup is None:
        raise NotFound(f"no recurring pickup {recurring_id} / 未找到该定期回收")
    return pickup


def recurring_in_full(pickup: RecurringPickup, *, session: Session) -> dict[str, Any]:
    """A recurring pickup with its address and its newest days."""
    days = select(RecurringDay).where(RecurringDay.recurring_id == pickup.id).order_by(RecurringDay.day.desc())
    place: dict[str, Any] = pickup.wish["place"]
    return _fields(pickup) | place | {"days": session.scalars(days.limit(SHOWN_DAYS)).all()}


def list_recurring(
    *, by: Principal, session: Session, limit: int, state: str | None = None, cursor: str | None = None
) -> dict[str, Any]:
    """A page of recurring pickups that the caller may see, newest first; ``next_cursor`` leads to the next."""
    pickup = RecurringPickup
    wanted = select(pickup).where(recurs_visible_to(by)).order_by(pickup.created_at.desc(), pickup.id.desc())
    if state is not None:
        wanted = wanted.where(pickup.state == state)
    if cursor is not None:
        wanted = wanted.where(tuple_(pickup.created_at, pickup.id) < read_cursor(cursor, instant, UUID))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {
        "recurring_pickups": [
            _fields(row) | {"address_masked": masked_address(row.wish["place"]["address"])} for row in shown
        ],
        "next_cursor": write_cursor(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None,
    }


def _fields(pickup: RecurringPickup) -> dict[str, Any]:
    names = (
        "id", "resident_id", "name", "state", "weekdays", "every_weeks", "month_day", "pickup_window", "starts_on",
        "until", "version", "created_at", "changed_at",
    )  # fmt: skip
    kept = ("items", "village_code", "floor", "has_lift")
    return {name: getattr(pickup, name) for name in names} | {name: pickup.wish[name] for name in kept}
