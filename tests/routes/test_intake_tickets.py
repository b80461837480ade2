"""Tickets over HTTP: the keeper's day, the rules a body must keep, and who sees whose."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from recycling.policy.district import District
from tests.builders import a_booking
from tests.callers import Caller, Callers
from tests.invariants import assert_invariants
from tests.loads import collect


def a_ticket_body(**overrides: Any) -> dict[str, Any]:
    """A fridge of 41.3 kg on a cart of 10 kg, brought by its owner."""
    return {
        "scale_number": "1",
        "channel": "walk_in",
        "gross_g": 51_300,
        "tare_g": 10_000,
        "lines": [{"item_type": "fridge", "units": 1}],
    } | overrides


def made(caller: Caller, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = caller.post("/intake-tickets", body, **headers)
    assert answer.status_code == 201, answer.text
    return cast("dict[str, Any]", answer.json)


def test_a_keeper_weighs_a_pickup_in_corrects_the_ticket_and_withdraws_it(
    callers: Callers, session: Session, district: District, now: datetime
) -> None:
    # given a collected fridge and the keeper of 临城
    booking = a_booking(session, district=district, now=now)
    collect(session, booking, district=district, now=now)
    keeper = callers.staff("keeper", station_key="lincheng")
    # when it is weighed in
    line = {"item_type": "fridge", "units": 1, "booking_id": str(booking.id)}
    ticket = made(keeper, a_ticket_body(channel="door", lines=[line], vehicle_key="lincheng-1"))
    # then the server has worked out the net: 51,300 - 10,000
    assert (ticket["number"], ticket["net_g"], ticket["day"], ticket["station_key"]) == (
        1, 41_300, "2026-11-23", "lincheng",
    )  # fmt: skip
    assert ticket["lines"][0]["provenance"] == "weighed"
    assert ticket["keeper_id"] == str(keeper.id)
    # when gross was misread by a kilogram
    whole = {"channel": "door", "gross_g": 52_300, "tare_g": 10_000, "lines": [line], "reason": "毛重读数有误"}
    corrected = keeper.post(f"/intake-tickets/{ticket['id']}/corrections", whole)
    assert corrected.status_code == 201, corrected.text
    right = corrected.json
    assert right is not None
    assert (right["number"], right["net_g"], right["corrects_id"]) == (2, 42_300, ticket["id"])
    # then the old one still reads as it was, and names the one that counts
    old = keeper.get(f"/intake-tickets/{ticket['id']}").json
    assert old == ticket | {"replaced_by_id": right["id"]}
    # and cannot be corrected a second time
    again = keeper.post(f"/intake-tickets/{ticket['id']}/corrections", whole)
    assert (again.status_code, again.get_json()["code"]) == (409, "conflict")
    assert right["id"] in again.get_json()["detail"]
    # when the newest is withdrawn
    gone = keeper.post(f"/intake-tickets/{right['id']}/corrections", {"reason": "重复录入", "lines": []})
    assert gone.status_code == 201, gone.text
    assert (gone.get_json()["net_g"], gone.get_json()["lines"]) == (0, [])
    # then all three are listed, newest first
    listed = keeper.get("/intake-tickets").json
    assert listed is not None
    assert [row["number"] for row in listed["tickets"]] == [3, 2, 1]
    assert_invariants(session)


def test_a_repeated_weigh_in_makes_one_ticket(callers: Callers) -> None:
    keeper = callers.staff("keeper")
    first = made(keeper, a_ticket_body(), Idempotency_Key="k1")
    assert made(keeper, a_ticket_body(), Idempotency_Key="k1") == first
    assert made(keeper, a_ticket_body(), Idempotency_Key="k2")["number"] == 2
    correction = {"reason": "重复录入", "lines": []}
    path = f"/intake-tickets/{first['id']}/corrections"
    answers = [keeper.post(path, correction, Idempotency_Key="k3") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].data == answers[1].data


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"gross_g": 10_000}, "tare 10 kg is not below gross 10 kg"),
    ({"gross_g": 60_000_001}, "60000.001 kg"),
    ({"vehicle_key": "lincheng-1", "gross_g": 1_510_001}, "1500.001 kg is more than lincheng-1 may carry"),
    ({"refused_g": 41_301}, "41.301 kg"),
    ({"lines": []}, "41.3 kg"),
    ({"lines": [{"item_type": "fridge", "units": 0}]}, "lines.0.units"),
    ({"lines": [{"item_type": "fridge", "units": 10_000}]}, "lines.0.units"),
    ({"lines": [{"item_type": "fridge", "units": "1"}]}, "lines.0.units"),
    ({"lines": [{"item_type": "fridge", "units": 1.0}]}, "lines.0.units"),
    ({"lines": [{"item_type": "fridg", "units": 1}]}, "fridge"),
    ({"lines": [{"item_type": "fridge", "units": 1}] * 2}, "comes twice"),
    ({"lines": [{"item_type": "fridge", "units": 1}] * 201}, "lines"),
    ({"lines": [{"item_type": "fridge", "units": 1, "provenance": "weighed"}]}, "lines.0.provenance"),
    ({"lines": [{"item_type": "fridge", "units": 1, "net_g": 41_299}]}, "41.299 kg"),
    ({"channel": "door"}, "booking_id"),
    ({"channel": "door", "lines": [{"item_type": "fridge", "units": 1, "booking_id": str(uuid4())}]}, "does not exist"),
    ({"channel": "post"}, "channel"),
    ({"net_g": 1}, "net_g"),
    ({"number": 7}, "number"),
    ({"day": "2026-11-22"}, "day"),
    ({"station_key": "shagou"}, "station_key"),
    ({"scale_number": "1\u0000"}, "scale_number"),
    ({"scale_number": "秤一"}, "scale_number"),
    ({"gross_g": 10**30}, "gross_g"),
    ({"gross_g": -1}, "gross_g"),
    ({"gross_g": True}, "gross_g"),
    ({"gross_g": None}, "gross_g"),
    ({"vehicle_key": "\ud800"}, "vehicle_key"),
]


def test_what_cannot_be_on_a_ticket_is_refused_by_name(callers: Callers) -> None:
    keeper = callers.staff("keeper", station_key="lincheng")
    for wrong, named in REFUSED:
        answer = keeper.post("/intake-tickets", a_ticket_body(**wrong))
        assert answer.status_code == 422, (wrong, answer.text)
        assert named in answer.get_json()["detail"], (wrong, answer.text)
    # a number beyond the doubles is no JSON number here
    raw = keeper.client.post(
        "/intake-tickets", data='{"gross_g": 1e400}', content_type="application/json",
        headers={"Authorization": f"Bearer {keeper.tokens['access_token']}", "Idempotency-Key": "k"},
    )  # fmt: skip
    assert raw.status_code == 422
    # nothing was written by any of them: the next ticket has the first number
    assert made(keeper, a_ticket_body())["number"] == 1


@pytest.mark.parametrize(
    ("correction", "named"),
    [
        ({"lines": []}, "reason"),
        ({"reason": "  ", "lines": []}, "reason"),
        ({"reason": "读数有误"}, "lines"),
        ({"reason": "读数有误", "lines": [{"item_type": "fan", "units": 1}]}, "channel"),
        ({"reason": "读数有误", "lines": [], "gross_g": 5}, "channel"),
        ({"reason": "读数有误", "channel": "walk_in", "gross_g": 5, "tare_g": 9, "lines": []}, "tare"),
        ({"reason": "读数有误", "lines": [], "scale_number": "2"}, "scale_number"),
    ],
)
def test_a_correction_is_a_whole_ticket_with_a_reason_or_a_withdrawal(
    correction: dict[str, Any], named: str, callers: Callers
) -> None:
    keeper = callers.staff("keeper")
    ticket = made(keeper, a_ticket_body())
    answer = keeper.post(f"/intake-tickets/{ticket['id']}/corrections", correction)
    assert answer.status_code == 422, answer.text
    assert named in answer.get_json()["detail"]


def test_a_foreign_stations_ticket_answers_like_an_absent_one(callers: Callers) -> None:
    # given a ticket of 临城
    keeper, other = (callers.staff("keeper", station_key=key) for key in ("lincheng", "shagou"))
    ticket = made(keeper, a_ticket_body())

    def told(path: str) -> tuple[int, str]:
        answer = other.get(path)
        return answer.status_code, answer.get_json()["detail"].replace(path.split("/")[2], "ID")

    # then the keeper of 沙沟 hears of it what anybody hears of a made-up id
    assert told(f"/intake-tickets/{ticket['id']}") == told(f"/intake-tickets/{uuid4()}")
    withdrawal = {"reason": "重复录入", "lines": []}
    assert other.post(f"/intake-tickets/{ticket['id']}/corrections", withdrawal).status_code == 404
    assert other.get("/intake-tickets?station_key=lincheng").json == {"tickets": [], "next_cursor": None}
    # and the desk reads it, but does not weigh
    for role in ("clerk", "dispatcher", "admin"):
        desk = callers.staff(role)
        assert desk.get(f"/intake-tickets/{ticket['id']}").json == ticket
        assert desk.post("/intake-tickets", a_ticket_body()).status_code == 403
        assert desk.post(f"/intake-tickets/{ticket['id']}/corrections", withdrawal).status_code == 403
    for outsider in (callers.resident(), callers.staff("collector")):
        assert outsider.get(f"/intake-tickets/{ticket['id']}").status_code == 403


def test_tickets_are_listed_by_day_station_and_item_type_page_by_page(callers: Callers) -> None:
    # given three tickets in 临城, one of them with a fan, and one in 沙沟
    keeper, other = (callers.staff("keeper", station_key=key) for key in ("lincheng", "shagou"))
    fan = [{"item_type": "fridge", "units": 1, "net_g": 41_000}, {"item_type": "fan", "units": 1, "net_g": 300}]
    numbers = [made(keeper, body)["number"] for body in (a_ticket_body(), a_ticket_body(lines=fan), a_ticket_body())]
    made(other, a_ticket_body())
    clerk = callers.staff("clerk")

    def listed(query: str) -> list[tuple[str, int]]:
        answer = clerk.get(f"/intake-tickets?{query}")
        assert answer.status_code == 200, answer.text
        return [(row["station_key"], row["number"]) for row in answer.get_json()["tickets"]]

    assert listed("day=2026-11-23&station_key=lincheng&item_type=fan") == [("lincheng", 2)]
    assert listed("day=2026-11-22") == []
    # a span of days with both its ends, and the town-level unit the goods come from: of walk-ins the station's own
    assert listed("from=2026-11-23&to=2026-11-23&item_type=fan") == [("lincheng", 2)]
    assert listed("from=2026-11-24") == listed("to=2026-11-22") == []
    assert listed("town_key=shagou") == [("shagou", 1)]
    assert listed("town_key=shagou&item_type=fan") == []
    # when they are read two at a time
    pages: list[list[int]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = clerk.get(f"/intake-tickets?station_key=lincheng&limit=2{cursor and f'&cursor={cursor}'}").json
        assert answer is not None
        pages.append([row["number"] for row in answer["tickets"]])
        cursor = answer["next_cursor"]
    # then each comes once, newest first
    assert pages == [numbers[:0:-1], numbers[:1]] == [[3, 2], [1]]
    for wrong in (
        "cursor=x",
        "cursor=WyJcdTAwMDAiXQ==",
        "day=2026-2-3",
        "from=2026-11-23&to=2026-11-22",
        "limit=0",
        "keeper_id=1",
    ):
        assert clerk.get(f"/intake-tickets?{wrong}").status_code == 422, wrong
