"""What each job really does, on the real use cases, and that doing a run twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from recycling.jobs import actions
from recycling.jobs.context import JobContext
from recycling.jobs.runner import Runner
from recycling.jobs.schedule import jobs_of
from recycling.models.handling import HandlingProposal
from recycling.models.job_run import JobRun, enqueue
from recycling.models.ledger import DayLedger
from recycling.models.outbox import OutboxMessage
from recycling.models.plan import Plan, PublishedPlan
from recycling.models.recovery import GoalReport
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.policy.service_calendar import DayOverride, ServiceCalendar
from recycling.units import instant_at
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.planning.day_problem import vehicles_out_at
from tests.builders import TOMORROW, a_booking
from tests.field_months import Month, true_values
from tests.invariants import assert_invariants
from tests.jobs.clock import Clock
from tests.loads import a_keeper, a_weighing

# No engine, so the planner answers with its first draft at once.
DRAFT_ONLY = {"PLAN_SECONDS": 10, "PLAN_WORKERS": 0, "PLAN_SEED": 1}


@pytest.fixture
def real(sessions: Callable[[], Session], clock: Clock, district: District) -> Runner:
    """A worker on the real schedule."""
    return Runner(sessions=sessions, district=district, settings=DRAFT_ONLY, clock=clock, jobs=jobs_of(district))


def by_hand(real: Runner, job: str, day: date = TOMORROW) -> dict[str, Any]:
    """The figures of a run asked for now."""
    outcome = real.run_by_hand(real.jobs[job], day, by=SYSTEM)
    assert outcome.state == "done", outcome.error
    assert outcome.figures is not None
    return outcome.figures


def a_run(session: Session, clock: Clock) -> UUID:
    """The row of a run that plans tomorrow, for contexts made by hand."""
    with atomic(session):
        run_id = enqueue(session, job="plan_tomorrow", due_at=clock.now, scope=str(TOMORROW), now=clock.now)
    assert run_id is not None
    return run_id


def context_of(run_id: UUID, *, session: Session, district: District, clock: Clock) -> JobContext:
    """An attempt at planning tomorrow under a run."""
    return JobContext(
        run_id=run_id, due_at=clock.now, scope=str(TOMORROW), session=session, district=district,
        settings=DRAFT_ONLY, clock=clock,
    )  # fmt: skip


def test_the_evening_plans_and_publishes_tomorrow_and_tells_the_resident(
    real: Runner, clock: Clock, session: Session, district: District, now: datetime
) -> None:
    # given a booking for tomorrow, and a scheduler first started this morning: today's vehicles were out, nobody waited
    booking = a_booking(session, district=district, now=now)
    real.enqueue_due(clock.now)
    assert [outcome.figures for outcome in iter(real.run_next, None)] == [{"bookings": 0, "vehicles_out": True}]
    # when the evening comes
    clock.turn(hours=10, seconds=1)
    real.enqueue_due(clock.now)
    # then tomorrow is planned
    (outcome,) = iter(real.run_next, None)
    figures = outcome.figures
    assert figures is not None
    assert (figures["version"], figures["routes"], figures["unassigned"]) == (1, 1, 0)
    session.rollback()
    assert str(session.get_one(PublishedPlan, TOMORROW).plan_id) == figures["plan_id"]
    assert session.get_one(DayLedger, TOMORROW).closed
    kinds = session.scalars(select(OutboxMessage.kind).where(OutboxMessage.recipient_id == booking.resident_id)).all()
    assert sorted(kinds) == ["booking.confirmed", "plan.window_confirmed"]
    assert_invariants(session)


def test_a_day_with_a_published_plan_keeps_it(real: Runner, clock: Clock) -> None:
    first = by_hand(real, "plan_tomorrow")
    clock.turn(seconds=1)
    assert by_hand(real, "plan_tomorrow") == {"plan_id": first["plan_id"], "published_before": True}


def test_a_run_that_died_between_planning_and_publishing_publishes_the_same_plan(
    clock: Clock, session: Session, district: District, now: datetime
) -> None:
    # given a run whose worker died when the plan was stored
    a_booking(session, district=district, now=now)
    context = context_of(a_run(session, clock), session=session, district=district, clock=clock)
    stored = actions.plan_only(context)
    # when the run is done again
    figures = actions.plan_and_publish(context)
    # then it publishes that plan and makes no other
    assert figures["plan_id"] == stored["plan_id"]
    assert session.scalar(select(func.count()).select_from(Plan)) == 1


def test_a_booking_changed_between_planning_and_publishing_is_planned_too(
    clock: Clock, session: Session, district: District, now: datetime
) -> None:
    # given a run whose worker died when the plan was stored, and a booking made since then
    context = context_of(a_run(session, clock), session=session, district=district, clock=clock)
    stored = actions.plan_only(context)
    a_booking(session, district=district, now=now)
    # when the run is done again
    figures = actions.plan_and_publish(context)
    # then the day as it is now is what is published
    assert (stored["version"], figures["version"], figures["routes"]) == (1, 2, 1)


def test_a_day_without_pickups_is_not_planned(clock: Clock, session: Session, district: District) -> None:
    # given a district whose bureau closes tomorrow
    closing = DayOverride(day=TOMORROW, is_working=False, note="暴雪停运", source="test")
    closed = replace(district, calendar=ServiceCalendar(overrides={TOMORROW: closing}))
    context = context_of(a_run(session, clock), session=session, district=closed, clock=clock)
    assert actions.plan_and_publish(context) == {"service_day": False}


def test_promises_that_can_no_longer_be_planned_are_an_alarm(
    real: Runner, clock: Clock, session: Session, district: District, now: datetime
) -> None:
    # given a booking for tomorrow, and no scheduler until its vehicles are out
    a_booking(session, district=district, now=now)
    clock.now = vehicles_out_at(TOMORROW, district)
    # when the run is caught up
    outcome = real.run_by_hand(real.jobs["plan_tomorrow"], TOMORROW, by=SYSTEM)
    # then it fails in words instead of passing over the resident in silence
    assert outcome.state == "failed"
    assert "the vehicles of 2026-11-24 are out" in str(outcome.error)


def test_on_request_a_plan_is_made_and_left_to_the_dispatcher(real: Runner, session: Session) -> None:
    figures = by_hand(real, "plan_day")
    assert figures["version"] == 1
    assert session.get(PublishedPlan, TOMORROW) is None


def test_the_roll_up_and_the_report_done_twice_leave_one_result(real: Runner, clock: Clock, session: Session) -> None:
    assert by_hand(real, "roll_up", date(2026, 11, 22)) == {
        "rows": 0, "units": 0, "recovered_g": 0, "differences": 0, "month_differences": 0,
    }  # fmt: skip
    first = by_hand(real, "goal_report", date(2026, 10, 31))
    clock.turn(days=1)
    assert by_hand(real, "goal_report", date(2026, 10, 1)) == first
    assert session.scalars(select(GoalReport.period)).all() == ["2026-10"]


def test_reminders_go_to_tomorrows_residents_once(
    real: Runner, clock: Clock, session: Session, district: District, now: datetime
) -> None:
    # given two pickups tomorrow and one the day after
    for day in (TOMORROW, TOMORROW, TOMORROW + timedelta(days=1)):
        a_booking(session, district=district, now=now, day=day)
    # when tomorrow is reminded of twice
    assert by_hand(real, "remind") == {"reminders": 2}
    clock.turn(seconds=1)
    assert by_hand(real, "remind") == {"reminders": 0}
    # then yesterday gets none
    assert by_hand(real, "remind", date(2026, 11, 22)) == {"reminders": 0}


def test_every_job_of_the_schedule_can_be_done_by_hand(real: Runner, clock: Clock, session: Session) -> None:
    for key in real.jobs:
        clock.turn(seconds=1)
        # what comes is planned, what has been is added up, and compared once it is over
        days = {"roll_up": 1, "mass_balance": 2, "forecast": 2, "pace_alarm": 2}.get(key, 0)
        by_hand(real, key, TOMORROW - timedelta(days=days))
    session.rollback()
    assert sorted(session.scalars(select(JobRun.job))) == sorted(real.jobs)


def test_aged_stock_is_told_of_once_however_often_the_job_runs(
    real: Runner, clock: Clock, session: Session, district: District
) -> None:
    # given a fridge that has lain 31 days of 30
    weigh_in(
        a_weighing(), scale_number="1", by=a_keeper(), district=district, session=session,
        now=clock.now - timedelta(days=31),
    )  # fmt: skip
    # when the job runs twice, then the bureau hears of it once
    assert by_hand(real, "stock_age") == {"stations": 1, "lots": 1}
    clock.turn(seconds=1)
    assert by_hand(real, "stock_age") == {"stations": 0, "lots": 0}
    told = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "stock.aged")).all()
    assert [row.recipient_kind for row in told] == ["bureau"]


def test_the_third_of_a_month_proposes_minutes_from_the_month_before_once(
    clock: Clock, session: Session, district: District
) -> None:
    # given a day of November on which everything took 1.4 times, and the third of December
    Month(session, district, true_values(district, off=1.4, travel=1.3)).play([TOMORROW])
    clock.now = instant_at(date(2026, 12, 3), 5 * 3600)
    job = jobs_of(district)["propose_handling"]
    scope = job.scope_at(clock.now)
    assert scope == "2026-11"
    with atomic(session):
        run_id = enqueue(session, job=job.key, due_at=clock.now, scope=scope, now=clock.now)
    assert run_id is not None
    context = replace(context_of(run_id, session=session, district=district, clock=clock), scope=scope)
    # when the run is done, and done again by another worker
    first, again = job.action(context), job.action(context)
    # then there is one proposal, of the whole month
    assert first == again
    proposal = session.scalars(select(HandlingProposal)).one()
    assert (str(proposal.id), proposal.visits) == (first["proposal_id"], first["visits"])
    assert (proposal.first_day, proposal.last_day) == (date(2026, 11, 1), date(2026, 11, 30))
    # and of the running month the days that are over are looked at, which here have none, and of one to come nothing
    assert job.action(replace(context, scope="2026-12", run_id=UUID(int=7))) == {"visits": 0}
    assert job.action(replace(context, scope="2027-01", run_id=UUID(int=8))) == {"visits": 0}
    # and a month without visits proposes nothing
    assert job.action(replace(context, scope="2026-10", run_id=UUID(int=9))) == {"visits": 0}


def test_trips_and_averages_by_hand_are_done_once(real: Runner, session: Session, clock: Clock) -> None:
    # given the day after TOMORROW: TOMORROW is over
    clock.now = instant_at(TOMORROW + timedelta(days=1), 9 * 3600)
    for _ in range(2):
        assert by_hand(real, "mass_balance") == {"days": 1, "trips": 0, "held": 0, "stripped": 0}
        # averages of its month, from the day after they are first made on
        assert by_hand(real, "class_averages") == {"lines": 0, "valid_from": "2026-11-26"}
        clock.now += timedelta(days=1)
    # a day that is not over is refused in words
    outcome = real.run_by_hand(real.jobs["mass_balance"], TOMORROW + timedelta(days=9), by=SYSTEM)
    assert (outcome.state, "is not over" in str(outcome.error)) == ("failed", True)
    assert_invariants(session)


def test_the_night_anchors_the_chains_and_verifies_what_they_hold(
    real: Runner, clock: Clock, session: Session, district: District, tmp_path: Path
) -> None:
    # given a correction, and a place for anchors beside the database
    night = replace(real, settings={**DRAFT_ONLY, "AUDIT_ANCHOR_DIR": tmp_path / "anchors"})
    given: dict[str, Any] = {"by": a_keeper(), "district": district, "session": session, "now": clock.now}
    ticket = weigh_in(a_weighing(), scale_number="1", **given)
    correct_ticket(ticket.id, None, reason="误录", **given)
    # when the night's jobs run
    anchored = by_hand(night, "audit_anchor", date(2026, 11, 24))
    assert anchored == {"number": 1, "audit_rows": 1, "scales": 1}
    verified = by_hand(night, "verify_records", date(2026, 11, 24))
    assert verified == {"findings": 0, "audit_rows": 1, "tickets": 2, "begun_at": None}
    # and 36 days later those of the last weeks alone, on a Sunday all of them
    clock.turn(days=36)
    assert by_hand(night, "verify_records", date(2026, 12, 29))["tickets"] == 0
    assert by_hand(night, "verify_records", date(2027, 1, 3))["tickets"] == 2
    # then what somebody changed meanwhile is in the run's figures
    session.rollback()
    session.execute(text("UPDATE audit_row SET actor_role = 'clerk'"))
    session.commit()
    assert by_hand(night, "verify_records", date(2027, 1, 10))["first"] == "audit_row 1"
