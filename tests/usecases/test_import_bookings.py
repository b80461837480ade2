"""A table is booked whole or not at all, through the same door as every other promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import RowsRefused, WindowFull
from recycling.models.booking import Booking
from recycling.models.ledger import DayLedger
from recycling.models.outbox import OutboxMessage
from recycling.models.people import Resident
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.import_bookings import book_import, rehearse_import
from recycling.usecases.bookings.import_table import read_table
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.queries.bookings import visits_of
from tests.builders import DISPATCHER, a_booking, a_resident
from tests.conftest import NOW
from tests.invariants import assert_invariants
from tests.linked_wishes import AIR_CONDITIONER, FRIDGE, GAS_HEATER, two_crews
from tests.places import places
from tests.tables import a_row, a_table

HEAVY = {"item_type": "ac-split", "quantity": "2", "dismantle": "true", "floor": "6"}


def booked(rows: Sequence[dict[str, str]], *, by: Principal, district: District, session: Session) -> list[Booking]:
    _, wishes = read_table(a_table(*rows).encode())
    rehearsed = rehearse_import(wishes, district=district, session=session, now=NOW)
    return book_import(rehearsed, by=by, district=district, session=session, now=NOW)


def count(session: Session, model: Any) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_table_of_several_days_contacts_and_items_becomes_bookings(session: Session, district: District) -> None:
    known = a_resident(session, now=NOW)
    phone = session.get_one(Resident, known.id).phone
    rows = [
        a_row(booking="A", phone=phone),
        a_row(booking="A", phone=phone, item_type="sofa-three"),
        *[a_row(day=f"2026-11-{25 + n % 3}", lat=34.79 + n * 0.002, item_type="tv-crt") for n in range(12)],
    ]
    bookings = booked(rows, by=DISPATCHER, district=district, session=session)
    assert len(bookings) == count(session, Booking) == 13
    assert {(booking.state, booking.consent) for booking in bookings} == {("booked", "institution")}
    assert bookings[0].resident_id == known.id
    assert [item.item_type for item in bookings[0].items] == ["fridge", "sofa-three"]
    # one contact of twelve pickups is told once, one of one pickup like everybody
    told = session.execute(select(OutboxMessage.kind, OutboxMessage.facts).order_by(OutboxMessage.kind)).all()
    assert [kind for kind, _ in told] == ["booking.confirmed", "bookings.imported"]
    assert told[1].facts == {"day": "2026-11-25", "pickup_window": "08-10", "bookings": 12}
    assert_invariants(session)


def test_a_rehearsal_writes_nothing_and_locks_nothing(session: Session, district: District) -> None:
    _, wishes = read_table(a_table(*[a_row() for _ in range(3)]).encode())
    assert len(rehearse_import(wishes, district=district, session=session, now=NOW).bookings) == 3
    assert (count(session, Booking), count(session, DayLedger), count(session, Resident)) == (0, 0, 0)


def test_the_row_without_a_place_names_the_windows_that_are_open_and_nothing_is_booked(
    session: Session, district: District
) -> None:
    rows = [a_row(booking=f"n{n}", **HEAVY) for n in range(30)]
    with pytest.raises(RowsRefused) as refused:
        booked(rows, by=DISPATCHER, district=district, session=session)
    first = refused.value.facts["errors"][0]
    assert first["column"] == "pickup_window"
    assert 2 < first["line"] <= 31
    assert "open that day: " in first["en"]
    assert "当日可约：" in first["zh"]
    assert (count(session, Booking), count(session, Resident)) == (0, 0)
    # and as many as were not refused do fit, in the window that is named
    fit = first["line"] - 2
    other = first["en"].split("open that day: ")[1].split(", ")[0]
    rows = [*rows[:fit], rows[fit] | {"pickup_window": other}]
    assert len(booked(rows, by=DISPATCHER, district=district, session=session)) == fit + 1
    assert_invariants(session)


def test_places_taken_since_the_rehearsal_are_found_anew_or_refused_by_line(
    session: Session, district: District
) -> None:
    _, wishes = read_table(a_table(*[a_row(**HEAVY) for _ in range(2)]).encode())
    for others, enough in ((1, True), (60, False)):
        rehearsed = rehearse_import(wishes, district=district, session=session, now=NOW)
        for _ in range(others):
            try:
                items = [WishedItem(item_type="ac-split", quantity=2, dismantle=True)]
                a_booking(session, district=district, now=NOW, items=items, floor=6)
            except WindowFull:
                break
        before = count(session, Booking)
        if enough:
            book_import(rehearsed, by=DISPATCHER, district=district, session=session, now=NOW)
            assert count(session, Booking) == before + 2
        else:
            with pytest.raises(RowsRefused) as refused:
                book_import(rehearsed, by=DISPATCHER, district=district, session=session, now=NOW)
            assert {fault["line"] for fault in refused.value.facts["errors"]} <= {2, 3}
            assert count(session, Booking) == before
        assert_invariants(session)


def test_what_the_district_refuses_is_told_by_line_and_column(session: Session, district: District) -> None:
    _, wishes = read_table(
        a_table(
            a_row(village_code="999999999999"),
            a_row(lat="117.26", lon="34.8"),
            a_row(day="2027-11-24"),
            a_row(pickup_window="22-24"),
            a_row(booking="A", item_type="fridge"),
            a_row(booking="A", item_type="spaceship"),
            a_row(quantity="999"),
            a_row(item_type="tv-crt", dismantle="true"),
        ).encode()
    )
    with pytest.raises(RowsRefused) as refused:
        rehearse_import(wishes, district=district, session=session, now=NOW)
    assert [(fault["line"], fault["column"]) for fault in refused.value.facts["errors"]] == [
        (2, "village_code"), (3, "lat"), (4, "day"), (5, "pickup_window"), (7, "item_type"), (8, "quantity"),
        (9, "dismantle"),
    ]  # fmt: skip


def test_a_row_that_no_single_crew_can_do_becomes_two_visits(session: Session, district: District) -> None:
    apart = two_crews(district)
    phones = {"A": "13600000001", "B": "13600000002"}
    rows = [
        a_row(booking=name, phone=phones[name], item_type=item.item_type, dismantle=str(item.dismantle).lower())
        for name, item in (("A", AIR_CONDITIONER), ("A", GAS_HEATER), ("B", FRIDGE))
    ]
    bookings = booked(rows, by=DISPATCHER, district=apart, session=session)
    assert [len(visits_of(booking)) for booking in bookings] == [2, 1]
    assert sum(places(session).values()) == 3
    told = session.execute(select(OutboxMessage.facts).where(OutboxMessage.kind == "booking.confirmed"))
    assert sorted(facts.get("visits", 1) for (facts,) in told) == [1, 2]
    assert_invariants(session)
