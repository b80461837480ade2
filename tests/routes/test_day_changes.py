"""Dated changes over HTTP: recorded, refused with what stands in the way, ended; fleet and calendar follow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.builders import TOMORROW, a_wish_body
from tests.callers import Callers

DAY = TOMORROW.isoformat()
AFTER = (TOMORROW + timedelta(days=1)).isoformat()
TRUCK = "lincheng-1"


def a_change(**fields: Any) -> dict[str, Any]:
    """A vehicle out of service tomorrow, unless said otherwise."""
    known = {"kind": "vehicle_out", "vehicle_key": TRUCK, "first_day": DAY, "last_day": DAY, "reason": "年检"}
    return {name: value for name, value in (known | fields).items() if value is not None}


def test_a_vehicle_is_taken_out_and_back(callers: Callers) -> None:
    desk = callers.staff("dispatcher")
    made = desk.post("/day-changes", a_change(last_day=AFTER))
    assert made.status_code == 201, made.text
    body = made.get_json()
    assert (body["version"], body["without_place"], made.headers["ETag"]) == (1, [], '"1"')
    # the fleet of the day lacks it and says why
    fleet = desk.get(f"/fleet?day={DAY}").get_json()["vehicles"]
    (truck,) = [one for one in fleet if one["vehicle_key"] == TRUCK]
    assert (truck["out"], truck["from"], truck["reasons"]) == (True, None, ["年检"])
    # when it is back a day earlier than was thought
    path = made.headers["Location"]
    stale = desk.call("POST", f"{path}/end", {"ends_on": AFTER}, If_Match='"9"')
    assert stale.status_code == 412
    ended = desk.call("POST", f"{path}/end", {"ends_on": AFTER}, If_Match='"1"')
    assert (ended.status_code, ended.headers["ETag"]) == (200, '"2"')
    assert desk.get(path).get_json()["ends_on"] == AFTER
    days = desk.get(f"/calendar?first_day={DAY}&last_day={AFTER}").get_json()["days"]
    assert days[1]["vehicles"] - days[0]["vehicles"] == 1
    listed = desk.get(f"/day-changes?first_day={AFTER}&last_day={AFTER}").get_json()["day_changes"]
    assert [one["id"] for one in listed] == [body["id"]]


def test_a_day_with_promises_is_refused_with_their_bookings(callers: Callers) -> None:
    resident, desk = callers.resident(), callers.staff("admin")
    booking_id = resident.post("/bookings", a_wish_body()).get_json()["id"]
    refused = desk.post("/day-changes", a_change(kind="day_closed", vehicle_key=None, even_unplaced=True))
    assert (refused.status_code, refused.get_json()["code"]) == (409, "promises_in_the_way")
    assert [one["booking_id"] for one in refused.get_json()["bookings"]] == [booking_id]
    assert refused.get_json()["can_stand"] is False
    # when the next one is closed, then nobody can book it
    closed = a_change(kind="day_closed", vehicle_key=None, first_day=AFTER, last_day=AFTER, reason="暴雪")
    assert desk.post("/day-changes", closed).status_code == 201
    assert AFTER not in resident.get("/pickup-windows").text
    late = resident.post("/bookings", a_wish_body(day=AFTER, address="清泉路 9 号"))
    assert (late.status_code, late.get_json()["code"]) == (409, "window_closed")


def test_a_change_that_names_the_wrong_things_is_told_what_its_kind_names(callers: Callers) -> None:
    desk = callers.staff("dispatcher")
    for body in (
        a_change(collector_key="c01"),
        a_change(kind="shift_moved"),
        a_change(kind="shift_moved", from_s=40_000, to_s=30_000),
        a_change(last_day="2026-11-01"),
        a_change(reason=""),
        a_change(first_day="2026-11-23"),
        a_change(kind="holiday"),
    ):
        answer = desk.post("/day-changes", body)
        assert answer.status_code == 422, (body, answer.text)
