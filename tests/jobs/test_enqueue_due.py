"""Due runs are written once each: at the first start, after a pause, by several schedulers, under a wrong clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import SHANGHAI
from recycling.jobs.lateness import CATCH_UP
from recycling.jobs.runner import Runner
from recycling.models.job_run import JobRun
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from tests.jobs.clock import Clock, Diary, a_runner


def rows(session: Session, **wanted: object) -> list[tuple[str, str, str, bool]]:
    """Rows of the clock as (job, local due time, state, late), by due time."""
    session.rollback()
    found = select(JobRun).filter_by(**wanted).where(JobRun.asked_by_id.is_(None)).order_by(JobRun.due_at)
    return [
        (run.job, f"{run.due_at.astimezone(SHANGHAI):%m-%d %H:%M}", run.state, run.late)
        for run in session.scalars(found)
    ]


def test_the_first_start_begins_now_and_only_sees_to_todays_plan(
    runner: Runner, clock: Clock, session: Session
) -> None:
    # given an empty history, Monday 23 November, 10:00
    # when the first scheduler looks
    assert runner.enqueue_due(clock.now) == 1
    # then the last due time of each job is marked as before its time, and only last evening's planning is done, late
    assert rows(session) == [
        ("quarterly_report", "10-01 06:10", "skipped", True),
        ("goal_report", "11-01 06:00", "skipped", True),
        ("class_averages", "11-02 04:00", "skipped", True),
        ("propose_handling", "11-03 05:00", "skipped", True),
        ("plan_tomorrow", "11-22 20:00", "queued", True),
        ("book_recurring", "11-23 00:10", "skipped", True),
        ("roll_up", "11-23 00:30", "skipped", True),
        ("audit_anchor", "11-23 00:50", "skipped", True),
        ("forecast", "11-23 01:10", "skipped", True),
        ("verify_records", "11-23 01:20", "skipped", True),
        ("housekeeping", "11-23 03:15", "skipped", True),
        ("verify_reports", "11-23 04:15", "skipped", True),
        ("stock_age", "11-23 07:30", "skipped", True),
        ("pace_alarm", "11-23 07:40", "skipped", True),
        ("tell_missed", "11-23 08:30", "skipped", True),
        ("judge_windows", "11-23 08:40", "skipped", True),
        ("mass_balance", "11-23 08:50", "skipped", True),
        ("remind", "11-23 09:00", "skipped", True),
        ("remind_early", "11-23 09:10", "skipped", True),
    ]
    assert rows(session, scope="2026-11-23")[0][0] == "plan_tomorrow"
    assert runner.enqueue_due(clock.now) == 0


def test_a_first_start_seconds_after_a_due_time_does_that_run(runner: Runner, clock: Clock, session: Session) -> None:
    clock.turn(hours=-1, seconds=2)  # 09:00:02
    runner.enqueue_due(clock.now)
    assert rows(session, job="remind") == [("remind", "11-23 09:00", "queued", False)]


def test_two_schedulers_write_a_due_run_once(
    runner: Runner, sessions: Callable[[], Session], clock: Clock, diary: Diary, district: District, session: Session
) -> None:
    other = a_runner(sessions, clock, diary, district=district)
    runner.enqueue_due(clock.now)
    clock.turn(hours=10, seconds=1)  # 20:00:01
    assert [runner.enqueue_due(clock.now), other.enqueue_due(clock.now)] == [1, 0]
    assert rows(session, state="queued") == [("plan_tomorrow", "11-23 20:00", "queued", False)]


def test_what_came_due_in_a_pause_of_three_hours_is_caught_up_as_late(
    runner: Runner, clock: Clock, session: Session
) -> None:
    # given a scheduler that last looked on Monday at 19:00
    clock.turn(hours=9)
    runner.enqueue_due(clock.now)
    # when it is back at 22:00
    clock.turn(hours=3)
    # then tomorrow is planned, two hours late, and nothing else came due in between
    assert runner.enqueue_due(clock.now) == 1
    assert rows(session, state="queued") == [("plan_tomorrow", "11-23 20:00", "queued", True)]


def test_after_three_days_every_roll_up_is_caught_up_and_only_the_last_plan(
    runner: Runner, clock: Clock, session: Session
) -> None:
    # given a scheduler that looked on Monday at 10:00 and is back on Thursday at 10:00
    runner.enqueue_due(clock.now)
    clock.turn(days=3)
    runner.enqueue_due(clock.now)
    # then three nights are rolled up
    nights = [("roll_up", f"11-{day} 00:30", "queued", True) for day in (24, 25, 26)]
    assert rows(session, job="roll_up")[1:] == nights
    # and of the plans only today's, due last evening, is made; it replaces the one of the first start too
    assert rows(session, job="plan_tomorrow") == [
        ("plan_tomorrow", "11-22 20:00", "skipped", True),
        ("plan_tomorrow", "11-23 20:00", "skipped", True),
        ("plan_tomorrow", "11-24 20:00", "skipped", True),
        ("plan_tomorrow", "11-25 20:00", "queued", True),
    ]


def test_catching_up_has_an_end(runner: Runner, clock: Clock, session: Session) -> None:
    # given a scheduler that comes back after 100 days
    runner.enqueue_due(clock.now)
    clock.turn(days=100)
    runner.enqueue_due(clock.now)
    # then the nights of the last 62 days are rolled up, and the first of them lies within those
    nights = [run for run in rows(session, job="roll_up") if run[2] == "queued"]
    assert len(nights) == CATCH_UP.days == 62


def test_a_clock_that_ran_a_year_ahead_does_not_silence_the_jobs(
    runner: Runner, clock: Clock, session: Session
) -> None:
    # given a machine whose clock was a year ahead for a moment
    runner.enqueue_due(clock.now)
    runner.enqueue_due(clock.now + timedelta(days=365))
    # when the right evening comes
    clock.turn(hours=10)
    runner.enqueue_due(clock.now)
    # then tomorrow is planned
    assert rows(session, job="plan_tomorrow", scope="2026-11-24") == [("plan_tomorrow", "11-23 20:00", "queued", False)]


def test_a_clock_set_back_asks_for_nothing_twice(runner: Runner, clock: Clock, session: Session) -> None:
    clock.turn(hours=10, minutes=30)
    runner.enqueue_due(clock.now)
    before = rows(session)
    clock.turn(hours=-1)
    runner.enqueue_due(clock.now)
    clock.turn(hours=1)
    runner.enqueue_due(clock.now)
    assert rows(session) == before


def test_a_run_by_hand_does_not_hide_what_the_clock_still_owes(runner: Runner, clock: Clock, session: Session) -> None:
    # given schedulers that stopped on Monday at 10:00
    runner.enqueue_due(clock.now)
    # when somebody rolls a day up by hand on Wednesday, and a scheduler starts after that
    clock.turn(days=2)
    runner.run_by_hand(runner.jobs["roll_up"], clock.now.date(), by=SYSTEM)
    clock.turn(minutes=1)
    runner.enqueue_due(clock.now)
    # then the two nights in between are still rolled up
    assert [run[1] for run in rows(session, job="roll_up", state="queued")] == ["11-24 00:30", "11-25 00:30"]
