"""Planning a day: every promise on a route or listed with a reason, stored once and for good."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, InvalidInput, PlanRejected
from recycling.extensions import db
from recycling.models.job_run import JobRun
from recycling.models.plan import Plan, Route, RouteStop, Unassigned
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.policy.service_calendar import DayOverride, ServiceCalendar
from recycling.routing.check import violations
from recycling.routing.plan import Plan as PlannerPlan
from recycling.routing.plan import plan_from_json
from recycling.routing.problem import Problem, problem_from_json
from recycling.routing.solve import solve
from recycling.units import instant_at
from recycling.usecases.bookings.change_pickup import cancel_pickup
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.planning.plan_day import plan_day
from tests.builders import TOMORROW, a_booking
from tests.planned_days import TRUCK, TRUCK_CREW, VAN, a_plan, with_vehicles

MICROWAVE = [WishedItem(item_type="microwave", quantity=1)]


def first_draft(problem: Problem, **_: Any) -> PlannerPlan:
    """The planner's own plan by insertion, without an engine."""
    return solve(problem, seconds=10, workers=0, seed=1)


def make(session: Session, district: District, now: datetime, **options: Any) -> Plan:
    """Plan tomorrow."""
    fixed: dict[str, Any] = {"by": SYSTEM, "seconds": 10, "workers": 0, "seed": 1}
    return plan_day(TOMORROW, district=district, session=session, now=now, **(fixed | options))


def test_every_booked_pickup_is_on_a_route_once_or_listed_with_a_reason(
    session: Session, district: District, now: datetime
) -> None:
    # given microwaves and fridges of tomorrow, a cancelled one and one of the day after
    light = [a_booking(session, district=district, now=now, items=MICROWAVE) for _ in range(3)]
    heavy = [a_booking(session, district=district, now=now) for _ in range(2)]
    gone = a_booking(session, district=district, now=now)
    cancel_pickup(gone.id, version=1, by=SYSTEM, district=district, session=session, now=now)
    a_booking(session, district=district, now=now, day=TOMORROW + timedelta(days=1))
    # when the day is planned with a van of one person only
    plan = a_plan(session, district=with_vehicles(district, VAN), now=now)
    # then the microwaves are on its route once each
    stops = session.scalars(select(RouteStop).join(Route).where(Route.plan_id == plan.id)).all()
    assert sorted(stop.booking_id for stop in stops if stop.booking_id) == sorted(one.id for one in light)
    # and the fridges are listed: nobody there may carry one
    left = {row.booking_id: row.reason for row in plan.unassigned}
    assert left == {one.id: "missing_skill" for one in heavy}


def test_a_plan_from_the_search_in_its_child_process_is_stored_as_it_was_checked(
    session: Session, district: District, now: datetime
) -> None:
    bookings = [a_booking(session, district=district, now=now, pickup_window="all-day") for _ in range(4)]
    told: list[int] = []
    # when the real search runs for a second
    plan = make(
        session, district, now, seconds=1, workers=1, on_progress=lambda found: told.append(found.stops_planned)
    )
    # then the stored problem and answer still pass the checker, and all four are served
    problem = problem_from_json(plan.problem)
    assert violations(problem, plan_from_json(plan.answer)) == []
    assert {stop.key for stop in problem.stops} == {str(one.id) for one in bookings}
    assert (plan.unassigned, told[-1]) == ([], 4)
    assert plan.answer["cost"]["total"] == plan.cost_total


