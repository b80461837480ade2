"""Corrections that take two people, over HTTP."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.callers import Caller, Callers
from tests.invariants import assert_invariants
from tests.routes.test_intake_tickets import a_ticket_body, made

THREE = [{"item_type": "fridge", "units": 3}]
WITHDRAWAL = {"reason": "重复录入", "lines": []}


def body(answer: TestResponse) -> dict[str, Any]:
    return cast("dict[str, Any]", answer.get_json())


def heavy(keeper: Caller) -> str:
    """A ticket of 120 kg."""
    return str(made(keeper, a_ticket_body(gross_g=130_000, lines=THREE))["id"])


def test_a_heavy_ticket_is_withdrawn_by_two(callers: Callers, session: Session) -> None:
    keeper, second, other = (callers.staff("keeper", station_key=key) for key in ("lincheng", "lincheng", "shagou"))
    ticket_id = heavy(keeper)
    # when the keeper withdraws it, then it waits
    path = f"/intake-tickets/{ticket_id}/corrections"
    asked = keeper.post(path, WITHDRAWAL, Idempotency_Key="k")
    assert asked.status_code == 202, asked.text
    proposal = body(asked)
    assert (proposal["state"], proposal["weighing"], proposal["net_before_g"], proposal["net_after_g"]) == (
        "waiting", None, 120_000, 0,
    )  # fmt: skip
    assert keeper.get(f"/intake-tickets/{ticket_id}").get_json()["replaced_by_id"] is None
    # and the same request again is the same proposal
    again = keeper.post(path, WITHDRAWAL, Idempotency_Key="k")
    assert (again.status_code, again.data) == (202, asked.data)
    listed = body(second.get("/correction-proposals?waiting=true"))["proposals"]
    assert listed == [proposal]
    assert body(other.get("/correction-proposals"))["proposals"] == []
    # then neither its own author nor another station's keeper nor the dispatcher approves it
    approval = f"/correction-proposals/{proposal['id']}/approval"
    assert [who.post(approval).status_code for who in (keeper, other, callers.staff("dispatcher"))] == [403, 404, 403]
    done = second.post(approval, Idempotency_Key="a")
    assert done.status_code == 201, done.text
    assert (body(done)["net_g"], body(done)["corrects_id"], body(done)["keeper_id"]) == (0, ticket_id, str(keeper.id))
    assert second.post(approval, Idempotency_Key="a").data == done.data
    assert second.post(approval).status_code == 409
    # and the list says who decided, and what came of it
    (decided,) = body(callers.staff("clerk").get("/correction-proposals"))["proposals"]
    assert (decided["state"], decided["decided_by_id"], decided["correction_id"]) == (
        "approved", str(second.id), body(done)["id"],
    )  # fmt: skip
    assert body(second.get("/correction-proposals?waiting=true"))["proposals"] == []
    session.rollback()
    assert_invariants(session)


def test_a_clerk_rejects_and_says_why(callers: Callers) -> None:
    keeper, clerk = callers.staff("keeper"), callers.staff("clerk")
    ticket_id = heavy(keeper)
    whole = {"channel": "walk_in", "gross_g": 60_000, "tare_g": 10_000, "lines": THREE, "reason": "毛重读数有误"}
    proposal = body(keeper.post(f"/intake-tickets/{ticket_id}/corrections", whole))
    assert proposal["weighing"]["lines"] == [THREE[0] | {"net_g": None, "booking_id": None, "missing_parts": 0}]
    rejection = f"/correction-proposals/{proposal['id']}/rejection"
    assert clerk.post(rejection, {}).status_code == 422
    done = clerk.post(rejection, {"note": "与地磅记录不符"})
    assert (done.status_code, body(done)["state"], body(done)["note"]) == (201, "rejected", "与地磅记录不符")
    # then the ticket stands, and may be corrected otherwise
    assert body(keeper.get(f"/intake-tickets/{ticket_id}"))["replaced_by_id"] is None
    small = keeper.post(f"/intake-tickets/{ticket_id}/corrections", whole | {"gross_g": 129_000})
    assert small.status_code == 201, small.text


def test_proposals_come_page_by_page(callers: Callers) -> None:
    keeper = callers.staff("keeper")
    ids = [body(keeper.post(f"/intake-tickets/{heavy(keeper)}/corrections", WITHDRAWAL))["id"] for _ in range(3)]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = body(keeper.get(f"/correction-proposals?limit=2{cursor and f'&cursor={cursor}'}"))
        found += [row["id"] for row in page["proposals"]]
        cursor = page["next_cursor"]
    assert found == ids[::-1]
    for wrong in ("cursor=x", "limit=0", "waiting=maybe"):
        assert keeper.get(f"/correction-proposals?{wrong}").status_code == 422
    assert keeper.post(f"/correction-proposals/{uuid4()}/approval").status_code == 404


def test_a_vehicle_without_a_route_that_day_is_weighed_and_told_of(callers: Callers) -> None:
    keeper = callers.staff("keeper")
    # a load from doors that was refused whole needs no line, and so no booking
    refused = {"channel": "door", "refused_g": 41_300, "refused_reason": "wet", "lines": []}
    ticket = made(keeper, a_ticket_body(vehicle_key="lincheng-1", **refused))
    (note,) = ticket["notes"]
    assert "lincheng-1 is on no published route of 2026-11-23" in note
    assert body(keeper.get(f"/intake-tickets/{ticket['id']}"))["notes"] == ticket["notes"]
    # and of a hand-cart nothing is to be told
    assert made(keeper, a_ticket_body())["notes"] == []


def test_a_second_ticket_of_a_trip_is_a_conflict(callers: Callers) -> None:
    keeper = callers.staff("keeper")
    refused = {"channel": "door", "refused_g": 41_300, "refused_reason": "wet", "lines": []}
    first = made(keeper, a_ticket_body(vehicle_key="lincheng-1", trip=1, **refused))
    twice = keeper.post("/intake-tickets", a_ticket_body(vehicle_key="lincheng-1", trip=1, **refused))
    assert (twice.status_code, first["id"] in body(twice)["detail"]) == (409, True)
    assert made(keeper, a_ticket_body(vehicle_key="lincheng-1", **refused))["trip"] == 2
