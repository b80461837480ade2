"""Edits of a plan over HTTP: drawn, judged, kept, compared."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from recycling.policy.district import District
from tests.builders import a_booking, a_wish_body
from tests.callers import Caller, Callers
from tests.planned_days import a_plan


@pytest.fixture
def dispatcher(callers: Callers) -> Caller:
    return callers.staff("dispatcher")


@pytest.fixture
def plan_id(session: Session, district: District, now: datetime) -> str:
    for _ in range(2):
        a_booking(session, district=district, now=now)
    found = str(a_plan(session, district=district, now=now).id)
    session.rollback()
    return found


def body(answer: Any) -> Any:
    """The JSON of an answer that must be a success."""
    assert answer.status_code < 300, answer.text
    return answer.json


def moved(dispatcher: Caller, plan_id: str) -> list[dict[str, Any]]:
    """The first stop of the plan's first route at the best place of another vehicle."""
    board = body(dispatcher.get(f"/plans/{plan_id}/board"))
    rows = {r["vehicle_key"]: [s["booking_id"] for s in r["steps"] if s["booking_id"]] for r in board["routes"]}
    home, stops = next(iter(rows.items()))
    places = body(dispatcher.post(f"/plans/{plan_id}/places", {"routes": [], "booking_id": stops[0]}))["places"]
    other = next(place for place in places if place["vehicle_key"] != home)
    row = list(rows.get(other["vehicle_key"], []))
    row.insert(other["position"], stops[0])
    return [
        {"vehicle_key": home, "booking_ids": stops[1:]},
        {"vehicle_key": other["vehicle_key"], "booking_ids": row},
    ]


def test_a_move_is_judged_kept_and_compared(dispatcher: Caller, plan_id: str) -> None:
    # given a board without anybody's name, phone or address
    board = body(dispatcher.get(f"/plans/{plan_id}/board"))
    assert (board["version"], board["newest_version"], board["why_fixed"]) == (1, 1, None)
    assert len(board["stops"]) == 2
    assert not any(word in json.dumps(board, ensure_ascii=False) for word in ("清泉路", "phone", "resident"))
    # when a move is judged
    routes = moved(dispatcher, plan_id)
    verdict = body(dispatcher.post(f"/plans/{plan_id}/verdicts", {"routes": routes}))
    # then it keeps the rules, tells its price, and shows the changed routes
    assert (verdict["keeps_the_rules"], verdict["violations"], verdict["left_out"]) == (True, [], [])
    assert verdict["cost"]["total"] == board["cost"]["total"] + verdict["added_cost"]
    assert {route["vehicle_key"] for route in verdict["routes"]} <= {route["vehicle_key"] for route in routes}
    # when it is kept, twice by the same request
    answers = [
        dispatcher.post(f"/plans/{plan_id}/edits", {"routes": routes}, If_Match='"1"', Idempotency_Key="once")
        for _ in range(2)
    ]
    # then it is one new draft
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    made = body(answers[0])
    assert (made["version"], made["published_at"]) == (2, None)
    compared = body(dispatcher.get(f"/plans/{made['id']}/differences"))
    assert [visit["kind"] for visit in compared["visits"] if visit["kind"] == "moved"] == ["moved"]
    # and whoever still sees version 1 as the newest is told
    stale = dispatcher.post(f"/plans/{plan_id}/edits", {"routes": routes}, If_Match='"1"')
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")  # type: ignore[index]  # it is JSON


def test_an_open_board_hears_what_became_of_its_day(dispatcher: Caller, plan_id: str) -> None:
    # given a plan that is still the newest one of its day
    news = body(dispatcher.get(f"/plans/{plan_id}/news"))
    assert (news["newest"]["id"], news["published"]) == (plan_id, None)
    # when somebody keeps and publishes another version
    routes = moved(dispatcher, plan_id)
    made = body(dispatcher.post(f"/plans/{plan_id}/edits", {"routes": routes}, If_Match='"1"'))["id"]
    body(dispatcher.post(f"/plans/{made}/publication", {"replaces": None}))
    # then both are told
    news = body(dispatcher.get(f"/plans/{plan_id}/news"))
    assert (news["newest"]["version"], news["published"]["id"]) == (2, made)
    assert news["published"]["published_at"] is not None
    # and a plan that nobody made is not there
    assert [dispatcher.get(f"/plans/{UUID(int=1)}/{of}").status_code for of in ("news", "changes")] == [404, 404]


