"""Remind residents of the pickups of a day (上门提醒)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.booking import Booking
from recycling.models.outbox import post
from recycling.models.transaction import atomic
from recycling.usecases.messages.still_true import left_out

log = logger(__name__)


def remind_residents(day: date, *, session: Session, now: datetime) -> int:
    """Post a reminder for each booking of a day that still stands and that we come to; returns how many are new.

    Each booking is reminded of a day once. A day that is over gets none.
    """
    if day < service_day(now):
        return 0
    reminders = 0
    with atomic(session):
        standing = select(Booking.id, Booking.resident_id, Booking.pickup_window)
        standing = standing.where(Booking.day == day, Booking.state == "booked", Booking.made_up.is_(False))
        # Whom the published plan leaves out has been told that nobody comes.
        standing = standing.where(Booking.id.not_in(left_out(day)))
        for booking_id, resident_id, pickup_window in session.execute(standing.order_by(Booking.id)).all():
            reminders += post(
                session,
                dedupe_key=f"booking.reminder:{booking_id}:{day}",
                kind="booking.reminder",
                to=("resident", resident_id),
                facts={"booking_id": str(booking_id), "day": str(day), "pickup_window": pickup_window},
                now=now,
            )
    log.info("reminders.posted", day=str(day), reminders=reminders)
    return reminders
