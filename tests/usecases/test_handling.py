"""Handling minutes: which visits teach, what a proposal holds, and what its acceptance changes and leaves alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput, NotFound, WindowFull
from recycling.extensions import db
from recycling.models.base import table_of
from recycling.models.booking import Booking
from recycling.models.field import FieldEvent, FieldFlag
from recycling.models.handling import HandlingDecision, HandlingProposal, HandlingVersion
from recycling.models.job_run import enqueue
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.policy.handling import TRAVEL, HandlingBook, item_part
from recycling.routing.problem import GreatCircle
from recycling.routing.standing import timed_route
from recycling.units import instant_at
from recycling.usecases.bookings.tentative import boards
from recycling.usecases.learning.decide_handling import Acceptance, accept_handling, reject_handling
from recycling.usecases.learning.in_force import facts_in_force, handling_book
from recycling.usecases.learning.observations import observed
from recycling.usecases.learning.propose_handling import propose_handling
from recycling.usecases.planning.day_problem import day_problem, unfinished_bookings
from tests.builders import DISPATCHER, TOMORROW, a_booking, a_resident
from tests.field_months import Month, true_values
from tests.handling import a_proposal
from tests.invariants import assert_invariants
from tests.planned_days import TRUCK, with_vehicles

DAY_AFTER = TOMORROW + timedelta(days=1)
FRIDGE = item_part("fridge")


def a_month(session: Session, district: District, days: int, *, wild: float = 0.0) -> Month:
    """So many days of two trucks whose everything takes 1.4 times."""
    month = Month(session, district, true_values(district, off=1.4, travel=1.3, wild=wild))
    month.play(district.calendar.next_service_days(TOMORROW, count=days))
    session.rollback()
    return month


# --- what teaches ---


def events_of(session: Session, booking_id: UUID, kind: str) -> FieldEvent:
    wanted = select(FieldEvent).where(FieldEvent.booking_id == booking_id, FieldEvent.kind == kind)
    return session.scalars(wanted).one()


def another(event: FieldEvent, **changes: Any) -> FieldEvent:
    """One more event like another, an hour later."""
    names = [column.name for column in table_of(FieldEvent).columns]
    facts = {name: getattr(event, name) for name in names if name != "words"}
    later = {"event_id": uuid4(), "device_seq": event.device_seq + 500, "made_at": event.made_at + timedelta(hours=1)}
    return FieldEvent(**facts | later | {"received_at": event.received_at + timedelta(hours=2)} | changes)


def test_only_visits_that_went_as_promised_and_were_timed_by_a_sound_clock_teach(
    session: Session, district: District
) -> None:
    # given a day of which every visit teaches
    month = a_month(session, district, 1)
    before = observed(TOMORROW, TOMORROW, district=month.district, session=session)
    every = len(before.visits)
    assert every >= 10
    assert not before.left_out
    ids = sorted(before.arrived_s, key=str)
    # when one had a clock that was off, one was taken back and recorded anew, one turned out a failure, one was claimed
    # by another crew, one took other items than declared, and one is quarantined
    done = [events_of(session, booking_id, "collected") for booking_id in ids[:6]]
    with atomic(session):
        session.add(FieldFlag(event_id=done[0].event_id, code="clock_skew", at=done[0].made_at))
        session.add(another(done[1], kind="undo", payload={"undoes": str(done[1].event_id)}, items=[]))
        session.add(another(done[2], kind="failed", reason="nobody_home", items=[]))
        session.add(another(done[3], vehicle_key="shagou-1", device_id=uuid4()))
        session.add(another(done[4], items=[{"item_type": "fan", "units": 9}]))
        session.add(another(done[5], kind="note", items=[], quarantined=True))
    found = observed(TOMORROW, TOMORROW, district=month.district, session=session)
    # then each is left out, with its reason, and neither they nor their neighbours' legs count
    assert found.left_out == {"clock": 2, "undone": 1, "not_collected": 1, "contested": 1, "item_differs": 1}
    assert len(found.visits) == every - 6
    assert not set(ids[:6]) & found.arrived_s.keys()
    assert len(found.legs) < len(before.legs)


# --- the proposal ---


def test_a_proposal_shows_values_samples_intervals_and_the_gain_and_changes_nothing(
    session: Session, district: District
) -> None:
    # given five days of 16 visits at 1.4 times: 80 with a base, of which a fifth of the days is held out
    month = a_month(session, district, 5)
    days = district.calendar.next_service_days(TOMORROW, count=5)
    now = instant_at(days[-1] + timedelta(days=1), 8 * 3600)
    proposal = propose_handling(
        days[0], days[-1], by=SYSTEM, district=month.district, session=session, now=now
    )  # fmt: skip
    assert proposal is not None
    by_name = {row["name"]: row for row in proposal.parameters}
    # then the base has grown, inside its interval; a copier that nobody gave away stays as it is
    base = by_name["base_s"]
    assert base["sample"] == proposal.gain["service"]["in_sample"]["visits"] == 64
    assert base["old"] == 300
    assert base["low"] <= base["new"] <= base["high"]
    assert base["new"] > 1.2 * base["old"]
    assert by_name[item_part("copier")]["kept"] == "too_few"
    # and the error on the day held out falls, of visits and of arrivals
    for share in ("service", "arrival"):
        held = proposal.gain[share]["held_out"]
        assert held["visits"] == 16
        assert held["after_s"] < held["before_s"]
    # and nothing is in force by it
    assert handling_book(session).tables == ()
    assert_invariants(session)


def test_a_job_run_done_twice_makes_one_proposal(session: Session, district: District, now: datetime) -> None:
    month = a_month(session, district, 1)
    with atomic(session):
        run_id = enqueue(session, job="propose_handling", due_at=now, scope="2026-11", now=now)
    later = instant_at(DAY_AFTER, 8 * 3600)
    made = [
        propose_handling(
            TOMORROW, TOMORROW, by=SYSTEM, district=month.district, session=session, now=later, run_id=run_id
        )
        for _ in range(2)
    ]
    assert made[0] is not None
    assert made[1] is not None
    assert made[0].id == made[1].id
    assert session.scalar(select(func.count()).select_from(HandlingProposal)) == 1


def test_a_period_without_visits_proposes_nothing_and_one_that_is_not_over_is_refused(
    session: Session, district: District, now: datetime
) -> None:
    yesterday = date(2026, 11, 22)
    assert propose_handling(yesterday, yesterday, by=SYSTEM, district=district, session=session, now=now) is None
    for first, last in ((yesterday, TOMORROW), (yesterday, date(2026, 11, 21)), (date(2025, 1, 1), yesterday)):
        with pytest.raises(InvalidInput):
            propose_handling(first, last, by=SYSTEM, district=district, session=session, now=now)


# --- the decision ---


def test_new_promises_from_the_day_on_take_the_new_minutes_and_standing_ones_keep_theirs(
    session: Session, district: District, now: datetime
) -> None:
    # given a fridge promised for the day after tomorrow: 300 s and 720 s
    standing = a_booking(session, district=district, now=now, day=DAY_AFTER)
    assert standing.service_s == 1_020
    standing_id = standing.id
    # when a proposal that fridges take 900 s is accepted from that day on
    proposal_id = a_proposal(session, now=now, **{FRIDGE: (720, 900), "base_s": (300, 240)})
    accept_handling(
        proposal_id, Acceptance(valid_from=DAY_AFTER), by=DISPATCHER, district=district, session=session, now=now
    )
    facts = facts_in_force(district, session=session)
    # then a new one of that day takes 240 s and 900 s, one of the day before what it took
    assert a_booking(session, district=facts, now=now, day=DAY_AFTER).service_s == 1_140
    assert a_booking(session, district=facts, now=now, day=TOMORROW).service_s == 1_020
    # and the standing one, its place in the day's routes and its stop keep their seconds
    kept = session.get(Booking, standing_id)
    assert kept is not None
    assert kept.service_s == 1_020
    problem = day_problem(DAY_AFTER, unfinished_bookings(session, DAY_AFTER), district=facts)
    assert sorted(stop.service_s for stop in problem.stops) == [1_020, 1_140]
    session.rollback()
    assert_invariants(session)


def test_a_factor_on_travel_waits_until_no_day_with_promises_is_left(
    session: Session, district: District, now: datetime
) -> None:
    # given a proposal of 1.25 times, accepted today for tomorrow
    proposal_id = a_proposal(session, now=now, **{TRAVEL: (10_000, 12_500), "base_s": (300, 240)})
    accept_handling(proposal_id, Acceptance(), by=DISPATCHER, district=district, session=session, now=now)
    facts = facts_in_force(district, session=session)
    # then the minutes hold tomorrow, and days that could be booked before are planned with the speed they were
    last = date(2026, 11, 23) + timedelta(days=district.booking_rules.horizon_days)
    assert facts.service_time_on(TOMORROW).base_s == 240
    assert facts.travel_on(last) == district.network.travel
    assert day_problem(last, [], district=facts) == day_problem(last, [], district=district)
    # and the first day after them with four fifths of it
    assert facts.travel_on(last + timedelta(days=1)).speed_kmh == district.network.travel.speed_kmh / 1.25


def test_tentative_routes_of_each_day_are_driven_at_the_speed_of_that_day(
    session: Session, district: District, now: datetime
) -> None:
    # given a factor in force from the first day that cannot be booked yet
    proposal_id = a_proposal(session, now=now, **{TRAVEL: (10_000, 12_500)})
    accept_handling(proposal_id, Acceptance(), by=DISPATCHER, district=district, session=session, now=now)
    facts = facts_in_force(district, session=session)
    last = date(2026, 11, 23) + timedelta(days=district.booking_rules.horizon_days)
    # when the empty routes of both sides of it are asked for, in whichever sequence
    for days in ([last, last + timedelta(days=1)], [last + timedelta(days=1), last]):
        found = boards(session, days, district=replace(facts))
        speeds = []
        for day in sorted(days):
            board = found[day]
            assert board is not None
            assert isinstance(board.frame.travel, GreatCircle)
            speeds.append(board.frame.travel.speed_kmh)
        # then each has its own
        assert speeds == [district.network.travel.speed_kmh, district.network.travel.speed_kmh / 1.25]
    session.rollback()


def without_timetable(session: Session, district: District) -> list[str]:
    """The vehicles whose promises of tomorrow cannot be kept any more, whenever they set out."""
    board = boards(session, [TOMORROW], district=district)[TOMORROW]
    assert board is not None
    routes = [route for route in board.routes if route.visits]
    assert routes
    session.rollback()
    return [one.vehicle for one in routes if timed_route(board.frame, one.vehicle, one.visits) is None]


def test_an_accepted_factor_breaks_no_standing_promise_and_one_in_force_at_once_would(
    session: Session, district: District, now: datetime
) -> None:
    # given a truck with as many fridges from the sixth floor as fit from 8 to 10 and from 10 to 12 tomorrow
    truck = with_vehicles(district, TRUCK)
    by = a_resident(session, now=now)
    full = 0
    for n in range(30):
        window, lon = ("08-10", "10-12")[n % 2], 117.24 + 0.01 * (n % 5)
        try:
            a_booking(session, district=truck, now=now, by=by, pickup_window=window, floor=6, lon=lon)
        except WindowFull:
            full += 1
    assert full > 10
    assert without_timetable(session, truck) == []
    # when a factor of two is accepted
    proposal_id = a_proposal(session, now=now, **{TRAVEL: (10_000, 20_000), FRIDGE: (720, 1_440)})
    accept_handling(proposal_id, Acceptance(), by=DISPATCHER, district=truck, session=session, now=now)
    facts = facts_in_force(truck, session=session)
    # then every promise still has its place
    assert without_timetable(session, facts) == []
    # control: were it in force tomorrow already, promises could not be kept
    table = replace(facts.handling.tables[0], travel_from=TOMORROW)
    assert without_timetable(session, replace(facts, handling=HandlingBook((table,)))) == [TRUCK]


def test_what_a_process_remembers_of_days_outlives_a_request(
    session: Session, district: District, now: datetime
) -> None:
    # given an accepted table: two requests are handed the same facts, by which a process knows its boards again
    accept_handling(
        a_proposal(session, now=now, **{FRIDGE: (720, 900)}), Acceptance(), by=DISPATCHER, district=district,
        session=session, now=now,
    )  # fmt: skip
    facts = facts_in_force(district, session=session)
    assert facts_in_force(district, session=session) is facts
    # and another one with the next table
    accept_handling(
        a_proposal(session, now=now, **{"base_s": (300, 240)}), Acceptance(), by=DISPATCHER, district=district,
        session=session, now=now,
    )  # fmt: skip
    assert facts_in_force(district, session=session) is not facts


def test_part_of_a_proposal_may_be_taken_and_the_next_one_adds_to_it(
    session: Session, district: District, now: datetime
) -> None:
    # given one proposal of which the fridge is taken
    first = a_proposal(session, now=now, **{FRIDGE: (720, 900), "base_s": (300, 240)})
    wish = Acceptance(names=[FRIDGE], note="基本时长再看一个月")
    decision = accept_handling(first, wish, by=DISPATCHER, district=district, session=session, now=now)
    assert (decision.accepted, decision.table_number, decision.note) == ([FRIDGE], 1, "基本时长再看一个月")
    # when another one's base is taken for a later day
    second = a_proposal(session, now=now, **{"base_s": (300, 280)})
    later = Acceptance(valid_from=DAY_AFTER)
    accept_handling(second, later, by=DISPATCHER, district=district, session=session, now=now)
    # then tomorrow has the fridge, and the day after both
    facts = facts_in_force(district, session=session)
    values = [(facts.service_time_on(day).base_s, facts.item_type("fridge", on=day).handling_s)
              for day in (TOMORROW, DAY_AFTER)]  # fmt: skip
    assert values == [(300, 900), (280, 900)]


def test_a_rejected_proposal_changes_nothing_and_is_decided_once(
    session: Session, district: District, now: datetime
) -> None:
    proposal_id = a_proposal(session, now=now, **{FRIDGE: (720, 900)})
    decision = reject_handling(proposal_id, note="样本来自雨季", by=DISPATCHER, session=session, now=now)
    assert (decision.accepted, decision.table_number) == ([], None)
    # then neither it nor its acceptance can be said again, and no table came of it
    with pytest.raises(Conflict):
        reject_handling(proposal_id, note="再次", by=DISPATCHER, session=session, now=now)
    with pytest.raises(Conflict):
        accept_handling(proposal_id, Acceptance(), by=DISPATCHER, district=district, session=session, now=now)
    assert session.scalar(select(func.count()).select_from(HandlingVersion)) == 0
    assert session.scalar(select(func.count()).select_from(HandlingDecision)) == 1


def test_a_proposal_whose_old_values_hold_no_more_is_refused(
    session: Session, district: District, now: datetime
) -> None:
    # given two proposals about fridges, of which one is accepted
    one, other = (a_proposal(session, now=now, **{FRIDGE: (720, new)}) for new in (900, 600))
    accept_handling(one, Acceptance(), by=DISPATCHER, district=district, session=session, now=now)
    # then the other one, worked out beside 720 s, would undo it unseen
    with pytest.raises(Conflict, match="flask learn propose"):
        accept_handling(other, Acceptance(), by=DISPATCHER, district=district, session=session, now=now)


def test_of_two_who_decide_at_once_one_is_told_that_the_other_did(
    app: Flask, session: Session, district: District, now: datetime
) -> None:
    # given two open proposals about the same value, and six dispatchers, three on each
    proposals = [a_proposal(session, now=now, **{FRIDGE: (720, new)}) for new in (900, 600)]
    session.rollback()
    together = threading.Barrier(6)

    def decide(proposal_id: UUID) -> str:
        with app.app_context():
            together.wait()
            try:
                accept_handling(
                    proposal_id, Acceptance(), by=DISPATCHER, district=district, session=db.session(), now=now
                )
            except Conflict as error:
                return error.code
            finally:
                db.session.remove()
            return "accepted"

    # when they accept in the same instant
    with ThreadPoolExecutor(6) as pool:
        heard = list(pool.map(decide, proposals * 3))
    # then one table came of it, by one decision, and whoever was second was told
    assert heard.count("accepted") == 1, heard
    assert session.scalar(select(func.count()).select_from(HandlingVersion)) == 1
    assert session.scalar(select(func.count()).select_from(HandlingDecision)) == 1
    session.rollback()


def wrong_wishes() -> Iterator[tuple[str, Acceptance]]:
    yield "a name of nothing", Acceptance(names=["handling_s.dragon"])
    yield "a town's own factor", Acceptance(names=["travel_bp.lincheng"])
    yield "nothing that changes", Acceptance(names=["lift_load_s"])
    yield "today", Acceptance(valid_from=date(2026, 11, 23))
    yield "years ahead", Acceptance(valid_from=date(2029, 1, 1))


@pytest.mark.parametrize("wish", [pytest.param(wish, id=name) for name, wish in wrong_wishes()])
def test_a_wrong_acceptance_is_refused_and_leaves_the_proposal_open(
    wish: Acceptance, session: Session, district: District, now: datetime
) -> None:
    values = {FRIDGE: (720, 900), "travel_bp.lincheng": (10_000, 12_000), "lift_load_s": (120, 120)}
    proposal_id = a_proposal(session, now=now, **values)
    with pytest.raises(InvalidInput):
        accept_handling(proposal_id, wish, by=DISPATCHER, district=district, session=session, now=now)
    assert session.scalar(select(func.count()).select_from(HandlingDecision)) == 0
    accept_handling(proposal_id, Acceptance(), by=DISPATCHER, district=district, session=session, now=now)


def test_an_unknown_proposal_is_not_found(session: Session, district: District, now: datetime) -> None:
    with pytest.raises(NotFound):
        accept_handling(uuid4(), Acceptance(), by=DISPATCHER, district=district, session=session, now=now)
    with pytest.raises(NotFound):
        reject_handling(uuid4(), note="无", by=DISPATCHER, session=session, now=now)


def test_a_stored_proposal_cannot_be_changed(session: Session, now: datetime) -> None:
    proposal_id = a_proposal(session, now=now, **{FRIDGE: (720, 900)})
    row = session.get(HandlingProposal, proposal_id)
    assert row is not None
    row.visits = 1_000
    with pytest.raises(TypeError, match="written once"):
        session.flush()
    session.rollback()
