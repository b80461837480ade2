"""Handling proposals and weeks in figures over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.policy.handling import item_part
from tests.builders import TOMORROW, a_booking, a_wish_body
from tests.callers import Callers
from tests.handling import a_proposal
from tests.planned_days import a_published_plan

FRIDGE = item_part("fridge")


def body(answer: Any) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json


def test_a_dispatcher_accepts_a_proposal_and_the_next_booking_is_made_with_it(
    session: Session, callers: Callers, now: datetime
) -> None:
    # given an open proposal that fridges take 900 s instead of 720 s
    proposal_id = a_proposal(session, now=now, **{FRIDGE: (720, 900), "travel_bp": (10_000, 12_000)})
    dispatcher, clerk, resident = callers.staff("dispatcher"), callers.staff("clerk"), callers.resident()
    before = body(resident.post("/bookings", a_wish_body(address="清泉路 7 号")))
    # when a clerk reads it and a dispatcher accepts the fridge, twice with one key
    listed = body(clerk.get("/handling-proposals"))
    assert [(row["id"], row["state"]) for row in listed["proposals"]] == [(str(proposal_id), "open")]
    shown = body(clerk.get(f"/handling-proposals/{proposal_id}"))
    assert shown["parameters"][0] == {
        "name": FRIDGE, "name_zh": "电冰箱", "name_en": "Refrigerator", "unit": "s", "sample": 50, "old": 720,
        "new": 900, "low": 890, "high": 910, "kept": None,
    }  # fmt: skip
    assert (shown["decision"], shown["gain"]["service"]["in_sample"]["after_s"]) == (None, 90)
    path, wish = f"/handling-proposals/{proposal_id}/acceptance", {"names": [FRIDGE], "note": "与车组核对过"}
    first, again = (dispatcher.post(path, wish, Idempotency_Key="take-it") for _ in range(2))
    assert body(first) == body(again)
    decided = body(first)
    assert (decided["state"], decided["valid_from"], decided["travel_from"]) == (
        "accepted", str(TOMORROW), None,
    )  # fmt: skip
    # then the next booking of tomorrow takes 300 s and 900 s, and the one before keeps its 1,020 s
    after = body(resident.post("/bookings", a_wish_body(address="清泉路 9 号")))
    assert (before["service_s"], after["service_s"]) == (1_020, 1_200)
    assert body(resident.get(f"/bookings/{before['id']}"))["service_s"] == 1_020
    # and the table of tomorrow says so, today's does not
    values = {row["name"]: row for row in body(clerk.get(f"/handling-table?day={TOMORROW}"))["values"]}
    assert (values[FRIDGE]["configured"], values[FRIDGE]["in_force"]) == (720, 900)
    today = body(clerk.get("/handling-table"))
    assert (today["table_number"], {row["name"]: row["in_force"] for row in today["values"]}[FRIDGE]) == (None, 720)
    # and it is decided
    assert dispatcher.post(path, wish).status_code == 409
    assert body(clerk.get(f"/handling-proposals/{proposal_id}"))["decision"]["accepted"] == [FRIDGE]


def test_a_proposal_is_rejected_with_a_reason(session: Session, callers: Callers, now: datetime) -> None:
    proposal_id = a_proposal(session, now=now, **{FRIDGE: (720, 900)})
    admin = callers.staff("admin")
    path = f"/handling-proposals/{proposal_id}/rejection"
    assert admin.post(path, {}).status_code == 422
    assert body(admin.post(path, {"note": "样本来自雨季"}))["state"] == "rejected"
    assert body(admin.get("/handling-proposals"))["proposals"][0]["state"] == "rejected"


def test_proposals_are_read_page_by_page(session: Session, callers: Callers, now: datetime) -> None:
    ids = {str(a_proposal(session, now=now, **{FRIDGE: (720, 900)})) for _ in range(3)}
    clerk, seen, path = callers.staff("clerk"), set(), "/handling-proposals?limit=2"
    while path:
        page = body(clerk.get(path))
        seen |= {row["id"] for row in page["proposals"]}
        path = page["next_cursor"] and f"/handling-proposals?limit=2&cursor={page['next_cursor']}"
    assert seen == ids


def test_a_dispatcher_reads_the_week_and_a_collector_only_their_own(
    session: Session, callers: Callers, district: District, now: datetime
) -> None:
    # given a planned fridge on the third floor without a lift, tomorrow, a Tuesday of week 48
    a_booking(session, district=district, now=now, floor=3)
    plan = a_published_plan(session, district=district, now=now)
    (route,) = plan.routes
    crew = [rider.collector_key for rider in route.crew]
    begins_s, ends_s = route.stops[0].start_s, route.stops[-1].end_s
    session.rollback()
    # when the dispatcher reads the week
    dispatcher = callers.staff("dispatcher")
    week = body(dispatcher.get("/fairness?week=2026-W48"))
    # then the crew of two is there by the plan: its hours, one stop, half of 40.8 kg and half of two storeys each
    assert (week["first_day"], week["last_day"], week["spread"]) == ("2026-11-23", "2026-11-29", None)
    assert [row["collector_key"] for row in week["collectors"]] == crew
    for row in week["collectors"]:
        assert (row["days"], row["days_recorded"], row["worked_s"]) == (1, 0, ends_s - begins_s)
        assert (row["stops"], row["carried_g"], row["storeys"], row["far_off"]) == (1, 20_400, 1, [])
    table = dispatcher.get("/fairness.csv?week=2026-W48")
    assert table.text.startswith("\ufeffcollector_key,name_zh,days,")
    assert len(table.text.splitlines()) == 1 + len(crew)
    # and a collector sees their own figures, nothing of others
    own = body(callers.staff("collector", collector_key=crew[0]).get("/my-figures?week=2026-W48"))
    assert (own["own"]["stops"], own["median"]) == (1, None)
    idle = next(key for key in district.network.collectors if key not in crew)
    assert body(callers.staff("collector", collector_key=idle).get("/my-figures"))["own"]["days"] == 0


def test_a_week_that_does_not_exist_is_refused(app: Flask, callers: Callers) -> None:
    dispatcher = callers.staff("dispatcher")
    for week in ("2026-W54", "2026-48", "W48", "0000-W01"):
        assert dispatcher.get(f"/fairness?week={week}").status_code == 422, week