def test_an_open_board_hears_of_bookings_that_its_plan_does_not_know(
    dispatcher: Caller, plan_id: str, session: Session, district: District, now: datetime
) -> None:
    assert body(dispatcher.get(f"/plans/{plan_id}/changes")) == {"changes": None}
    a_booking(session, district=district, now=now)
    session.rollback()
    changes = body(dispatcher.get(f"/plans/{plan_id}/changes"))["changes"]
    assert changes == {"zh": "新增 1、减少 0、更改 0", "en": "1 new, 0 gone, 0 changed"}


def test_a_published_plan_that_a_pickup_has_left_says_that_edits_are_refused_and_they_are(
    dispatcher: Caller, plan_id: str
) -> None:
    # given the published plan of two bookings, one of which is withdrawn
    body(dispatcher.post(f"/plans/{plan_id}/publication", {"replaces": None}))
    routes = moved(dispatcher, plan_id)
    gone = body(dispatcher.get(f"/plans/{plan_id}/board"))["stops"][0]["booking_id"]
    body(dispatcher.post(f"/bookings/{gone}/cancellation", If_Match='"1"'))
    # then its board is told before anything is kept, in the words of the refusal
    changes = body(dispatcher.get(f"/plans/{plan_id}/changes"))["changes"]
    refused = dispatcher.post(f"/plans/{plan_id}/edits", {"routes": routes}, If_Match='"1"')
    assert (refused.status_code, refused.json["code"]) == (409, "bookings_changed")  # type: ignore[index]  # it is JSON
    assert changes["zh"] == "新增 0、减少 1、更改 0"
    assert changes["zh"] in refused.text


def test_what_breaks_is_said_in_both_languages_and_refused(dispatcher: Caller, plan_id: str) -> None:
    board = body(dispatcher.get(f"/plans/{plan_id}/board"))
    home = board["routes"][0]["vehicle_key"]
    stops = [s["booking_id"] for s in board["routes"][0]["steps"] if s["booking_id"]]
    # given a fridge on a van with one person
    routes = [{"vehicle_key": home, "booking_ids": stops[1:]}, {"vehicle_key": "lincheng-2", "booking_ids": stops[:1]}]
    verdict = body(dispatcher.post(f"/plans/{plan_id}/verdicts", {"routes": routes}))
    assert verdict["keeps_the_rules"] is False
    (one,) = [v for v in verdict["violations"] if v["cause"] == "missing_skill"]
    assert (one["vehicle_key"], one["booking_id"], one["zh"]) == ("lincheng-2", stops[0], "班组缺少 1 项技能/资质")
    refused = dispatcher.post(f"/plans/{plan_id}/edits", {"routes": routes}, If_Match='"1"')
    assert (refused.status_code, refused.json["code"]) == (409, "plan_rejected")  # type: ignore[index]  # it is JSON


@pytest.mark.parametrize(
    ("routes", "word"),
    [
        ([{"vehicle_key": "nobody", "booking_ids": []}], "nobody"),
        ([{"vehicle_key": "lincheng-1", "booking_ids": []}] * 2, "twice"),
        ([{"vehicle_key": "lincheng-1", "booking_ids": ["b-1"]}], "routes"),
        ([{"vehicle_key": "lincheng-1"}], "routes"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused(
    dispatcher: Caller, plan_id: str, routes: list[dict[str, Any]], word: str
) -> None:
    for name in ("verdicts", "edits"):
        answer = dispatcher.post(f"/plans/{plan_id}/{name}", {"routes": routes}, If_Match='"1"')
        assert answer.status_code == 422, answer.text
        assert word in answer.text


def test_versions_of_two_days_are_not_compared(
    dispatcher: Caller, plan_id: str, session: Session, district: District, now: datetime
) -> None:
    # a first version has none before it
    assert dispatcher.get(f"/plans/{plan_id}/differences").status_code == 404
    other = a_plan(session, district=district, now=now, day=datetime.fromisoformat("2026-11-25").date()).id
    session.rollback()
    assert dispatcher.get(f"/plans/{plan_id}/differences?other={other}").status_code == 422


def test_the_wish_body_of_the_builders_is_a_fridge() -> None:
    # what the tests above rest on: two people lift it
    assert a_wish_body()["items"] == [{"item_type": "fridge", "quantity": 1}]
