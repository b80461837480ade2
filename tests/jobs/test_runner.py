"""A run is in one worker's hands at a time, ends once, and its failure stops nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import utc_now
from recycling.errors import InvalidInput, Unavailable
from recycling.jobs.context import JobContext
from recycling.jobs.runner import LEASE, MOST_ATTEMPTS, Runner
from recycling.models.job_run import JobRun, enqueue
from recycling.models.outbox import OutboxMessage
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from tests.builders import TOMORROW
from tests.callers import Callers
from tests.invariants import assert_invariants
from tests.jobs.clock import Clock, Diary, a_runner


@pytest.fixture
def other(sessions: Callable[[], Session], clock: Clock, district: District) -> tuple[Runner, Diary]:
    """A second worker on the same database, with a diary of its own."""
    diary = Diary()
    return a_runner(sessions, clock, diary, district=district), diary


def queue(session: Session, clock: Clock, *, job: str = "roll_up", scope: str = "2026-11-22") -> None:
    """Put a run on the list, due now."""
    with atomic(session):
        enqueue(session, job=job, due_at=clock.now, scope=scope, now=clock.now)


def only_run(session: Session) -> JobRun:
    """The one run on the list, as it is now."""
    session.rollback()
    return session.scalars(select(JobRun)).one()


def test_a_run_is_taken_by_one_worker(
    runner: Runner, other: tuple[Runner, Diary], clock: Clock, session: Session
) -> None:
    queue(session, clock)
    assert runner.claim_next(clock.now) is not None
    assert other[0].claim_next(clock.now) is None


def test_a_run_keeps_its_figures_and_times(runner: Runner, clock: Clock, session: Session) -> None:
    queue(session, clock)
    clock.turn(minutes=5)  # the last moment that is not late
    outcome = runner.run_next()
    assert outcome is not None
    assert (outcome.state, outcome.figures) == ("done", {"times": 1})
    run = only_run(session)
    assert (run.state, run.figures, run.attempts, run.late, run.token) == ("done", {"times": 1}, 1, False, None)
    assert (run.started_at, run.finished_at) == (clock.now, clock.now)
    assert runner.run_next() is None


def test_a_run_that_waited_for_a_worker_is_recorded_as_late(runner: Runner, clock: Clock, session: Session) -> None:
    queue(session, clock)
    clock.turn(minutes=5, seconds=1)
    runner.run_next()
    assert only_run(session).late


def test_a_worker_that_comes_back_after_its_lease_cannot_end_the_run(
    runner: Runner, other: tuple[Runner, Diary], clock: Clock, diary: Diary, session: Session
) -> None:
    # given a worker that is stopped in the middle of a run, and a second one that takes it over after the lease
    taken_over: list[str] = []

    def stopped(_context: JobContext) -> None:
        clock.turn(seconds=LEASE.total_seconds() + 1)
        taken_over.extend(outcome.state for outcome in iter(other[0].run_next, None))

    diary.meanwhile = stopped
    queue(session, clock)
    # when the first one wakes up and ends its run
    late = runner.run_next()
    # then its ending is refused, and the second one's stands: its own diary has one entry
    assert late is not None
    assert late.state == "taken_over"
    assert taken_over == ["done"]
    run = only_run(session)
    assert (run.state, run.attempts, run.figures) == ("done", 2, {"times": 1})


def test_a_lease_holds_until_its_last_moment_and_is_taken_over_however_old(
    runner: Runner, clock: Clock, session: Session
) -> None:
    # given a worker that took a run and died
    queue(session, clock)
    assert runner.claim_next(clock.now) is not None
    # then nobody takes it before the lease is over
    assert runner.claim_next(clock.now + LEASE) is None
    # and everybody may after that, three days later too
    held = runner.claim_next(clock.now + timedelta(days=3))
    assert held is not None
    assert held.attempt == 2


def test_a_long_run_keeps_its_lease(
    sessions: Callable[[], Session], diary: Diary, district: District, session: Session
) -> None:
    # given a lease of 0.8 s, on the real clock, and a run that takes twice as long
    clock = Clock(utc_now())
    runner = a_runner(sessions, clock, diary, district=district, lease=timedelta(seconds=0.8))
    object.__setattr__(runner, "clock", utc_now)
    found = []

    def long(_context: JobContext) -> None:
        for _ in range(8):
            time.sleep(0.2)
            found.append(runner.claim_next(utc_now()))

    diary.meanwhile = long
    queue(session, clock)
    # when others look for work all the time
    outcome = runner.run_next()
    # then they never get it
    assert found == [None] * 8
    assert outcome is not None
    assert outcome.state == "done"


def test_a_failing_run_is_tried_again_after_longer_and_longer_and_then_told_to_people(
    runner: Runner, callers: Callers, clock: Clock, diary: Diary, session: Session
) -> None:
    # given a job that fails each time, and somebody to be told
    dispatcher = callers.staff("dispatcher")

    def fail(_context: JobContext) -> None:
        raise Unavailable("the scale of 13800138000 does not answer")

    diary.meanwhile = fail
    queue(session, clock)
    # when it is tried as soon as it may be
    for wait_min in (1, 2, 4, 8):
        outcome = runner.run_next()
        assert outcome is not None
        assert outcome.state == "queued"
        clock.turn(minutes=wait_min, seconds=-1)
        assert runner.run_next() is None
        clock.turn(seconds=1)
    last = runner.run_next()
    # then the fifth failure is the last, told once, with the phone number hidden
    assert last is not None
    assert last.state == "failed"
    run = only_run(session)
    assert (run.state, run.attempts) == ("failed", MOST_ATTEMPTS)
    assert run.error == "unavailable: the scale of 138****8000 does not answer"
    told = session.scalars(select(OutboxMessage)).one()
    assert (told.kind, told.recipient_id, told.facts["run_id"]) == ("job.failed", dispatcher.id, str(run.id))
    assert_invariants(session)


def test_what_trying_again_cannot_mend_fails_at_once(
    runner: Runner, clock: Clock, diary: Diary, session: Session
) -> None:
    def refuse(_context: JobContext) -> None:
        raise InvalidInput("the day is over")

    diary.meanwhile = refuse
    queue(session, clock)
    outcome = runner.run_next()
    assert outcome is not None
    assert (outcome.state, only_run(session).state) == ("failed", "failed")


def test_one_failing_run_does_not_stop_the_next(runner: Runner, clock: Clock, diary: Diary, session: Session) -> None:
    # given a run that ends in a bug, and another behind it
    def stumble(context: JobContext) -> None:
        if context.scope == "2026-11-21":
            raise ZeroDivisionError("of 13800138000")

    diary.meanwhile = stumble
    queue(session, clock, scope="2026-11-21")
    clock.turn(seconds=1)
    queue(session, clock, scope="2026-11-22")
    with structlog.testing.capture_logs() as lines:
        states = [outcome.state for outcome in iter(runner.run_next, None)]
    # then the second is done; the row names the bug, only the log holds it whole
    assert states == ["queued", "done"]
    assert session.scalars(select(JobRun.error).where(JobRun.state == "queued")).one() == "ZeroDivisionError"
    assert [(line["event"], repr(line["exc_info"])) for line in lines] == [
        ("job.put_back", "ZeroDivisionError('of 13800138000')")
    ]


def test_a_run_whose_workers_all_die_is_given_up_without_another_try(
    runner: Runner, clock: Clock, diary: Diary, session: Session
) -> None:
    queue(session, clock)
    for _ in range(MOST_ATTEMPTS):
        assert runner.claim_next(clock.now) is not None
        clock.turn(seconds=LEASE.total_seconds() + 1)
    outcome = runner.run_next()
    assert outcome is not None
    assert outcome.state == "failed"
    assert diary.done == []
    assert "5 workers died" in str(only_run(session).error)


def test_a_job_this_version_does_not_know_fails_in_words(runner: Runner, clock: Clock, session: Session) -> None:
    queue(session, clock, job="sweep_the_yard")
    runner.run_next()
    assert "knows no job 'sweep_the_yard'" in str(only_run(session).error)


def test_by_hand_a_job_is_done_at_once_and_a_failure_is_not_repeated(
    runner: Runner, clock: Clock, diary: Diary, session: Session
) -> None:
    done = runner.run_by_hand(runner.jobs["goal_report"], TOMORROW, by=SYSTEM)
    assert (done.state, diary.done) == ("done", [("goal_report", "2026-11")])

    def fail(_context: JobContext) -> None:
        raise Unavailable("not now")

    diary.meanwhile = fail
    clock.turn(seconds=1)
    assert runner.run_by_hand(runner.jobs["goal_report"], TOMORROW, by=SYSTEM).state == "failed"
    assert runner.run_next() is None
