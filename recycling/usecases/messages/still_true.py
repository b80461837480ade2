"""Whether what a message tells of a booking is still true when its turn comes (消息是否仍属实)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.booking import Booking, BookingState
from recycling.models.outbox import booking_told_of
from recycling.models.plan import PublishedPlan, Unassigned
from recycling.policy.district import District
from recycling.usecases.live.late_visits import late_step
from recycling.usecases.live.live_routes import live_route_of
from recycling.usecases.planning.expected_times import expected_times

# The state in which a booking is what the message says.
STATE_TOLD: Mapping[str, BookingState] = {
    "booking.confirmed": "booked",
    "booking.amended": "booked",
    "booking.reminder": "booked",
    "booking.early_reminder": "booked",
    "booking.cancelled": "cancelled",
    "plan.window_confirmed": "booked",
    "plan.left_out": "booked",
    "plan.time_moved": "booked",
    "plan.promise_late": "booked",
    "plan.promise_broken": "booked",
    "visit.on_the_way": "booked",
    "visit.late": "booked",
    "visit.missed": "booked",
    "waiting.offered": "held",
    "visit.collected": "collected",
    "visit.partly_collected": "partly_collected",
    "visit.failed": "failed",
}
WE_COME = frozenset({
    "booking.confirmed", "booking.amended", "booking.reminder", "booking.early_reminder", "plan.window_confirmed",
    "visit.on_the_way", "visit.late", "plan.time_moved", "plan.promise_late",
})  # fmt: skip
WE_DO_NOT = frozenset({"plan.left_out", "plan.promise_broken"})
TELLS_WHEN = frozenset({"plan.window_confirmed", "plan.time_moved", "plan.promise_late"})
ON_THE_WAY_HOLDS = timedelta(hours=1)  # two stops are minutes apart; told later, it would send people to an empty door


def left_out(day: date) -> Select[UUID]:
    """The bookings that the published plan of a day leaves out."""
    listed = select(Unassigned.booking_id).join(PublishedPlan, PublishedPlan.plan_id == Unassigned.plan_id)
    return listed.where(PublishedPlan.day == day)


def why_obsolete(
    kind: str, facts: Mapping[str, Any], *, district: District, session: Session, now: datetime
) -> str | None:
    """Why a message is no longer true of its booking; ``None`` while it is, and when it tells of no single booking.

    A newer message tells what is true instead, wherever there is something to tell: each change posts its own.
    """
    booking_id = booking_told_of(facts)
    if booking_id is None:
        return None
    columns = select(Booking.state, Booking.day, Booking.pickup_window)
    found = session.execute(columns.where(Booking.id == booking_id)).one_or_none()
    if found is None:
        return "the booking is gone"
    state, day, window = found
    if state != STATE_TOLD.get(kind, state):
        return f"the booking is {state}"
    if facts.get("day", str(day)) != str(day) or facts.get("pickup_window", window) != window:
        return f"the booking has moved to {day}, {window}"
    if kind in WE_COME and day < service_day(now):
        return f"{day} is over"
    if kind == "visit.missed" and day >= service_day(now):
        return f"{day} is not over"
    if kind == "visit.on_the_way" and _long_ago(facts, now):
        return "the collector set out long ago"
    if kind == "visit.late":
        return _late_no_more(facts, booking_id, day, district=district, session=session, now=now)
    return _plan_says_otherwise(kind, facts, booking_id, day, session)


def _late_no_more(
    facts: Mapping[str, Any], booking_id: UUID, day: date, *, district: District, session: Session, now: datetime
) -> str | None:
    route = live_route_of(session, booking_id, day, district=district, now=now)
    if route is None:
        return "no published route reaches the booking"
    step = late_step(route, booking_id, district.lateness, now=now)
    return None if step >= facts.get("step", 1) else "the visit is less late by now, or under way"


def _long_ago(facts: Mapping[str, Any], now: datetime) -> bool:
    try:
        return now - datetime.fromisoformat(facts["set_out_at"]) > ON_THE_WAY_HOLDS
    except (KeyError, ValueError, TypeError):
        return True  # nobody can say that it is still so


def _plan_says_otherwise(
    kind: str, facts: Mapping[str, Any], booking_id: UUID, day: date, session: Session
) -> str | None:
    if kind not in WE_COME | WE_DO_NOT:
        return None
    left = session.scalar(left_out(day).where(Unassigned.booking_id == booking_id)) is not None
    if left != (kind in WE_DO_NOT):
        return f"the published plan {'leaves the booking out' if left else 'reaches the booking'}"
    if kind in TELLS_WHEN:
        published = session.get_one(PublishedPlan, day)
        if expected_times(published.plan_id, session, booking_id=booking_id).get(booking_id) != facts.get("expected_s"):
            return "the published plan comes at another time"
    return None
