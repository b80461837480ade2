"""POST /booking-imports: a CSV body, dry or real, once per key, refused line by line as problem+json."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from recycling.models.booking import Booking
from recycling.routes.booking_imports import LARGEST_TABLE
from tests.callers import Caller, Callers
from tests.tables import a_row, a_table


def send(caller: Caller, table: str | bytes, *, query: str = "", key: str = "", **headers: str) -> TestResponse:
    sent = {
        **caller.credentials("POST", "/booking-imports"),
        "Idempotency-Key": key or str(uuid.uuid4()),
        "Content-Type": "text/csv",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return caller.client.post(f"/booking-imports{query}", data=table, headers=sent)


def body(answer: TestResponse) -> dict[str, Any]:
    found: dict[str, Any] = answer.get_json()
    return found


def bookings(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Booking)) or 0


def test_a_dry_run_proves_and_the_same_table_is_then_booked_once(callers: Callers, session: Session) -> None:
    caller, table = callers.staff("dispatcher"), a_table(a_row(booking="A"), a_row(booking="B", lat="34.81"))
    dry = send(caller, table, query="?dry_run=true", key="one")
    assert (dry.status_code, body(dry)["dry_run"], bookings(session)) == (200, True, 0)
    assert [one["id"] for one in body(dry)["bookings"]] == [None, None]
    # the key of a dry run is not used up by it
    made = send(caller, table, key="one")
    assert (made.status_code, made.text.count('"line'), bookings(session)) == (201, 2, 2)
    assert body(made)["rows"] == 2
    again = send(caller, table, key="one")
    assert (again.status_code, again.data, bookings(session)) == (201, made.data, 2)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert send(caller, a_table(a_row()), key="one").status_code == 422
    # each booking can be read by the one it was made for
    resident = callers.resident("13600000001")
    shown = resident.get(f"/bookings/{body(made)['bookings'][0]['id']}").get_json()
    assert (shown["consent"], shown["resident_id"]) == ("institution", str(resident.id))


def test_a_replay_is_answered_although_the_day_is_full_by_now(callers: Callers, session: Session) -> None:
    caller = callers.staff("admin")
    heavy = {"item_type": "ac-split", "quantity": "2", "dismantle": "true", "floor": "6"}
    table = a_table(a_row(**heavy))
    made = send(caller, table, key="k")
    while send(caller, table).status_code == 201:
        pass
    before = bookings(session)
    again = send(caller, table, key="k")
    assert (again.status_code, again.data, bookings(session)) == (201, made.data, before)


def test_faults_come_as_a_list_and_nothing_is_booked(callers: Callers, session: Session) -> None:
    answer = send(callers.staff("dispatcher"), a_table(a_row(), a_row(quantity="=1+1"), a_row(phone="1")))
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert body(answer)["code"] == "rows_refused"
    assert body(answer)["error_count"] == 2
    assert [(one["line"], one["column"]) for one in body(answer)["errors"]] == [(3, "quantity"), (4, "phone")]
    assert bookings(session) == 0


def test_only_the_desk_sends_tables_and_they_say_what_they_are(callers: Callers) -> None:
    desk, table = callers.staff("dispatcher"), a_table(a_row())
    for caller in (callers.resident(), callers.staff("clerk"), callers.staff("keeper"), callers.staff("collector")):
        assert send(caller, table).status_code == 403
    assert send(desk, table, Content_Type="application/json").status_code == 415
    assert send(desk, table, query="?dry_run=maybe").status_code == 422
    assert send(desk, table, Idempotency_Key="").status_code == 400
    assert send(desk, "").status_code == 422
    assert send(desk, b"\xff\xfea").status_code == 422
    gbk = send(desk, table.encode("gbk"), query="?dry_run=true", Content_Type="text/csv; charset=gbk")
    assert (gbk.status_code, body(gbk)["encoding"]) == (200, "gb18030")


def test_a_table_may_be_two_mebibytes_and_no_more(callers: Callers) -> None:
    desk = callers.staff("dispatcher")
    row = a_row(note="注" * 200, address="址" * 200)
    table = a_table(*[row for _ in range(1000)]).encode()
    assert 1 << 20 < len(table) < LARGEST_TABLE
    # the form is read whole: what is refused is that one contact's thousand fridges find no place
    refused = send(desk, a_table(*[row | {"quantity": "x"} for _ in range(1000)]).encode())
    assert (refused.status_code, body(refused)["error_count"]) == (422, 1000)
    assert send(desk, table + b"," * LARGEST_TABLE).status_code == 413
