"""Slot offers and holds over HTTP: from a wish to a kept place, and everybody who may not have it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from recycling.errors import WindowFull
from recycling.models.ledger import close_day
from recycling.models.transaction import atomic
from recycling.policy.access import STAFF_ROLES
from recycling.policy.district import District
from recycling.usecases.bookings.book_pickup import HOLD
from recycling.usecases.bookings.offer_slots import OFFERED_FOR
from tests.builders import TOMORROW, a_booking, a_wish_body
from tests.callers import Caller, Callers
from tests.conftest import NOW
from tests.invariants import assert_invariants
from tests.linked_wishes import two_crews
from tests.places import ROOM_OF_TRUCK, fill, one_truck, visits
from tests.routes.bad_requests import Bad, Counter, check

Json = dict[str, Any]


def a_question(**overrides: Any) -> Json:
    """A wish without day and window, as slots are asked for."""
    return {key: value for key, value in a_wish_body(**overrides).items() if key not in ("day", "pickup_window")}


def offers(caller: Caller, **overrides: Any) -> list[Json]:
    """The days that the caller is offered."""
    answer = caller.post("/slot-offers", a_question(**overrides))
    assert answer.status_code == 200, answer.text
    days: list[Json] = answer.get_json()["days"]
    return days


def a_hold_body(caller: Caller, *, window: str = "08-10", day: int = 0, **overrides: Any) -> Json:
    """What holds an offered window: the wish as it was asked about, with the day, the window and their token."""
    offered = offers(caller)[day]
    (slot,) = [one for one in offered["windows"] if one["pickup_window"] == window]
    chosen = {"day": offered["day"], "pickup_window": window, "hold_token": slot["hold_token"]}
    return a_question() | chosen | overrides


def a_hold(caller: Caller, **overrides: Any) -> Json:
    """A hold of the caller's."""
    made = caller.post("/holds", a_hold_body(caller, **overrides))
    assert made.status_code == 201, made.text
    held: Json = made.get_json()
    return held


# --- from a wish to a booking ---


def test_a_resident_asks_holds_confirms_and_has_a_booking(callers: Callers, session: Session) -> None:
    resident = callers.resident()
    # when they ask where a fridge can be fetched
    days = offers(resident)
    # then every bookable day is there, and tomorrow each window is offered, with what it costs
    assert [day["day"] for day in days] == resident.get("/pickup-windows").get_json()["days"]
    first = days[0]["windows"][0]
    assert {one["offered"] for one in days[0]["windows"]} == {True}
    assert (first["pickup_window"], first["why_not"]) == ("08-10", None)
    # the door is the station's own: its truck is there as soon as it goes out, at eight, and drives no second for it;
    # it stays at home otherwise, so that nobody is near yet
    assert (first["arrival_s"], first["added_min"], first["greenest"], first["near"]) == (28_800, 0, True, False)
    # when they hold the first window
    made = resident.post("/holds", a_hold_body(resident))
    assert made.status_code == 201, made.text
    held = made.get_json()
    # then it is kept for ten minutes, to be seen by its id, and no booking yet
    assert held["state"] == "held"
    until = datetime.fromisoformat(held["held_until"])
    assert timedelta(0) <= until - (NOW + HOLD) < timedelta(minutes=2)  # since the clock ran while they chose
    shown = resident.get(made.headers["Location"]).get_json()
    assert shown == shown | held
    assert resident.get("/bookings").get_json()["bookings"] == []
    assert list(visits(session)) == [held["id"]]
    session.rollback()
    # when they confirm it, it is a booking of the same id
    confirmed = resident.post(f"/holds/{held['id']}/confirmation")
    assert confirmed.status_code == 201, confirmed.text
    assert confirmed.headers["Location"] == f"/bookings/{held['id']}"
    booking = resident.get(f"/bookings/{held['id']}").get_json()
    assert booking == booking | confirmed.get_json()
    assert (booking["state"], booking["held_until"], booking["consent"]) == ("booked", None, None)
    assert [row["id"] for row in resident.get("/bookings").get_json()["bookings"]] == [held["id"]]
    # and another neighbour's visit would be near anyway
    assert offers(callers.resident(), lat=34.801)[0]["windows"][0]["near"]
    assert_invariants(session)


