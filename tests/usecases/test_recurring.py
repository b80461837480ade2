"""Recurring pickups are booked once a day, through the door of everyone; what finds no place is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput, NotFound, StaleVersion, WindowFull
from recycling.models.booking import Booking
from recycling.models.ledger import close_day
from recycling.models.outbox import OutboxMessage
from recycling.models.recurring import RecurringDay, RecurringPickup
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.policy.service_calendar import DayOverride, ServiceCalendar
from recycling.usecases.bookings.book_recurring import book_recurring, nearest_windows
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.bookings.recurring import Agreement, agree_recurring, amend_recurring
from recycling.usecases.people.staff import AddStaff, add_staff
from tests.builders import DISPATCHER, a_booking, a_resident, a_wish
from tests.conftest import NOW
from tests.invariants import assert_invariants, broken

WEDNESDAY = date(2026, 11, 25)  # the first day that the coming night's run can book
HEAVY: dict[str, Any] = {"items": [WishedItem(item_type="ac-split", quantity=2, dismantle=True)], "floor": 6}


def agreed(session: Session, district: District, **overrides: Any) -> RecurringPickup:
    """One fridge of a hotel, each Wednesday from 8 to 10."""
    login = f"dispatcher-{uuid4().hex[:8]}"
    command = AddStaff(login=login, name="调度", role="dispatcher", password="correct horse battery")
    staff = add_staff(command, by=SYSTEM, district=district, session=session, now=NOW)
    fields: dict[str, Any] = {
        "name": "薛城宾馆", "wish": a_wish(), "weekdays": (3,), "every_weeks": 1, "month_day": None,
        "starts_on": WEDNESDAY, "until": None, "phone": "13600000009", "resident_id": None,
    }  # fmt: skip
    by = Principal(id=staff.id, role="dispatcher")
    agreement = Agreement(**(fields | overrides))
    return agree_recurring(agreement, by=by, district=district, session=session, now=NOW)


def night(session: Session, district: District, *, days: int = 0) -> Counter[str]:
    return book_recurring(by=SYSTEM, district=district, session=session, now=NOW + timedelta(days=days))


def outcomes(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(RecurringDay.day, RecurringDay.state).order_by(RecurringDay.day))
    return [(f"{day:%m-%d}", state) for day, state in rows]


def test_each_day_within_the_horizon_is_booked_once_and_the_contact_told(session: Session, district: District) -> None:
    pickup = agreed(session, district)
    # 14 days ahead of Monday the 23rd: Wednesdays the 25th and December 2nd
    assert night(session, district) == {"booked": 2}
    assert night(session, district) == {}
    bookings = session.scalars(select(Booking).order_by(Booking.day)).all()
    assert [(one.day, one.pickup_window, one.consent) for one in bookings] == [
        (WEDNESDAY, "08-10", "institution"), (date(2026, 12, 2), "08-10", "institution"),
    ]  # fmt: skip
    assert {one.resident_id for one in bookings} == {pickup.resident_id}
    assert session.scalars(select(OutboxMessage.kind)).all() == ["booking.confirmed"] * 2
    # a booking that became somebody else's would be found
    other = a_resident(session, now=NOW).id
    bookings[0].resident_id = other
    session.flush()
    assert any(key.startswith("I-30") for key in broken(session))
    session.rollback()
    # and the third as soon as it can be booked
    assert night(session, district, days=1) == {}
    assert night(session, district, days=2) == {"booked": 1}
    assert_invariants(session)


def test_a_full_window_means_the_nearest_and_a_full_day_a_message(session: Session, district: District) -> None:
    pickup = agreed(session, district, wish=a_wish(**HEAVY), until=WEDNESDAY)
    assert nearest_windows("10-12", district)[:2] == ["10-12", "08-10"]
    assert nearest_windows("08-10", district)[-1] == "all-day"

    def fill(*windows: str) -> None:
        for window in windows:
            while True:
                try:
                    a_booking(session, district=district, now=NOW, day=WEDNESDAY, pickup_window=window, **HEAVY)
                except WindowFull:
                    break

    fill("08-10")
    assert night(session, district) == {"moved": 1}
    row = session.scalars(select(RecurringDay)).one()
    assert row.note == "08-10 → 10-12"
    assert session.get_one(Booking, row.booking_id).pickup_window == "10-12"
    amend_recurring(
        pickup.id, {"state": "ended"}, version=1, by=DISPATCHER, district=district, session=session, now=NOW
    )
    # when no window is left, dispatchers and the contact are told, once
    fill("10-12", "13-15", "15-17", "all-day")
    agreed(session, district, wish=a_wish(**HEAVY), until=WEDNESDAY, every_weeks=2)
    assert night(session, district) == {"unplaced": 1}
    assert night(session, district) == {}
    told = Counter(session.scalars(select(OutboxMessage.kind).where(OutboxMessage.kind.like("recurring.%"))))
    assert told == {"recurring.unplaced": 2, "recurring.left_out": 1}  # two dispatchers have an account here
    assert_invariants(session)


def test_holidays_and_closed_days_are_left_out_with_their_note(session: Session, district: District) -> None:
    closed = DayOverride(day=WEDNESDAY, is_working=False, note="全员培训", source="测试")
    district = replace(district, calendar=ServiceCalendar(overrides={WEDNESDAY: closed}))
    agreed(session, district)
    assert night(session, district) == {"holiday": 1, "booked": 1}
    note = session.scalars(select(RecurringDay.note).where(RecurringDay.state == "holiday")).one()
    assert note == "全员培训"
    assert outcomes(session) == [("11-25", "holiday"), ("12-02", "booked")]


def test_a_day_that_refuses_does_not_stop_the_others(session: Session, district: District) -> None:
    agreed(session, district)
    with atomic(session):
        close_day(session, WEDNESDAY, now=NOW)
    assert night(session, district) == {"unplaced": 1, "booked": 1}
    assert outcomes(session) == [("11-25", "unplaced"), ("12-02", "booked")]
    assert_invariants(session)


def test_paused_and_ended_ones_are_not_booked_and_what_is_booked_stays(session: Session, district: District) -> None:
    pickup_id = agreed(session, district).id

    def amend(version: int, **changes: Any) -> RecurringPickup:
        return amend_recurring(
            pickup_id, changes, version=version, by=DISPATCHER, district=district, session=session, now=NOW
        )  # fmt: skip

    amend(1, state="paused")
    assert night(session, district) == {}
    amend(2, state="active", weekdays=[4], pickup_window="13-15", items=[WishedItem(item_type="tv-crt", quantity=2)])
    assert night(session, district) == {"booked": 2}
    booked = session.scalars(select(Booking).order_by(Booking.day)).first()
    assert booked is not None
    assert (booked.day.isoweekday(), booked.pickup_window, booked.items[0].item_type) == (4, "13-15", "tv-crt")
    with pytest.raises(StaleVersion):
        amend(2, state="ended")
    refused: tuple[dict[str, Any], ...] = (
        {"weekdays": []}, {"month_day": 5}, {"pickup_window": "22-24"}, {"until": date(2026, 1, 1)},
    )  # fmt: skip
    for wrong in refused:
        with pytest.raises(InvalidInput):
            amend(3, **wrong)
    amend(3, state="ended")
    with pytest.raises(Conflict):
        amend(4, name="别的")
    assert night(session, district, days=5) == {}
    assert {one.state for one in session.scalars(select(Booking))} == {"booked"}
    with pytest.raises(NotFound):
        amend_recurring(SYSTEM.id, {"name": "x"}, version=1, by=DISPATCHER, district=district, session=session, now=NOW)


def test_what_cannot_be_agreed(session: Session, district: District) -> None:
    for wrong in (
        {"starts_on": WEDNESDAY - timedelta(days=1)},
        {"weekdays": (), "month_day": None},
        {"month_day": 3},
        {"phone": None},
        {"resident_id": SYSTEM.id},
        {"phone": None, "resident_id": SYSTEM.id},
        {"wish": a_wish(pickup_window="22-24")},
        {"wish": a_wish(village_code="999999999999")},
        {"wish": a_wish(items=[WishedItem(item_type="spaceship", quantity=1)])},
    ):
        with pytest.raises(InvalidInput):
            agreed(session, district, **wrong)
    assert session.scalars(select(RecurringPickup)).all() == []
