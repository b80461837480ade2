"""The collector's route list over HTTP: their own, in sequence, and of people no more than it takes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.units import instant_at
from tests.builders import TOMORROW, a_wish_body
from tests.callers import Caller, Callers
from tests.field_events import an_event
from tests.planned_days import a_published_plan, driver_of

PHONE = "13912345678"
DOOR = "清泉路 1 号 2 单元 301"


def body(answer: Any) -> Any:
    """The JSON of an answer that must be a success."""
    assert answer.status_code == 200, answer.text
    return answer.json


def pickups(route: dict[str, Any]) -> list[dict[str, Any]]:
    """The pickups of a route in sequence."""
    return [step["pickup"] for step in route["steps"] if step["kind"] == "pickup"]


@pytest.fixture
def booked(session: Session, callers: Callers, district: District, now: datetime) -> list[str]:
    """A fridge, a freezer and a sofa of one resident at one door tomorrow, published; their booking ids."""
    resident, made = callers.resident(PHONE), []
    for kind in ("fridge", "freezer", "sofa-three"):
        wish = a_wish_body(
            floor=3, note="门禁 4321", pickup_window="all-day", items=[{"item_type": kind, "quantity": 1}]
        )
        made.append(resident.post("/bookings", wish).get_json()["id"])
    a_published_plan(session, district=district, now=now)
    return made


def the_driver(session: Session, callers: Callers, booking_id: str) -> Caller:
    """The collector whose route a booking is on."""
    key = driver_of(session, UUID(booking_id))
    session.rollback()
    return callers.staff("collector", collector_key=key)


def test_the_list_leads_through_the_day_in_sequence(session: Session, callers: Callers, booked: list[str]) -> None:
    collector = the_driver(session, callers, booked[0])
    route = body(collector.get(f"/my-route?day={TOMORROW}"))
    # then it starts and ends at a station, in ascending time, and the door is where the plan says
    steps = route["steps"]
    assert [steps[0]["kind"], steps[-1]["kind"]] == ["start", "end"]
    assert steps[0]["station"]["key"] == steps[-1]["station"]["key"]
    assert [step["start_s"] for step in steps] == sorted(step["start_s"] for step in steps)
    assert [step["position"] for step in steps] == list(range(len(steps)))
    assert {one["booking_id"] for one in pickups(route)} == set(booked)
    # with clock, window, names, floor and masses
    step = next(step for step in steps if step["kind"] == "pickup")
    assert step["arrival"] == f"{step['arrival_s'] // 3600:02d}:{step['arrival_s'] % 3600 // 60:02d}"
    one = step["pickup"]
    # and what its goods bring at most, by which the app knows what proof to ask for; where it is, not before the day
    assert one["high_fen"] > 0
    assert step["point"] is None
    assert steps[0]["point"] is not None
    assert (one["window"]["name_zh"], one["window"]["name_en"]) == ("全天", "All day")
    names = {(item["name_zh"], item["name_en"]) for step in pickups(route) for item in step["items"]}
    assert names == {("电冰箱", "Refrigerator"), ("冷柜", "Freezer"), ("三人沙发", "Three-seat sofa")}
    assert (one["floor"], one["has_lift"], one["village_name_zh"]) == (3, False, "清泉社区居委会")
    # 40.8 kg and 800 l, 44.1 kg and 800 l, 60 kg and 1,800 l
    assert (route["totals"]["declared_g"], route["totals"]["declared_l"]) == (144_900, 3_400)
    assert (route["totals"]["pickups"], route["totals"]["open"], route["plan"]["version"]) == (3, 3, 1)


def test_before_the_day_nothing_names_a_door_or_a_phone(session: Session, callers: Callers, booked: list[str]) -> None:
    collector = the_driver(session, callers, booked[0])
    answer = collector.get(f"/my-route?day={TOMORROW}")
    for one in pickups(body(answer)):
        assert (one["phone"], one["phone_in_full"]) == ("139****5678", False)
        assert (one["address"], one["address_in_full"], one["note"]) == ("清泉路 …", False, "")
    for secret in (PHONE, "单元 301", "4321", "117.26,34.8,"):
        assert secret not in answer.text


def test_on_the_day_doors_are_whole_and_phones_of_the_current_and_next_pickup_only(
    session: Session, callers: Callers, booked: list[str]
) -> None:
    with time_machine.travel(instant_at(TOMORROW, 9 * 3600), tick=True):
        collector = the_driver(session, callers, booked[0])
        # today is the default
        route = body(collector.get("/my-route"))
        assert route["day"] == TOMORROW.isoformat()
        first, second, third = pickups(route)
        assert {one["address"] for one in (first, second, third)} == {DOOR}
        assert first["note"] == "门禁 4321"
        assert [one["phone"] for one in (first, second, third)] == [PHONE, PHONE, "139****5678"]
        # the link leads to the booked point, longitude first, and names nobody
        assert {tuple(step["point"]) for step in route["steps"] if step["pickup"]} == {(34.8, 117.26)}
        link = next(step["navigation_url"] for step in route["steps"] if step["kind"] == "pickup")
        assert link.startswith("https://uri.amap.com/navigation?to=117.26,34.8,")
        assert link.endswith("&mode=car&coordinate=wgs84")
        # when nobody opens at the first door
        reason = {"reason": "nobody_home"}
        event = an_event(first["booking_id"], "failed", payload=reason, device_time="2026-11-24T09:00:00+08:00")
        assert body(collector.post("/field-events", {"events": [event]}))["events"][0]["answer"] == "accepted"
        # then its phone is hidden again, and the third one's shown
        later = body(collector.get("/my-route"))
        assert [one["phone_in_full"] for one in pickups(later)] == [False, True, True]
        assert (pickups(later)[0]["state"], later["totals"]["open"]) == ("failed", 2)
    # when the day is over, all is masked again
    with time_machine.travel(instant_at(TOMORROW, 25 * 3600), tick=True):
        mate = callers.staff("collector", collector_key=route["crew"][1]["key"])
        past = body(mate.get(f"/my-route?day={TOMORROW}"))
        assert not any(one["phone_in_full"] or one["address_in_full"] or one["note"] for one in pickups(past))


def test_each_of_the_crew_sees_the_route_and_nobody_else(
    session: Session, callers: Callers, district: District, booked: list[str]
) -> None:
    # given a vehicle with a crew of two: fridges are lifted by two
    driver = driver_of(session, UUID(booked[0]))
    session.rollback()
    vehicle = district.network.collectors[driver].vehicle_key
    crew = [one.key for one in district.network.crew_of(vehicle)]
    assert len(crew) == 2
    for key in crew:
        seen = body(callers.staff("collector", collector_key=key).get(f"/my-route?day={TOMORROW}"))
        assert {one["booking_id"] for one in pickups(seen)} == set(booked)
        assert [one["key"] for one in seen["crew"]] == sorted(crew)
    # when somebody of another vehicle looks, there is nothing
    stranger = callers.staff(
        "collector", collector_key=next(key for key in district.network.collectors if key not in crew)
    )
    empty = body(stranger.get(f"/my-route?day={TOMORROW}"))
    assert (empty["steps"], empty["vehicle_key"], empty["totals"]["pickups"]) == ([], None, 0)
    assert "没有分配给你的路线" in empty["note"]
    # and nobody comes to a door by another way than their list
    assert stranger.get(f"/bookings/{booked[0]}").status_code == 403


def test_a_day_without_a_published_plan_says_so(callers: Callers) -> None:
    route = body(callers.staff("collector").get(f"/my-route?day={TOMORROW}"))
    assert route["steps"] == []
    assert "尚未发布" in route["note"]


def test_only_collectors_have_a_route(callers: Callers) -> None:
    for caller in (callers.resident(), callers.staff("dispatcher"), callers.staff("keeper")):
        assert caller.get("/my-route").status_code == 403
    assert callers.staff("collector").get("/my-route?day=tomorrow").status_code == 422
