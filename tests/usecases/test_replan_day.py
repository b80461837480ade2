"""A running day mends itself: what is done stays, what is driven to stays, windows are kept, people hear."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, DayMovedOn, NotFound, PlanReplaced
from recycling.extensions import db
from recycling.models.healing import BrokenPromise, ReplanProposal
from recycling.models.outbox import OutboxMessage
from recycling.models.plan import Plan, Publication, PublishedPlan
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.routing.check import violations
from recycling.routing.plan import plan_from_json
from recycling.routing.problem import problem_from_json
from recycling.usecases.planning import publish_replan as module
from recycling.usecases.planning.publication import make_current
from recycling.usecases.planning.publish_replan import HOLDS, publish_replan
from recycling.usecases.planning.road_travel import unpacked
from recycling.usecases.queries.my_route import my_route
from tests.builders import TOMORROW
from tests.invariants import assert_invariants
from tests.planned_days import with_vehicles
from tests.running_days import (
    FLEET,
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


@pytest.fixture
def small(district: District) -> District:
    """Three vehicles with their crews."""
    return with_vehicles(district, *FLEET)


@pytest.fixture
def day(session: Session, small: District, now: datetime) -> Session:
    """Eight pickups in each window on two vehicles or more, driven as planned until ten."""
    a_running_day(session, district=small, now=now, per_window=8)
    assert len(vehicles_out(session)) >= 2
    drive(session, TEN)
    return session


def publish(session: Session, plan_id: UUID, district: District, when: datetime) -> PublishedPlan:
    """Publish a proposal in the name of the clock."""
    return publish_replan(plan_id, by=SYSTEM, district=district, session=session, now=when)


def messages(session: Session, kind: str) -> list[OutboxMessage]:
    """The outbox rows of one kind."""
    return list(session.scalars(select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)))


def busiest(session: Session) -> str:
    """The vehicle with most visits still to come at ten."""
    late = [vehicle for vehicle, start_s in served_by(session).values() if start_s > TEN]
    return max(sorted(set(late)), key=late.count)


def test_a_breakdown_moves_the_stops_of_the_broken_vehicle_and_no_other(day: Session, small: District) -> None:
    # given a van that breaks down at ten with visits before it
    before, gone = served_by(day), busiest(day)
    broken_down(day, gone, at(TEN))
    # when the rest of the day is planned and published
    plan_id = a_proposal(day, at(TEN), district=small)
    publish(day, plan_id, small, at(TEN) + LATER)
    after = served_by(day)
    # then every visit that was over, by then, is where it was
    done = {key for key, (_, start_s) in before.items() if start_s <= TEN}
    assert done
    assert all(after[key] == before[key] for key in done)
    # and of the others those of the broken van moved, and nobody else's
    moved = {key for key in before if after.get(key, (None,))[0] != before[key][0]}
    assert moved == {key for key, (vehicle, start_s) in before.items() if vehicle == gone and start_s > TEN}
    proposal = day.get_one(ReplanProposal, plan_id)
    assert (proposal.cause, proposal.moved, proposal.eased) == ("breakdown", len(moved), len(moved))
    # each of them within its window, so that no promise broke
    assert (proposal.broken, proposal.left_out) == (0, 0)
    assert day.scalars(select(BrokenPromise)).all() == []
    assert_invariants(day)


def test_the_published_version_keeps_every_rule_of_a_mid_day_problem(day: Session, small: District) -> None:
    broken_down(day, busiest(day), at(TEN))
    plan = day.get_one(Plan, a_proposal(day, at(TEN), district=small))
    problem, answer = problem_from_json(unpacked(plan)), plan_from_json(plan.answer)
    assert violations(problem, answer) == []
    # and it is a mid-day problem: nobody begins at a station whose route has begun
    assert any(vehicle.start is not None for vehicle in problem.vehicles)


def test_a_stop_that_somebody_is_driving_to_stays_theirs_and_first(
    session: Session, small: District, now: datetime
) -> None:
    # given two vehicles on their way: one breaks down when the other has set out for its first stop after ten
    a_running_day(session, district=small, now=now, per_window=8)
    gone = busiest(session)
    other = next(one for one in vehicles_out(session) if one != gone)
    coming = next(step for step in steps_of(session, other) if step.booking_id is not None and step.start_s > TEN)
    then = coming.arrival_s - 5
    drive(session, then)
    broken_down(session, gone, at(then))
    # when the rest is planned
    publish(session, a_proposal(session, at(then), district=small), small, at(then) + LATER)
    # then it serves that one next, as it was planned
    first = next(step for step in steps_of(session, other) if step.booking_id is not None and step.start_s > then)
    assert (first.booking_id, first.start_s) == (coming.booking_id, coming.start_s)


def test_both_crews_see_the_new_version_of_their_routes(day: Session, small: District) -> None:
    gone = busiest(day)
    broken_down(day, gone, at(TEN))
    before = {vehicle: [step.booking_id for step in steps_of(day, vehicle)] for vehicle in vehicles_out(day)}
    plan_id = a_proposal(day, at(TEN), district=small)
    publish(day, plan_id, small, at(TEN) + LATER)
    shown = {}
    for key, collector in small.network.collectors.items():
        rider = Principal(id=UUID(int=1), role="collector", collector_key=key)
        route = my_route(rider, TOMORROW, district=small, session=day, now=at(TEN) + LATER)
        if route["plan"] is not None:
            assert route["plan"]["id"] == plan_id
            shown[collector.vehicle_key] = [step["pickup"] and step["pickup"]["booking_id"] for step in route["steps"]]
    # the broken van shows what it has done, the others at least one visit more than before
    assert len([one for one in shown[gone] if one]) < len([one for one in before[gone] if one])
    assert sum(len([one for one in steps if one]) for steps in shown.values()) == sum(
        len([one for one in steps if one]) for steps in before.values()
    )
    # and the crews of both hear of it
    changed = {row.facts["vehicle_key"] for row in messages(day, "route.changed")}
    assert gone in changed
    assert len(changed) >= 2


def test_only_those_hear_to_whom_we_come_at_another_time(day: Session, small: District) -> None:
    before, gone = served_by(day), busiest(day)
    broken_down(day, gone, at(TEN))
    publish(day, a_proposal(day, at(TEN), district=small), small, at(TEN) + LATER)
    after = served_by(day)
    far = {str(key) for key, (_, start_s) in after.items() if abs(start_s - before[key][1]) > 900}
    assert far
    told = messages(day, "plan.time_moved")
    assert {row.facts["booking_id"] for row in told} == far
    for row in told:
        # the quarter of an hour in which service now starts
        assert row.facts["expected_s"] == after[UUID(row.facts["booking_id"])][1] // 900 * 900
    # and published once more, nobody hears it again
    plan_id = day.get_one(PublishedPlan, TOMORROW).plan_id
    publish(day, plan_id, small, at(TEN) + 2 * LATER)
    assert len(messages(day, "plan.time_moved")) == len(far)


def test_each_publication_is_written_down_with_its_cause(day: Session, small: District) -> None:
    broken_down(day, busiest(day), at(TEN))
    publish(day, a_proposal(day, at(TEN), district=small), small, at(TEN) + LATER)
    log = day.scalars(select(Publication).order_by(Publication.at)).all()
    assert [row.cause for row in log] == [None, "breakdown"]


def test_a_proposal_that_the_day_has_left_behind_is_refused(day: Session, small: District) -> None:
    # given a proposal that takes stops from a broken van
    gone = busiest(day)
    broken_down(day, gone, at(TEN))
    plan_id = a_proposal(day, at(TEN), district=small)
    proposal = day.get_one(ReplanProposal, plan_id)
    # when another vehicle only goes on along its route, it still holds
    other = next(one for one in vehicles_out(day) if one != gone)
    coming = next(step for step in steps_of(day, other) if step.booking_id is not None and step.start_s > TEN)
    record(day, other, "start", at(TEN + 60), booking_id=coming.booking_id)
    # but when the crew of the broken van serves one of the stops after all
    moved = next(one for one in proposal.changes if one["vehicle_before"] == gone)
    record(day, gone, "start", at(TEN + 90), booking_id=UUID(moved["booking_id"]))
    with pytest.raises(DayMovedOn, match="POST /replans"):
        publish(day, plan_id, small, at(TEN) + LATER)
    # then nothing has happened, and a new proposal leaves that one with them
    assert messages(day, "plan.time_moved") == []
    publish(day, a_proposal(day, at(TEN) + LATER, district=small), small, at(TEN) + 2 * LATER)
    assert served_by(day)[UUID(moved["booking_id"])][0] == gone
    assert_invariants(day)


def test_without_new_events_the_same_proposal_is_published(day: Session, small: District) -> None:
    # the control of the test above: the same proposal, and of its events only the harmless one
    gone = busiest(day)
    broken_down(day, gone, at(TEN))
    plan_id = a_proposal(day, at(TEN), district=small)
    other = next(one for one in vehicles_out(day) if one != gone)
    coming = next(step for step in steps_of(day, other) if step.booking_id is not None and step.start_s > TEN)
    record(day, other, "start", at(TEN + 60), booking_id=coming.booking_id)
    assert publish(day, plan_id, small, at(TEN) + LATER).plan_id == plan_id


def test_old_proposals_other_days_and_unknown_ones_are_refused(day: Session, small: District) -> None:
    broken_down(day, busiest(day), at(TEN))
    plan_id = a_proposal(day, at(TEN), district=small)
    with pytest.raises(DayMovedOn, match="10 minutes"):
        publish(day, plan_id, small, at(TEN) + HOLDS + timedelta(seconds=1))
    with pytest.raises(Conflict, match="not today"):
        publish(day, plan_id, small, at(TEN) + timedelta(days=1))
    with pytest.raises(NotFound, match="GET /replans"):
        publish(day, UUID(int=9), small, at(TEN))
    with pytest.raises(Conflict, match="is not today"):
        a_proposal(day, at(TEN) - timedelta(days=1), district=small)


# --- two at once ---


def published_at_once(app: Flask, plans: list[UUID], district: District, when: datetime) -> list[str]:
    """What each of two dispatchers is told who publish another proposal in the same instant."""
    start, told = threading.Barrier(2), []

    def put_out(plan_id: UUID) -> None:
        with app.app_context():
            start.wait(timeout=10)
            try:
                publish(db.session(), plan_id, district, when)
                told.append("published")
            except PlanReplaced as error:
                told.append(error.code)

    threads = [threading.Thread(target=put_out, args=(plan_id,)) for plan_id in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


def two_proposals(day: Session, small: District) -> list[UUID]:
    """Two proposals for the same breakdown."""
    broken_down(day, busiest(day), at(TEN))
    plans = [a_proposal(day, at(TEN), district=small) for _ in range(2)]
    day.rollback()
    return plans


def test_of_two_proposals_at_once_one_is_published_and_told(app: Flask, day: Session, small: District) -> None:
    plans = two_proposals(day, small)
    assert published_at_once(app, plans, small, at(TEN) + LATER) == ["plan_replaced", "published"]
    day.rollback()
    assert len(day.scalars(select(Publication)).all()) == 2  # of the evening, and one of the two
    assert_invariants(day)


def test_control_without_the_compare_and_swap_both_are_told(
    app: Flask, day: Session, small: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a publication that moves the pointer whatever stands

    def whatever_stands(plan: Plan, *, session: Session, replaces: UUID, **rest: object) -> None:
        standing = session.get_one(PublishedPlan, plan.day, populate_existing=True)
        make_current(plan, session=session, replaces=standing.plan_id, **rest)  # type: ignore[arg-type]  # whatever it is given

    monkeypatch.setattr(module, "make_current", whatever_stands)
    plans = two_proposals(day, small)
    assert published_at_once(app, plans, small, at(TEN) + LATER) == ["published", "published"]


def test_a_crash_before_the_commit_leaves_the_old_plan_and_no_word(
    day: Session, small: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_down(day, busiest(day), at(TEN))
    plan_id = a_proposal(day, at(TEN), district=small)
    old = day.get_one(PublishedPlan, TOMORROW).plan_id

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    # given a process that dies when all but the last message is written
    monkeypatch.setattr(module._News, "tell_crews", dies)
    with pytest.raises(KeyboardInterrupt):
        publish(day, plan_id, small, at(TEN) + LATER)
    monkeypatch.undo()
    assert day.get_one(PublishedPlan, TOMORROW).plan_id == old
    assert messages(day, "plan.time_moved") == []
    # and the same proposal can be published afterwards
    assert publish(day, plan_id, small, at(TEN) + LATER).plan_id == plan_id
