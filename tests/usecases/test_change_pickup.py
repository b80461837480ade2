"""Amending and cancelling: the old place is held until the new one is sure, and freed exactly once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, DomainError, NotFound, StaleVersion, WindowClosed, WindowFull
from recycling.extensions import db
from recycling.models.booking import Booking, BookingChange
from recycling.models.ledger import close_day
from recycling.models.outbox import OutboxMessage
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from recycling.usecases.bookings.promise import WishedItem
from tests.builders import TOMORROW, a_booking, a_resident, a_wish
from tests.conftest import NOW
from tests.invariants import assert_invariants
from tests.loads import collect
from tests.places import ROOM_OF_TRUCK, fill, one_truck, places, sums, visits
from tests.planned_days import VAN, VAN_CREW, a_collector, a_published_plan, with_vehicles

AREA = "lincheng"
NEXT_DAY = TOMORROW + timedelta(days=1)
# Bookings end at 18:00 of the day before in Shanghai (10:00 UTC), withdrawals at 20:00 (12:00 UTC).
BOOKING_CUTOFF = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CANCEL_CUTOFF = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Owner:
    """A resident with one booking, who changes it."""

    def __init__(self, session: Session, district: District, now: datetime, **wish: Any) -> None:
        self.session, self.district = session, district
        self.by = a_resident(session, now=now)
        self.booking_id = a_booking(session, district=district, now=now, by=self.by, **wish).id

    def amend(self, now: datetime, *, version: int = 1, by: Principal | None = None, **changes: Any) -> Booking:
        """Change fields of the booking."""
        return amend_pickup(
            self.booking_id, changes,
            version=version, by=by or self.by, district=self.district, session=self.session, now=now,
        )  # fmt: skip

    def cancel(self, now: datetime, *, version: int = 1, by: Principal | None = None) -> Booking:
        """Withdraw the booking."""
        return cancel_pickup(
            self.booking_id, version=version, by=by or self.by, district=self.district, session=self.session, now=now
        )


@pytest.fixture
def owner(session: Session, district: District, now: datetime) -> Owner:
    return Owner(session, district, now)


# --- amending ---


def test_moving_to_another_day_frees_the_old_place_and_takes_the_new(
    owner: Owner, session: Session, now: datetime
) -> None:
    booking = owner.amend(now, day=NEXT_DAY, pickup_window="all-day")
    assert (booking.day, booking.pickup_window, booking.version) == (NEXT_DAY, "all-day", 2)
    assert places(session) == {("2026-11-25", "all-day"): 1}
    # one fridge: 1020 s, 40.8 kg, 800 l
    assert sums(session) == {"2026-11-24": (0, 0, 0), "2026-11-25": (1020, 40_800, 800)}
    # history and message name the new version
    assert sorted(session.execute(select(BookingChange.kind, BookingChange.version)).all()) == [
        ("amended", 2),
        ("booked", 1),
    ]
    assert set(session.scalars(select(OutboxMessage.kind))) == {"booking.confirmed", "booking.amended"}
    assert_invariants(session)


def test_other_items_take_other_room(owner: Owner, session: Session, now: datetime) -> None:
    # given one fridge; when it becomes two rice cookers (4 kg, 20 l, 120 s each)
    booking = owner.amend(now, items=[WishedItem(item_type="rice-cooker", quantity=2)])
    # then 300 base + 2 x 120 = 540 s; 8 kg; 40 l; and the fridge's line is gone
    assert sums(session) == {"2026-11-24": (540, 8_000, 40)}
    assert [(item.item_type, item.declared_units) for item in booking.items] == [("rice-cooker", 2)]
    assert_invariants(session)


def test_moving_to_another_area_is_a_visit_there(
    owner: Owner, session: Session, district: District, now: datetime
) -> None:
    village = district.network.villages_of("xingren")[0]
    booking = owner.amend(now, village_code=village.code, lat=34.81, lon=117.31)
    assert booking.area == "xingren"
    # one visit, at the new door
    assert {(visit.lat, visit.lon) for visit in visits(session).values()} == {(34.81, 117.31)}
    assert sums(session) == {"2026-11-24": (1020, 40_800, 800)}
    assert_invariants(session)


def test_the_old_place_is_kept_when_the_new_window_is_full(session: Session, district: District, now: datetime) -> None:
    # given a morning with one booking and an afternoon whose places are all taken
    small = one_truck(district)
    owner = Owner(session, small, now)
    fill(session, district=small, now=now, count=ROOM_OF_TRUCK, pickup_window="13-15")
    before, routes = sums(session), visits(session)
    with pytest.raises(WindowFull, match="no route of 2026-11-24"):
        owner.amend(now, pickup_window="13-15")
    # then booking, place and sums are as they were
    assert (visits(session), sums(session)) == (routes, before)
    assert places(session)["2026-11-24", "08-10"] == 1
    booking = session.get_one(Booking, owner.booking_id)
    assert (booking.pickup_window, booking.version) == ("08-10", 1)
    assert session.scalars(select(BookingChange.kind).where(BookingChange.booking_id == booking.id)).all() == ["booked"]
    assert_invariants(session)


def test_a_booking_in_a_full_window_can_still_change_its_note(
    session: Session, district: District, now: datetime
) -> None:
    # given the window's last place held by the booking itself
    small = one_truck(district)
    fill(session, district=small, now=now, count=ROOM_OF_TRUCK - 1)
    owner = Owner(session, small, now)
    with pytest.raises(WindowFull):
        a_booking(session, district=small, now=now)
    assert owner.amend(now, note="请先打电话").place["note"] == "请先打电话"
    assert places(session) == {("2026-11-24", "08-10"): ROOM_OF_TRUCK}


def test_from_the_booking_cutoff_on_a_booking_moves_to_bookable_days_only(owner: Owner) -> None:
    # up to 18:00 the booking can move within its day
    assert owner.amend(BOOKING_CUTOFF - timedelta(microseconds=1), pickup_window="10-12").version == 2
    # from then on to no other window of it
    with pytest.raises(WindowClosed, match="2026-11-24 cannot be booked"):
        owner.amend(BOOKING_CUTOFF, version=2, pickup_window="13-15")
    # but still to a later day
    assert owner.amend(CANCEL_CUTOFF - timedelta(microseconds=1), version=2, day=NEXT_DAY).day == NEXT_DAY


def test_what_leaves_day_and_window_alone_changes_until_the_cancel_cutoff(
    owner: Owner, session: Session, district: District
) -> None:
    # given the evening: tomorrow takes no more bookings, and can still be withdrawn from
    late = CANCEL_CUTOFF - timedelta(microseconds=1)
    assert owner.amend(BOOKING_CUTOFF, note="请先打电话").place["note"] == "请先打电话"
    booking = owner.amend(late, version=2, items=[WishedItem(item_type="rice-cooker", quantity=2)], floor=3)
    # then the booking is changed, and the day holds what it asks for now
    assert (booking.version, booking.floor, booking.pickup_window) == (3, 3, "08-10")
    assert (places(session), sums(session)["2026-11-24"][1]) == ({("2026-11-24", "08-10"): 1}, 8_000)
    # and the door too, in another area even, as long as a route can be there in the same window
    elsewhere: dict[str, Any] = {
        "village_code": district.network.villages_of("xingren")[0].code,
        "lat": 34.81,
        "lon": 117.31,
    }
    assert owner.amend(late, version=3, **elsewhere).area == "xingren"
    assert places(session) == {("2026-11-24", "08-10"): 1}
    assert_invariants(session)


def test_from_the_cancel_cutoff_on_nothing_moves(owner: Owner, session: Session) -> None:
    with pytest.raises(WindowClosed, match="ended the evening before"):
        owner.amend(CANCEL_CUTOFF, day=NEXT_DAY)
    with pytest.raises(WindowClosed, match="ended the evening before"):
        owner.cancel(CANCEL_CUTOFF)
    assert places(session) == {("2026-11-24", "08-10"): 1}


# --- cancelling ---


def test_cancelling_frees_the_place_once(owner: Owner, session: Session, now: datetime) -> None:
    booking = owner.cancel(CANCEL_CUTOFF - timedelta(microseconds=1))
    assert (booking.state, booking.version) == ("cancelled", 2)
    assert (places(session), sums(session)) == ({}, {"2026-11-24": (0, 0, 0)})
    # a second time, or an amendment, finds nothing to change
    with pytest.raises(Conflict, match="cancelled"):
        owner.cancel(now, version=2)
    with pytest.raises(Conflict, match="cancelled"):
        owner.amend(now, version=2, note="回来")
    assert places(session) == {}
    assert_invariants(session)


def test_a_freed_place_can_be_booked_again(session: Session, district: District, now: datetime) -> None:
    small = one_truck(district)
    fill(session, district=small, now=now, count=ROOM_OF_TRUCK - 1)
    owner = Owner(session, small, now)
    with pytest.raises(WindowFull):
        a_booking(session, district=small, now=now)
    owner.cancel(now)
    assert a_booking(session, district=small, now=now).state == "booked"
    assert_invariants(session)


def test_a_closed_day_keeps_its_bookings_as_they_are(owner: Owner, session: Session, now: datetime) -> None:
    with atomic(session):
        close_day(session, TOMORROW, now=NOW)
    with pytest.raises(WindowClosed, match="already planned"):
        owner.amend(now, day=NEXT_DAY)
    with pytest.raises(WindowClosed, match="already planned"):
        owner.cancel(now)
    assert places(session) == {("2026-11-24", "08-10"): 1}


def test_the_desk_cancels_what_the_published_plan_left_out(session: Session, district: District, now: datetime) -> None:
    # given a fridge promised on the day of a fleet that then shrinks to one van and one person, who does not carry it:
    # published, and left out
    alone = with_vehicles(district, VAN)
    resident = a_resident(session, now=now)
    booking_id = a_booking(session, district=district, now=now, by=resident).id
    plan = a_published_plan(session, district=alone, now=now)
    assert [left.booking_id for left in plan.unassigned] == [booking_id]
    evening = CANCEL_CUTOFF + timedelta(hours=1)

    def cancel(by: Principal) -> Booking:
        return cancel_pickup(booking_id, version=1, by=by, district=alone, session=session, now=evening)

    # then its resident is told whom to call, and no collector reaches it
    with pytest.raises(WindowClosed, match="call the dispatcher"):
        cancel(resident)
    with pytest.raises(NotFound):
        cancel(a_collector(session, VAN_CREW, now=now))
    # when the dispatcher tries to move it, they hear what to do instead; and do it
    desk = Principal(id=uuid4(), role="dispatcher")
    with pytest.raises(WindowClosed, match="cancel the booking and book another day"):
        amend_pickup(
            booking_id, {"day": NEXT_DAY},
            version=1, by=desk, district=alone, session=session, now=evening,
        )  # fmt: skip
    booking = cancel(desk)
    # then the booking no longer waits, its resident hears of it, and the closed day holds nothing for it
    assert (booking.state, booking.version) == ("cancelled", 2)
    assert (places(session), sums(session)["2026-11-24"]) == ({}, (0, 0, 0))
    told = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "booking.cancelled")).one()
    assert told.recipient_id == resident.id
    assert_invariants(session)
    # and the day stays closed
    with pytest.raises(WindowClosed, match="already planned"):
        a_booking(session, district=alone, now=now)


def test_the_desk_cancels_a_pickup_that_nobody_came_to_and_none_that_was_visited(
    session: Session, district: District, now: datetime
) -> None:
    # given two planned pickups, of which one was visited, and the day after
    visited, waiting = (a_booking(session, district=district, now=now) for _ in range(2))
    collect(session, visited, not_yet=[waiting], district=district, now=now)
    desk, after = Principal(id=uuid4(), role="admin"), now + timedelta(days=2)
    # when the desk cancels what still waits, then it does so
    cancel_pickup(waiting.id, version=1, by=desk, district=district, session=session, now=after)
    # and a visit stays what it was, with the next step
    with pytest.raises(Conflict, match=r"is collected .* make a new booking"):
        cancel_pickup(visited.id, version=2, by=desk, district=district, session=session, now=after)
    assert_invariants(session)


def test_nobody_made_up_is_told_of_a_change(session: Session, district: District, now: datetime) -> None:
    by = a_resident(session, now=now)
    made_up = book_pickup(a_wish(), by=by, district=district, session=session, now=now, made_up=True)
    amend_pickup(made_up.id, {"note": "后门"}, version=1, by=by, district=district, session=session, now=now)
    cancel_pickup(made_up.id, version=2, by=by, district=district, session=session, now=now)
    assert session.scalars(select(OutboxMessage.kind)).all() == []


# --- whose, and which version ---


def test_a_stale_version_is_refused_and_told_the_present_one(owner: Owner, now: datetime) -> None:
    owner.amend(now, note="一")
    with pytest.raises(StaleVersion, match="now version 2, you sent 1"):
        owner.amend(now, note="二")
    with pytest.raises(StaleVersion, match="now version 2, you sent 1"):
        owner.cancel(now)


def test_somebody_elses_booking_is_as_absent(owner: Owner, session: Session, now: datetime) -> None:
    other = a_resident(session, now=now)
    for by in (other, Principal(id=uuid4(), role="clerk"), Principal(id=uuid4(), role="keeper", station_key=AREA)):
        with pytest.raises(NotFound):
            owner.amend(now, by=by, note="我的")
        with pytest.raises(NotFound):
            owner.cancel(now, by=by)
    # a dispatcher may
    assert owner.cancel(now, by=Principal(id=uuid4(), role="dispatcher")).state == "cancelled"


# --- at once ---


def test_moves_in_opposite_directions_end_and_nothing_is_lost(
    app: Flask, session: Session, district: District, now: datetime
) -> None:
    # given four bookings on each of two days, all of which change places with each other
    today = [Owner(session, district, now, pickup_window="all-day") for _ in range(4)]
    next_day = [Owner(session, district, now, pickup_window="all-day", day=NEXT_DAY) for _ in range(4)]
    goals = [(one, NEXT_DAY) for one in today] + [(one, TOMORROW) for one in next_day]
    session.rollback()
    start = threading.Barrier(len(goals))

    def shuttle(one: Owner, there: Any) -> list[str]:
        told = []
        start.wait(timeout=30)
        for turn in range(6):
            day = there if turn % 2 == 0 else (TOMORROW if there == NEXT_DAY else NEXT_DAY)
            with app.app_context():
                told.append(_move(one, day, version=turn + 1, district=district, now=now))
        return told

    # when they all do so six times at once
    with ThreadPoolExecutor(len(goals)) as pool:
        told = [word for words in pool.map(lambda goal: shuttle(*goal), goals) for word in words]
    # then none was caught in a deadlock or a lock's time-out, and each place counts one booking
    assert set(told) == {"moved"}
    assert places(session) == {("2026-11-24", "all-day"): 4, ("2026-11-25", "all-day"): 4}
    assert_invariants(session)


def _move(one: Owner, day: Any, *, version: int, district: District, now: datetime) -> str:
    try:
        amend_pickup(
            one.booking_id, {"day": day},
            version=version, by=one.by, district=district, session=db.session(), now=now,
        )  # fmt: skip
    except DomainError as error:
        return error.code
    return "moved"


def test_of_two_changes_of_one_version_one_wins_and_the_place_is_freed_once(
    app: Flask, owner: Owner, session: Session, district: District, now: datetime
) -> None:
    # given one booking that eight devices cancel at the same instant
    booking_id: UUID = owner.booking_id
    session.rollback()
    start = threading.Barrier(8)

    def cancel(_: int) -> str:
        with app.app_context():
            start.wait(timeout=30)
            try:
                cancel_pickup(booking_id, version=1, by=owner.by, district=district, session=db.session(), now=now)
            except DomainError as error:
                return error.code
            return "cancelled"

    with ThreadPoolExecutor(8) as pool:
        told = sorted(pool.map(cancel, range(8)))
    assert told == ["cancelled"] + ["stale_version"] * 7
    assert sums(session) == {"2026-11-24": (0, 0, 0)}
    assert_invariants(session)
