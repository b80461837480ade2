"""Labels on what leaves a door: the first record has a label, a second claim is kept beside it, none is refused."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.extensions import db
from recycling.models.booking import Booking
from recycling.models.custody import CustodyClash, CustodySeal, CustodyTag
from recycling.models.transaction import atomic
from recycling.policy.custody_tags import make_tag
from recycling.policy.district import District
from recycling.usecases.field.custody import CustodyConflict, TaggedUnit, attach_tags
from tests.builders import a_booking
from tests.callers import Callers
from tests.planned_days import TRUCK_CREW, a_collector

TAGS = [make_tag(1_000_003 * number) for number in range(1, 21)]


class Doors:
    """Two bookings and a collector."""

    def __init__(self, app: Flask, session: Session, district: District, now: datetime) -> None:
        self.app, self.session, self.district, self.now = app, session, district, now
        self.ids = [a_booking(session, district=district, now=now).id for _ in range(2)]
        self.collector = a_collector(session, TRUCK_CREW[0], now=now)

    def attach(
        self, *units: TaggedUnit, door: int = 0, event_id: UUID | None = None, session: Session | None = None
    ) -> tuple[CustodyConflict, ...]:
        """What a record that names these labels comes to."""
        used = session or self.session
        with atomic(used):
            return attach_tags(
                used.get_one(Booking, self.ids[door]), units, event_id=event_id or uuid4(), vehicle_key="lincheng-1",
                catalogue=self.district.catalogue, by=self.collector, session=used, now=self.now,
            )  # fmt: skip

    def rows(self) -> tuple[int, int, int]:
        """Labels, seals and clashes."""
        self.session.rollback()
        counts = [
            self.session.scalar(select(func.count()).select_from(table)) or 0
            for table in (CustodyTag, CustodySeal, CustodyClash)
        ]
        return counts[0], counts[1], counts[2]


@pytest.fixture
def doors(app: Flask, session: Session, district: District, now: datetime) -> Doors:
    """Two doors of tomorrow."""
    return Doors(app, session, district, now)


def fridge(number: int = 0, **more: Any) -> TaggedUnit:
    """A labelled fridge."""
    return TaggedUnit(**({"item_type": "fridge", "tag": TAGS[number]} | more))


def laptop(number: int = 0, seal: str | None = "AB 1234") -> TaggedUnit:
    """A labelled laptop with its seal."""
    return TaggedUnit(item_type="computer-portable", tag=TAGS[number], seal=seal)


def codes(found: tuple[CustodyConflict, ...]) -> list[tuple[str, str]]:
    return [(one.code, one.label) for one in found]


def test_a_label_stands_under_its_one_form_with_item_door_collector_and_record(doors: Doors) -> None:
    event_id = uuid4()
    assert doors.attach(fridge(tag=f" {TAGS[0].lower()} "), event_id=event_id) == ()
    row = doors.session.scalars(select(CustodyTag)).one()
    assert (row.tag, row.item_type, row.booking_id) == (TAGS[0], "fridge", doors.ids[0])
    assert (row.event_id, row.collector_id, row.at) == (event_id, doors.collector.id, doors.now)


def test_the_same_record_again_and_another_of_the_same_unit_change_nothing(doors: Doors) -> None:
    event_id = uuid4()
    for again in (event_id, event_id, uuid4()):
        assert doors.attach(fridge(), laptop(1), event_id=again) == ()
    assert doors.rows() == (2, 1, 0)


def test_a_label_used_at_another_door_stays_there_and_both_are_kept(doors: Doors) -> None:
    doors.attach(fridge())
    event_id = uuid4()
    # when another door's record reads it, as often as it comes
    for _ in range(2):
        (found,) = doors.attach(fridge(), door=1, event_id=event_id)
        assert (found.code, found.label, found.booking_id) == ("elsewhere", "tag", doors.ids[0])
        assert "use a new one" in found.words[1]
        assert str(doors.ids[0]) not in "".join(found.words)
    # then the first has it, the second claim is there once
    assert doors.rows() == (1, 0, 1)
    assert doors.session.scalars(select(CustodyTag.booking_id)).one() == doors.ids[0]
    clash = doors.session.scalars(select(CustodyClash)).one()
    assert (clash.text, clash.booking_id, clash.event_id) == (TAGS[0], doors.ids[1], event_id)


def test_one_label_on_two_units_of_one_record_is_told(doors: Doors) -> None:
    assert codes(doors.attach(fridge(), fridge())) == [("elsewhere", "tag")]
    assert doors.rows() == (1, 0, 1)


def test_a_label_that_was_given_to_another_item_of_the_booking_is_told(doors: Doors) -> None:
    doors.attach(fridge())
    assert codes(doors.attach(fridge(item_type="fan"))) == [("other_item", "tag")]


@pytest.mark.parametrize("text", ["", "XC-1", TAGS[0][:-1] + ("0" if TAGS[0][-1] != "0" else "1"), "x" * 500])
def test_a_label_that_is_none_is_kept_as_it_was_read(doors: Doors, text: str) -> None:
    assert codes(doors.attach(fridge(tag=text))) == [("unreadable", "tag")]
    assert doors.rows() == (0, 0, 1)
    assert doors.session.scalars(select(CustodyClash.text)).one() == text[:32]


def test_what_holds_data_needs_a_seal_on_each_unit(doors: Doors) -> None:
    # given two laptops of which one is sealed, and a fridge, which needs none
    found = doors.attach(laptop(1), laptop(2, seal=None), fridge(3))
    assert codes(found) == [("seal_missing", "tag")]
    assert found[0].text == TAGS[2]
    assert doors.rows() == (3, 1, 0)
    seal = doors.session.scalars(select(CustodySeal)).one()
    assert (seal.seal, seal.tag) == ("AB1234", TAGS[1])


def test_a_seal_met_twice_stays_where_it_was_first(doors: Doors) -> None:
    doors.attach(laptop(1))
    (found,) = doors.attach(laptop(2, seal="ab-1234"), door=1)
    assert (found.code, found.label, found.text, found.booking_id) == ("elsewhere", "seal", "AB1234", doors.ids[0])
    # two units of one record cannot share one, and one that is no number is kept as it was read
    assert codes(doors.attach(laptop(3, seal="S-0001"), laptop(4, seal="S0001"))) == [("elsewhere", "seal")]
    assert codes(doors.attach(laptop(5, seal="!"))) == [("unreadable", "seal")]
    assert doors.rows() == (5, 2, 3)


def test_the_seal_of_a_unit_whose_label_was_not_taken_is_kept_and_put_on_no_other_unit(doors: Doors) -> None:
    # given a sealed laptop, and another one under its label, and one under none
    doors.attach(laptop(1))
    assert codes(doors.attach(laptop(1, seal="S0002"), door=1)) == [("elsewhere", "tag"), ("untagged", "seal")]
    unreadable = TaggedUnit(item_type="computer-portable", tag="XC-1", seal="S0003")
    assert codes(doors.attach(unreadable)) == [("unreadable", "tag"), ("untagged", "seal")]
    assert doors.session.scalars(select(CustodySeal.seal)).all() == ["AB1234"]
    kept = doors.session.scalars(select(CustodyClash.text).where(CustodyClash.label == "seal"))
    assert sorted(kept) == ["S0002", "S0003"]


def test_a_unit_may_be_sealed_anew(doors: Doors) -> None:
    doors.attach(laptop(1, seal="S0001"))
    assert doors.attach(laptop(1, seal="S0002")) == ()
    assert sorted(doors.session.scalars(select(CustodySeal.seal))) == ["S0001", "S0002"]


def test_an_item_type_that_is_none_is_refused(doors: Doors) -> None:
    with pytest.raises(InvalidInput):
        doors.attach(fridge(item_type="spaceship"))
    assert doors.rows() == (0, 0, 0)


def test_labels_and_clashes_are_written_once(doors: Doors) -> None:
    doors.attach(fridge())
    row = doors.session.scalars(select(CustodyTag)).one()
    row.item_type = "fan"
    with pytest.raises(TypeError, match="written once"):
        doors.session.flush()
    doors.session.rollback()


def test_records_that_share_labels_at_once_each_come_in_and_each_label_has_one_unit(doors: Doors) -> None:
    # given two records with the same twelve labels, read in opposite sequences
    units = [fridge(number) for number in range(12)]
    together = threading.Barrier(2)

    def attach(door: int) -> int:
        with doors.app.app_context():
            try:
                together.wait(30)
                sent = units if door else units[::-1]
                return len(doors.attach(*sent, door=door, session=db.session()))
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        conflicts = list(pool.map(attach, (0, 1)))
    # then one has them all, the other hears of all, and neither waits for ever
    assert sorted(conflicts) == [0, 12]
    assert doors.rows() == (12, 0, 12)
    assert len(set(doors.session.scalars(select(CustodyTag.booking_id)))) == 1


def test_the_trace_of_a_label_tells_door_record_seals_and_clashes(doors: Doors, callers: Callers) -> None:
    event_id = uuid4()
    doors.attach(laptop(1), event_id=event_id)
    doors.attach(laptop(1, seal="S0002"), laptop(2, seal="AB1234"), door=1)
    doors.session.rollback()
    for role in ("keeper", "dispatcher", "admin"):
        caller = callers.staff(role)
        # however it is typed
        for typed in (TAGS[1], TAGS[1].lower().replace("-", "")):
            trace = caller.get(f"/custody-tags/{typed}").get_json()
            assert (trace["tag"], trace["item_type"], trace["seals"]) == (TAGS[1], "computer-portable", ["AB1234"])
            step, boarded = trace["steps"]
            assert (boarded["kind"], boarded["vehicle_key"], trace["verified"]) == ("vehicle", "lincheng-1", True)
            assert (step["kind"], step["booking_id"], step["event_id"]) == ("door", str(doors.ids[0]), str(event_id))
            assert (step["collector_key"], step["day"], step["area"]) == ("c01", "2026-11-24", "lincheng")
            found = {(clash["label"], clash["text"], clash["reason"]) for clash in trace["clashes"]}
            assert found == {("tag", TAGS[1], "elsewhere"), ("seal", "AB1234", "elsewhere")}
            assert {clash["booking_id"] for clash in trace["clashes"]} == {str(doors.ids[1])}
            # and nothing of who lives there
            assert "清泉路" not in str(trace)
    keeper = callers.staff("keeper")
    for typed, says in ((TAGS[9], "was not put on anything yet"), ("XC-123", "a character is wrong or missing")):
        absent = keeper.get(f"/custody-tags/{typed}")
        assert absent.status_code == 404
        assert says in absent.get_json()["detail"]
    assert callers.staff("clerk").get(f"/custody-tags/{TAGS[1]}").status_code == 403
