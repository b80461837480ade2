"""Reminders three days and one day before: each once, to who still expects us, and not to who has just booked."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.outbox import OutboxMessage
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from recycling.usecases.messages.deliver import deliver_next
from recycling.usecases.messages.remind import remind_early, remind_residents
from tests.builders import a_booking, a_resident
from tests.callers import KeptSms
from tests.invariants import assert_invariants

# Friday of the week whose Monday is tests.conftest.NOW.
DAY = date(2026, 11, 27)
EARLY = instant_at(DAY - timedelta(days=3), 9 * 3600 + 600)
LATE = instant_at(DAY - timedelta(days=1), 9 * 3600)


def kinds(session: Session) -> list[str]:
    """The reminders in the outbox."""
    reminders = select(OutboxMessage.kind).where(OutboxMessage.kind.contains("reminder"))
    return sorted(session.scalars(reminders))


def test_a_booking_is_reminded_of_three_days_and_one_day_before_once_each(
    session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now, day=DAY)
    assert [remind_early(DAY, session=session, now=EARLY) for _ in range(2)] == [1, 0]
    assert [remind_residents(DAY, session=session, now=LATE) for _ in range(2)] == [1, 0]
    assert kinds(session) == ["booking.early_reminder", "booking.reminder"]
    assert_invariants(session)


@pytest.mark.parametrize(
    ("booked_at", "early"),
    [
        (instant_at(DAY - timedelta(days=4), 86_399), 1),  # the evening before
        (instant_at(DAY - timedelta(days=3), 0), 0),  # the same morning: has just been confirmed
        (instant_at(DAY - timedelta(days=2), 8 * 3600), 0),  # two days before
    ],
)
def test_who_booked_within_the_three_days_gets_only_the_reminder_of_the_day_before(
    session: Session, district: District, booked_at: datetime, early: int
) -> None:
    a_booking(session, district=district, now=booked_at, day=DAY)
    # even when the run was late, on the second day before
    at = max(EARLY, booked_at) + timedelta(hours=1)
    assert remind_early(DAY, session=session, now=at) == early
    assert remind_residents(DAY, session=session, now=LATE) == 1


@pytest.mark.parametrize("days_before", [1, 0, -1])
def test_a_run_that_is_too_late_leaves_it_to_the_other_reminder(
    session: Session, district: District, now: datetime, days_before: int
) -> None:
    a_booking(session, district=district, now=now, day=DAY)
    at = instant_at(DAY - timedelta(days=days_before), 9 * 3600)
    assert remind_early(DAY, session=session, now=at) == 0


def test_who_cancelled_or_moved_is_not_reminded_and_a_waiting_reminder_is_not_sent(
    session: Session, district: District, now: datetime
) -> None:
    # given three bookings, one cancelled before its reminder is due
    by, sms = a_resident(session, now=now), KeptSms()
    gone, cancelled, moved = (a_booking(session, district=district, now=now, day=DAY, by=by) for _ in range(3))
    cancel_pickup(gone.id, version=1, by=by, district=district, session=session, now=now)
    assert remind_early(DAY, session=session, now=EARLY) == 2
    # when of the other two one is cancelled and one moved while their reminders wait
    cancel_pickup(cancelled.id, version=1, by=by, district=district, session=session, now=EARLY)
    later = DAY + timedelta(days=1)
    amend_pickup(moved.id, {"day": later}, version=1, by=by, district=district, session=session, now=EARLY)
    list(iter(lambda: deliver_next(sms=sms, district=district, session=session, now=EARLY), None))
    # then nobody hears of Friday
    assert not [text for _, text in sms.sent if text.startswith("【薛城回收】提醒")]
    ended = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "booking.early_reminder"))
    assert {str(message.last_error).split(":")[0] for message in ended} == {"obsolete"}


def test_a_moved_booking_is_reminded_of_its_new_day(session: Session, district: District, now: datetime) -> None:
    by = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, day=DAY, by=by)
    remind_early(DAY, session=session, now=EARLY)
    later = DAY + timedelta(days=1)
    amend_pickup(booking.id, {"day": later}, version=1, by=by, district=district, session=session, now=EARLY)
    assert remind_early(later, session=session, now=EARLY + timedelta(days=1)) == 1
