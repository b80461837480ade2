"""A running day over HTTP: what went wrong, proposals, their publication, and the window a resident takes instead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID, uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from recycling.policy.district import District
from tests.builders import TOMORROW, a_wish_body
from tests.callers import Callers
from tests.planned_days import with_vehicles
from tests.running_days import (
    TEN,
    a_broken_promise,
    a_proposal,
    a_running_day,
    at,
    broken_down,
    drive,
    vehicles_out,
)

DAY = TOMORROW.isoformat()
FLEET = ("lincheng-1", "lincheng-2", "xingren-1")


@pytest.fixture
def running(app: Flask, session: Session, district: District, now: datetime) -> Iterator[Session]:
    """Ten o'clock on a day that two vehicles or more drive."""
    small = with_vehicles(district, *FLEET)
    app.extensions["district"] = small
    a_running_day(session, district=small, now=now, per_window=8)
    drive(session, TEN)
    session.rollback()
    with time_machine.travel(at(TEN), tick=True):
        yield session
    app.extensions["district"] = district


def test_a_dispatcher_records_a_breakdown_asks_for_a_proposal_and_publishes_it(
    app: Flask, running: Session, callers: Callers
) -> None:
    dispatcher, gone = callers.staff("dispatcher"), vehicles_out(running)[0]
    # given a breakdown
    told = dispatcher.post("/disruptions", {"day": DAY, "kind": "breakdown", "vehicle_key": gone, "note": "爆胎"})
    assert told.status_code == 201, told.text
    listed = dispatcher.get(f"/disruptions?day={DAY}").get_json()["disruptions"]
    assert [(one["kind"], one["vehicle_key"], one["note"]) for one in listed] == [("breakdown", gone, "爆胎")]
    # when the rest of the day is asked for
    asked = dispatcher.post("/replans", {"day": DAY})
    assert (asked.status_code, asked.get_json()["job"]) == (202, "replan_day")
    # a second wish before it has begun is the same run
    assert dispatcher.post("/replans", {"day": DAY}).get_json()["id"] == asked.get_json()["id"]
    plan_id = a_proposal(running, at(TEN), district=app.extensions["district"])
    running.rollback()
    # then the proposal shows who moves
    (row,) = dispatcher.get(f"/replans?day={DAY}").get_json()["replans"]
    assert (row["plan_id"], row["cause"], row["current"], row["published_at"]) == (
        str(plan_id),
        "breakdown",
        True,
        None,
    )
    shown = dispatcher.get(f"/replans/{plan_id}").get_json()
    assert shown["moved"] == shown["eased"] == len([one for one in shown["changes"] if one["vehicle_before"] == gone])
    assert all(one["kept"] for one in shown["changes"])
    # and is published once
    published = dispatcher.post(f"/replans/{plan_id}/publication")
    assert published.status_code == 201, published.text
    assert published.get_json()["plan_id"] == str(plan_id)
    assert dispatcher.get(f"/plans/{plan_id}").get_json()["published_at"] is not None
    again = dispatcher.get(f"/replans/{plan_id}").get_json()
    assert (again["current"], again["published_at"] is not None) == (False, True)


def test_a_proposal_whose_base_is_no_longer_published_is_refused_with_the_next_step(
    app: Flask, running: Session, callers: Callers
) -> None:
    dispatcher = callers.staff("dispatcher")
    broken_down(running, vehicles_out(running)[0], at(TEN))
    first, second = (a_proposal(running, at(TEN), district=app.extensions["district"]) for _ in range(2))
    running.rollback()
    assert dispatcher.post(f"/replans/{first}/publication").status_code == 201
    refused = dispatcher.post(f"/replans/{second}/publication")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "plan_replaced")


def test_a_proposal_that_a_new_incident_overtakes_is_refused(app: Flask, running: Session, callers: Callers) -> None:
    dispatcher, (gone, other, *_) = callers.staff("dispatcher"), vehicles_out(running)
    broken_down(running, gone, at(TEN))
    plan_id = a_proposal(running, at(TEN), district=app.extensions["district"])
    running.rollback()
    late = {"day": DAY, "kind": "late", "vehicle_key": other, "minutes": 20}
    assert dispatcher.post("/disruptions", late).status_code == 201
    refused = dispatcher.post(f"/replans/{plan_id}/publication")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "day_moved_on")


@pytest.mark.parametrize(
    "body",
    [
        {"day": DAY, "kind": "flood", "vehicle_key": "lincheng-1"},
        {"day": DAY, "kind": "breakdown", "vehicle_key": "lincheng-1", "colour": "red"},
        {"day": DAY, "kind": "late", "vehicle_key": "lincheng-1", "minutes": 0},
        {"day": DAY, "kind": "urgent", "booking_id": "7"},
        {"kind": "breakdown", "vehicle_key": "lincheng-1"},
    ],
)
def test_bad_incidents_are_refused_by_their_form(callers: Callers, body: dict[str, object]) -> None:
    assert callers.staff("dispatcher").post("/disruptions", body).status_code == 422


def test_another_day_than_today_is_not_planned_again(callers: Callers) -> None:
    dispatcher = callers.staff("dispatcher")
    assert dispatcher.post("/replans", {"day": DAY}).status_code == 409
    assert dispatcher.get(f"/replans/{uuid4()}").status_code == 404
    assert dispatcher.get("/replans?day=tomorrow").status_code == 422


def test_a_resident_sees_their_broken_promise_and_takes_the_window_offered(
    session: Session, callers: Callers, now: datetime
) -> None:
    # given a promise of tomorrow that was broken, with one window offered
    resident, stranger = callers.resident(), callers.resident()
    booking_id = UUID(resident.post("/bookings", a_wish_body()).get_json()["id"])
    promise_id = a_broken_promise(session, booking_id, now=now)
    assert stranger.get("/broken-promises").get_json() == {"broken_promises": []}
    (shown,) = resident.get("/broken-promises").get_json()["broken_promises"]
    (way,) = shown["alternatives"]
    assert (shown["booking_id"], way["number"], shown["taken"]) == (str(booking_id), 1, None)
    # when they take it, twice by the same key
    path, key = f"/broken-promises/{promise_id}/alternative", "k1"
    assert stranger.post(path, {"number": 1}).status_code == 404
    assert resident.post(path, {"number": 2}).status_code == 422
    taken = resident.post(path, {"number": 1}, Idempotency_Key=key)
    assert taken.status_code == 201, taken.text
    assert resident.post(path, {"number": 1}, Idempotency_Key=key).get_json() == taken.get_json()
    # then they have a booking there, and the old one is cancelled
    assert (taken.get_json()["day"], taken.get_json()["pickup_window"]) == (way["day"], way["pickup_window"])
    assert taken.headers["Location"] == f"/bookings/{taken.get_json()['id']}"
    assert resident.get(f"/bookings/{booking_id}").get_json()["state"] == "cancelled"
    (after,) = resident.get("/broken-promises").get_json()["broken_promises"]
    assert (after["taken"], after["taken_booking_id"]) == (1, taken.get_json()["id"])
