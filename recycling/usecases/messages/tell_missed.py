"""Tell of pickups that nobody recorded (漏收告知), the morning after: to the resident, and to who can find out why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.booking import Booking, linked_on
from recycling.models.outbox import post
from recycling.models.people import Staff
from recycling.models.plan import PublishedPlan, Route, RouteStop
from recycling.models.transaction import atomic
from recycling.usecases.bookings.history import one_of_fact

log = logger(__name__)


def tell_missed(day: date, *, session: Session, now: datetime) -> int:
    """Post a message for each booking on a published route of a day that is over and still waits; returns how many.

    A booking is told of once. Whom the plan left out has heard of that already. A record that comes in later, from a
    phone without a network, makes the message obsolete while it waits.
    """
    if day >= service_day(now):
        return 0
    with atomic(session):
        missed = session.scalars(
            select(Booking)
            .join(RouteStop, RouteStop.booking_id == Booking.id)
            .join(Route, Route.id == RouteStop.route_id)
            .join(PublishedPlan, PublishedPlan.plan_id == Route.plan_id)
            .where(
                PublishedPlan.day == day,
                Booking.day == day,
                Booking.state == "booked",
                Booking.made_up.is_(False),
            )
            .order_by(Booking.id)
        ).all()
        told, linked = 0, linked_on(session, day)
        for booking in missed:
            told += post(
                session,
                dedupe_key=f"visit.missed:{booking.id}:{day}",
                kind="visit.missed",
                to=("resident", booking.resident_id),
                facts={
                    "booking_id": str(booking.id), "day": str(day), "pickup_window": booking.pickup_window,
                    **one_of_fact(linked.get(booking.part_of or booking.id, 1)),
                },
                now=now,
            )  # fmt: skip
        if told:
            _tell_dispatchers(day, missed, session=session, now=now)
    log.info("missed.posted", day=str(day), missed=len(missed), told=told)
    return told


def _tell_dispatchers(day: date, missed: Sequence[Booking], *, session: Session, now: datetime) -> None:
    at_work = select(Staff.id).where(Staff.role.in_(("dispatcher", "admin")), Staff.active.is_(True))
    for staff_id in session.scalars(at_work.order_by(Staff.id)):
        post(
            session,
            dedupe_key=f"visits.missed:{day}:{staff_id}",
            kind="visits.missed",
            to=("staff", staff_id),
            facts={"day": str(day), "booking_ids": [str(booking.id) for booking in missed]},
            now=now,
        )
