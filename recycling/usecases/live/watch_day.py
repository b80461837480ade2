"""Look after the running day (当日巡检): tell residents who will be visited late, forget places nobody waits for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.booking import linked_on
from recycling.models.outbox import OutboxMessage, post
from recycling.models.position import VehiclePosition, forget_positions
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.bookings.history import one_of_fact
from recycling.usecases.live.late_visits import late_step
from recycling.usecases.live.live_routes import LiveBooking, RunningRoute, live_routes

log = logger(__name__)

KIND = "visit.late"


@dataclass(frozen=True, slots=True)
class _Late:
    """A visit that is late by so many steps, its estimated start, and how many steps its resident has heard of."""

    booking: LiveBooking
    step: int
    start_s: int
    told: int


def watch_day(*, district: District, session: Session, now: datetime) -> dict[str, int]:
    """Look at today's routes once; how many residents are told newly, and how many places are forgotten.

    Each step of a delay is told once. One that has become smaller again is told nobody, and a larger one skips those
    below it.
    """
    session.rollback()
    routes = live_routes(session, service_day(now), district=district, now=now)
    late = _late(routes, district=district, session=session, now=now)
    left = _left(routes, session=session, now=now)
    session.rollback()
    if not late and not left:  # a read spares the write lock, most of the time
        return {"told": 0, "positions": 0}
    with atomic(session):
        told = sum(_tell(one, session=session, now=now) for one in late)
        forgotten = forget_positions(session, vehicles=left, over_at=now)
    log.info("day.watched", told=told, positions=forgotten)
    return {"told": told, "positions": forgotten}


def _late(routes: Iterable[RunningRoute], *, district: District, session: Session, now: datetime) -> list[_Late]:
    """The visits whose residents have not heard of the step that they are late by."""
    steps = {}
    for route in routes:
        for booking in route.bookings.values():
            one = route.estimate.of(booking.id)
            step = late_step(route, booking.id, district.lateness, now=now)
            if one is not None and step and booking.state == "booked" and not booking.made_up:
                steps[booking.id] = (booking, step, one.start_s)
    if not steps:
        return []
    keys = {
        _key(booking, number): (booking.id, number)
        for booking, step, _ in steps.values()
        for number in range(1, _most_steps(district) + 1)
    }
    told = dict.fromkeys(steps, 0)
    for key in session.scalars(select(OutboxMessage.dedupe_key).where(OutboxMessage.dedupe_key.in_(list(keys)))):
        booking_id, number = keys[key]
        told[booking_id] = max(told[booking_id], number)
    return [
        _Late(booking, step, start_s, told[booking.id])
        for booking, step, start_s in steps.values()
        if step > told[booking.id]
    ]


def _most_steps(district: District) -> int:
    return max(len(district.lateness.past_window_s), len(district.lateness.past_told_s))


def _key(booking: LiveBooking, step: int) -> str:
    return f"{KIND}:{booking.id}:{step}"


def _tell(late: _Late, *, session: Session, now: datetime) -> bool:
    booking, day = late.booking, service_day(now)
    return post(
        session,
        dedupe_key=_key(booking, late.step),
        kind="visit.late",
        to=("resident", booking.resident_id),
        facts={
            "booking_id": str(booking.id), "day": str(day), "pickup_window": booking.pickup_window,
            "step": late.step, **one_of_fact(linked_on(session, day).get(booking.part_of or booking.id, 1)),
        },
        now=now,
    )  # fmt: skip


def _left(routes: Iterable[RunningRoute], *, session: Session, now: datetime) -> list[str]:
    """The vehicles with a place that nobody waits for any more: they have arrived, stand, or said nothing for long."""
    heading = {
        route.vehicle_key: route.state.heading_to
        for route in routes
        if route.state.doing == "driving" and route.state.drives
    }
    return [
        row.vehicle_key
        for row in session.execute(
            select(VehiclePosition.vehicle_key, VehiclePosition.booking_id, VehiclePosition.kept_until)
        )
        if heading.get(row.vehicle_key) != row.booking_id or row.kept_until <= now
    ]
