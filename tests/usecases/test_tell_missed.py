"""Pickups that nobody recorded are told the morning after, once, to residents and dispatchers, while it is true."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.outbox import OutboxMessage
from recycling.models.people import Staff
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings.change_pickup import cancel_pickup
from recycling.usecases.messages.deliver import deliver_next
from recycling.usecases.messages.still_true import why_obsolete
from recycling.usecases.messages.tell_missed import tell_missed
from tests.builders import TOMORROW, a_booking
from tests.callers import KeptSms
from tests.invariants import assert_invariants
from tests.planned_days import VAN, a_published_plan, with_vehicles
from tests.usecases.test_message_sequence import DESK
from tests.usecases.test_record_events import Round, a_failure, a_report

MORNING_AFTER = instant_at(TOMORROW + timedelta(days=1), 8 * 3600 + 1800)


@pytest.fixture
def tour(session: Session, district: District, now: datetime) -> Round:
    """A truck with three fridges to fetch."""
    return Round(session, district, now, bookings=3)


def told(session: Session, kind: str = "visit.missed") -> list[OutboxMessage]:
    """The messages of a kind."""
    session.rollback()
    return list(session.scalars(select(OutboxMessage).where(OutboxMessage.kind == kind)))


def test_who_waited_in_vain_hears_once_and_so_does_each_dispatcher(
    tour: Round, session: Session, now: datetime
) -> None:
    # given a day on which one door was collected, one failed, and nobody was at the third
    for role, active in (("dispatcher", True), ("admin", True), ("clerk", True), ("dispatcher", False)):
        session.add(
            Staff(
                id=uuid4(),
                login=str(uuid4()),
                name=role,
                role=role,
                password_hash="none",
                created_at=now,
                active=active,
            )
        )
    session.commit()
    tour.send(a_report(tour.bookings[0]), a_failure(tour.bookings[1]))
    # when it is over
    assert [tell_missed(TOMORROW, session=session, now=MORNING_AFTER) for _ in range(2)] == [1, 0]
    (message,) = told(session)
    assert message.recipient_id == tour.booking(2).resident_id
    assert message.facts["booking_id"] == str(tour.bookings[2])
    desk = told(session, "visits.missed")
    assert len(desk) == 2
    assert [row.facts["booking_ids"] for row in desk] == [[str(tour.bookings[2])]] * 2
    assert_invariants(session)


def test_a_day_that_is_not_over_has_missed_nobody(tour: Round, session: Session) -> None:
    last_second = instant_at(TOMORROW, 86_399)
    assert tell_missed(TOMORROW, session=session, now=last_second) == 0
    facts = {"booking_id": str(tour.bookings[0]), "day": str(TOMORROW)}
    assert (
        why_obsolete("visit.missed", facts, district=tour.district, session=session, now=last_second)
        == f"{TOMORROW} is not over"
    )


def test_setting_out_is_no_visit(tour: Round, session: Session) -> None:
    tour.send(*(a_failure(booking, kind="on_the_way", reason=None) for booking in tour.bookings))
    assert tell_missed(TOMORROW, session=session, now=MORNING_AFTER) == 3


def test_cancelled_and_left_out_and_unpublished_bookings_were_not_missed(
    session: Session, district: District, now: datetime
) -> None:
    # given a fridge that the only van cannot carry, of a published day, and one of a day without a plan
    left = a_booking(session, district=district, now=now)
    a_published_plan(session, district=with_vehicles(district, VAN), now=now)
    a_booking(session, district=district, now=now, day=TOMORROW + timedelta(days=1))
    for day in (TOMORROW, TOMORROW + timedelta(days=1)):
        assert tell_missed(day, session=session, now=MORNING_AFTER + timedelta(days=1)) == 0
    cancel_pickup(left.id, version=1, by=DESK, district=district, session=session, now=now)
    assert told(session) == []


def test_a_cancelled_stop_is_not_missed(tour: Round, session: Session, district: District, now: datetime) -> None:
    cancel_pickup(tour.bookings[0], version=1, by=DESK, district=district, session=session, now=now)
    assert tell_missed(TOMORROW, session=session, now=MORNING_AFTER) == 2


def test_a_record_that_comes_in_late_ends_the_message_that_waits(tour: Round, session: Session) -> None:
    # given messages posted, and a phone that then finds its network
    tell_missed(TOMORROW, session=session, now=MORNING_AFTER)
    tour.send(*(a_report(booking) for booking in tour.bookings), at=MORNING_AFTER)
    sms = KeptSms()
    send = lambda: deliver_next(sms=sms, district=tour.district, session=session, now=MORNING_AFTER)  # noqa: E731
    list(iter(send, None))
    # then nobody reads that there is no record of the visit
    assert not [text for _, text in sms.sent if "没有" in text]
    assert {message.last_error for message in told(session)} == {"obsolete: the booking is collected"}
