"""The waiting list over HTTP: one's own for residents, all of it, masked, for the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from recycling.policy.access import Principal
from tests.builders import TOMORROW, a_waiting_wish, a_wish_body
from tests.callers import Callers
from tests.conftest import NOW


def a_join(**overrides: Any) -> dict[str, Any]:
    body = a_wish_body(choices=[{"day": str(TOMORROW), "pickup_windows": ["08-10"]}])
    del body["day"], body["pickup_window"]
    return body | overrides


def test_an_open_window_is_booked_and_not_waited_for(callers: Callers) -> None:
    refused = callers.resident().post("/waiting-list", a_join())
    assert (refused.status_code, refused.get_json()["code"]) == (409, "conflict")
    assert "book it" in refused.get_json()["detail"]


def test_what_no_crew_can_do_may_be_waited_for_once_a_day_and_withdrawn(callers: Callers) -> None:
    # Four split air conditioners, to be taken down on the sixtieth floor: more than the two-person crews' hours allow.
    resident = callers.resident()
    heavy = a_join(items=[{"item_type": "ac-split", "quantity": 4, "dismantle": True}], floor=60)
    made = resident.post("/waiting-list", heavy, Idempotency_Key="wait")
    assert made.status_code == 201, made.text
    assert resident.post("/waiting-list", heavy, Idempotency_Key="wait").get_json() == made.get_json()
    assert resident.post("/waiting-list", heavy).status_code == 409
    shown = resident.get(made.headers["Location"])
    assert (shown.get_json(), shown.headers["ETag"]) == (made.get_json(), '"1"')
    assert (shown.get_json()["state"], shown.get_json()["ahead"], shown.get_json()["hold_id"]) == ("waiting", 0, None)
    path = f"{made.headers['Location']}/withdrawal"
    assert resident.post(path).status_code == 428
    assert resident.post(path, If_Match='"1"').get_json()["state"] == "withdrawn"
    assert resident.post(path, If_Match='"2"').status_code == 409
    assert resident.post("/waiting-list", heavy).status_code == 201


def test_residents_see_their_own_and_the_desk_all_without_addresses(callers: Callers, session: Session) -> None:
    one, two = callers.resident(), callers.resident()
    ids = [
        str(a_waiting_wish(session, Principal(id=who.id, role="resident"), now=NOW + timedelta(seconds=n)))
        for n, who in enumerate((one, two))
    ]
    assert [row["id"] for row in two.get("/waiting-list").get_json()["wishes"]] == [ids[1]]
    assert two.get(f"/waiting-list/{ids[0]}").status_code == 404
    assert two.get(f"/waiting-list/{ids[1]}").get_json()["ahead"] == 1
    desk = callers.staff("dispatcher")
    page = desk.get("/waiting-list?limit=1").get_json()
    rest = desk.get(f"/waiting-list?limit=1&cursor={page['next_cursor']}").get_json()
    assert [row["id"] for row in (*page["wishes"], *rest["wishes"])] == ids
    assert "清泉路 1 号 2 单元" not in desk.get("/waiting-list").text
    assert desk.get("/waiting-list?state=taken").get_json()["wishes"] == []
    assert callers.staff("clerk").get("/waiting-list").status_code == 403