def test_repeats_under_one_key_get_the_same_answer_and_another_body_is_refused(callers: Callers) -> None:
    resident = callers.resident()
    body = a_hold_body(resident)
    first, again = (resident.post("/holds", body, Idempotency_Key="h") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert again.headers["Idempotent-Replayed"] == "true"
    other = resident.post("/holds", a_hold_body(resident, window="10-12"), Idempotency_Key="h")
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_mismatch")
    # and so with the confirmation, which a second one under a new key is told has happened
    path = f"/holds/{first.get_json()['id']}/confirmation"
    first, again = (resident.post(path, Idempotency_Key="c") for _ in range(2))
    assert (first.status_code, again.status_code, first.data) == (201, 201, again.data)
    twice = resident.post(path)
    assert (twice.status_code, twice.get_json()["code"]) == (409, "conflict")
    assert len(resident.get("/bookings").get_json()["bookings"]) == 1


def test_a_hold_given_up_frees_its_place_however_often_it_is_given_up(callers: Callers, session: Session) -> None:
    resident = callers.resident()
    held = a_hold(resident)
    for _ in range(2):
        gone = resident.call("DELETE", f"/holds/{held['id']}")
        assert (gone.status_code, gone.data) == (204, b"")
    assert visits(session) == {}
    session.rollback()
    assert resident.post(f"/holds/{held['id']}/confirmation").status_code == 404
    # a booking is not given up like a hold
    booked = a_hold(resident)
    resident.post(f"/holds/{booked['id']}/confirmation")
    kept = resident.call("DELETE", f"/holds/{booked['id']}")
    assert (kept.status_code, kept.get_json()["code"]) == (409, "conflict")
    assert "cancel the booking" in kept.get_json()["detail"]
    assert_invariants(session)


def test_a_hold_and_an_offer_end_with_their_time(callers: Callers) -> None:
    resident = callers.resident()
    body = a_hold_body(resident)
    held = a_hold(resident)
    with time_machine.travel(NOW + HOLD + timedelta(seconds=30), tick=True):
        late = resident.post(f"/holds/{held['id']}/confirmation")
        assert (late.status_code, late.get_json()["code"]) == (409, "hold_lapsed")
    with time_machine.travel(NOW + OFFERED_FOR + timedelta(seconds=30), tick=True):
        resident = callers.resident("13900000077")  # a sign-in lasts a quarter of an hour
        # the token is another caller's, and says so before it says that it is old
        assert resident.post("/holds", body).status_code == 422


def test_an_old_offer_is_asked_for_again(callers: Callers) -> None:
    with time_machine.travel(NOW - OFFERED_FOR, tick=False):
        body = a_hold_body(callers.resident("13900000088"))
    resident = callers.resident("13900000088")
    late = resident.post("/holds", body)
    assert (late.status_code, late.get_json()["code"]) == (409, "hold_lapsed")
    assert "ask for windows again" in late.get_json()["detail"]


# --- who ---


def test_staff_hold_for_the_resident_they_name_and_note_the_consent(callers: Callers) -> None:
    resident, dispatcher = callers.resident(), callers.staff("dispatcher")
    body = a_hold_body(dispatcher) | {"resident_id": str(resident.id)}
    unasked = dispatcher.post("/holds", body)
    assert (unasked.status_code, unasked.get_json()["code"]) == (422, "invalid_input")
    assert "consent is missing" in unasked.get_json()["detail"]
    made = dispatcher.post("/holds", body | {"consent": "visit"})
    assert made.status_code == 201, made.text
    assert (made.get_json()["resident_id"], made.get_json()["consent"]) == (str(resident.id), "visit")
    # it is the resident's, who may confirm it
    assert resident.post(f"/holds/{made.get_json()['id']}/confirmation").status_code == 201


def test_others_are_not_let_in(app: Flask, callers: Callers) -> None:
    calls = (
        ("POST", "/slot-offers", a_question()), ("POST", "/holds", a_wish_body()),
        ("POST", f"/holds/{uuid4()}/confirmation", None), ("DELETE", f"/holds/{uuid4()}", None),
        ("GET", "/pickup-windows", None),
    )  # fmt: skip
    others = [callers.staff(role) for role in STAFF_ROLES if role not in ("dispatcher", "admin")]
    assert len(others) == 3
    for method, path, body in calls:
        assert app.test_client().open(path, method=method, json=body).status_code == 401
        for other in others:
            assert other.call(method, path, body).status_code == 403, (method, path, other.role)


def test_a_foreign_hold_is_as_absent_and_stays(callers: Callers, session: Session) -> None:
    owner, stranger = callers.resident(), callers.resident()
    held = a_hold(owner)
    for hold_id in (held["id"], uuid4()):
        answer = stranger.post(f"/holds/{hold_id}/confirmation")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
        assert stranger.get(f"/bookings/{hold_id}").status_code == 404
        # giving up what is not there changes nothing, whosever it is
        assert stranger.call("DELETE", f"/holds/{hold_id}").status_code == 204
    assert list(visits(session)) == [held["id"]]
    session.rollback()
    # an offer is its caller's too
    borrowed = stranger.post("/holds", a_hold_body(owner))
    assert (borrowed.status_code, borrowed.get_json()["code"]) == (422, "invalid_input")
    assert owner.post(f"/holds/{held['id']}/confirmation").status_code == 201


def test_a_hold_is_no_booking_to_change_or_cancel(callers: Callers) -> None:
    resident = callers.resident()
    held = a_hold(resident)
    assert resident.patch(f"/bookings/{held['id']}", {"floor": 2}, version=1).status_code == 404
    assert resident.post(f"/bookings/{held['id']}/cancellation", If_Match='"1"').status_code == 404


# --- what ---


def test_bad_questions_and_holds_are_refused_by_value(resident: Counter) -> None:
    def asked(*says: str, **overrides: Any) -> Bad:
        return Bad(path="/slot-offers", body=a_question(**overrides), says=says)

    good = a_hold_body(resident.caller)

    def held(*says: str, **overrides: Any) -> Bad:
        return Bad(path="/holds", body=good | overrides, says=says)

    resident.refuse(
        [
            asked("'piano'", "choose a key of the catalogue", items=[{"item_type": "piano", "quantity": 1}]),
            asked("items is a list of 0", items=[]),
            asked("'370403999999'", "GET /villages", village_code="370403999999"),
            asked("look exchanged; send lat=34.8, lon=117.26", lat=117.26, lon=34.8),
            asked("colour", "Unknown field", colour="red"),
            Bad(path="/slot-offers", body=a_wish_body(), says=("day", "pickup_window", "Unknown field")),
            held("hold_token", hold_token=""),
            held("hold_token", hold_token="x" * 65),
            held("hold_token is not for this wish", "send them as they were offered", hold_token="A" * 28),
            held("hold_token is not for this wish", pickup_window="15-17"),
            held("hold_token is not for this wish", day="2026-11-25"),
            held("hold_token is not for this wish", day="0001-01-01"),
            held("hold_token is not for this wish", day="9999-12-31"),
            held("hold_token is not for this wish", floor=9),
            Bad(path="/holds", body=a_wish_body(), says=("hold_token",)),
        ]
    )
    for path in ("/slot-offers", "/holds"):
        check(Bad(path=path, status=400, code="bad_request"), resident.send(Bad(path=path, body=b"{")))


def test_a_window_taken_since_it_was_offered_is_full(
    app: Flask, callers: Callers, session: Session, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the last place of a window, offered to somebody and booked by somebody else
    small = one_truck(district)
    monkeypatch.setitem(app.extensions, "district", small)
    fill(session, district=small, now=NOW, count=ROOM_OF_TRUCK - 1)
    resident = callers.resident()
    body = a_hold_body(resident)
    a_booking(session, district=small, now=NOW)
    session.rollback()
    late = resident.post("/holds", body)
    assert (late.status_code, late.get_json()["code"]) == (409, "window_full")
    # and now it is not offered, with the reason and what opens it, unless the caller does not want to hear that
    shown = offers(resident)[0]["windows"][0]
    assert (shown["offered"], shown["hold_token"], shown["arrival_s"]) == (False, None, None)
    why = shown["why_not"]
    assert why["zh"]
    assert why["en"]
    # nearest first: the whole day begins when the window does
    assert [(one["kind"], one["pickup_window"], one["day"]) for one in why["changes"][:2]] == [
        ("window", "all-day", "2026-11-24"),
        ("window", "10-12", "2026-11-24"),
    ]
    # with the wish as it then is: another window asks for nothing less
    assert [(one["floor"], [item["item_type"] for item in one["items"]]) for one in why["changes"][:2]] == [
        (1, ["fridge"]),
        (1, ["fridge"]),
    ]
    assert offers(resident, explain=False)[0]["windows"][0]["why_not"] is None
    # what opens it does
    opening = why["changes"][0]["pickup_window"]
    assert a_hold(resident, window=opening)["pickup_window"] == opening
    with pytest.raises(WindowFull):
        a_booking(session, district=small, now=NOW)


def test_a_day_whose_routes_are_planned_is_offered_as_closed(callers: Callers, session: Session) -> None:
    resident = callers.resident()
    held, body = a_hold(resident), a_hold_body(resident)
    with atomic(session):
        close_day(session, TOMORROW, now=NOW)
    first, second = offers(resident)[:2]
    assert (first["day"], first["closed"], first["windows"]) == ("2026-11-24", True, [])
    assert not second["closed"]
    for late in (resident.post("/holds", body), resident.post(f"/holds/{held['id']}/confirmation")):
        assert (late.status_code, late.get_json()["code"]) == (409, "window_closed")


# --- several visits ---


def test_what_no_single_crew_can_do_is_shown_beforehand_and_is_one_booking(
    app: Flask, callers: Callers, session: Session, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "district", two_crews(district))
    resident, other = callers.resident(), callers.resident()
    items = [
        {"item_type": "ac-split", "quantity": 1, "dismantle": True},
        {"item_type": "water-heater-gas", "quantity": 1, "dismantle": True},
    ]
    # when they ask, each day says how many visits it takes, which items go apart and why
    days = offers(resident, items=items)
    assert {day["visits"] for day in days} == {2}
    assert "燃气热水器 × 1（燃气拆移车组）" in days[0]["apart_zh"]
    assert "no single crew" in days[0]["apart_en"]
    assert [(day["visits"], day["apart_zh"]) for day in offers(resident)[:1]] == [(1, None)]
    # when they hold a window, one token keeps both places
    slot = days[0]["windows"][0]
    body = a_question(items=items) | {
        "day": days[0]["day"], "pickup_window": slot["pickup_window"], "hold_token": slot["hold_token"],
    }  # fmt: skip
    made = resident.post("/holds", body)
    assert made.status_code == 201, made.text
    held = made.get_json()
    assert held["part_of"] is None
    assert held["visits"][0]["id"] == held["id"]
    assert sorted(item["item_type"] for visit in held["visits"] for item in visit["items"]) == [
        "ac-split", "water-heater-gas",
    ]  # fmt: skip
    assert set(visits(session)) == {visit["id"] for visit in held["visits"]}
    session.rollback()
    further = held["visits"][1]["id"]
    refused = resident.post(f"/holds/{further}/confirmation")
    assert (refused.status_code, held["id"] in refused.get_json()["detail"]) == (409, True)
    assert other.post(f"/holds/{further}/confirmation").status_code == 404
    # when they confirm it, both are booked
    booked = resident.post(f"/holds/{held['id']}/confirmation").get_json()
    assert {visit["state"] for visit in booked["visits"]} == {"booked"}
    rows = {row["id"]: row for row in resident.get("/bookings").get_json()["bookings"]}
    assert (rows[held["id"]]["parts"], rows[further]["part_of"]) == ([further], held["id"])
    assert resident.get(f"/bookings/{further}").get_json()["part_of"] == held["id"]
    # and cancelled by the first alone, which others do not know
    path = f"/bookings/{further}/cancellation"
    assert other.post(path, If_Match='"1"').status_code == 404
    refused = resident.post(path, If_Match='"1"')
    assert (refused.status_code, held["id"] in refused.get_json()["detail"]) == (409, True)
    gone = resident.post(f"/bookings/{held['id']}/cancellation", If_Match='"1"')
    assert gone.status_code == 200, gone.text
    assert {visit["state"] for visit in gone.get_json()["visits"]} == {"cancelled"}
    assert visits(session) == {}
    assert_invariants(session)
