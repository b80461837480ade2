"""Bad input over HTTP: each a 4xx in words, naming the value and the next step, and nothing is written."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from recycling.models import Base
from recycling.models.booking import Booking
from recycling.models.ledger import WindowLedger, close_day
from recycling.models.transaction import atomic
from recycling.routes.schemas.bookings import WishSchema
from tests.builders import TOMORROW, a_wish_body
from tests.callers import Caller, Callers

MEMBERS = {"type", "title", "status", "detail", "code", "retryable", "request_id"}
NEXT_STEP = re.compile(
    r"\b(?:send|choose|correct|book|place|take|give|name|make|read|declare|encode|set)\b", re.IGNORECASE
)
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """One bad request, and what is to be said about it."""

    body: Any = None
    method: str = "POST"
    path: str = "/bookings"
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE
    status: int = 422
    code: str = "invalid_input"
    says: tuple[str, ...] = ()


def wish(*says: str, **overrides: Any) -> Bad:
    """A wish with something wrong in it."""
    return Bad(body=a_wish_body(**overrides), says=says)


def raw(text: str | bytes, *says: str, status: int = 400, code: str = "bad_request", **options: Any) -> Bad:
    """A body that is no good JSON object."""
    return Bad(body=text.encode() if isinstance(text, str) else text, status=status, code=code, says=says, **options)


def with_text(old: str, new: str) -> str:
    """A good wish as text, with a part of it exchanged."""
    good = json.dumps(a_wish_body(), ensure_ascii=False)
    assert old in good
    return good.replace(old, new)


class Counter:
    """Sends bad requests and looks at every table's rows before and after."""

    def __init__(self, session: Session, caller: Caller) -> None:
        self.session, self.caller = session, caller

    def rows(self) -> dict[str, int]:
        """Rows of every table."""
        self.session.rollback()
        tables = Base.metadata.sorted_tables
        return {one.name: self.session.scalars(select(func.count()).select_from(one)).one() for one in tables}

    def refuse(self, cases: Sequence[Bad]) -> None:
        """Each case is refused as it says, and nothing is written."""
        before = self.rows()
        self.session.rollback()
        for case in cases:
            check(case, self.send(case))
        assert self.rows() == before

    def send(self, case: Bad) -> TestResponse:
        """Send one case as the caller."""
        headers = {"Authorization": f"Bearer {self.caller.tokens['access_token']}", "Idempotency-Key": str(uuid4())}
        content: dict[str, Any] = {}
        if case.body is not None:
            content["data"] = case.body if isinstance(case.body, bytes) else json.dumps(case.body)
            content["content_type"] = case.content_type
        headers = {name: value for name, value in (headers | case.headers).items() if value != "leave out"}
        return self.caller.client.open(case.path, method=case.method, headers=headers, **content)


def check(case: Bad, answer: TestResponse) -> None:
    """The answer is the problem that the case asks for."""
    shown = f"{case.method} {case.path} {str(case.body)[:200]!r} {case.headers} -> {answer.status} {answer.text[:600]}"
    assert answer.status_code == case.status, shown
    assert answer.content_type == "application/problem+json", shown
    said = answer.get_json()
    assert said.keys() - {"fields"} == MEMBERS, shown
    assert (said["status"], said["code"]) == (case.status, case.code), shown
    assert said["type"] == f"urn:recycling:problem:{case.code}", shown
    assert answer.headers["X-Request-Id"] == said["request_id"] != "", shown
    for words in case.says:
        assert words in said["detail"], f"{words!r} is not in: {shown}"
    # a sentence with a next step, and short however long the input was
    assert NEXT_STEP.search(said["detail"]), shown
    assert len(answer.data) < 6000, f"{len(answer.data)} bytes: {shown}"


@pytest.fixture
def resident(session: Session, callers: Callers) -> Counter:
    """A signed-in resident, and the eyes on the tables."""
    return Counter(session, callers.resident())


# --- the body as such ---


