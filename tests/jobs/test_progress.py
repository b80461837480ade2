"""A plan's run followed while it works: how far it is, and that it stops when somebody asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.district import district_day
from recycling.errors import Conflict, NotFound
from recycling.jobs.runner import Runner
from recycling.jobs.schedule import jobs_of
from recycling.models.job_run import JobRun, claim, enqueue
from recycling.models.plan import Plan
from recycling.models.run_progress import RunProgress
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.privacy import PrivacyNotice
from recycling.routing.check import violations
from recycling.routing.plan import plan_from_json
from recycling.routing.problem import problem_from_json
from recycling.routing.solve import Progress, solve
from recycling.usecases.housekeeping import clean_up
from recycling.usecases.job_runs.cancel_run import cancel_run
from recycling.usecases.job_runs.follow_run import FollowedRun
from recycling.usecases.queries.job_runs import run_progress
from tests.builders import DISPATCHER, TOMORROW, a_booking
from tests.jobs.clock import Clock

LEASE = timedelta(minutes=2)
OTHER = Principal(id=UUID(int=8), role="dispatcher")


@pytest.fixture
def real(sessions: Callable[[], Session], clock: Clock, district: District) -> Runner:
    """A worker whose planner answers with its first plan."""
    settings = {"PLAN_SECONDS": 10, "PLAN_WORKERS": 0, "PLAN_SEED": 1}
    return Runner(sessions=sessions, district=district, settings=settings, clock=clock, jobs=jobs_of(district))


def a_run(session: Session, clock: Clock, *, job: str = "plan_day", taken: bool = False) -> UUID:
    with atomic(session):
        run_id = enqueue(session, job=job, due_at=clock(), scope=str(TOMORROW), now=clock(), asked_by_id=DISPATCHER.id)
        assert run_id is not None
        if taken:
            assert claim(session, now=clock(), lease=LEASE, run_id=run_id) is not None
    return run_id


def test_a_run_tells_how_far_it_came(real: Runner, session: Session, clock: Clock, district: District) -> None:
    # given a day of three bookings and a run that waits
    for _ in range(3):
        a_booking(session, district=district, now=clock())
    run_id = a_run(session, clock)
    assert run_progress(run_id, session=session)["best_cost"] is None
    session.rollback()
    # when it is done
    outcome = real.run_next()
    assert outcome is not None
    assert outcome.state == "done", outcome.error
    assert outcome.figures is not None
    # then it told the cost of its plan and that all three are on routes
    far = run_progress(run_id, session=session)
    assert (far["state"], far["over"], far["stop_asked"]) == ("done", True, False)
    assert (far["stops_planned"], far["stops_total"], far["best_cost"]) == (3, 3, outcome.figures["cost_total"])
    assert "stopped" not in far["figures"]


def test_a_run_asked_to_stop_keeps_its_best_checked_plan(
    real: Runner, session: Session, clock: Clock, district: District
) -> None:
    # given a run asked to stop before its planner has told anything
    a_booking(session, district=district, now=clock())
    run_id = a_run(session, clock)
    with atomic(session):
        session.add(RunProgress(run_id=run_id, stop_asked_at=clock(), stop_asked_by_id=DISPATCHER.id))
    # when it is done
    outcome = real.run_next()
    # then it says so, and there is a plan that keeps every rule
    assert outcome is not None
    assert outcome.figures is not None
    assert outcome.figures["stopped"] is True
    session.rollback()
    plan = session.scalars(select(Plan)).one()
    assert violations(problem_from_json(plan.problem), plan_from_json(plan.answer)) == []


def test_a_search_under_way_stops_within_seconds(session: Session, clock: Clock) -> None:
    # given a search that would take a minute, and a dispatcher who asks it to stop after a second
    run_id, problem = a_run(session, clock, taken=True), district_day(120, 3, "full")
    followed = FollowedRun(run_id, session=session, clock=clock)
    first, asked = threading.Event(), []
    bind = session.get_bind()

    def tell(progress: Progress) -> None:
        followed.tell(progress)
        first.set()

    def ask() -> None:
        first.wait(timeout=60)
        time.sleep(1)
        with Session(bind) as other:
            cancel_run(run_id, by=DISPATCHER, session=other, now=clock())
        asked.append(time.monotonic())

    thread = threading.Thread(target=ask)
    thread.start()
    # when it searches
    answer = solve(problem, seconds=60, workers=1, seed=1, should_stop=lambda: followed.stop_asked, on_progress=tell)
    ended = time.monotonic()
    thread.join()
    # then it ends soon: half a second until it hears, a quarter until it looks, and up to two for the reasons of what
    # it leaves out; with a plan that keeps every rule. Without anybody asking it would have gone on for a minute.
    assert ended - asked[0] < 10
    assert violations(problem, answer) == []


def test_a_search_that_hears_nothing_goes_on(session: Session, clock: Clock) -> None:
    # the control of the test above: the same wish, and a planner that does not look for it
    run_id, problem = a_run(session, clock, taken=True), district_day(120, 3, "full")
    cancel_run(run_id, by=DISPATCHER, session=session, now=clock())
    followed = FollowedRun(run_id, session=session, clock=clock)
    began = time.monotonic()
    solve(problem, seconds=6, workers=1, seed=1, on_progress=followed.tell)
    assert followed.stop_asked
    assert time.monotonic() - began > 3


def test_a_run_that_waits_never_begins(real: Runner, session: Session, clock: Clock) -> None:
    run_id = a_run(session, clock)
    shown = cancel_run(run_id, by=DISPATCHER, session=session, now=clock())
    assert (shown.state, shown.figures) == ("skipped", {"reason": "cancelled before it began"})
    session.rollback()
    # then no worker takes it, and asking again changes nothing
    assert real.run_next() is None
    again = cancel_run(run_id, by=OTHER, session=session, now=clock())
    assert again.state == "skipped"
    assert session.get(RunProgress, run_id) is None


def test_only_runs_that_somebody_asked_for_can_be_stopped(session: Session, clock: Clock) -> None:
    run_id = a_run(session, clock, job="housekeeping")
    with pytest.raises(Conflict, match="runs to its end"):
        cancel_run(run_id, by=DISPATCHER, session=session, now=clock())
    with pytest.raises(NotFound):
        cancel_run(uuid4(), by=DISPATCHER, session=session, now=clock())


def test_two_dispatchers_who_stop_a_run_as_it_is_taken_leave_one_wish(session: Session, clock: Clock) -> None:
    # given a run that waits, two who stop it and a worker who takes it, all in the same instant
    bind = session.get_bind()
    for _ in range(5):
        clock.turn(minutes=1)
        run_id = a_run(session, clock)
        start, faults = threading.Barrier(3), []

        def at_once(deed: Callable[[Session], object], start: threading.Barrier = start) -> None:
            with Session(bind) as own:
                start.wait(timeout=10)
                try:
                    deed(own)
                except Exception as error:  # shown below
                    faults.append(error)  # noqa: B023  # joined before the next round

        def take(own: Session, run_id: UUID = run_id) -> None:
            with atomic(own):
                claim(own, now=clock(), lease=LEASE, run_id=run_id)

        def stop_by(by: Principal, run_id: UUID = run_id) -> Callable[[Session], object]:
            return lambda own: cancel_run(run_id, by=by, session=own, now=clock())

        threads = [
            threading.Thread(target=at_once, args=(deed,)) for deed in (take, stop_by(DISPATCHER), stop_by(OTHER))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # then it either never began, or runs and is asked to stop by one of them: no wish is lost
        assert faults == []
        session.rollback()
        run, wish = session.get_one(JobRun, run_id), session.get(RunProgress, run_id)
        assert (run.state, wish is None) in (("skipped", True), ("running", False))
        assert wish is None or wish.stop_asked_by_id in (DISPATCHER.id, OTHER.id)
        session.rollback()


def test_the_first_who_asks_stands_in_it_and_progress_leaves_the_wish_alone(session: Session, clock: Clock) -> None:
    run_id = a_run(session, clock, taken=True)
    for by in (DISPATCHER, OTHER):
        cancel_run(run_id, by=by, session=session, now=clock())
    followed = FollowedRun(run_id, session=session, clock=clock)
    followed.tell(Progress(elapsed_s=1.5, best_cost=700, stops_planned=2, stops_total=3))
    assert followed.stop_asked
    session.rollback()
    row = session.get_one(RunProgress, run_id)
    assert (row.stop_asked_by_id, row.elapsed_ms, row.best_cost) == (DISPATCHER.id, 1500, 700)
    # a second telling within half a second is not written
    followed.tell(Progress(elapsed_s=1.6, best_cost=600, stops_planned=3, stops_total=3))
    session.rollback()
    assert session.get_one(RunProgress, run_id).best_cost == 700


def test_progress_goes_when_its_run_has_been_over_for_a_day(
    real: Runner, session: Session, clock: Clock, district: District
) -> None:
    a_booking(session, district=district, now=clock())
    run_id = a_run(session, clock)
    assert real.run_next() is not None
    privacy: PrivacyNotice = district.privacy
    clean_up(privacy, session=session, now=clock())
    assert session.get(RunProgress, run_id) is not None
    session.rollback()
    clock.turn(days=1, minutes=1)
    assert clean_up(privacy, session=session, now=clock())["run_progress"] == 1
    assert run_progress(run_id, session=session)["best_cost"] is None


def test_a_database_that_is_away_does_not_end_the_search(clock: Clock) -> None:
    # given a session whose database is nowhere
    from sqlalchemy import create_engine

    nowhere = Session(create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing"))
    followed = FollowedRun(uuid4(), session=nowhere, clock=clock)
    # when progress is told, then nothing is raised and nothing was heard
    followed.tell(Progress(elapsed_s=1, best_cost=1, stops_planned=0, stops_total=0))
    assert followed.stop_asked is False
