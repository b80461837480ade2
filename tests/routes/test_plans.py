"""Plans over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.routing.check import violations
from recycling.routing.plan import plan_from_json
from recycling.routing.problem import problem_from_json
from tests.builders import TOMORROW, a_booking, a_wish_body
from tests.callers import Callers
from tests.planned_days import a_plan


def body(answer: Any) -> Any:
    """The JSON of an answer that must be a success."""
    assert answer.status_code < 300, answer.text
    return answer.json


def test_a_dispatcher_looks_at_a_plan_publishes_it_and_the_day_is_closed(
    session: Session, callers: Callers, district: District, now: datetime
) -> None:
    # given a resident's booking and a plan of its day
    resident, dispatcher = callers.resident(), callers.staff("dispatcher")
    booking = body(resident.post("/bookings", a_wish_body()))
    plan_id = str(a_plan(session, district=district, now=now).id)
    session.rollback()
    # when the dispatcher looks at it
    shown = body(dispatcher.get(f"/plans/{plan_id}"))
    # then it is a draft with the booking on one route, nothing left out and a cost that adds up
    assert (shown["version"], shown["published_at"], shown["unassigned"]) == (1, None, [])
    steps = [step for route in shown["routes"] for step in route["steps"]]
    assert [step["booking_id"] for step in steps if step["kind"] == "pickup"] == [booking["id"]]
    parts = ("fixed", "travel", "distance", "overtime", "preferences", "skipped")
    assert shown["cost"]["total"] == shown["cost_total"] == sum(shown["cost"][part] for part in parts)
    # when it is published
    published = dispatcher.post(f"/plans/{plan_id}/publication", {"replaces": None})
    assert (published.status_code, published.get_json()["plan_id"]) == (201, plan_id)
    # then it says so, and the day takes no more bookings
    assert body(dispatcher.get(f"/plans/{plan_id}"))["published_at"] is not None
    late = resident.post("/bookings", a_wish_body())
    assert (late.status_code, late.get_json()["code"]) == (409, "window_closed")


def test_the_planners_files_of_a_plan_pass_the_checker_as_they_come(
    session: Session, callers: Callers, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    plan_id = a_plan(session, district=district, now=now).id
    session.rollback()
    dispatcher = callers.staff("dispatcher")
    problem = problem_from_json(body(dispatcher.get(f"/plans/{plan_id}/problem")))
    answer = plan_from_json(body(dispatcher.get(f"/plans/{plan_id}/answer")))
    assert violations(problem, answer) == []
    assert len(problem.stops) == 1


def test_plans_are_listed_latest_first_page_by_page(
    session: Session, callers: Callers, district: District, now: datetime
) -> None:
    # given versions 1 and 2 of tomorrow and version 1 of the day after
    for day in (TOMORROW, TOMORROW + timedelta(days=1), TOMORROW):
        a_plan(session, district=district, now=now, day=day)
    session.rollback()
    dispatcher = callers.staff("dispatcher")
    # when they are read one by one
    seen, path = [], "/plans?limit=1"
    while True:
        page = body(dispatcher.get(path))
        seen += [(plan["day"], plan["version"]) for plan in page["plans"]]
        if page["next_cursor"] is None:
            break
        path = f"/plans?limit=1&cursor={page['next_cursor']}"
    assert seen == [("2026-11-25", 1), ("2026-11-24", 2), ("2026-11-24", 1)]
    # and by day
    assert [plan["version"] for plan in body(dispatcher.get("/plans?day=2026-11-24"))["plans"]] == [2, 1]


def test_a_refused_publication_says_why_and_what_to_do(
    session: Session, callers: Callers, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    plan_id = a_plan(session, district=district, now=now).id
    a_booking(session, district=district, now=now)
    session.rollback()
    dispatcher = callers.staff("dispatcher")
    changed = dispatcher.post(f"/plans/{plan_id}/publication", {"replaces": None})
    assert (changed.status_code, changed.get_json()["code"]) == (409, "bookings_changed")
    assert "1 new" in changed.get_json()["detail"]
    swapped = dispatcher.post(f"/plans/{uuid4()}/publication", {"replaces": None})
    assert swapped.status_code == 404
    for wrong in ({}, {"replaces": "yes"}, {"replaces": None, "plan": str(plan_id)}):
        assert dispatcher.post(f"/plans/{plan_id}/publication", wrong).status_code == 422
    for cursor in ("x", "8J+YgA==", "MjAyNi0xMS0yNHw5OTk5OTk5OTk5OTk5"):
        assert dispatcher.get(f"/plans?cursor={cursor}").status_code == 422


def test_plans_are_for_dispatchers_and_admins_only(
    session: Session, callers: Callers, district: District, now: datetime
) -> None:
    plan_id = a_plan(session, district=district, now=now).id
    session.rollback()
    others = [callers.resident(), *(callers.staff(role) for role in ("collector", "keeper", "clerk"))]
    for caller in others:
        for part in ("", "/problem", "/answer"):
            assert caller.get(f"/plans/{plan_id}{part}").status_code == 403
        assert caller.get("/plans").status_code == 403
        assert caller.post(f"/plans/{plan_id}/publication", {"replaces": None}).status_code == 403
    assert callers.staff("admin").get(f"/plans/{plan_id}").status_code == 200


def test_a_plan_says_from_where_its_travel_times_are(
    session: Session, callers: Callers, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now, lat=34.805, lon=117.265)
    plan_id = a_plan(session, district=district, now=now).id
    session.rollback()
    dispatcher = callers.staff("dispatcher")
    shown, (listed,) = body(dispatcher.get(f"/plans/{plan_id}")), body(dispatcher.get("/plans"))["plans"]
    for one in (shown, listed):
        assert (one["travel_quality"], one["travel_note"]) == ("great_circle", "no_engine")
        # ten stations and a door: 11 places, 11 · 10 ways
        assert one["travel_cells"] == {"live": 0, "cached": 0, "great_circle": 110}
