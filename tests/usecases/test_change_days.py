"""Dated changes: a van taken out, a crew away, a day closed; every promise keeps a place or is named."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Busy, Conflict, InvalidInput, PromisesInTheWay, StaleVersion, WindowClosed
from recycling.extensions import db
from recycling.models.audit import AuditRow
from recycling.models.booking import Booking
from recycling.models.day_change import DayChangeRow
from recycling.models.ledger import TentativeRoute
from recycling.policy.access import Principal
from recycling.policy.day_changes import DayChange
from recycling.policy.district import District
from recycling.routing.solve import solve
from recycling.usecases.bookings import tentative
from recycling.usecases.bookings.change_pickup import cancel_pickup
from recycling.usecases.bookings.offer_slots import offer_slots
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.bookings.tentative import boards
from recycling.usecases.learning.in_force import facts_in_force
from recycling.usecases.planning.change_days import Recorded, end_day_change, record_day_change
from recycling.usecases.planning.day_problem import changes_since
from recycling.usecases.planning.improve_day import improve_day
from recycling.usecases.queries.day_changes import calendar_days, fleet_of_day
from tests.builders import TOMORROW, a_booking, a_resident, a_wish
from tests.invariants import assert_invariants
from tests.planned_days import TRUCK, VAN, a_plan, a_published_plan, with_vehicles

AFTER = TOMORROW + timedelta(days=1)
BOTH = (TRUCK, VAN)
DESK = Principal(id=UUID(int=7), role="dispatcher")
Change = Callable[..., Recorded]


@pytest.fixture
def small(district: District) -> District:
    """A district of one truck and one van."""
    return with_vehicles(district, *BOTH)


@pytest.fixture
def change(session: Session, small: District, now: datetime) -> Change:
    """Record a change, of tomorrow unless another day is named."""

    def record(*, even_unplaced: bool = False, first_day: date = TOMORROW, **fields: Any) -> Recorded:
        said: dict[str, Any] = {"last_day": first_day, "reason": "年检"} | fields
        wanted = DayChange(**said, first_day=first_day)
        return record_day_change(wanted, even_unplaced=even_unplaced, by=DESK, district=small, session=session, now=now)

    return record


def fans(session: Session, district: District, now: datetime, *, count: int, window: str = "all-day") -> list[Booking]:
    """Bookings that any crew can do."""
    one = [WishedItem(item_type="fan", quantity=1)]
    return [
        a_booking(
            session, district=district, now=now, items=one, pickup_window=window, lat=34.79 + 0.004 * n, lon=117.25
        )
        for n in range(count)
    ]


def on_vehicles(session: Session, district: District, now: datetime, day: date = TOMORROW) -> dict[str, int]:
    """Visits of a day by vehicle, as the facts in force have it."""
    board = boards(session, [day], district=facts_in_force(district, session=session))[day]
    assert board is not None
    return {route.vehicle: len(route.visits) for route in board.routes}


def test_the_visits_of_a_van_that_is_taken_out_go_to_the_other_in_their_windows(
    session: Session, small: District, now: datetime, change: Change
) -> None:
    # given promises on the truck
    fans(session, small, now, count=4)
    used = {key for key, count in on_vehicles(session, small, now).items() if count}
    gone = min(used)
    # when it is taken out for tomorrow
    made = change(kind="vehicle_out", vehicle_key=gone)
    # then each promise has a place on the other one, and nothing else is different
    assert made.without_place == []
    other = next(key for key in BOTH if key != gone)
    assert on_vehicles(session, small, now) == {other: 4}
    assert_invariants(session)
    # and offers of tomorrow are of that one alone, those of the day after of both
    facts = facts_in_force(small, session=session)
    offered = offer_slots(
        a_wish(items=[WishedItem(item_type="fan", quantity=1)]), by=a_resident(session, now=now), district=facts,
        session=session, now=now,
    )  # fmt: skip
    found = {day.day: {fit.vehicle for one in day.windows for fit in one.fits} for day in offered[:2]}
    assert found[TOMORROW] <= {other}
    # and the plan has no route for it
    plan = a_plan(session, district=facts, now=now)
    assert [route.vehicle_key for route in plan.routes] == [other]
    assert session.scalars(select(AuditRow.action)).all()[-1] == "day_change.recorded"


def test_promises_without_a_place_are_named_and_only_somebody_who_knows_lets_the_change_stand(
    session: Session, small: District, now: datetime, change: Change
) -> None:
    # given two fridges, for which only the truck has two people
    fridges = [a_booking(session, district=small, now=now, lat=34.80 + 0.01 * n) for n in range(2)]
    ids = {str(one.id) for one in fridges}
    # when one of its crew is away, then the change is refused and names them
    with pytest.raises(PromisesInTheWay) as refused:
        change(kind="collector_away", collector_key="c02")
    assert {one["booking_id"] for one in refused.value.facts["bookings"]} == ids
    assert refused.value.facts["can_stand"]
    session.rollback()
    assert session.scalars(select(DayChangeRow)).all() == []
    # when it is recorded all the same, then they stay promised, without a place
    made = change(kind="collector_away", collector_key="c02", even_unplaced=True)
    assert {str(one.id) for one in made.without_place} == ids
    assert on_vehicles(session, small, now) == {TRUCK: 0, VAN: 0}
    assert {row.vehicle_key for row in session.scalars(select(TentativeRoute))} >= {"unplaced"}
    assert_invariants(session)
    # and nobody is promised a fridge any more
    facts = facts_in_force(small, session=session)
    (day, *_) = offer_slots(a_wish(), by=a_resident(session, now=now), district=facts, session=session, now=now)
    assert not any(one.fits for one in day.windows)
    # one of them can still be cancelled
    owner = Principal(id=fridges[0].resident_id, role="resident")
    cancel_pickup(fridges[0].id, version=1, by=owner, district=facts, session=session, now=now)
    assert_invariants(session)
    # and when the collector is back after all, the other has its place again
    end_day_change(
        made.row.id, TOMORROW, even_unplaced=False, version=1, by=DESK, district=small,
        session=session, now=now,
    )  # fmt: skip
    assert on_vehicles(session, small, now) == {TRUCK: 1, VAN: 0}
    assert_invariants(session)


def test_the_planner_gives_a_place_to_what_a_change_left_without(
    session: Session, small: District, now: datetime, change: Change
) -> None:
    # given a van that is out, and a promise that stayed on it
    (booking,) = fans(session, small, now, count=1, window="08-10")
    (used,) = [key for key, count in on_vehicles(session, small, now).items() if count]
    other = next(key for key in BOTH if key != used)
    change(kind="shift_moved", vehicle_key=other, from_s=12 * 3600, to_s=18 * 3600)
    made = change(kind="vehicle_out", vehicle_key=used, even_unplaced=True)
    assert [one.id for one in made.without_place] == [booking.id]
    # when the other one drives as usual again, then the promise is there
    row = session.scalars(select(DayChangeRow).where(DayChangeRow.kind == "shift_moved")).one()
    end_day_change(
        row.id, TOMORROW, even_unplaced=False, version=1, by=DESK, district=small, session=session,
        now=now,
    )  # fmt: skip
    assert on_vehicles(session, small, now) == {other: 1}
    facts = facts_in_force(small, session=session)
    result = improve_day(TOMORROW, district=facts, session=session, now=now, seconds=1, workers=1, seed=1, solve=solve)
    assert result.outcome in ("no_better", "improved")
    assert_invariants(session)


def test_who_goes_by_facts_from_before_a_change_promises_nothing_and_hears_to_try_again(
    session: Session, small: District, now: datetime, change: Change
) -> None:
    # given facts that a request has read
    before = facts_in_force(small, session=session)
    # when a van is taken out before it books
    change(kind="vehicle_out", vehicle_key=TRUCK)
    # then it is refused on that day, and only on that day
    with pytest.raises(Busy):
        fans(session, before, now, count=1)
    session.rollback()
    fan = [WishedItem(item_type="fan", quantity=1)]
    a_booking(session, district=before, now=now, items=fan, day=AFTER)
    # and with fresh facts it books
    fans(session, facts_in_force(small, session=session), now, count=1)
    assert_invariants(session)


def test_without_the_look_at_the_ledger_a_van_that_is_out_is_promised(
    session: Session, small: District, now: datetime, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the control of the test above: the protection off, the same sequence promises a visit of the truck
    before = facts_in_force(small, session=session)
    change(kind="vehicle_out", vehicle_key=TRUCK)
    monkeypatch.setattr(tentative, "check_facts", lambda *_given, **_newest: None)
    a_booking(session, district=before, now=now)  # a fridge, which the van's crew of one never takes
    (row,) = session.scalars(select(TentativeRoute).where(TentativeRoute.vehicle_key == TRUCK))
    assert len(row.route["visits"]) == 1


def test_of_a_booking_and_a_change_at_once_the_booking_keeps_a_place_or_is_told_to_try_again(
    app: Flask, session: Session, small: District, now: datetime, change: Change
) -> None:
    # given facts read by several who book a fan, while the truck, the cheapest to send, is taken out
    before = facts_in_force(small, session=session)
    residents = [a_resident(session, now=now) for _ in range(6)]
    session.rollback()
    fan = [WishedItem(item_type="fan", quantity=1)]
    start = Barrier(len(residents) + 1)

    def book(n: int) -> str:
        with app.app_context():
            start.wait()
            try:
                a_booking(db.session(), by=residents[n], district=before, now=now, items=fan, lat=34.79 + 0.004 * n)
            except Busy:
                return "again"
            finally:
                db.session.remove()
            return "booked"

    def take_out() -> str:
        with app.app_context():
            start.wait()
            wanted = DayChange(
                kind="vehicle_out", vehicle_key=TRUCK, first_day=TOMORROW, last_day=TOMORROW, reason="年检"
            )
            try:
                record_day_change(wanted, even_unplaced=False, by=DESK, district=small, session=db.session(), now=now)
            finally:
                db.session.remove()
            return "out"

    # when all of it happens at once
    with ThreadPoolExecutor(len(residents) + 1) as pool:
        sent = [pool.submit(take_out), *(pool.submit(book, n) for n in range(len(residents)))]
        answers = [one.result(timeout=60) for one in sent]
    # then the truck is out, nothing is promised of it, and each that was booked has its place on the van
    assert answers[0] == "out"
    assert on_vehicles(session, small, now) == {VAN: answers.count("booked")}
    for row in session.scalars(select(TentativeRoute).where(TentativeRoute.vehicle_key == TRUCK)):
        assert row.route["visits"] == []
    assert_invariants(session)


def test_a_day_with_promises_is_not_closed_and_a_closed_one_takes_none(
    session: Session, small: District, now: datetime, change: Change
) -> None:
    # given a promise tomorrow, none the day after
    (booking,) = fans(session, small, now, count=1)
    with pytest.raises(PromisesInTheWay) as refused:
        change(kind="day_closed", even_unplaced=True)
    assert [one["booking_id"] for one in refused.value.facts["bookings"]] == [str(booking.id)]
    assert not refused.value.facts["can_stand"]
    session.rollback()
    # when the day after is closed
    change(kind="day_closed", first_day=AFTER, reason="暴雪停收")
    facts = facts_in_force(small, session=session)
    # then it cannot be booked, says why, and is a working day for the goals as before
    assert AFTER not in facts.booking_rules.bookable_days(now=now, calendar=facts.calendar)
    with pytest.raises(WindowClosed):
        a_booking(session, district=facts, now=now, day=AFTER)
    session.rollback()
    (shown,) = calendar_days(AFTER, AFTER, district=facts, session=session)
    assert (shown["is_service_day"], shown["is_working_day"], shown["note"]) == (False, True, "暴雪停收")
    # and open again when that is ended
    row = session.scalars(select(DayChangeRow)).one()
    end_day_change(row.id, AFTER, even_unplaced=False, version=1, by=DESK, district=small, session=session, now=now)
    facts = facts_in_force(small, session=session)
    a_booking(session, district=facts, now=now, day=AFTER, items=[WishedItem(item_type="fan", quantity=1)])
    assert_invariants(session)


def test_a_change_of_a_published_day_asks_for_another_plan(
    session: Session, small: District, now: datetime, change: Change
) -> None:
    # given a published plan of tomorrow
    fans(session, small, now, count=2)
    plan = a_published_plan(session, district=small, now=now)
    (used,) = {route.vehicle_key for route in plan.routes}
    session.rollback()
    # when its vehicle is taken out, then its bookings are named
    with pytest.raises(PromisesInTheWay):
        change(kind="vehicle_out", vehicle_key=used)
    session.rollback()
    made = change(kind="vehicle_out", vehicle_key=used, even_unplaced=True)
    assert len(made.without_place) == 2
    # then the plan is out of date, and another one without it can be published
    facts = facts_in_force(small, session=session)
    assert changes_since(plan, district=facts, session=session) is not None
    again = a_published_plan(session, district=facts, now=now)
    assert {route.vehicle_key for route in again.routes} == set(BOTH) - {used}
    assert_invariants(session)


def test_a_fleet_of_a_day_shows_who_is_away_and_who_rides_elsewhere(
    session: Session, small: District, change: Change
) -> None:
    change(kind="other_vehicle", collector_key="c01", vehicle_key=VAN, reason="顶班")
    change(kind="station_hours", station_key="lincheng", from_s=9 * 3600, to_s=16 * 3600, reason="停电")
    change(kind="collector_away", collector_key="c02", reason="年假")
    facts = facts_in_force(small, session=session)
    shown = fleet_of_day(TOMORROW, district=facts)
    vehicles = {one["vehicle_key"]: one for one in shown["vehicles"]}
    # a truck without a crew stays home; the van has two
    assert vehicles[TRUCK]["out"]
    assert [one["collector_key"] for one in vehicles[VAN]["crew"]] == ["c01", "c03"]
    assert [one["collector_key"] for one in shown["away"]] == ["c02"]
    (station,) = [one for one in shown["stations"] if one["changed"]]
    assert (station["opens"], station["closes"]) == ("09:00", "16:00")
    # and the day after all is as usual, by the same object
    assert facts.network_on(AFTER) is facts.network


def test_what_cannot_be_recorded_says_why(session: Session, small: District, now: datetime, change: Change) -> None:
    with pytest.raises(InvalidInput, match="today or over"):
        change(kind="day_closed", first_day=TOMORROW - timedelta(days=1))
    with pytest.raises(InvalidInput, match="none of ours"):
        change(kind="vehicle_out", vehicle_key="nobody-1")
    with pytest.raises(ValueError, match="names collector_key"):
        DayChange(kind="collector_away", vehicle_key=VAN, first_day=TOMORROW, last_day=TOMORROW)
    with pytest.raises(ValueError, match="last_day"):
        DayChange(kind="day_closed", first_day=AFTER, last_day=TOMORROW)
    with pytest.raises(Conflict, match="like this already"):
        change(kind="day_opened")
    with pytest.raises(InvalidInput, match="these hours cannot be"):
        change(kind="station_hours", station_key="lincheng", from_s=30_000, to_s=30_060)
    session.rollback()
    made = change(kind="vehicle_out", vehicle_key=VAN)
    with pytest.raises(Conflict, match="like this already"):
        change(kind="vehicle_out", vehicle_key=VAN)
    with pytest.raises(Conflict, match="no vehicle would be left"):
        change(kind="vehicle_out", vehicle_key=TRUCK)
    session.rollback()
    ways: dict[str, Any] = {
        "even_unplaced": False, "by": DESK, "district": small, "session": session, "now": now,
    }  # fmt: skip
    with pytest.raises(StaleVersion):
        end_day_change(made.row.id, TOMORROW, version=2, **ways)
    with pytest.raises(InvalidInput, match="is no day of"):
        end_day_change(made.row.id, AFTER, version=1, **ways)
    end_day_change(made.row.id, TOMORROW, version=1, **ways)
    # and the audit log says who recorded it and who ended it, once each
    actions = session.scalars(select(AuditRow.action).order_by(AuditRow.number)).all()
    assert actions == ["day_change.recorded", "day_change.ended"]
    with pytest.raises(Conflict, match="has ended"):
        end_day_change(made.row.id, TOMORROW, version=2, **ways)
