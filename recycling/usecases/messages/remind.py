"""Remind residents of the pickups of a day (上门提醒): three days before, and one day before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.booking import Booking
from recycling.models.outbox import post
from recycling.models.transaction import atomic
from recycling.units import instant_at
from recycling.usecases.bookings.history import visits_fact
from recycling.usecases.messages.still_true import left_out

log = logger(__name__)

EARLY_DAYS = 3
LEAST_EARLY_DAYS = 2  # a run that was late; a day later the reminder of the day before takes over


@dataclass(frozen=True, slots=True)
class _Told:
    """A booking to be reminded of: its id, that of the visit which the message is about, and how many there are."""

    booking_id: UUID
    visit_id: UUID
    resident_id: UUID
    pickup_window: str
    visits: int = 1


def remind_residents(day: date, *, session: Session, now: datetime) -> int:
    """Post a reminder for each booking of a day that still stands and that we come to; returns how many are new.

    Each booking is reminded of a day once. A day that is over gets none.
    """
    if day < service_day(now):
        return 0
    reminders = 0
    with atomic(session):
        for told in _bookings(session, _standing(day)):
            reminders += post(
                session,
                dedupe_key=f"booking.reminder:{told.booking_id}:{day}",
                kind="booking.reminder",
                to=("resident", told.resident_id),
                facts={
                    "booking_id": str(told.visit_id), "day": str(day), "pickup_window": told.pickup_window,
                    **visits_fact(told.visits),
                },
                now=now,
            )  # fmt: skip
    log.info("reminders.posted", day=str(day), reminders=reminders)
    return reminders


def remind_early(day: date, *, session: Session, now: datetime) -> int:
    """Post a reminder days ahead for each booking of a day that still stands; returns how many are new.

    Whoever booked later than the evening before these three days has just been told, and gets the one of the day before
    alone. Once for each booking and day.
    """
    if (day - service_day(now)).days < LEAST_EARLY_DAYS:
        return 0
    begins = instant_at(day - timedelta(days=EARLY_DAYS), 0)
    reminders = 0
    with atomic(session):
        standing = _standing(day).where(Booking.created_at < begins)
        for told in _bookings(session, standing):
            reminders += post(
                session,
                dedupe_key=f"booking.early_reminder:{told.booking_id}:{day}",
                kind="booking.early_reminder",
                to=("resident", told.resident_id),
                facts={
                    "booking_id": str(told.visit_id), "day": str(day), "pickup_window": told.pickup_window,
                    **visits_fact(told.visits),
                },
                now=now,
            )  # fmt: skip
    log.info("early_reminders.posted", day=str(day), reminders=reminders)
    return reminders


def _bookings(session: Session, standing: Select[UUID, UUID, UUID, str]) -> Iterator[_Told]:
    """The bookings of the visits that stand, each once."""
    bookings: dict[UUID, list[_Told]] = {}
    for booking_id, visit_id, resident_id, pickup_window in session.execute(standing):
        told = _Told(booking_id, visit_id, resident_id, pickup_window)
        bookings.setdefault(booking_id, []).append(told)
    for visits in bookings.values():
        # Where the plan leaves out the first visit it tells of the next: the message holds as long as that one does.
        first = min(visits, key=lambda told: told.visit_id != told.booking_id)
        yield replace(first, visits=len(visits))


def _standing(day: date) -> Select[UUID, UUID, UUID, str]:
    """Booking, visit, resident and window of each visit of a day that still stands."""
    standing = select(
        func.coalesce(Booking.part_of, Booking.id), Booking.id, Booking.resident_id, Booking.pickup_window
    )  # fmt: skip
    standing = standing.where(Booking.day == day, Booking.state == "booked", Booking.made_up.is_(False))
    # Whom the published plan leaves out has been told that nobody comes.
    return standing.where(Booking.id.not_in(left_out(day))).order_by(Booking.id)
