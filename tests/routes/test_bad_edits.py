"""Bad keys, versions, cursors, addresses and sign-ins: each a 4xx in words, and nothing is written."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from tests.builders import a_wish_body
from tests.callers import Callers
from tests.routes.bad_requests import Bad, Counter

# --- keys, versions, cursors, addresses ---


def test_a_missing_or_malformed_idempotency_key_is_refused(resident: Counter) -> None:
    for key in ("leave out", "", " ", "two words", "x" * 129, "schlüssel", "密钥".encode().decode("latin-1")):
        resident.refuse(
            [
                Bad(
                    body=a_wish_body(), headers={"Idempotency-Key": key},
                    status=400, code="idempotency_key_required", says=("1 to 128 visible ASCII characters",),
                )
            ]
        )  # fmt: skip


def test_a_key_used_for_another_wish_is_refused(resident: Counter) -> None:
    key = {"Idempotency-Key": "morning-1"}
    assert resident.send(Bad(body=a_wish_body(), headers=key)).status_code == 201
    resident.refuse(
        [
            Bad(
                body=a_wish_body(floor=3), headers=key,
                code="idempotency_key_mismatch", says=("'morning-1'", "make a new key"),
            )
        ]
    )  # fmt: skip
    # the wish itself is answered as before and not done again
    before = resident.rows()
    again = resident.send(Bad(body=a_wish_body(), headers=key))
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert resident.rows() == before


def test_an_edit_without_its_version_or_of_an_old_one_is_refused(resident: Counter) -> None:
    booking = resident.caller.post("/bookings", a_wish_body()).get_json()
    path = f"/bookings/{booking['id']}"
    edits: tuple[dict[str, Any], ...] = (
        {"method": "PATCH", "path": path, "body": {"floor": 2}},
        {"method": "POST", "path": f"{path}/cancellation"},
    )
    for edit in edits:
        resident.refuse([Bad(**edit, status=428, code="version_required", says=("If-Match",))])
        for given in ("1", "W/\"1\"", "*", '"x"', '""', '"1", "1"', '"-1"', '"1.0"', '"99999999999"', '"１"'.encode().decode("latin-1"), "x" * 5000):  # fmt: skip  # noqa: E501  # a table
            resident.refuse([Bad(**edit, headers={"If-Match": given}, says=("If-Match is", "send the ETag"))])
        for stale in ('"0"', '"2"', '"999999999"'):
            resident.refuse(
                [
                    Bad(
                        **edit, headers={"If-Match": stale},
                        status=412, code="stale_version", says=("now version 1", f"you sent {stale.strip(chr(34))}"),
                    )
                ]
            )  # fmt: skip


def test_an_amendment_that_says_nothing_or_half_a_point_is_refused(resident: Counter) -> None:
    booking = resident.caller.post("/bookings", a_wish_body()).get_json()

    def amend(*says: str, **changes: Any) -> Bad:
        path = f"/bookings/{booking['id']}"
        return Bad(method="PATCH", path=path, body=changes, headers={"If-Match": '"1"'}, says=says)

    resident.refuse(
        [
            amend("name at least one field"),
            amend("lat", "send lat and lon together", lat=34.81),
            amend("send lat and lon together", lon=117.25),
            amend("send lat and lon together", coordinate_system="gcj02"),
            amend("items.0.quantity: Missing data", items=[{"item_type": "fridge"}]),
            amend("items is a list of 0", items=[]),
            amend("resident_id", "Unknown field", resident_id=str(uuid4())),
            amend('floor is "2"', floor="2"),
        ]
    )


def forged(*parts: str) -> str:
    """A cursor in our own form, with values that are not ours."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def test_a_cursor_that_is_none_of_ours_is_refused(resident: Counter) -> None:
    def page(cursor: str) -> Bad:
        return Bad(method="GET", path=f"/bookings?cursor={cursor}", says=("cursor", "take next_cursor"))

    row_id = str(uuid4())
    resident.refuse(
        [
            page("x"),
            page("%E4%B8%AD"),
            page("AAAA"),
            page(base64.urlsafe_b64encode(b"\xff\xfe").decode()),
            page(forged()),
            page(forged("2026-11-23T02:00:00+00:00")),
            page(forged("2026-11-23T02:00:00+00:00", "no id")),
            page(forged("2026-11-23T02:00:00", row_id)),
            page(forged("yesterday", row_id)),
            page(forged("0001-01-01T00:00:00+23:59", row_id)),
            page(forged("9999-12-31T23:59:59-23:59", row_id)),
            page(forged("2026-11-23T02:00:00+00:00", row_id, "more")),
            page(base64.urlsafe_b64encode(b"[" * 60 + b"]" * 60).decode()),
            Bad(method="GET", path="/bookings?cursor=" + "A" * 5000, says=("between 1 and 200",)),
        ]
    )


