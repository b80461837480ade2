"""The job that plans the rest of a day: a quick proposal, a better one, and by itself only what the rule allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.jobs.runner import Runner
from recycling.jobs.schedule import jobs_of
from recycling.models.healing import Disruption, ReplanProposal
from recycling.models.job_run import JobRun
from recycling.models.plan import PublishedPlan
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.policy.healing import HealingRule
from recycling.usecases.planning.breakdowns import note_fault
from recycling.usecases.planning.record_disruption import Incident, record_disruption
from recycling.usecases.planning.request_replan import request_replan
from tests.builders import DISPATCHER, TOMORROW
from tests.invariants import assert_invariants
from tests.jobs.clock import Clock
from tests.planned_days import with_vehicles
from tests.running_days import FLEET, TEN, a_running_day, at, drive, record, vehicles_out

DRAFT_ONLY = {"PLAN_SECONDS": 10, "PLAN_WORKERS": 0, "PLAN_SEED": 1}
BY_ITSELF = HealingRule(automatic=True, most_moved_bp=500, source="test")


def a_worker(sessions: Callable[[], Session], clock: Clock, district: District) -> Runner:
    """A worker on the real schedule, at ten o'clock of the day."""
    clock.now = at(TEN + 30)
    return Runner(sessions=sessions, district=district, settings=DRAFT_ONLY, clock=clock, jobs=jobs_of(district))


def a_day(session: Session, district: District, clock: Clock, *, per_window: int = 8) -> str:
    """A day driven as planned until ten; the vehicle that is to break down."""
    a_running_day(session, district=district, now=clock.now, per_window=per_window)
    drive(session, TEN)
    return vehicles_out(session)[-1]


def figures_of(worker: Runner) -> dict[str, object]:
    """What the one run that is due came to."""
    (outcome,) = iter(worker.run_next, None)
    assert outcome.state == "done", outcome.error
    assert outcome.figures is not None
    return outcome.figures


def test_a_dispatcher_gets_two_proposals_and_publishes_themself(
    sessions: Callable[[], Session], session: Session, clock: Clock, district: District
) -> None:
    # given a district that mends itself, and a dispatcher who asks
    small = replace(with_vehicles(district, *FLEET), healing=BY_ITSELF)
    gone = a_day(session, small, clock)
    standing = session.get_one(PublishedPlan, TOMORROW).plan_id
    record(session, gone, "fault", at(TEN), drives=False)
    request_replan(TOMORROW, by=DISPATCHER, session=session, now=at(TEN + 20))
    worker = a_worker(sessions, clock, small)
    # when the run is done
    figures = figures_of(worker)
    # then there is a quick proposal and a better one, and neither is published
    session.rollback()
    made = session.scalars(select(ReplanProposal.plan_id)).all()
    assert {str(one) for one in made} == {figures["first_plan_id"], figures["plan_id"]}
    assert len(made) == 2
    assert figures["published"] is False
    assert session.get_one(PublishedPlan, TOMORROW).plan_id == standing


def test_a_breakdown_is_mended_without_a_person_where_that_breaks_no_promise(
    sessions: Callable[[], Session], session: Session, clock: Clock, district: District
) -> None:
    small = replace(with_vehicles(district, *FLEET), healing=BY_ITSELF)
    gone = a_day(session, small, clock)
    event_id = record(session, gone, "fault", at(TEN), drives=False)
    # when the record of the fault is taken in, and its run done; taken in again, it asks for nothing more
    for _ in range(2):
        with atomic(session):
            note_fault(
                session, event_id=event_id, day=TOMORROW, vehicle_key=gone, by=SYSTEM, district=small,
                now=at(TEN + 20),
            )  # fmt: skip
    figures = figures_of(a_worker(sessions, clock, small))
    # then people go by the better proposal
    session.rollback()
    assert figures["published"] is True
    assert session.get_one(PublishedPlan, TOMORROW).plan_id == UUID(str(figures["plan_id"]))
    assert [row.kind for row in session.scalars(select(Disruption))] == ["breakdown"]
    assert_invariants(session)


@pytest.mark.parametrize("automatic", [True, False])
def test_a_breakdown_that_breaks_promises_waits_for_a_person(
    sessions: Callable[[], Session], session: Session, clock: Clock, district: District, *, automatic: bool
) -> None:
    # given a pair of vehicles that are both needed
    pair = replace(with_vehicles(district, "lincheng-1", "lincheng-2"), healing=replace(BY_ITSELF, automatic=automatic))
    gone = a_day(session, pair, clock, per_window=9)
    standing = session.get_one(PublishedPlan, TOMORROW).plan_id
    incident = Incident(day=TOMORROW, kind="breakdown", vehicle_key=gone)
    record_disruption(incident, by=DISPATCHER, district=pair, session=session, now=at(TEN))
    runs = session.scalars(select(JobRun.job)).all()
    session.rollback()
    # then the rest is planned only where the district lets it be, and published in no case
    assert runs == (["replan_day"] if automatic else [])
    if automatic:
        assert figures_of(a_worker(sessions, clock, pair))["published"] is False
    session.rollback()
    assert session.get_one(PublishedPlan, TOMORROW).plan_id == standing


def test_the_rule_lets_few_moves_and_no_broken_promise_pass() -> None:
    # 5 of 100 stops are 500 of 10,000
    assert BY_ITSELF.allows(cause="breakdown", open_stops=100, moved=5, broken=0)
    assert not BY_ITSELF.allows(cause="breakdown", open_stops=100, moved=6, broken=0)
    assert not BY_ITSELF.allows(cause="breakdown", open_stops=100, moved=5, broken=1)
    assert not BY_ITSELF.allows(cause="sick", open_stops=100, moved=0, broken=0)
    assert not replace(BY_ITSELF, automatic=False).allows(cause="breakdown", open_stops=100, moved=0, broken=0)
