"""Reading the waiting list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from recycling.errors import NotFound
from recycling.models.waiting import WaitingDay, WaitingWish
from recycling.policy.access import Principal
from recycling.usecases.bookings.waiting import waits_visible_to
from recycling.usecases.queries.bookings import masked_address
from recycling.usecases.queries.cursors import instant, read_cursor, write_cursor


def find_wish(wish_id: UUID, *, by: Principal, session: Session) -> WaitingWish:
    """One wish that the caller may see.

    Raises
    ------
    NotFound
        When there is none; a foreign one answers the same.
    """
    wish = session.scalar(select(WaitingWish).where(WaitingWish.id == wish_id, waits_visible_to(by)))
    if wish is None:
        raise NotFound(f"no waiting wish {wish_id} of yours / 未找到该候补")
    return wish


def wish_in_full(wish: WaitingWish, *, session: Session) -> dict[str, Any]:
    """A wish with its address, and how many wait before it for one of its days."""
    place: dict[str, Any] = wish.wish["place"]
    return _fields(wish) | place | {"ahead": _ahead(wish, session=session)}


def list_wishes(
    *, by: Principal, session: Session, limit: int, state: str | None = None, cursor: str | None = None
) -> dict[str, Any]:
    """A page of wishes in the sequence in which they are served; ``next_cursor`` leads to the next."""
    wanted = select(WaitingWish).where(waits_visible_to(by)).order_by(WaitingWish.queued_at, WaitingWish.id)
    if state is not None:
        wanted = wanted.where(WaitingWish.state == state)
    if cursor is not None:
        wanted = wanted.where(tuple_(WaitingWish.queued_at, WaitingWish.id) > read_cursor(cursor, instant, UUID))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {
        "wishes": [_fields(wish) | {"address_masked": masked_address(wish.wish["place"]["address"])} for wish in shown],
        "next_cursor": write_cursor(shown[-1].queued_at, shown[-1].id) if len(rows) > limit else None,
    }


def _ahead(wish: WaitingWish, *, session: Session) -> int:
    mine, other = aliased(WaitingDay), aliased(WaitingDay)
    before = or_(
        WaitingWish.queued_at < wish.queued_at,
        (WaitingWish.queued_at == wish.queued_at) & (WaitingWish.id < wish.id),
    )
    counted = (
        select(func.count(WaitingWish.id.distinct()))
        .join(other, other.wish_id == WaitingWish.id)
        .join(mine, mine.day == other.day)
        .where(mine.wish_id == wish.id, WaitingWish.state == "waiting", before)
    )
    return session.scalar(counted) or 0


def _fields(wish: WaitingWish) -> dict[str, Any]:
    names = ("id", "resident_id", "state", "choices", "offered_until", "version", "created_at", "changed_at")
    return {name: getattr(wish, name) for name in names} | {
        "hold_id": wish.booking_id, "village_code": wish.wish["village_code"], "items": wish.wish["items"],
        "floor": wish.wish["floor"], "has_lift": wish.wish["has_lift"],
    }  # fmt: skip