def test_wrong_words_in_an_address_are_refused(resident: Counter) -> None:
    def query(words: str, *says: str) -> Bad:
        return Bad(method="GET", path=f"/bookings?{words}", says=says)

    resident.refuse(
        [
            query("limit=0", 'limit is "0"'),
            query("limit=201", 'limit is "201"'),
            query("limit=-1", 'limit is "-1"'),
            query("limit=1e2", 'limit is "1e2"'),
            query("limit=" + "9" * 5000, "limit"),
            query("day=tomorrow", 'day is "tomorrow"'),
            query("day=2026-02-30", 'day is "2026-02-30"'),
            query("state=lost", 'state is "lost"'),
            query("colour=red", 'colour is "red"', "Unknown field"),
            query("cursor=%00", "send printable text"),
        ]
    )


def test_absurd_days_can_be_asked_about_and_are_not_bookable(resident: Counter) -> None:
    bookable = resident.caller.get("/pickup-windows").get_json()["days"]
    for day in ("0001-01-01", "1900-02-28", "9999-12-31"):
        assert day not in bookable
        assert resident.caller.get(f"/bookings?day={day}").get_json()["bookings"] == []


def addresses_of(booking_id: str) -> Iterator[Bad]:
    """Every way to name a booking."""
    path = f"/bookings/{booking_id}"
    yield Bad(method="GET", path=path)
    yield Bad(method="PATCH", path=path, body={"floor": 2}, headers={"If-Match": '"1"'})
    yield Bad(method="PATCH", path=path, body={"floor": 2}, headers={"If-Match": '"7"'})
    yield Bad(method="PATCH", path=path, body={"pickup_window": "unknown"}, headers={"If-Match": '"1"'})
    yield Bad(method="POST", path=f"{path}/cancellation", headers={"If-Match": '"1"'})


def test_somebody_elses_booking_is_answered_like_one_that_is_not_there(resident: Counter, callers: Callers) -> None:
    # given a booking of another resident
    foreign = callers.resident().post("/bookings", a_wish_body()).get_json()["id"]
    absent = str(uuid4())
    before = resident.rows()
    for theirs, nobodys in zip(addresses_of(foreign), addresses_of(absent), strict=True):
        said = [resident.send(case).get_json() for case in (theirs, nobodys)]
        # then both answers are 404 and the same but for the request's id and the id that was asked for
        assert said[0]["status"] == 404
        for one in said:
            del one["request_id"]
        assert json.dumps(said[0]).replace(foreign, absent) == json.dumps(said[1])
    assert resident.rows() == before


def test_an_address_or_method_that_does_not_exist_is_a_problem_too(resident: Counter) -> None:
    for method, path, status, code in (
        ("GET", "/bookings/1", 404, "not_found"),
        ("GET", f"/bookings/{uuid4()}x", 404, "not_found"),
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/bookings/" + "%00" * 10, 404, "not_found"),
        ("GET", "/static/../wsgi.py", 404, "not_found"),
        ("DELETE", f"/bookings/{uuid4()}", 405, "method_not_allowed"),
        ("PUT", "/bookings", 405, "method_not_allowed"),
    ):
        answer = resident.send(Bad(method=method, path=path))
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), path
        assert answer.get_json()["code"] == code
        assert ("Allow" in answer.headers) is (status == 405)


# --- signing in ---


def test_bad_input_to_the_sign_in_is_refused_and_repeats_no_secret(session: Session, callers: Callers) -> None:
    eyes = Counter(session, callers.resident())

    def to(path: str, body: Any, *says: str) -> Bad:
        return Bad(path=f"/sign-in/{path}", body=body, says=says)

    code_id = str(uuid4())
    eyes.refuse(
        [
            to("codes", {"phone": "13812345678\n"}, "phone"),
            to("codes", {"phone": "+8613812345678"}, "phone"),
            to("codes", {"phone": "１３８１２３４５６７８"}, "phone"),
            to("codes", {"phone": "12812345678"}, "phone"),
            to("codes", {"phone": 13812345678}, "phone"),
            to("codes", {"phone": "13812345678", "role": "admin"}, "role", "Unknown field"),
            to("codes", {}, "phone: Missing data"),
            to("tokens", {"code_id": code_id, "code": 123456}, "code"),
            to("tokens", {"code_id": code_id, "code": "12345"}, "code"),
            to("tokens", {"code_id": code_id, "code": "１２３４５６"}, "code"),
            to("tokens", {"code_id": "x", "code": "123456"}, 'code_id is "x"'),
            to("staff", {"login": "a\x00b", "password": "secret-of-mine"}, "login"),
            to("staff", {"login": "ab", "password": "secret-of-mine\ud800"}, "password", "send printable text"),
            to("staff", {"login": "ab", "password": "secret-of-mine" * 20}, "password", "between 1 and 200"),
            to("staff", {"login": "ab", "password": ["secret-of-mine"]}, "password"),
        ]
    )
    for body in ({"login": "ab", "password": ["secret-of-mine"]}, {"phone": "1381234567"}):
        said = eyes.send(to("staff" if "login" in body else "codes", body)).text
        assert "secret-of-mine" not in said
        assert "1381234567" not in said
