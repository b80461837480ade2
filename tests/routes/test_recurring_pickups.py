"""Recurring pickups over HTTP: agreed once per key, changed by version, listed without addresses."""

from __future__ import annotations

from typing import Any

from tests.builders import a_wish_body
from tests.callers import Callers


def an_agreement(**overrides: Any) -> dict[str, Any]:
    body = a_wish_body(name="薛城宾馆", phone="13600000009", weekdays=[1, 4], starts_on="2026-11-25")
    del body["day"]
    return body | overrides


def test_an_agreement_is_made_once_changed_by_version_and_ended(callers: Callers) -> None:
    desk = callers.staff("dispatcher")
    made = desk.post("/recurring-pickups", an_agreement(), Idempotency_Key="k")
    assert made.status_code == 201, made.text
    assert desk.post("/recurring-pickups", an_agreement(), Idempotency_Key="k").get_json() == made.get_json()
    path = made.headers["Location"]
    assert desk.get(path).headers["ETag"] == '"1"'
    changed = desk.patch(path, {"weekdays": [], "month_day": 31, "state": "paused"}, version=1)
    assert (changed.status_code, changed.get_json()["month_day"], changed.get_json()["state"]) == (200, 31, "paused")
    assert desk.patch(path, {"name": "x"}, version=1).status_code == 412
    assert desk.call("PATCH", path, {"name": "x"}).status_code == 428
    assert desk.patch(path, {}, version=2).status_code == 422
    assert desk.patch(path, {"state": "ended"}, version=2).status_code == 422
    assert desk.post(f"{path}/end", If_Match='"2"').get_json()["state"] == "ended"
    assert desk.patch(path, {"name": "x"}, version=3).status_code == 409


def test_the_contact_sees_their_own_and_may_end_it_and_no_more(callers: Callers) -> None:
    # given an agreement with one contact, and another's
    desk, contact = callers.staff("dispatcher"), callers.resident("13600000009")
    mine = desk.post("/recurring-pickups", an_agreement()).get_json()["id"]
    other = desk.post("/recurring-pickups", an_agreement(phone="13600000010")).get_json()["id"]
    # then the contact sees theirs alone, changes nothing of it, and ends it by its version
    assert [one["id"] for one in contact.get("/recurring-pickups").get_json()["recurring_pickups"]] == [mine]
    assert contact.get(f"/recurring-pickups/{other}").status_code == 404
    assert contact.patch(f"/recurring-pickups/{mine}", {"name": "x"}, version=1).status_code == 403
    assert contact.post(f"/recurring-pickups/{other}/end", If_Match='"1"').status_code == 404
    assert contact.post(f"/recurring-pickups/{mine}/end", If_Match='"7"').status_code == 412
    assert contact.post(f"/recurring-pickups/{mine}/end", If_Match='"1"').get_json()["state"] == "ended"
    assert desk.get(f"/recurring-pickups/{other}").get_json()["state"] == "active"


def test_lists_show_no_door_and_staff_beside_the_desk_read_none(callers: Callers) -> None:
    desk = callers.staff("admin")
    ids = [desk.post("/recurring-pickups", an_agreement()).get_json()["id"] for _ in range(2)]
    page = desk.get("/recurring-pickups?limit=1").get_json()
    rest = desk.get(f"/recurring-pickups?limit=1&cursor={page['next_cursor']}").get_json()
    assert {one["id"] for one in (*page["recurring_pickups"], *rest["recurring_pickups"])} == set(ids)
    assert rest["next_cursor"] is None
    assert "2 单元" not in desk.get("/recurring-pickups").text
    assert desk.get("/recurring-pickups?state=ended").get_json()["recurring_pickups"] == []
    for caller in (callers.staff("clerk"), callers.staff("keeper")):
        assert caller.get("/recurring-pickups").status_code == 403
    for caller in (callers.resident("13600000009"), callers.staff("clerk"), callers.staff("keeper")):
        assert caller.post("/recurring-pickups", an_agreement()).status_code == 403


def test_a_rule_or_contact_that_is_none_is_refused(callers: Callers) -> None:
    desk = callers.staff("dispatcher")
    refused: tuple[dict[str, Any], ...] = (
        {"weekdays": []}, {"month_day": 3}, {"weekdays": [8]}, {"phone": None}, {"starts_on": "2026-11-24"},
        {"until": "2026-11-24"}, {"pickup_window": "22-24"}, {"every_weeks": 0},
    )  # fmt: skip
    for wrong in refused:
        answer = desk.post("/recurring-pickups", an_agreement(**wrong))
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_input"), wrong