def test_a_body_that_is_no_json_object_is_refused(resident: Counter) -> None:
    resident.refuse(
        [
            raw("", "the body is empty", "send a JSON object"),
            raw("{", "no JSON", "line 1, column 2"),
            raw('{"floor": 1,}', "no JSON"),
            raw("{'floor': 1}", "no JSON"),
            raw(with_text("34.8", "NaN"), "NaN is no JSON number", "send a finite one"),
            raw(with_text("34.8", "Infinity"), "Infinity is no JSON number"),
            raw(with_text("34.8", "-Infinity"), "-Infinity is no JSON number"),
            raw(with_text("34.8", "1" * 5000), "too many digits"),
            raw('{"floor": 1, "floor": 2}', "names 'floor' twice"),
            raw('{"items": [{"quantity": 1, "quantity": 2}]}', "names 'quantity' twice"),
            raw("[" * 100_000 + "]" * 100_000, "nested too deeply"),
            raw('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
            raw(b'{"note": "\xff"}', "not UTF-8"),
            raw(b'{"note": "\xc0\xaf"}', "not UTF-8"),
            raw(json.dumps(a_wish_body()).encode("utf-16"), "not UTF-8"),
            raw(json.dumps(a_wish_body()).encode("utf-32"), "not UTF-8"),
            raw(b"\xef\xbb\xbf" + json.dumps(a_wish_body()).encode(), "no JSON"),
            raw("[]", "body is a list of 0", status=422, code="invalid_input"),
            raw("null", "body is null", status=422, code="invalid_input"),
            raw("7", "body is 7", status=422, code="invalid_input"),
            raw('"fridge"', 'body is "fridge"', status=422, code="invalid_input"),
        ]
    )


def test_a_body_of_ten_megabytes_is_refused_unread(resident: Counter) -> None:
    too_large = {"status": 413, "code": "request_entity_too_large"}
    resident.refuse(
        [
            raw(b'{"note": "' + b"x" * 10_000_000 + b'"}', "larger than this server takes", **too_large),  # type: ignore[arg-type]  # status and code as the constructor takes them
            raw(b"\x00" * ((1 << 20) + 1), "send less at once", **too_large),  # type: ignore[arg-type]  # as above
        ]
    )


def test_a_body_without_its_length_is_refused_unread(resident: Counter) -> None:
    # It would be cut off at the largest size without a word: what stands behind that was judged by nobody.
    case = raw(json.dumps(a_wish_body()), "send the body with its Content-Length", status=411, code="length_required")
    before = resident.rows()
    headers = {"Authorization": f"Bearer {resident.caller.tokens['access_token']}", "Idempotency-Key": str(uuid4())}
    answer = resident.caller.client.post(
        case.path, headers=headers | {"Transfer-Encoding": "chunked"}, input_stream=BytesIO(case.body),
        content_type=JSON_TYPE, environ_overrides={"wsgi.input_terminated": True},
    )  # fmt: skip
    check(case, answer)
    assert answer.headers["Connection"] == "close"
    assert resident.rows() == before


def test_a_query_is_read_to_the_letter(resident: Counter) -> None:
    for query, said in (
        ("day=2026-11-24&day=2026-11-25", "day is"), ("limit=1_0", 'limit is "1_0"'), ("limit=５", "limit is"),
        ("limit=+5", "limit is"), ("limit=", "limit is"),
    ):  # fmt: skip
        resident.refuse([Bad(method="GET", path=f"/bookings?{query}", says=(said,))])


def test_a_body_of_another_type_is_refused(resident: Counter) -> None:
    good = json.dumps(a_wish_body()).encode()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", ""):
        case = Bad(
            body=good, content_type=content_type, status=415, code="unsupported_media_type",
            says=("send the body as Content-Type: application/json",),
        )  # fmt: skip
        answer = resident.send(case)
        assert (answer.status_code, answer.get_json()["code"]) == (415, "unsupported_media_type"), content_type
        assert case.says[0] in answer.get_json()["detail"]


# --- fields ---


def test_unknown_fields_are_refused_by_name(resident: Counter) -> None:
    many = a_wish_body() | {f"field_{number}": 0 for number in range(10_000)}
    resident.refuse(
        [
            wish("colour", "Unknown field", colour="red"),
            wish("items.0.weight_g is 5: Unknown field", items=[{"item_type": "fridge", "quantity": 1, "weight_g": 5}]),
            wish("__proto__", "Unknown field", **{"__proto__": {}}),
            wish("Unknown field", **{"\ud800": 1}),
            wish("Unknown field", **{"a\x00b": 1}),
            wish("Unknown field", **{"x" * 10_000: 1}),
            Bad(body=many, says=("field_", "and 9990 more")),
        ]
    )


def test_no_column_of_a_booking_can_be_written_that_is_not_a_wish(resident: Counter) -> None:
    # given every column of the table, those of a wish and the resident, who is checked by itself, left out
    columns = {column.name for column in Booking.__table__.columns} - WishSchema().fields.keys() - {"resident_id"}
    assert {"id", "state", "version", "area", "service_s", "made_up", "created_at"} <= columns
    # when each is sent along with a good wish, and as an amendment
    booking = resident.caller.post("/bookings", a_wish_body()).get_json()
    for column in sorted(columns):
        resident.refuse(
            [
                wish(column, "Unknown field", **{column: 1}),
                Bad(
                    method="PATCH", path=f"/bookings/{booking['id']}", headers={"If-Match": '"1"'},
                    body={column: 1}, says=(column, "Unknown field"),
                ),
            ]
        )  # fmt: skip


def test_a_booking_for_somebody_else_is_refused(resident: Counter) -> None:
    other = str(uuid4())
    resident.refuse([wish(other, "is not you", "leave it out", resident_id=other)])


def test_missing_fields_are_all_named(resident: Counter) -> None:
    required = [name for name, one in WishSchema().fields.items() if one.required]
    assert len(required) == 7
    resident.refuse([Bad(body={}, says=tuple(f"{name}: Missing data" for name in required))])
    for name in required:
        body = {key: value for key, value in a_wish_body().items() if key != name}
        resident.refuse([Bad(body=body, says=(f"{name}: Missing data",))])


def test_values_of_the_wrong_type_are_refused_by_value(resident: Counter) -> None:
    def item(**overrides: Any) -> list[dict[str, Any]]:
        return [{"item_type": "fridge", "quantity": 1} | overrides]

    resident.refuse(
        [
            wish('floor is "1"', floor="1"),
            wish("floor is 1.0", floor=1.0),
            wish("floor is true", floor=True),
            wish("floor is null", floor=None),
            wish("floor is a list of 0", floor=[]),
            wish("floor is a number of too many digits", floor=10**4000),
            wish("floor is 61", floor=61),
            wish('lat is "34.8"', lat="34.8"),
            wish("lat is true", lat=True),
            wish("lat is null", lat=None),
            wish("lat is a number of too many digits", lat=10**400),
            wish("lat is 200.5", lat=200.5),
            wish('has_lift is "true"', has_lift="true"),
            wish("has_lift is 1", has_lift=1),
            wish("has_lift is null", has_lift=None),
            wish("day is 20261124", day=20261124),
            wish("day", "2026-11-24T00:00:00", day="2026-11-24T00:00:00"),
            wish("day", "tomorrow", day="tomorrow"),
            wish("day", "2026-02-30", day="2026-02-30"),
            wish("day", "0000-00-00", day="0000-00-00"),
            wish("day", "２０２６", day="２０２６-11-24"),
            wish("day", "2026-W48-2", day="2026-W48-2"),
            wish("village_code is 370403001001", village_code=370403001001),
            wish("pickup_window is a list of 1", pickup_window=["08-10"]),
            wish('coordinate_system is "bd09"', coordinate_system="bd09"),
            wish('items is "fridge"', items="fridge"),
            wish("items is an object", items={"item_type": "fridge", "quantity": 1}),
            wish("items.0 is 1", items=[1]),
            wish("items.0 is null", items=[None]),
            wish("items.0.quantity is 1.5", items=item(quantity=1.5)),
            wish('items.0.quantity is "1"', items=item(quantity="1")),
            wish("items.0.quantity is true", items=item(quantity=True)),
            wish("items.0.item_type is 7", items=item(item_type=7)),
            wish('items.0.dismantle is "no"', items=item(dismantle="no")),
            wish('resident_id is "me"', resident_id="me"),
            wish("resident_id is 5", resident_id=5),
            # numbers that JSON can write and a float cannot hold
            Bad(body=with_text("34.8", "1e400").encode(), says=("lat is Infinity",)),
            Bad(body=with_text("34.8", "-1e400").encode(), says=("lat is -Infinity",)),
            Bad(body=with_text('"quantity": 1', '"quantity": 1e400').encode(), says=("quantity is Infinity",)),
        ]
    )


def test_text_that_cannot_be_stored_or_shown_is_refused(resident: Counter) -> None:
    for text in (
        "a\x00bcd",
        "a\ud800bcd",
        "\udfffabcd",
        "abcd\x1b[31m",
        "abcd\x7f",
        "ab\rcd",
        "\u200b" * 5,
        "abcd\u202e",
        "abcd\u0085",
        "abcd\uffff",
        "abcd\u2028",
    ):
        resident.refuse(
            [
                wish("address", "send printable text", address=text),
                wish("note", "send printable text", note=text),
                wish("items.0.item_type", "send printable text", items=[{"item_type": text, "quantity": 1}]),
                wish("pickup_window", "send printable text", pickup_window=text),
            ]
        )
    resident.refuse(
        [
            wish("address", "between 4 and 200", address="短"),
            wish("address", "between 4 and 200", address="   \t\n   "),
            wish("address", "between 4 and 200", address="长" * 201),
            wish("note", "200", note="长" * 201),
            wish("village_code", "no code of 12 digits", village_code="370403001001\n"),
        ]
    )


def test_line_ends_wide_spaces_and_joined_emoji_are_text(resident: Counter) -> None:
    answer = resident.send(wish(address="清泉路　1 号", note="门口有狗\n👨\u200d👩\u200d👧"))
    assert answer.status_code == 201, answer.text


def test_personal_data_in_a_refused_field_is_not_repeated(resident: Counter) -> None:
    case = wish("address", "note", address="清泉路 77 号\x00", note="13812345678\x00")
    resident.refuse([case])
    assert "77 号" not in resident.send(case).text
    assert "13812345678" not in resident.send(case).text


# --- rules ---


def test_a_wrong_place_is_refused_with_the_likely_mistake(resident: Counter) -> None:
    resident.refuse(
        [
            wish("lat=117.26, lon=34.8 look exchanged", "send lat=34.8, lon=117.26", lat=117.26, lon=34.8),
            wish("lat=39.9, lon=116.4 lies outside", "place the pin inside the district", lat=39.9, lon=116.4),
            wish("lat=0.0, lon=0.0", lat=0, lon=0),
            wish("lat=-34.8, lon=117.26", lat=-34.8),
            wish("'370403999999' is not in the district", "GET /villages", village_code="370403999999"),
        ]
    )


def test_wrong_amounts_are_refused_with_the_right_ones(resident: Counter) -> None:
    def fridges(quantity: int) -> list[dict[str, Any]]:
        return [{"item_type": "fridge", "quantity": quantity}]

    resident.refuse(
        [
            wish("items is a list of 0", "between 1 and 20", items=[]),
            wish("items is a list of 21", "between 1 and 20", items=fridges(1) * 21),
            wish("items is a list of 10000", "between 1 and 20", items=fridges(1) * 10_000),
            wish("items.0.quantity is 0", items=fridges(0)),
            wish("items.0.quantity is -1", items=fridges(-1)),
            wish("items.0.quantity is 10000", "less than or equal to 1000", items=fridges(10_000)),
            wish("quantity 1000 of 'fridge'", "book 1 to 2", items=fridges(1000)),
            wish("'fridge' comes twice", "give it once", items=fridges(1) * 2),
            wish(
                "'piano'",
                "choose a key of the catalogue, such as fridge",
                items=[{"item_type": "piano", "quantity": 1}],
            ),
            wish("not offered for 'fridge'", items=[{"item_type": "fridge", "quantity": 1, "dismantle": True}]),
            Bad(body=a_wish_body(items=[{"zz": 1}] * 10_000), says=("items.0.zz is 1", "more")),
        ]
    )


def test_days_and_windows_that_cannot_be_booked_are_refused_with_those_that_can(
    resident: Counter, session: Session
) -> None:
    def closed(*says: str, **overrides: Any) -> Bad:
        return Bad(body=a_wish_body(**overrides), status=409, code="window_closed", says=says)

    bookable = "choose a bookable day: 2026-11-24 to 2026-12-07"
    resident.refuse(
        [closed(f"{day} cannot be booked", bookable, day=day) for day in (
            "2026-11-22", "2026-11-23", "2026-12-08", "2016-02-29", "0001-01-01", "9999-12-31",
        )]
        + [wish("'03-05' is unknown", "choose from 08-10, 10-12, 13-15, 15-17, all-day", pickup_window="03-05")]
    )  # fmt: skip
    # a full window, and a day whose routes are planned
    resident.caller.post("/bookings", a_wish_body())
    with atomic(session):
        session.execute(update(WindowLedger).where(WindowLedger.pickup_window == "08-10").values(places_cap=1))
    full = Bad(
        body=a_wish_body(), status=409, code="window_full",
        says=("window 08-10 on 2026-11-24 is full", "choose another window or day"),
    )  # fmt: skip
    resident.refuse([full])
    with atomic(session):
        close_day(session, day=TOMORROW, areas=["lincheng"])
    resident.refuse([closed("routes of 2026-11-24 are already planned", "choose a later day")])


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
            Bad(method="GET", path="/pickup-windows?day=2026-11-24", says=("village_code: Missing data",)),
            Bad(method="GET", path="/pickup-windows?day=x&village_code=1", says=('day is "x"', 'village_code is "1"')),
            Bad(
                method="GET", path="/pickup-windows?day=2026-11-24&village_code=370403999999",
                says=("'370403999999' is not in the district",),
            ),
        ]
    )  # fmt: skip


def test_absurd_days_can_be_asked_about_and_are_not_bookable(resident: Counter) -> None:
    for day in ("0001-01-01", "1900-02-28", "9999-12-31"):
        answer = resident.caller.get(f"/pickup-windows?village_code=370403001001&day={day}")
        assert (answer.status_code, answer.get_json()["bookable"]) == (200, False)
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
