"""Readings over HTTP: signed by the scale, imported by the keeper, listed for the ticket that they go on."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from recycling.models.weighbridge import ScaleReading
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.policy.signature import signature
from recycling.routes.scale_readings import LARGEST_TABLE
from recycling.usecases.intake.scale_keys import end_scale_key, issue_scale_key
from tests.callers import Caller, Callers
from tests.invariants import assert_invariants
from tests.routes.test_intake_tickets import a_ticket_body
from tests.usecases.test_scale_readings import a_table

Send = Callable[..., TestResponse]


@pytest.fixture
def key(session: Session, district: District, now: datetime) -> str:
    """The key of scale 1 of 临城, and that of another scale, which is another."""
    issue_scale_key("shagou", "1", by=SYSTEM, district=district, session=session, now=now)
    found = issue_scale_key("lincheng", "1", by=SYSTEM, district=district, session=session, now=now)
    session.rollback()
    return found


@pytest.fixture
def send(app: Flask, key: str, now: datetime) -> Send:
    """POST a reading as the weighbridge does; what is given replaces a good one."""

    def send(
        body: bytes | None = None, *, name: str = "lincheng/1", secret: str | None = None, late_s: int = 0,
        tampered: bytes = b"", **overrides: Any,
    ) -> TestResponse:  # fmt: skip
        body = body if body is not None else json.dumps(a_reading_body(**overrides)).encode()
        signed = signature((secret or key).encode(), body, at_s=int(now.timestamp()) - late_s)
        headers = {"Scale-Name": name, "Scale-Signature": signed}
        return app.test_client().post(
            "/scale-readings", data=body + tampered, headers=headers, content_type="application/json"
        )

    return send


def a_reading_body(**overrides: Any) -> dict[str, Any]:
    """A fridge of 41.3 kg on a cart of 10 kg, ten minutes ago."""
    return {
        "reading_number": "0001", "gross_g": 51_300, "tare_g": 10_000, "at": "2026-11-23T09:50:00+08:00",
    } | overrides  # fmt: skip


def body(answer: TestResponse) -> dict[str, Any]:
    return cast("dict[str, Any]", answer.get_json())


def table(caller: Caller, text: str | bytes, *, query: str = "?scale_number=1", **headers: str) -> TestResponse:
    content = text if isinstance(text, bytes) else text.encode()
    return caller.post(f"/scale-reading-imports{query}", content, **({"Content_Type": "text/csv"} | headers))


def count(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(ScaleReading)) or 0


def test_a_scale_sends_a_reading_and_the_keeper_weighs_in_by_it(send: Send, callers: Callers, session: Session) -> None:
    keeper = callers.staff("keeper", station_key="lincheng")
    # when the weighbridge sends, and sends again
    first, again = send(), send()
    assert (first.status_code, again.status_code) == (201, 200), first.text
    reading = body(first)
    assert body(again) == reading
    assert (reading["net_g"], reading["source"], reading["ticket_id"]) == (41_300, "push", None)
    assert keeper.get(first.headers["Location"]).get_json() == reading
    # and the keeper weighs in by it, typing no mass
    line = {"item_type": "fridge", "units": 1}
    made = keeper.post("/intake-tickets", {"channel": "walk_in", "reading_id": reading["id"], "lines": [line]})
    assert made.status_code == 201, made.text
    assert (body(made)["gross_g"], body(made)["scale_number"], body(made)["reading_id"]) == (51_300, "1", reading["id"])
    # then the reading names its ticket, and makes no second one
    assert keeper.get(first.headers["Location"]).get_json()["ticket_id"] == body(made)["id"]
    twice = keeper.post("/intake-tickets", a_ticket_body(reading_id=reading["id"]))
    assert (twice.status_code, body(made)["id"] in body(twice)["detail"]) == (409, True)
    session.rollback()
    assert_invariants(session)


def test_another_content_under_the_same_number_is_a_conflict_and_nothing_is_lost(send: Send, session: Session) -> None:
    standing = body(send())
    answer = send(gross_g=61_300)
    assert (answer.status_code, body(answer)["code"]) == (409, "conflict")
    assert standing["id"] in body(answer)["detail"]
    assert session.execute(select(ScaleReading.gross_g)).all() == [(51_300,)]


def test_what_its_own_key_has_not_signed_now_is_refused_alike(
    app: Flask, send: Send, session: Session, now: datetime
) -> None:
    answers = [
        send(secret="0" * 64),
        send(name="shagou/1"),  # another scale's name over this one's signature
        send(name="lincheng/2"),
        send(name="nowhere/1"),
        send(name=""),
        send(name="lincheng/1/2"),
        send(name="lincheng/' OR 1=1"),
        send(late_s=301),
        send(late_s=-301),
        send(tampered=b" "),
        send(b"not json at all", secret="1" * 64),
        app.test_client().post("/scale-readings", json=a_reading_body()),
        app.test_client().post("/scale-readings", json=a_reading_body(), headers={"Scale-Name": "lincheng/1"}),
    ]
    assert {answer.status_code for answer in answers} == {401}
    # names that exist and names that do not cannot be told apart
    assert len({body(answer)["detail"] for answer in answers[:7]}) == 1
    assert count(session) == 0
    # the control: signed by its key, now, the same reading is taken
    assert send().status_code == 201
    # until the key ends
    end_scale_key("lincheng", "1", by=SYSTEM, session=session, now=now)
    session.rollback()
    assert send().status_code == 401


@pytest.mark.parametrize(
    ("wrong", "status", "named"),
    [
        ({"tare_g": 60_000}, 422, "tare 60 kg is not below gross 51.3 kg"),
        ({"net_g": 1}, 422, "net 0.001 kg is not gross"),
        ({"at": "2026-11-24T09:50:00+08:00"}, 422, "in the future"),
        ({"at": "26-11-23T09:50:00+08:00"}, 422, "at"),
        ({"at": "2026-11-23T09:50:00"}, 422, "at"),
        ({"reading_number": "０００１"}, 422, "reading_number"),
        ({"reading_number": "=1+1"}, 422, "reading_number"),
        ({"reading_number": "x" * 33}, 422, "reading_number"),
        ({"gross_g": "51300"}, 422, "gross_g"),
        ({"gross_g": 51_300.0}, 422, "gross_g"),
        ({"gross_g": 10**30}, 422, "gross_g"),
        ({"gross_g": 70_000_000}, 422, "gross 70000 kg"),
        ({"plate": "鲁D12345"}, 422, "plate"),
        ({"vehicle": "\u0000"}, 422, "vehicle"),
        ({"vehicle": "x" * 21}, 422, "vehicle"),
        ({"station_key": "shagou"}, 422, "station_key"),
    ],
)
def test_a_signed_reading_that_cannot_be_is_refused_by_name(
    send: Send, session: Session, wrong: dict[str, Any], status: int, named: str
) -> None:
    answer = send(**wrong)
    assert (answer.status_code, named in body(answer)["detail"]) == (status, True), answer.text
    assert count(session) == 0


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"gross_g": 1e400}', b"\xff\xfe", b'{"a":1,"a":2}', b"null"])
def test_signed_garbage_is_a_clients_error(send: Send, raw: bytes) -> None:
    assert send(raw).status_code in (400, 422)


def test_readings_are_listed_unused_first_page_by_page(
    send: Send, callers: Callers, now: datetime, session: Session, district: District
) -> None:
    # given five readings of the last hour, the newest of them on a ticket, and one of another station
    for number in range(5):
        at = (now - timedelta(minutes=50 - 10 * number)).isoformat()
        assert send(reading_number=f"000{number}", at=at).status_code == 201
    other_key = issue_scale_key("shagou", "1", by=SYSTEM, district=district, session=session, now=now)
    session.rollback()
    assert send(name="shagou/1", secret=other_key).status_code == 201
    keeper = callers.staff("keeper", station_key="lincheng")
    newest = body(keeper.get("/scale-readings"))["readings"][0]
    ticket = {"channel": "walk_in", "reading_id": newest["id"], "lines": [{"item_type": "fridge", "units": 1}]}
    assert keeper.post("/intake-tickets", ticket).status_code == 201
    # when they are read two at a time
    numbers: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = body(keeper.get(f"/scale-readings?limit=2{cursor and f'&cursor={cursor}'}"))
        numbers += [row["reading_number"] for row in page["readings"]]
        cursor = page["next_cursor"]
    # then the used one comes last, the others newest first, and no other station's
    assert numbers == ["0003", "0002", "0001", "0000", "0004"]
    unused = body(keeper.get("/scale-readings?unused=true"))["readings"]
    assert [row["reading_number"] for row in unused] == ["0003", "0002", "0001", "0000"]
    clerk = callers.staff("clerk")
    assert len(body(clerk.get("/scale-readings"))["readings"]) == 6
    assert len(body(clerk.get("/scale-readings?station_key=shagou"))["readings"]) == 1
    assert body(keeper.get("/scale-readings?station_key=shagou"))["readings"] == []
    for wrong in ("cursor=x", "limit=0", "unused=maybe", "x=1"):
        assert keeper.get(f"/scale-readings?{wrong}").status_code == 422


def test_a_ticket_that_names_a_reading_wants_no_masses_and_one_that_names_none_does(callers: Callers) -> None:
    keeper = callers.staff("keeper")
    for missing in ("gross_g", "tare_g", "scale_number"):
        without = {name: value for name, value in a_ticket_body().items() if name != missing}
        answer = keeper.post("/intake-tickets", without)
        assert (answer.status_code, missing in body(answer)["detail"]) == (422, True)
    strange = keeper.post("/intake-tickets", a_ticket_body(reading_id="11111111-1111-4111-8111-111111111111"))
    assert (strange.status_code, "no reading of your station" in body(strange)["detail"]) == (422, True)
    assert keeper.post("/intake-tickets", a_ticket_body(reading_id="x")).status_code == 422


# --- a scale's memory ---


def test_a_keeper_imports_a_scales_memory_and_the_same_file_again(callers: Callers, session: Session) -> None:
    keeper = callers.staff("keeper", station_key="lincheng")
    text = a_table("0001,51.3,10,41.3,,2026-11-23 09:30", "0002,60,10,,lincheng-1,2026-11-23 09:40")
    made = table(keeper, text.encode("gbk"), Content_Type="text/csv; charset=gbk", Idempotency_Key="k")
    assert (made.status_code, body(made)) == (201, {"encoding": "gb18030", "new": 2, "known": 0}), made.text
    assert table(keeper, text.encode("gbk"), Idempotency_Key="k").data == made.data
    assert body(table(keeper, text)) == {"encoding": "utf-8", "new": 0, "known": 2}
    rows = body(keeper.get("/scale-readings"))["readings"]
    assert [(row["reading_number"], row["vehicle_key"], row["source"]) for row in rows] == [
        ("0002", "lincheng-1", "csv"), ("0001", None, "csv"),
    ]  # fmt: skip
    assert count(session) == 2


def test_faults_of_a_memory_come_as_a_list_and_nothing_is_imported(callers: Callers, session: Session) -> None:
    answer = table(
        callers.staff("keeper"),
        a_table("1,51.3,10,,,2026-11-23 09:30", "2,=9+9,10,,,2026-11-23 09:30", "3,51.3,10,,鲁D12345,26-11-23 09:30"),
    )
    assert (answer.status_code, body(answer)["code"], body(answer)["error_count"]) == (422, "rows_refused", 2)
    assert [(one["line"], one["column"]) for one in body(answer)["errors"]] == [(3, "gross_kg"), (4, "weighed_at")]
    assert "nothing was imported" in body(answer)["detail"]
    assert "未导入任何一条" in body(answer)["detail"]
    assert "鲁D12345" not in answer.text
    assert count(session) == 0


def test_a_table_says_what_it_is_and_of_which_scale(callers: Callers) -> None:
    keeper = callers.staff("keeper")
    for caller in (callers.staff("clerk"), callers.staff("admin"), callers.resident()):
        assert table(caller, a_table()).status_code == 403
    assert table(keeper, a_table(), Content_Type="application/json").status_code == 415
    assert table(keeper, a_table(), query="").status_code == 422
    assert table(keeper, a_table(), query="?scale_number=秤").status_code == 422
    assert table(keeper, a_table(), Idempotency_Key="").status_code == 400
    assert table(keeper, "").status_code == 422
    assert table(keeper, b"\xff\xfea").status_code == 422
    assert table(keeper, a_table("\0")).status_code == 422


def test_a_million_rows_are_refused_in_flat_memory(callers: Callers, session: Session) -> None:
    keeper = callers.staff("keeper")
    rows = a_table() + "0002,51.3,10,,,2026-11-23 09:30\r\n" * 1_000_000
    few = a_table() + "\r\n" * 500_000  # within the bytes, and half a million blank lines
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    million, blank = table(keeper, rows.encode()), table(keeper, few.encode())
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert len(few) < LARGEST_TABLE < len(rows)
    assert (million.status_code, blank.status_code) == (413, 422)
    assert "split it" in body(blank)["detail"]
    # the test itself holds the 33 MB that it sends, once more encoded; read into rows they would be hundreds
    assert grown_kib < 100 * 1024
    assert count(session) == 0
