"""Bad wishes over HTTP: each a 4xx in words, naming the value and the next step, and nothing is written."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from recycling.models.booking import Booking
from recycling.models.ledger import close_day
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.routes.schemas.bookings import WishSchema
from tests.builders import TOMORROW, a_wish_body
from tests.callers import Callers
from tests.conftest import NOW
from tests.places import ROOM_OF_TRUCK, one_truck
from tests.routes.bad_requests import Bad, Counter, wish, with_text

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
    # given every column of the table, those of a wish, and the two that staff name, left out
    checked = {"resident_id", "consent"}
    columns = {column.name for column in Booking.__table__.columns} - WishSchema().fields.keys() - checked
    assert {"id", "state", "held_until", "version", "area", "service_s", "made_up", "created_at"} <= columns
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
    resident.refuse([wish("consent is what staff note", "leave it out", consent="phone")])
    resident.refuse([wish('consent is "silence"', consent="silence")])


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
    app: Flask,
    district: District,
    resident: Counter,
    callers: Callers,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
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
    monkeypatch.setitem(app.extensions, "district", one_truck(district))
    for number in range(ROOM_OF_TRUCK):
        other = callers.resident().post("/bookings", a_wish_body(address=f"清泉路 {number + 1} 号"))
        assert other.status_code == 201
    full = Bad(
        body=a_wish_body(), status=409, code="window_full",
        says=("no route of 2026-11-24 can take this any more in that window", "choose another one", "/slot-offers"),
    )  # fmt: skip
    resident.refuse([full])
    with atomic(session):
        close_day(session, TOMORROW, now=NOW)
    resident.refuse([closed("routes of 2026-11-24 are already planned", "choose a later day")])
