"""Bookings over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy.orm import Session

from recycling.models.ledger import Promise, close_day, move
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.queries.bookings import masked_address
from tests.builders import a_wish_body
from tests.callers import Callers


def test_a_resident_books_amends_and_cancels(callers: Callers) -> None:
    # given a signed-in resident
    resident = callers.resident()
    # when they book a fridge
    made = resident.post("/bookings", a_wish_body())
    assert made.status_code == 201, made.text
    booking = made.json
    assert booking is not None
    assert (booking["state"], booking["version"], made.headers["ETag"]) == ("booked", 1, '"1"')
    # then it is in their list, the address masked
    listed = resident.get("/bookings").json
    assert listed is not None
    assert [row["id"] for row in listed["bookings"]] == [booking["id"]]
    assert "301" not in str(listed)
    # when they move it to another window
    moved = resident.patch(f"/bookings/{booking['id']}", {"pickup_window": "13-15"}, version=1)
    assert moved.status_code == 200, moved.text
    # then the version counts up, and an edit of the old one is refused
    assert moved.headers["ETag"] == '"2"'
    stale = resident.patch(f"/bookings/{booking['id']}", {"pickup_window": "15-17"}, version=1)
    assert (stale.status_code, stale.get_json()["code"]) == (412, "stale_version")
    # when they cancel it
    gone = resident.post(f"/bookings/{booking['id']}/cancellation", If_Match='"2"')
    assert gone.status_code == 200, gone.text
    assert gone.get_json()["state"] == "cancelled"


def test_a_new_booking_names_its_address(callers: Callers) -> None:
    resident = callers.resident()
    made = resident.post("/bookings", a_wish_body())
    assert resident.get(made.headers["Location"]).get_json() == made.get_json()


def test_a_day_without_room_or_with_planned_routes_offers_no_window_and_says_why(
    callers: Callers, session: Session, district: District
) -> None:
    # given a day on which one litre is left
    def shown(day: str = "2026-11-24") -> dict[str, Any]:
        query = f"/pickup-windows?village_code=370403001001&day={day}"
        found: dict[str, Any] = resident.get(query).get_json()
        return found

    resident = callers.resident()
    capacity = district.capacities["lincheng"]
    assert shown()["room"] == {
        "service_s": capacity.service_s, "mass_g": capacity.mass_g, "litres": capacity.litres
    }  # fmt: skip
    day, almost = date(2026, 11, 24), capacity.litres - 1
    with atomic(session):
        filled = Promise(day=day, area="lincheng", pickup_window="08-10", service_s=0, load_g=0, load_l=almost)
        move(session, give_up=None, take_up=filled, capacity=capacity)
    assert (shown()["bookable"], shown()["room"]["litres"]) == (True, 1)
    # when the last litre is promised, and when the routes are planned
    with atomic(session):
        last = replace(filled, load_l=1)
        move(session, give_up=None, take_up=last, capacity=capacity)
    full = shown()
    with atomic(session):
        close_day(session, day=day, areas=["lincheng"])
    closed = shown()
    # then no window has a place, and the day says why; so do one too far ahead and a make-up working day long past
    outside = [(shown(when), "不在可约日期内") for when in ("2027-02-01", "2026-10-10")]
    for found, note in ((full, "已约满"), (closed, "已排定"), *outside):
        assert not found["bookable"]
        assert note in found["note"]
        assert {window["places_left"] for window in found["windows"]} == {0}
        assert set(found["room"].values()) == {0}


def test_the_desk_cancels_after_the_cut_off_and_books_another_day_for_the_same_resident(callers: Callers) -> None:
    made = callers.resident().post("/bookings", a_wish_body()).json
    assert made is not None
    # given the night before, after the last moment to withdraw (20:00 in Shanghai, 12:00 UTC)
    with time_machine.travel(datetime(2026, 11, 23, 12, 30, tzinfo=UTC)):
        dispatcher = callers.staff("dispatcher")
        found = dispatcher.get(f"/bookings/{made['id']}").json
        assert found is not None
        gone = dispatcher.post(f"/bookings/{found['id']}/cancellation", If_Match=f'"{found["version"]}"')
        assert (gone.status_code, gone.get_json()["state"]) == (200, "cancelled")
        again = dispatcher.post("/bookings", a_wish_body(day="2026-11-25", resident_id=found["resident_id"]))
        assert again.status_code == 201, again.text
        assert again.get_json()["resident_id"] == made["resident_id"]


@pytest.mark.parametrize(
    ("address", "shown"),
    [("清泉路 1 号 2 单元 301", "清泉路 …"), ("3号楼201", "3号…"), ("老王家2", "老…"), ("1-2", "1…")],
)
def test_a_masked_address_shows_where_and_never_which_door(address: str, shown: str) -> None:
    # four characters of sixteen; of 6, 4 and 3 a third: 2, 1, 1
    assert masked_address(address) == shown


def test_a_repeated_request_makes_one_booking_and_gets_the_same_answer(callers: Callers) -> None:
    resident = callers.resident()
    first = resident.post("/bookings", a_wish_body(), Idempotency_Key="k1")
    again = resident.post("/bookings", a_wish_body(), Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert again.headers["Idempotent-Replayed"] == "true"
    # another body under the same key is refused
    other = resident.post("/bookings", a_wish_body(floor=3), Idempotency_Key="k1")
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_mismatch")
    assert len(resident.get("/bookings").get_json()["bookings"]) == 1
