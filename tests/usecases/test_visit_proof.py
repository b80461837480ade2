"""What a record brings along to prove its visit: looked at when it comes, and never a reason to refuse it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.custody import CustodySeal, CustodyTag
from recycling.models.field import FieldEvent
from recycling.policy.custody_tags import new_tags
from recycling.policy.district import District
from recycling.policy.handwritten import HandSignature
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.field.custody import TaggedUnit
from recycling.usecases.field.door_code import door_code_of
from recycling.usecases.field.reports import CountedItem, GivenProof
from tests.invariants import assert_invariants
from tests.usecases.test_record_events import NINE, Round, a_report, flags

SIGNED = HandSignature(width=300, height=100, strokes=((10, 10, 20, 30, 40, 15, 60, 60),))
LAPTOP = (CountedItem(item_type="computer-portable", units=1),)


@pytest.fixture
def tour(session: Session, district: District, now: datetime) -> Round:
    """A truck with one fridge to fetch, and the district's rules of proof."""
    found = Round(session, district, now)
    found.district = replace(found.district, proof_rules=district.proof_rules)
    return found


def test_a_record_without_any_proof_counts_and_is_looked_at(tour: Round) -> None:
    report = a_report(tour.bookings[0])
    (answer,) = tour.send(report)
    assert (answer.answer, answer.flags, tour.booking().state) == ("accepted", ("proof_missing",), "collected")
    # signed by hand, nothing is missing
    signed = a_report(tour.bookings[0], proof=GivenProof(signature=SIGNED), device_time=NINE + timedelta(minutes=1))
    assert tour.send(signed)[0].flags == ()
    assert flags(tour) == {(report.event_id, "proof_missing")}
    stored = tour.session.get_one(FieldEvent, signed.event_id)
    assert stored.payload is not None
    assert stored.payload["proof"]["signed"] is True
    # the drawing itself is with people's words, which go when their time is over
    assert stored.words is not None
    assert stored.words["signature"]["strokes"] == [[10, 10, 20, 30, 40, 15, 60, 60]]


def test_the_residents_code_is_checked_and_not_kept(tour: Round, session: Session) -> None:
    code = door_code_of(tour.bookings[0], session=session, now=NINE)
    session.commit()
    wrong = "000000" if code != "000000" else "111111"
    first = a_report(tour.bookings[0], proof=GivenProof(code=wrong))
    second = a_report(tour.bookings[0], proof=GivenProof(code=code), device_time=NINE + timedelta(minutes=1))
    assert [one.flags for one in tour.send(first, second)] == [("proof_missing",), ()]
    kept = [session.get_one(FieldEvent, one.event_id).payload for one in (first, second)]
    assert [one["proof"]["code"] for one in kept if one is not None] == ["wrong", "matched"]
    assert not any(code in str(one) or wrong in str(one) for one in kept)


def test_guessing_a_code_is_over_after_five_tries_and_a_repeated_record_is_no_try(
    tour: Round, session: Session
) -> None:
    code = door_code_of(tour.bookings[0], session=session, now=NINE)
    session.commit()
    wrong = "000000" if code != "000000" else "111111"
    tries = [
        a_report(tour.bookings[0], proof=GivenProof(code=wrong), device_time=NINE + timedelta(seconds=n))
        for n in range(5)
    ]
    for _ in range(3):  # the phone sends them again and again
        tour.send(*tries)
    right = a_report(tour.bookings[0], proof=GivenProof(code=code), device_time=NINE + timedelta(minutes=1))
    assert tour.send(right)[0].flags == ("proof_missing",)
    stored = session.get_one(FieldEvent, right.event_id)
    assert stored.payload is not None
    assert stored.payload["proof"]["code"] == "used_up"


def test_what_holds_data_gets_a_label_and_a_numbered_seal_at_the_door(
    session: Session, district: District, now: datetime
) -> None:
    wish = [WishedItem(item_type="computer-portable", quantity=1, wipe_consent=True)]
    tour = Round(session, district, now, items=wish)
    (tag,) = new_tags(1)
    labelled = (TaggedUnit(item_type="computer-portable", tag=tag, seal="A1234567"),)
    report = a_report(tour.bookings[0], items=LAPTOP, tags=labelled)
    assert tour.send(report, report)[0].flags == ()
    row = session.scalars(select(CustodyTag)).one()
    assert (row.tag, row.event_id, row.booking_id) == (tag, report.event_id, tour.bookings[0])
    assert session.scalars(select(CustodySeal)).one().tag == tag
    assert_invariants(session)


def test_a_label_that_stands_on_something_else_is_kept_and_looked_at(
    session: Session, district: District, now: datetime
) -> None:
    tour = Round(session, district, now, bookings=2)
    (tag,) = new_tags(1)
    labels = (TaggedUnit(item_type="fridge", tag=tag),)
    first = a_report(tour.bookings[0], tags=labels)
    second = a_report(tour.bookings[1], tags=labels, device_time=NINE + timedelta(minutes=1))
    assert [one.flags for one in tour.send(first)] == [()]
    (answer,) = tour.send(second)
    assert (answer.answer, answer.flags) == ("accepted", ("label_clash",))
    assert session.scalars(select(CustodyTag)).one().booking_id == tour.bookings[0]
    assert tour.booking(1).state == "collected"
    assert_invariants(session)
