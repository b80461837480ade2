"""What is said of booked items: their condition, the wiping of their data, what they may bring, how to prepare them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from recycling.policy.district import District
from tests.builders import TOMORROW, a_wish_body
from tests.callers import Caller, Callers

PHONE = {"item_type": "phone-mobile", "quantity": 2}


def book(caller: Caller, *items: dict[str, Any]) -> Any:
    """Book these items."""
    return caller.post("/bookings", a_wish_body(items=list(items)))


# --- condition and consent ---


def test_condition_and_consent_are_kept_and_shown(callers: Callers) -> None:
    resident = callers.resident()
    made = book(
        resident, PHONE | {"wipe_consent": True, "condition": "repairable"}, {"item_type": "fan", "quantity": 1}
    )
    assert made.status_code == 201, made.text
    fan, phone = resident.get(made.headers["Location"]).get_json()["items"]
    assert (phone["condition"], phone["wipe_terms"], phone["wipe_consent_by"]) == (
        "repairable", "2023-1", str(resident.id)
    )  # fmt: skip
    at = datetime.fromisoformat(phone["wipe_consent_at"])
    assert abs((at - datetime(2026, 11, 23, 2, 0, tzinfo=UTC)).total_seconds()) < 60
    assert (fan["condition"], fan["wipe_terms"], fan["wipe_consent_at"], fan["wipe_consent_by"]) == (
        "unknown", None, None, None
    )  # fmt: skip


def test_data_is_not_fetched_without_consent_and_the_refusal_says_what_it_means(callers: Callers) -> None:
    resident = callers.resident()
    for item in (PHONE, PHONE | {"wipe_consent": False}):
        refused = book(resident, item)
        assert (refused.status_code, refused.get_json()["code"]) == (422, "invalid_input")
        for word in ("Scope:", "Method:", "Effect:", "范围：", "方式：", "效果：", "Set wipe_consent to true"):
            assert word in refused.get_json()["detail"]
    assert resident.get("/bookings").get_json()["bookings"] == []
    # a fridge has none
    assert book(resident, {"item_type": "fridge", "quantity": 1, "wipe_consent": True}).status_code == 422


def test_a_consent_outlives_a_change_of_the_window_and_is_asked_again_for_new_items(callers: Callers) -> None:
    resident = callers.resident()
    made = book(resident, PHONE | {"wipe_consent": True, "condition": "scrap"})
    path, (before,) = made.headers["Location"], made.get_json()["items"]
    moved = resident.patch(path, {"pickup_window": "13-15"}, version=1)
    assert moved.status_code == 200, moved.text
    assert moved.get_json()["items"] == [before]
    refused = resident.patch(path, {"items": [{"item_type": "computer-desktop", "quantity": 1}]}, version=2)
    assert refused.status_code == 422
    assert resident.get(path).get_json()["items"] == [before]


def test_staff_who_book_for_a_resident_stand_for_the_consent(callers: Callers) -> None:
    resident, dispatcher = callers.resident(), callers.staff("dispatcher")
    wish = a_wish_body(items=[PHONE | {"wipe_consent": True}], resident_id=str(resident.id), consent="phone")
    made = dispatcher.post("/bookings", wish)
    assert made.get_json()["items"][0]["wipe_consent_by"] == str(dispatcher.id)


# --- estimates ---


def test_anybody_may_ask_what_items_bring_and_nothing_of_it_is_kept(app: Flask, session: Session) -> None:
    body = {
        "items": [
            {"item_type": "fridge", "quantity": 2, "condition": "scrap"},
            {"item_type": "chair-dining", "quantity": 4},
            {"item_type": "phone-mobile", "quantity": 1},
        ],
        "floor": 3,
    }
    answer = app.test_client().post("/price-estimates", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.get_json()
    fridge, chair, phone = found["items"]
    # 2 x 20 to 60 yuan, and for each fridge two storeys of 0 to 10 yuan
    assert (fridge["low_fen"], fridge["high_fen"]) == (2 * 2_000 - 4 * 1_000, 2 * 6_000)
    assert "estimate" in fridge["reasons"][0]["source"]
    assert (chair["low_fen"], chair["reasons"][0]["code"]) == (None, "no_estimate")
    # a phone of unknown condition: from scrap (1 yuan) to working (500)
    assert (phone["low_fen"], phone["high_fen"]) == (100, 50_000)
    assert (found["low_fen"], found["high_fen"], found["complete"]) == (100, 62_000, False)
    assert [reason["code"] for reason in found["reasons"]] == ["only_an_estimate", "incomplete"]
    # and what to prepare comes along
    cold, _, data = found["preparation"]
    assert (cold["steps"][0]["key"], cold["steps"][0]["hours_before"]) == ("empty-and-unplug-cold", 24)
    assert [row["key"] for row in cold["hazards"]] == ["refrigerant"]
    assert cold["wipe_terms"] is None
    assert data["wipe_terms"]["key"] == "2023-1"
    assert {"back-up", "sign-out", "take-out-cards"} <= {step["key"] for step in data["steps"]}


def test_an_estimate_refuses_what_a_booking_would(app: Flask) -> None:
    client = app.test_client()
    for items, says in (
        ([{"item_type": "spaceship", "quantity": 1}], "not in the catalogue"),
        ([{"item_type": "fridge", "quantity": 3}], "book 1 to 2"),
        ([{"item_type": "fridge", "quantity": 1}] * 2, "comes twice"),
        ([{"item_type": "fridge", "quantity": 1, "dismantle": True}], "not offered"),
        ([{"item_type": "fridge", "quantity": 1, "condition": "fine"}], "condition"),
        ([], "items"),
    ):
        answer = client.post("/price-estimates", json={"items": items})
        assert answer.status_code == 422, answer.text
        assert says in answer.get_json()["detail"]


# --- preparation ---


def test_a_bookings_preparation_is_that_of_its_items_and_day(callers: Callers) -> None:
    resident = callers.resident()
    made = book(resident, {"item_type": "washer-drum", "quantity": 1}, {"item_type": "stove", "quantity": 1})
    found = resident.get(f"{made.headers['Location']}/preparation").get_json()
    assert found["day"] == TOMORROW.isoformat()
    by_type = {item["item_type"]: item for item in found["items"]}
    assert [step["key"] for step in by_type["washer-drum"]["steps"]] == ["drain-washer", "transport-bolts"]
    assert [row["key"] for row in by_type["stove"]["hazards"]] == ["gas"]
    assert callers.resident().get(f"{made.headers['Location']}/preparation").status_code == 404


def test_every_appliance_has_something_to_prepare_and_every_data_bearing_type_a_back_up(district: District) -> None:
    for kind in district.catalogue.valid_on(TOMORROW):
        keys = {step.key for step in district.preparation.advice(kind, on=TOMORROW).steps}
        assert keys or kind.group == "furniture", kind.key
        assert kind.data_bearing == ("back-up" in keys), kind.key
