"""A dispatcher's edits kept as the next version: checked, in sequence with other people's, or not at all."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import BookingsChanged, Conflict, DomainError, InvalidInput, NotFound, PlanRejected, StaleVersion
from recycling.extensions import db
from recycling.models.audit import AuditRow
from recycling.models.plan import Plan, PlanEdit
from recycling.policy.district import District
from recycling.routing.check import violations
from recycling.routing.plan import plan_from_json
from recycling.routing.problem import problem_from_json
from recycling.routing.verdict import Wish
from recycling.usecases.planning import edit_plan as module
from recycling.usecases.planning import store_plan
from recycling.usecases.planning.edit_plan import edit_plan
from recycling.usecases.planning.judge_edits import find_places, judge_edits
from recycling.usecases.planning.judges import MOST_HELD, Judges
from recycling.usecases.planning.publish_plan import publish_plan
from recycling.usecases.queries.plan_board import plan_board, plan_differences
from recycling.usecases.queries.plans import plan_in_full
from tests.builders import DISPATCHER, a_booking
from tests.invariants import assert_invariants
from tests.planned_days import a_plan


class Desk:
    """A dispatcher with a plan of two bookings in hand, and the two vehicles that could have them."""

    def __init__(self, session: Session, district: District, now: datetime) -> None:
        self.session, self.district, self.now, self.judges = session, district, now, Judges()
        self.bookings = [a_booking(session, district=district, now=now).id for _ in range(2)]
        self.plan_id = a_plan(session, district=district, now=now).id
        session.rollback()

    def sequences(self, plan_id: UUID | None = None) -> dict[str, list[str]]:
        plan = plan_in_full(plan_id or self.plan_id, session=self.session)
        self.session.rollback()
        return {
            route["vehicle_key"]: [str(step["booking_id"]) for step in route["steps"] if step["booking_id"]]
            for route in plan["routes"]
        }

    def another_place(self) -> dict[str, list[str]]:
        """The plan with its first stop where another vehicle takes it."""
        now = self.sequences()
        home, stops = next(iter(now.items()))
        stop = stops[0]
        found = find_places(self.plan_id, UUID(stop), {}, judges=self.judges, session=self.session)["places"]
        self.session.rollback()
        other = next(place for place in found if place["vehicle_key"] != home)
        row = list(now.get(other["vehicle_key"], []))
        row.insert(other["position"], stop)
        return {home: stops[1:], other["vehicle_key"]: row}

    def keep(self, wish: Wish, *, newest: int = 1, plan_id: UUID | None = None) -> Plan:
        return edit_plan(
            plan_id or self.plan_id, wish, newest=newest, judges=self.judges, by=DISPATCHER, district=self.district,
            session=self.session, now=self.now,
        )  # fmt: skip

    def count(self) -> int:
        self.session.rollback()
        found = self.session.scalar(select(func.count()).select_from(Plan))
        self.session.rollback()
        return found or 0


@pytest.fixture
def desk(session: Session, district: District, now: datetime) -> Desk:
    return Desk(session, district, now)


def test_edits_are_kept_as_the_next_version_which_passes_the_checker_and_can_be_published(
    desk: Desk, session: Session
) -> None:
    # given a stop moved to where another vehicle takes it
    wish = desk.another_place()
    verdict = judge_edits(desk.plan_id, wish, judges=desk.judges, session=session)
    session.rollback()
    # when it is kept
    plan = desk.keep(wish)
    # then it is version 2, a draft of the routes wished for, with the cost of the verdict
    assert (plan.version, plan.cost_total) == (2, verdict["cost"]["total"])
    assert desk.sequences(plan.id) == {v: stops for v, stops in (desk.sequences() | wish).items() if stops}
    # and the checker of anybody has nothing to say
    stored = session.get_one(Plan, plan.id)
    assert violations(problem_from_json(stored.problem), plan_from_json(stored.answer)) == []
    # and it says from what it was made, and by whom
    edit = session.get_one(PlanEdit, plan.id)
    assert (edit.base_plan_id, edit.moved) == (desk.plan_id, 1)
    row = session.scalars(select(AuditRow).where(AuditRow.action == "plan.edited")).one()
    assert (row.actor_id, row.subject, row.facts["version"], row.facts["base_version"]) == (
        DISPATCHER.id, str(plan.id), 2, 1,
    )  # fmt: skip
    # when it is published, then it is the plan of the day
    session.rollback()
    published = publish_plan(
        plan.id, replaces=None, by=DISPATCHER, district=desk.district, session=session, now=desk.now
    )
    assert published.plan_id == plan.id
    session.rollback()
    assert_invariants(session)


def test_the_versions_compared_name_the_visit_that_moved(desk: Desk, session: Session) -> None:
    wish = desk.another_place()
    (moved,) = {s for stops in wish.values() for s in stops} - set(next(iter(wish.values())))
    plan = desk.keep(wish)
    session.rollback()
    # when the version is compared with the one that it was made from
    found = plan_differences(plan.id, None, session=session)
    # then the moved visit is named with both vehicles, and both versions keep both promises
    (visit,) = [one for one in found["visits"] if one["kind"] == "moved"]
    assert (visit["booking_id"], visit["vehicle_before"], visit["vehicle_after"]) == (moved, *wish)
    assert (found["before"]["version"], found["after"]["version"]) == (1, 2)
    assert (found["before"]["kept"], found["after"]["kept"]) == (2, 2)
    # and the other way round as well
    back = plan_differences(desk.plan_id, plan.id, session=session)
    assert [one["vehicle_after"] for one in back["visits"] if one["kind"] == "moved"] == [visit["vehicle_before"]]


def refused(desk: Desk, wish: Wish, error: type[DomainError], words: str, **given: object) -> None:
    """A wish that is refused leaves nothing."""
    before = desk.count()
    with pytest.raises(error, match=words):
        desk.keep(wish, **given)  # type: ignore[arg-type]  # as the test says
    assert desk.count() == before
    desk.session.rollback()


def test_what_breaks_a_rule_or_a_promise_is_not_kept(desk: Desk, session: Session) -> None:
    now = desk.sequences()
    (home, stops) = next(iter(now.items()))
    # a fridge needs two people: given to a van with one
    van = next(v.key for v in desk.district.network.vehicles.values() if v.key == "lincheng-2")
    refused(desk, {home: stops[1:], van: [stops[0]]}, PlanRejected, "lacks 1 skill")
    # taken off every route
    refused(desk, {home: stops[1:]}, PlanRejected, "taken off every route")
    # nothing moved
    refused(desk, {home: stops}, InvalidInput, "nothing is moved")
    # nobody's plan
    refused(desk, {home: stops}, NotFound, "no plan", plan_id=uuid4())


def test_a_plan_that_bookings_have_overtaken_is_not_edited(desk: Desk, session: Session) -> None:
    wish = desk.another_place()
    a_booking(session, district=desk.district, now=desk.now)
    session.rollback()
    refused(desk, wish, BookingsChanged, "1 new")


def test_a_day_whose_vehicles_are_out_is_not_edited(desk: Desk, session: Session) -> None:
    wish = desk.another_place()
    desk.now += timedelta(days=1)
    refused(desk, wish, Conflict, "are out")
    board = plan_board(desk.plan_id, judges=desk.judges, district=desk.district, session=session, now=desk.now)
    assert "are out" in (board["why_fixed"] or "")


def test_of_two_dispatchers_with_the_same_version_in_hand_the_second_is_told(desk: Desk, session: Session) -> None:
    # given two who saw version 1
    wish = desk.another_place()
    first = desk.keep(wish)
    session.rollback()
    # when the second keeps edits without having seen version 2
    refused(desk, wish, StaleVersion, "newer version than 1")
    # then, having seen it, theirs stands beside it
    assert (first.version, desk.keep(wish, newest=2).version) == (2, 3)


def both_at_once(app: Flask, desk: Desk, wish: Wish) -> list[str]:
    """Two dispatchers keep edits of the same version in the same instant; what each is told."""
    start, told = threading.Barrier(2), []

    def keep() -> None:
        with app.app_context():
            start.wait(timeout=10)
            try:
                plan = edit_plan(
                    desk.plan_id, wish, newest=1, judges=desk.judges, by=DISPATCHER, district=desk.district,
                    session=db.session(), now=desk.now,
                )  # fmt: skip
                told.append(f"version {plan.version}")
            except DomainError as error:
                told.append(error.code)

    threads = [threading.Thread(target=keep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


def test_of_two_who_keep_edits_at_once_one_is_told(app: Flask, desk: Desk, session: Session) -> None:
    assert both_at_once(app, desk, desk.another_place()) == ["stale_version", "version 2"]
    assert desk.count() == 2


def test_control_without_naming_the_version_both_are_kept(
    app: Flask, desk: Desk, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a keeping that takes whatever number is free
    def any_version(_newest: int, *args: Any, **options: Any) -> Plan:
        return store_plan.new_version(*args, **options, run_id=None)[0]

    monkeypatch.setattr(module, "version_after", any_version)
    # then the second passes over the first unseen
    assert both_at_once(app, desk, desk.another_place()) == ["version 2", "version 3"]


def test_a_few_plans_are_held_and_a_blanked_one_is_not(desk: Desk, session: Session, now: datetime) -> None:
    plans = [a_plan(session, district=desk.district, now=now).id for _ in range(MOST_HELD + 1)]
    for plan_id in plans:
        judge_edits(plan_id, {}, judges=desk.judges, session=session)
    assert len(desk.judges._held) == MOST_HELD
    session.rollback()
    session.execute(Plan.__table__.update().where(Plan.id == plans[-1]).values(blanked_at=now))  # type: ignore[attr-defined]  # a table
    session.commit()
    with pytest.raises(NotFound, match="blanked"):
        judge_edits(plans[-1], {}, judges=desk.judges, session=session)
    assert plans[-1] not in desk.judges._held
