"""A window that cannot be kept: written down, told, made good by two windows that are open; the day's incidents."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput, NotFound, WindowClosed
from recycling.models.booking import Booking
from recycling.models.healing import BrokenPromise, Disruption, ReplanProposal, TakenAlternative
from recycling.models.ledger import close_day
from recycling.models.outbox import OutboxMessage
from recycling.models.plan import Plan, Route, Unassigned
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.routing.problem import Problem, problem_from_json
from recycling.usecases.bookings.take_alternative import take_alternative
from recycling.usecases.messages.still_true import why_obsolete
from recycling.usecases.planning.publish_replan import publish_replan
from recycling.usecases.planning.record_disruption import Incident, record_disruption
from tests.builders import DISPATCHER, TOMORROW, a_resident
from tests.invariants import assert_invariants
from tests.planned_days import with_vehicles
from tests.running_days import (
    HOUR,
    LATER,
    TEN,
    a_proposal,
    a_running_day,
    at,
    broken_down,
    drive,
    record,
    served_by,
    steps_of,
    vehicles_out,
)

PAIR = ("lincheng-1", "lincheng-2")


@pytest.fixture
def pair(district: District) -> District:
    """Two vehicles, each of which is needed."""
    return with_vehicles(district, *PAIR)


@pytest.fixture
def day(session: Session, pair: District, now: datetime) -> Session:
    """More pickups in each window than one vehicle can serve, driven as planned until ten."""
    a_running_day(session, district=pair, now=now, per_window=9)
    assert vehicles_out(session) == list(PAIR)
    drive(session, TEN)
    return session


def let_down(day: Session, pair: District) -> list[BrokenPromise]:
    """Publish a proposal after one of the two vehicles broke down; the promises that break."""
    broken_down(day, PAIR[1], at(TEN))
    publish_replan(a_proposal(day, at(TEN), district=pair), by=SYSTEM, district=pair, session=day, now=at(TEN) + LATER)
    return list(day.scalars(select(BrokenPromise).order_by(BrokenPromise.booking_id)))


def incident(day: Session, district: District, when: datetime, **fields: object) -> Disruption:
    """Record one as a dispatcher."""
    return record_disruption(
        Incident(day=TOMORROW, **fields),  # type: ignore[arg-type]  # a test names the fields it wants
        by=DISPATCHER, district=district, session=day, now=when,
    )  # fmt: skip


def _problem(day: Session, plan_id: UUID) -> Problem:
    return problem_from_json(day.get_one(Plan, plan_id).problem)


def resident_of(day: Session, promise: BrokenPromise) -> Principal:
    """Whose promise it was."""
    return Principal(id=day.get_one(Booking, promise.booking_id).resident_id, role="resident")


def test_each_window_that_is_lost_has_its_row_its_message_and_two_ways_out(day: Session, pair: District) -> None:
    before = served_by(day)
    promises = let_down(day, pair)
    after = served_by(day)
    windows = {key: one.window_s for key, one in pair.network.pickup_windows.items()}
    lost = set()
    for key in before:
        opens, closes = windows[day.get_one(Booking, key).pickup_window]
        if key not in after or not opens <= after[key][1] <= closes:
            lost.add(key)
    # then exactly those who are served late or not at all have a row
    assert lost
    assert {one.booking_id for one in promises} == lost
    for one in promises:
        message = day.get_one(OutboxMessage, one.message_id)
        late = one.expected_after_s is not None
        assert message.kind == ("plan.promise_late" if late else "plan.promise_broken")
        assert message.recipient_id == day.get_one(Booking, one.booking_id).resident_id
        assert message.facts["alternatives"] == one.alternatives
        assert len(one.alternatives) == 2
        # on later days, and what it says holds
        assert all(date.fromisoformat(way["day"]) > TOMORROW for way in one.alternatives)
        assert why_obsolete(message.kind, message.facts, district=pair, session=day, now=at(TEN) + LATER) is None
    proposal = day.scalars(select(ReplanProposal)).one()
    assert proposal.broken == len(promises)
    assert_invariants(day)


def test_whatever_is_offered_can_be_taken_by_everybody(day: Session, pair: District) -> None:
    promises = let_down(day, pair)
    chosen = {}
    # when all take one, every other resident the second
    for n, one in enumerate(promises):
        number = 1 + n % 2
        booking = take_alternative(
            one.id, number, by=resident_of(day, one), district=pair, session=day, now=at(TEN) + 2 * LATER
        )
        chosen[one.booking_id] = (booking.id, one.alternatives[number - 1])
    # then each has a booking in that window, and the old one is no more
    for old, (new, way) in chosen.items():
        booking = day.get_one(Booking, new)
        assert (str(booking.day), booking.pickup_window, booking.state) == (way["day"], way["pickup_window"], "booked")
        assert day.get_one(Booking, old).state == "cancelled"
        assert [item.item_type for item in booking.items] == ["fan"]
    # and hears of the new one alone
    kinds = [
        row.kind
        for row in day.scalars(select(OutboxMessage))
        if row.facts.get("booking_id") in {str(new) for new, _ in chosen.values()}
    ]
    assert kinds == ["booking.amended"] * len(chosen)
    assert not [row for row in day.scalars(select(OutboxMessage)) if row.kind == "booking.cancelled"]
    assert_invariants(day)


def test_an_alternative_is_taken_once_and_by_its_resident_alone(day: Session, pair: District, now: datetime) -> None:
    one = let_down(day, pair)[0]
    promise_id, mine, when = one.id, resident_of(day, one), at(TEN) + 2 * LATER
    stranger = a_resident(day, now=now)
    with pytest.raises(NotFound, match="broken-promises"):
        take_alternative(promise_id, 1, by=stranger, district=pair, session=day, now=when)
    with pytest.raises(InvalidInput, match="2 alternatives"):
        take_alternative(promise_id, 3, by=mine, district=pair, session=day, now=when)
    take_alternative(promise_id, 2, by=mine, district=pair, session=day, now=when)
    with pytest.raises(Conflict):
        take_alternative(promise_id, 1, by=mine, district=pair, session=day, now=when)
    assert [row.number for row in day.scalars(select(TakenAlternative))] == [2]


def test_nobody_changes_the_day_while_a_collector_is_on_the_way_or_after_its_plan_is_out(
    day: Session, pair: District
) -> None:
    promises = let_down(day, pair)
    one = promises[0]
    first_day = date.fromisoformat(one.alternatives[0]["day"])
    mine, promise_id, booking_id = resident_of(day, one), one.id, one.booking_id
    with atomic(day):
        close_day(day, first_day, now=at(TEN))
    with pytest.raises(WindowClosed, match="already planned"):
        take_alternative(promise_id, 1, by=mine, district=pair, session=day, now=at(TEN) + LATER)
    record(day, PAIR[0], "on_the_way", at(TEN) + LATER, booking_id=booking_id)
    with pytest.raises(Conflict, match="on the way"):
        take_alternative(promise_id, 2, by=mine, district=pair, session=day, now=at(TEN) + 2 * LATER)
    # then the booking is as it was
    assert day.get_one(Booking, booking_id).state == "booked"
    # until the van breaks down on its way: nobody comes any more, and the resident may choose
    record(day, PAIR[0], "fault", at(TEN) + 2 * LATER, drives=False)
    take_alternative(promise_id, 2, by=mine, district=pair, session=day, now=at(TEN) + 3 * LATER)
    assert day.get_one(Booking, booking_id).state == "cancelled"


def test_late_is_better_than_never_and_costs_nobody_else_their_window(
    session: Session, pair: District, now: datetime
) -> None:
    # given a morning that needs both vehicles, and an afternoon that does not
    a_running_day(session, district=pair, now=now, per_window=(9, 9, 1, 1))
    drive(session, TEN)
    promises = let_down(session, pair)
    # then those whom nobody reaches before twelve are reached afterwards
    assert promises
    for one in promises:
        assert one.pickup_window == "10-12"
        assert one.expected_after_s is not None
        assert one.expected_after_s > 12 * HOUR
        message = session.get_one(OutboxMessage, one.message_id)
        assert message.facts["expected_s"] == one.expected_after_s // 900 * 900
        assert why_obsolete(message.kind, message.facts, district=pair, session=session, now=at(TEN) + LATER) is None
    # and nobody of the afternoon is let down
    assert session.scalars(select(ReplanProposal.left_out)).all() == [0]
    assert_invariants(session)


def test_a_promise_that_is_broken_already_is_not_broken_again(day: Session, pair: District) -> None:
    first = {one.booking_id for one in let_down(day, pair)}
    # when the same day is planned once more, two minutes later
    again = a_proposal(day, at(TEN) + LATER, district=pair)
    publish_replan(again, by=SYSTEM, district=pair, session=day, now=at(TEN) + 2 * LATER)
    second = day.scalars(select(BrokenPromise).where(BrokenPromise.plan_id == again)).all()
    # then only those hear again to whom we come at yet another time
    moved = {one.booking_id for one in second}
    assert all(one.expected_after_s != one.expected_before_s for one in second)
    assert len(moved) < len(first)
    assert_invariants(day)


# --- what else goes wrong ---


def test_a_fault_that_a_crew_records_stops_its_vehicle_until_they_say_otherwise(day: Session, pair: District) -> None:
    # given a fault with which it drives no more, and no dispatcher who knows
    record(day, PAIR[1], "fault", at(TEN), drives=False)
    stopped = day.get_one(ReplanProposal, a_proposal(day, at(TEN + 60), district=pair))
    assert stopped.eased > 0
    # when it runs again
    record(day, PAIR[1], "fault", at(TEN + 120), drives=True)
    again = day.get_one(ReplanProposal, a_proposal(day, at(TEN + 180), district=pair))
    assert (again.eased, again.broken) == (0, 0)


def test_a_sick_crew_stops_its_vehicle_unless_somebody_else_drives_it(day: Session, pair: District) -> None:
    incident(day, pair, at(TEN), kind="sick", vehicle_key=PAIR[1])
    assert day.get_one(ReplanProposal, a_proposal(day, at(TEN), district=pair)).eased > 0
    # when somebody is named who rides on the other vehicle
    with pytest.raises(Conflict, match="c01 rides on lincheng-1"):
        incident(day, pair, at(TEN), kind="sick", vehicle_key=PAIR[1], substitutes=["c01"])


def test_substitutes_ride_on_the_vehicle_from_then_on(day: Session, district: District) -> None:
    # given a crew that calls in sick, and then somebody who is free: the crew of a vehicle that stays at home today
    incident(day, district, at(TEN), kind="sick", vehicle_key=PAIR[1])
    incident(day, district, at(TEN), kind="sick", vehicle_key=PAIR[1], substitutes=["c06"])
    plan_id = a_proposal(day, at(TEN), district=district)
    proposal = day.get_one(ReplanProposal, plan_id)
    assert (proposal.cause, proposal.eased, proposal.broken) == ("sick", 0, 0)
    route = day.scalars(select(Route).where(Route.plan_id == plan_id, Route.vehicle_key == PAIR[1])).one()
    assert [rider.collector_key for rider in route.crew] == ["c06"]
    # and their own vehicle stays at home, for nobody is in two places
    assert "xingren-2" not in {vehicle.key for vehicle in _problem(day, plan_id).vehicles}


def test_a_late_vehicle_begins_nothing_before_it_goes_on(day: Session, pair: District) -> None:
    incident(day, pair, at(TEN), kind="late", vehicle_key=PAIR[1], minutes=90)
    plan_id = a_proposal(day, at(TEN), district=pair)
    publish_replan(plan_id, by=SYSTEM, district=pair, session=day, now=at(TEN) + LATER)
    begun = [step.start_s for step in steps_of(day, PAIR[1]) if step.booking_id is not None and step.start_s > TEN]
    # but for the one it was at, which the clock has served
    assert all(start_s >= TEN + 5_400 for start_s in begun[1:])


def test_a_closed_station_takes_nothing_more(day: Session, district: District) -> None:
    wide = with_vehicles(district, *PAIR)
    incident(day, wide, at(TEN), kind="station_closed", station_key="lincheng")
    publish_replan(a_proposal(day, at(TEN), district=wide), by=SYSTEM, district=wide, session=day, now=at(TEN) + LATER)
    ends = {step.station_key for vehicle in PAIR for step in steps_of(day, vehicle) if step.kind == "end"}
    assert ends
    assert "lincheng" not in ends


def test_a_cancelled_booking_is_withdrawn_told_and_driven_to_no_more(day: Session, pair: District) -> None:
    key = max(served_by(day), key=lambda one: served_by(day)[one][1])
    incident(day, pair, at(TEN), kind="cancelled", booking_id=key)
    assert day.get_one(Booking, key).state == "cancelled"
    (message,) = [row for row in day.scalars(select(OutboxMessage)) if row.kind == "booking.cancelled"]
    assert message.facts["booking_id"] == str(key)
    publish_replan(a_proposal(day, at(TEN), district=pair), by=SYSTEM, district=pair, session=day, now=at(TEN) + LATER)
    assert key not in served_by(day)
    assert_invariants(day)
    with pytest.raises(Conflict, match="nothing is left"):
        incident(day, pair, at(TEN), kind="cancelled", booking_id=key)


def test_an_urgent_one_that_was_left_out_is_served_at_any_hour_left(day: Session, pair: District) -> None:
    # given a visit that a proposal gave up: nobody can come in its window
    promises = let_down(day, pair)
    left = [one.booking_id for one in promises if one.expected_after_s is None]
    planned = next(iter(served_by(day)))
    with pytest.raises(Conflict, match="urgent"):
        incident(day, pair, at(TEN) + LATER, kind="urgent", booking_id=planned)
    with pytest.raises(NotFound):
        incident(day, pair, at(TEN) + LATER, kind="urgent", booking_id=UUID(int=5))
    for key in left:
        incident(day, pair, at(TEN) + LATER, kind="urgent", booking_id=key)
        listed = day.scalars(select(Unassigned.booking_id).where(Unassigned.booking_id == key)).all()
        assert listed


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "breakdown"}, "is about vehicle_key"),
        ({"kind": "breakdown", "station_key": "lincheng"}, "is about vehicle_key"),
        ({"kind": "breakdown", "vehicle_key": "nowhere-9"}, "not in the network"),
        ({"kind": "station_full", "station_key": "nowhere"}, "not in the network"),
        ({"kind": "late", "vehicle_key": "lincheng-1"}, "minutes"),
        ({"kind": "sick", "vehicle_key": "lincheng-1", "minutes": 5}, "minutes"),
        ({"kind": "breakdown", "vehicle_key": "lincheng-1", "substitutes": ["c06"]}, "substitutes"),
        ({"kind": "sick", "vehicle_key": "lincheng-1", "substitutes": ["c06", "c06"]}, "twice"),
        ({"kind": "sick", "vehicle_key": "lincheng-1", "substitutes": ["nobody"]}, "not in the network"),
    ],
)
def test_an_incident_that_says_too_little_or_too_much_is_refused(
    session: Session, district: District, fields: dict[str, object], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        incident(session, district, at(10 * HOUR), **fields)


def test_incidents_are_of_today_and_of_a_day_that_runs_by_a_plan(session: Session, district: District) -> None:
    for when in (at(TEN), at(TEN) - timedelta(days=1)):
        with pytest.raises(Conflict, match="is not running"):
            incident(session, district, when, kind="breakdown", vehicle_key="lincheng-1")
