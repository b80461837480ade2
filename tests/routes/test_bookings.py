"""Bookings over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy.orm import Session

from recycling.models.ledger import close_day
from recycling.models.transaction import atomic
from recycling.usecases.queries.bookings import masked_address
from tests.builders import TOMORROW, a_wish_body
from tests.callers import Callers
from tests.conftest import NOW


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
    shown = resident.get(made.headers["Location"]).get_json()
    assert shown | made.get_json() == shown


def test_the_bookable_days_leave_out_one_whose_routes_are_planned(callers: Callers, session: Session) -> None:
    resident = callers.resident()
    shown = resident.get("/pickup-windows").get_json()
    assert [window["key"] for window in shown["windows"]] == ["08-10", "10-12", "13-15", "15-17", "all-day"]
    # today + 1 to today + 14
    assert (shown["days"][0], shown["days"][-1], len(shown["days"])) == ("2026-11-24", "2026-12-07", 14)
    with atomic(session):
        close_day(session, TOMORROW, now=NOW)
    assert resident.get("/pickup-windows").get_json()["days"] == shown["days"][1:]


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
        another_day = a_wish_body(day="2026-11-25", resident_id=found["resident_id"])
        unasked = dispatcher.post("/bookings", another_day)
        assert (unasked.status_code, unasked.get_json()["code"]) == (422, "invalid_input")
        assert "consent is missing" in unasked.get_json()["detail"]
        again = dispatcher.post("/bookings", another_day | {"consent": "phone"})
        assert again.status_code == 201, again.text
        assert (again.get_json()["resident_id"], again.get_json()["consent"]) == (made["resident_id"], "phone")


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