def test_everybody_on_the_vehicle_is_on_the_route_and_the_first_answers_for_it(
    session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    plan = a_plan(session, district=with_vehicles(district, TRUCK), now=now)
    (route,) = plan.routes
    assert (route.vehicle_key, route.collector_key) == (TRUCK, TRUCK_CREW[0])
    assert tuple(rider.collector_key for rider in route.crew) == TRUCK_CREW
    assert [stop.kind for stop in route.stops] == ["start", "pickup", "end"]


def test_an_answer_that_breaks_a_rule_is_refused_and_nothing_is_kept(
    session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    # when the planner loses the only route
    with pytest.raises(PlanRejected, match="breaks"):
        make(session, district, now, solve=lambda problem, **_: replace(first_draft(problem), routes=()))
    # then no version stands
    assert session.scalar(select(func.count()).select_from(Plan)) == 0


def test_no_transaction_is_open_while_the_planner_works(session: Session, district: District, now: datetime) -> None:
    a_booking(session, district=district, now=now)
    seen: list[bool] = []

    def watched(problem: Problem, **_: Any) -> PlannerPlan:
        seen.append(session.in_transaction())
        return first_draft(problem)

    make(session, district, now, solve=watched)
    assert seen == [False]


def test_versions_of_a_day_count_up(session: Session, district: District, now: datetime) -> None:
    made = [a_plan(session, district=district, now=now) for _ in range(3)]
    assert [plan.version for plan in made] == [1, 2, 3]
    assert a_plan(session, district=district, now=now, day=TOMORROW + timedelta(days=1)).version == 1


def test_two_planners_at_once_get_a_version_each(app: Flask, district: District, now: datetime) -> None:
    # given two planners who have both found an answer before either stores it
    both = threading.Barrier(2)
    versions: list[int] = []

    def planner() -> None:
        def together(problem: Problem, **_: Any) -> PlannerPlan:
            found = first_draft(problem)
            both.wait(timeout=20)
            return found

        with app.app_context():
            versions.append(make(db.session(), district, now, solve=together).version)

    threads = [threading.Thread(target=planner) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == [1, 2]


def test_a_job_run_makes_one_plan_however_often_it_is_done(session: Session, district: District, now: datetime) -> None:
    run_id = a_run(session, now)
    first = make(session, district, now, run_id=run_id)
    # when the run is done again, also after the vehicles have left
    again = make(session, district, now, run_id=run_id)
    late = make(session, district, instant_at(TOMORROW, 9 * 3600), run_id=run_id)
    # then it answers with the plan it made
    assert (again.id, late.id) == (first.id, first.id)
    assert session.scalar(select(func.count()).select_from(Plan)) == 1


def test_a_run_done_twice_at_once_makes_one_plan(
    app: Flask, session: Session, district: District, now: datetime
) -> None:
    # given a run whose plan is stored by another worker while this one still searches
    run_id = a_run(session, now)
    a_booking(session, district=district, now=now)
    theirs: list[UUID] = []

    def overtaken(problem: Problem, **_: Any) -> PlannerPlan:
        def other() -> None:
            with app.app_context():
                theirs.append(make(db.session(), district, now, run_id=run_id).id)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return first_draft(problem)

    # when this one comes to store its own, it answers with the other's and adds nothing to it
    plan = make(session, district, now, run_id=run_id, solve=overtaken)
    assert [plan.id] == theirs
    assert len(plan.routes) == 1
    assert session.scalar(select(func.count()).select_from(Plan)) == 1


def test_a_stored_plan_is_never_changed(session: Session, district: District, now: datetime) -> None:
    a_booking(session, district=district, now=now)
    plan = a_plan(session, district=district, now=now)
    stop = plan.routes[0].stops[1]
    for row, column, value in ((plan, "cost_total", 0), (plan.routes[0], "collector_key", "c09"), (stop, "start_s", 0)):
        setattr(row, column, value)
        with pytest.raises(TypeError, match="written once"):
            session.flush()
        session.rollback()
    session.delete(stop)
    with pytest.raises(TypeError, match="written once"):
        session.flush()
    session.rollback()
    # then all of it stands as it was
    assert (plan.cost_total, stop.kind) == (plan.answer["cost"]["total"], "pickup")


def test_a_day_without_bookings_gets_an_empty_plan(session: Session, district: District, now: datetime) -> None:
    plan = a_plan(session, district=district, now=now)
    assert (plan.routes, plan.unassigned, plan.cost_total) == ([], [], 0)


def test_past_and_running_days_are_not_planned(session: Session, district: District, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="is over"):
        plan_at(instant_at(TOMORROW + timedelta(days=1), 0), session, district)
    with pytest.raises(Conflict, match="vehicles"):
        plan_at(instant_at(TOMORROW, 8 * 3600), session, district)  # the first shift begins at 08:00
    # a second before, it still is
    plan_at(instant_at(TOMORROW, 8 * 3600 - 1), session, district)
    assert session.scalar(select(func.count()).select_from(Unassigned)) == 0


def test_a_day_that_nobody_can_book_is_not_planned(session: Session, district: District, now: datetime) -> None:
    # given that the day after tomorrow is closed, and the last bookable day is some days ahead
    closed, last = TOMORROW + timedelta(days=1), service_day(now) + timedelta(days=district.booking_rules.horizon_days)
    closing = DayOverride(day=closed, is_working=False, note="站点检修", source="test")
    with_holiday = replace(district, calendar=ServiceCalendar({closed: closing}))
    for day, why in ((closed, "has no pickups"), (last + timedelta(days=1), "is too far ahead")):
        with pytest.raises(InvalidInput, match=f"{day} {why}"):
            a_plan(session, district=with_holiday, now=now, day=day)
    assert session.scalars(select(Plan)).all() == []


def plan_at(now: datetime, session: Session, district: District) -> Plan:
    """Plan tomorrow at another instant."""
    return make(session, district, now)


def a_run(session: Session, now: datetime) -> UUID:
    """A queued job run to make plans under."""
    row = JobRun(
        id=uuid4(), job="plan_day", due_at=now, scope=str(TOMORROW), state="queued", queued_at=now, claim_after=now
    )
    session.add(row)
    session.commit()
    return row.id
