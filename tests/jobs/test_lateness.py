"""A run that is not done an hour after its due time is told once, shown, and keeps the outside from a sign of life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.jobs.clockwork import sweep
from recycling.jobs.lateness import LateRun, late_runs, tell_late
from recycling.jobs.runner import Runner
from recycling.models.outbox import OutboxMessage
from recycling.models.people import Staff
from tests.callers import Callers
from tests.jobs.clock import Clock, Diary
from tests.providers.scripted import Line, nobody_there, scripted_provider


@pytest.fixture
def admin(session: Session, clock: Clock) -> UUID:
    """Who is to hear of it."""
    staff_id = uuid4()
    for role, row_id in (("admin", staff_id), ("dispatcher", uuid4())):
        login = f"s-{row_id}"[:30]
        session.add(
            Staff(id=row_id, login=login, name="x", role=role, password_hash="-", created_at=clock.now)
        )  # fmt: skip
    session.commit()
    return staff_id


@pytest.fixture
def at_work(runner: Runner, clock: Clock) -> Runner:
    """A worker whose schedule has begun and who has done what was due."""
    do_all(runner)
    return runner


def do_all(runner: Runner) -> None:
    runner.enqueue_due(runner.clock())
    while runner.run_next() is not None:
        pass


def late(runner: Runner) -> list[LateRun]:
    with runner.sessions() as session:
        return late_runs(session, runner.jobs, now=runner.clock())


def messages(session: Session) -> list[OutboxMessage]:
    session.rollback()
    return list(session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "job.late")))


def test_a_run_is_late_an_hour_after_its_due_time_and_no_minute_before(
    at_work: Runner, clock: Clock, session: Session, admin: UUID
) -> None:
    # given tomorrow's plan, due at 20:00, written down and done by nobody (it is 10:00)
    clock.turn(hours=10)
    at_work.enqueue_due(clock.now)
    clock.turn(minutes=59)
    assert late(at_work) == []
    clock.turn(minutes=1)
    (found,) = late(at_work)
    assert (found.job, found.scope, found.state) == ("plan_tomorrow", "2026-11-24", "queued")
    # then administrators hear of it, once however often somebody looks
    for _ in range(3):
        assert tell_late(session, at_work.jobs, now=clock.now) == [found]
        clock.turn(minutes=1)
    (message,) = messages(session)
    assert message.recipient_id == admin
    assert message.facts == {"job": "plan_tomorrow", "scope": "2026-11-24", "due_at": "2026-11-23T12:00:00+00:00"}
    # and when it is done it is late no more
    do_all(at_work)
    assert late(at_work) == []
    assert len(messages(session)) == 1


def test_a_run_told_of_before_it_was_written_down_is_not_told_again(
    at_work: Runner, clock: Clock, session: Session, admin: UUID
) -> None:
    clock.turn(hours=11)
    tell_late(session, at_work.jobs, now=clock.now)
    at_work.enqueue_due(clock.now)
    tell_late(session, at_work.jobs, now=clock.now)
    assert len(messages(session)) == 1


def test_runs_that_nobody_wrote_down_are_late_too(at_work: Runner, clock: Clock) -> None:
    # given that no scheduler is awake from ten in the morning until three at night
    clock.turn(hours=17)
    found = {(one.job, one.state) for one in late(at_work)}
    # 20:00 and after midnight 00:10 to 01:20; the others are due later
    assert ("plan_tomorrow", "unwritten") in found
    assert ("roll_up", "unwritten") in found
    assert not {"housekeeping", "remind"} & {job for job, _ in found}
    # where only the last one matters, only that is missed: a day on there are two roll-ups, and one anchor
    clock.turn(days=1)
    jobs = [one.job for one in late(at_work)]
    assert (jobs.count("roll_up"), jobs.count("audit_anchor")) == (2, 1)


def test_a_schedule_that_never_began_is_not_late(runner: Runner, session: Session) -> None:
    assert late(runner) == []
    assert tell_late(session, runner.jobs, now=runner.clock()) == []


def test_what_was_due_before_the_first_scheduler_of_all_gets_its_time(runner: Runner, clock: Clock) -> None:
    # given the plan of last evening, written down at the first start, at ten in the morning
    runner.enqueue_due(clock.now)
    assert late(runner) == []
    clock.turn(minutes=59)
    assert late(runner) == []
    clock.turn(minutes=1)
    assert [(one.job, one.scope) for one in late(runner)] == [("plan_tomorrow", "2026-11-23")]


def test_a_failed_run_counts_until_the_next_one_is_due_and_is_told_as_failed(
    at_work: Runner, clock: Clock, diary: Diary, session: Session, admin: UUID
) -> None:
    def fail(_context: object) -> None:
        raise ZeroDivisionError

    diary.meanwhile = fail
    clock.turn(hours=10)
    do_all(at_work)
    for _ in range(5):  # after 1, 2, 4, 8 minutes
        clock.turn(minutes=9)
        do_all(at_work)
    clock.turn(hours=1)
    assert [(one.job, one.state) for one in tell_late(session, at_work.jobs, now=clock.now)] == [
        ("plan_tomorrow", "failed")
    ]
    assert messages(session) == []
    diary.meanwhile = lambda _context: None
    clock.turn(days=1)
    do_all(at_work)
    assert late(at_work) == []


def test_the_outside_hears_a_sign_of_life_only_while_nothing_is_late(
    at_work: Runner, clock: Clock, diary: Diary
) -> None:
    with scripted_provider((200, {}, b"OK")) as (url, script):
        address = f"{url}/ping/key"
        sweep(at_work, deadman_url=address)
        sweep(at_work, deadman_url=address)
        assert [request.path for request in script.asked] == ["/ping/key"] * 2
        # when the evening's plan is not made
        clock.turn(hours=11)
        sweep(at_work, deadman_url=address)
        assert len(script.asked) == 2
        # and then it is
        do_all(at_work)
        sweep(at_work, deadman_url=address)
        assert len(script.asked) == 3
        # and nobody is asked who was not named
        sweep(at_work, deadman_url="")
        assert len(script.asked) == 3


def test_an_outside_that_fails_disturbs_nothing(at_work: Runner, clock: Clock, diary: Diary) -> None:
    answers: tuple[Line, ...] = ((500, {}, b""), "cut", "moved")
    for answer in answers:
        with scripted_provider(answer) as (url, script):
            sweep(at_work, deadman_url=url)
            assert len(script.asked) == 1
    sweep(at_work, deadman_url=nobody_there())
    # the sweep itself has done its work each time
    clock.turn(hours=10)
    sweep(at_work, deadman_url=nobody_there())
    do_all(at_work)
    assert "2026-11-24" in diary.of("plan_tomorrow")


def test_no_sign_of_life_while_the_database_is_away(at_work: Runner, clock: Clock) -> None:
    def away() -> Session:
        raise ConnectionError

    with scripted_provider((200, {}, b"OK")) as (url, script):
        with pytest.raises(ConnectionError):
            sweep(replace(at_work, sessions=away), deadman_url=url)
        assert script.asked == []


def test_late_runs_stand_beside_the_list_and_in_the_command(
    app: Flask, session: Session, at_work: Runner, clock: Clock, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher = callers.staff("dispatcher")
    assert dispatcher.get("/job-runs").get_json()["late_runs"] == []
    # The evening's plan was due three hours ago, and no scheduler has been awake.
    later: Callable[[], datetime] = lambda: clock.now + timedelta(hours=13)  # noqa: E731  # handed over twice
    for place in ("recycling.routes.job_runs.utc_now", "recycling.cli.jobs.utc_now"):
        monkeypatch.setattr(place, later)
    (found,) = dispatcher.get("/job-runs?limit=1").get_json()["late_runs"]
    assert found == {
        "job": "plan_tomorrow", "scope": "2026-11-24", "due_at": "2026-11-23T12:00:00+00:00", "state": "unwritten",
        "run_id": None,
    }  # fmt: skip
    answer = app.test_cli_runner().invoke(args=["jobs", "list"])
    line = next(line for line in answer.output.splitlines() if line.startswith("迟到 / late"))
    assert line == "迟到 / late: plan_tomorrow 2026-11-24, due 11-23 20:00:00, unwritten, 180 min ago"
