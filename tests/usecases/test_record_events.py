"""What collectors record at the door: append-only, safe to send twice, one outcome in whatever sequence it comes."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.extensions import db
from recycling.models.booking import Booking, BookingChange
from recycling.models.field import FieldEvent, FieldFlag
from recycling.models.outbox import OutboxMessage
from recycling.policy.access import Principal
from recycling.policy.device_clock import DeviceClock
from recycling.policy.district import District
from recycling.policy.failed_visits import FAILED_VISIT_CODES
from recycling.units import instant_at
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.field.record_events import EventAnswer, record_events
from recycling.usecases.field.reports import CountedItem, FieldReport, Payload
from recycling.usecases.field.rule_on_event import rule_on_event
from tests.builders import TOMORROW, a_booking
from tests.field_events import DEVICE, seq_at
from tests.invariants import assert_invariants
from tests.planned_days import TRUCK, TRUCK_CREW, a_collector, a_published_plan, with_vehicles

NINE = instant_at(TOMORROW, 9 * 3600)
FRIDGE = (CountedItem(item_type="fridge", units=1),)


PAYLOAD = (
    "reason",
    "items",
    "price_change",
    "station_key",
    "drives",
    "undoes",
    "note",
    "photo_sha256",
    "proof",
    "tags",
)
CLOCK = ("device_time", "monotonic_ms", "boot_id")


def a_report(booking_id: UUID | None, **overrides: Any) -> FieldReport:
    """A fridge collected at nine; its number grows with the device's clock unless one is given."""
    fields: dict[str, Any] = {
        "event_id": uuid4(), "device_id": DEVICE, "plan_version": 1, "booking_id": booking_id, "kind": "collected",
        "items": FRIDGE, "device_time": NINE,
    } | overrides  # fmt: skip
    fields.setdefault("device_seq", seq_at(fields["device_time"]))
    payload = Payload(**{name: fields.pop(name) for name in PAYLOAD if name in fields})
    clock = DeviceClock(**{name: fields.pop(name) for name in CLOCK if name in fields})
    return FieldReport(payload=payload, clock=clock, **fields)


def a_note_of(kind: str, **overrides: Any) -> FieldReport:
    """A record of another kind at nine, with nothing but what is given."""
    return a_report(overrides.pop("booking_id", None), **({"kind": kind, "items": ()} | overrides))


def a_failure(booking_id: UUID, **overrides: Any) -> FieldReport:
    """Nobody home at nine."""
    return a_report(booking_id, **({"kind": "failed", "reason": "nobody_home", "items": ()} | overrides))


class Round:
    """One truck's published day of tomorrow, at ten past nine, and the first of its crew."""

    def __init__(
        self,
        session: Session,
        district: District,
        now: datetime,
        *,
        bookings: int = 1,
        published_at: datetime | None = None,
        **wish: Any,
    ) -> None:
        self.session = session
        # What proves a visit has tests of its own: nothing is asked for here.
        self.district = replace(with_vehicles(district, TRUCK), proof_rules=())
        self.bookings = [a_booking(session, district=district, now=now, **wish).id for _ in range(bookings)]
        a_published_plan(session, district=self.district, now=published_at or now)
        self.collector = a_collector(session, TRUCK_CREW[0], now=now)

    def send(
        self, *reports: FieldReport, by: Principal | None = None, at: datetime = NINE + timedelta(minutes=10)
    ) -> list[EventAnswer]:
        """Send records, at ten past nine unless an instant is given."""
        return record_events(reports, by=by or self.collector, district=self.district, session=self.session, now=at)

    def booking(self, number: int = 0) -> Booking:
        """A booking as it stands."""
        self.session.expire_all()
        return self.session.get_one(Booking, self.bookings[number])

    def counted(self, number: int = 0) -> dict[str, tuple[int, int]]:
        """Declared and collected units of a booking, by item type."""
        return {item.item_type: (item.declared_units, item.collected_units) for item in self.booking(number).items}


def flags(tour: Round) -> set[tuple[UUID, str]]:
    """What a person has to look at."""
    tour.session.rollback()
    return {(row.event_id, row.code) for row in tour.session.scalars(select(FieldFlag))}


@pytest.fixture
def tour(session: Session, district: District, now: datetime) -> Round:
    """A truck with one fridge to fetch."""
    return Round(session, district, now)


def test_a_collected_pickup_counts_its_items_and_its_resident_hears(tour: Round) -> None:
    # when the collector takes the fridge, and a fan that nobody had declared
    items = (*FRIDGE, CountedItem(item_type="fan", units=2, estimated_g=6_000))
    (answer,) = tour.send(a_report(tour.bookings[0], items=items))
    # then the booking is collected, the fan stands with nothing declared
    assert (answer.answer, answer.code) == ("accepted", None)
    assert tour.booking().state == "collected"
    assert tour.counted() == {"fridge": (1, 1), "fan": (0, 2)}
    # version 1 was the booking, 2 is the visit; one line of history and one message each
    assert tour.booking().version == 2
    kinds = tour.session.scalars(select(BookingChange.kind).order_by(BookingChange.version)).all()
    assert kinds == ["booked", "collected"]
    told = tour.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "visit.collected")).one()
    assert told.recipient_id == tour.booking().resident_id


def test_a_count_put_right_is_kept_and_told_nobody(tour: Round) -> None:
    # given a fridge collected, of which the resident hears
    tour.send(a_report(tour.bookings[0]))
    # when a fan that was forgotten is added, then the booking counts it and the resident hears nothing more
    items = (*FRIDGE, CountedItem(item_type="fan", units=1))
    tour.send(a_report(tour.bookings[0], items=items, device_time=NINE + timedelta(minutes=1)))
    assert (tour.booking().version, tour.counted()) == (3, {"fridge": (1, 1), "fan": (0, 1)})
    visits = select(OutboxMessage.kind).where(OutboxMessage.kind.startswith("visit.")).order_by(OutboxMessage.kind)
    assert tour.session.scalars(visits).all() == ["visit.collected"]
    # when nothing was taken after all, then they do
    tour.send(a_failure(tour.bookings[0], device_time=NINE + timedelta(minutes=2)))
    assert tour.session.scalars(visits).all() == ["visit.collected", "visit.failed"]
    assert_invariants(tour.session)


def test_a_reason_put_right_is_told(tour: Round) -> None:
    # given a visit that failed since nobody was at home, and the record that in truth nobody could get in
    tour.send(a_failure(tour.bookings[0]))
    tour.send(a_failure(tour.bookings[0], reason="no_access", device_time=NINE + timedelta(minutes=1)))
    told = select(OutboxMessage).where(OutboxMessage.kind == "visit.failed").order_by(OutboxMessage.created_at)
    assert sorted(row.facts["reason"] for row in tour.session.scalars(told)) == ["no_access", "nobody_home"]
    # when the earlier one arrives once more under another id, then nothing has changed and nobody hears of it
    tour.send(a_failure(tour.bookings[0], device_time=NINE + timedelta(seconds=30)))
    assert len(tour.session.scalars(told).all()) == 2
    assert_invariants(tour.session)


def test_the_same_record_twice_is_one_record(tour: Round) -> None:
    report = a_report(tour.bookings[0])
    assert [one.answer for one in tour.send(report, report)] == ["accepted", "duplicate"]
    # also with its instant written in another zone and its numbers in another sequence
    shanghai = NINE.astimezone(datetime.now().astimezone().tzinfo)
    assert [
        one.answer for one in tour.send(a_report(tour.bookings[0], event_id=report.event_id, device_time=shanghai))
    ] == ["duplicate"]
    assert tour.session.scalar(select(func.count()).select_from(FieldEvent)) == 1
    assert tour.booking().version == 2


def test_the_same_id_with_another_content_clashes_and_changes_nothing(tour: Round) -> None:
    report = a_report(tour.bookings[0])
    tour.send(report)
    (answer,) = tour.send(a_failure(tour.bookings[0], event_id=report.event_id))
    assert (answer.answer, answer.code) == ("conflict", "event_id_reused")
    assert tour.booking().state == "collected"


def test_one_bad_record_takes_nothing_from_the_others(tour: Round) -> None:
    bad = a_report(uuid4())
    good = a_report(tour.bookings[0])
    worse = a_report(tour.bookings[0], items=(CountedItem(item_type="zeppelin", units=1),))
    answers = tour.send(bad, good, worse)
    assert [(one.event_id, one.answer, one.code) for one in answers] == [
        (bad.event_id, "refused", "not_found"),
        (good.event_id, "accepted", None),
        (worse.event_id, "refused", "invalid_input"),
    ]
    assert tour.booking().state == "collected"


def test_a_booking_of_another_route_is_refused_like_an_absent_one(
    session: Session, district: District, now: datetime, tour: Round
) -> None:
    # given a collector of another vehicle
    stranger = a_collector(session, "c03", now=now)
    foreign, absent = tour.send(a_failure(tour.bookings[0]), a_failure(absent_id := uuid4()), by=stranger)
    # then both answers are the same but for the id
    assert (foreign.answer, foreign.code) == (absent.answer, absent.code) == ("refused", "not_found")
    assert foreign.detail is not None
    assert foreign.detail.replace(str(tour.bookings[0]), str(absent_id)) == absent.detail
    # and the other one of the crew may record it
    mate = a_collector(session, TRUCK_CREW[1], now=now)
    assert [one.answer for one in tour.send(a_failure(tour.bookings[0]), by=mate)] == ["accepted"]


def test_an_unpublished_route_is_nobodys(session: Session, district: District, now: datetime) -> None:
    booking = a_booking(session, district=district, now=now)
    collector = a_collector(session, TRUCK_CREW[0], now=now)
    (answer,) = record_events([a_failure(booking.id)], by=collector, district=district, session=session, now=NINE)
    assert (answer.answer, answer.code) == ("refused", "not_found")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"kind": "failed", "items": ()}, "payload.reason is missing"),
        ({"kind": "failed", "items": (), "reason": "partially_completed"}, "choose from"),
        ({"kind": "partly", "reason": "nobody_home"}, "choose from"),
        ({"kind": "partly", "reason": "no_such_code"}, "choose from"),
        ({"reason": "nobody_home"}, "payload.reason does not go with kind 'collected'"),
        ({"kind": "failed", "reason": "nobody_home"}, "payload.items does not go with"),
        ({"items": ()}, "payload.items is missing"),
        ({"items": FRIDGE * 2}, "comes twice"),
        ({"items": (CountedItem(item_type="zeppelin", units=1),)}, "zeppelin"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused_in_words(
    tour: Round, overrides: dict[str, Any], said: str
) -> None:
    (answer,) = tour.send(a_report(tour.bookings[0], **overrides))
    assert (answer.answer, answer.code) == ("refused", "invalid_input")
    assert said in (answer.detail or "")
    assert tour.booking().state == "booked"


def test_a_wrong_clock_within_a_day_loses_nothing(tour: Round) -> None:
    ahead = a_failure(tour.bookings[0], device_time=NINE + timedelta(hours=20))
    assert [one.answer for one in tour.send(ahead)] == ["accepted"]


def test_nobody_was_at_the_door_before_its_day_whatever_the_phone_says(tour: Round) -> None:
    # given a pickup of the 24th, and a clock that may be five minutes behind
    midnight = instant_at(TOMORROW, 0)
    early = midnight - timedelta(minutes=5, seconds=1)
    # when a record says that it was made before that, or reaches us before that and says that it was made on the day
    answers = [
        *tour.send(a_report(tour.bookings[0], device_time=early)),
        *tour.send(a_report(tour.bookings[0], device_time=NINE), at=early),
    ]
    # then it is refused in words, and the pickup still waits
    assert [(one.answer, one.code) for one in answers] == [("refused", "invalid_input")] * 2
    assert all("at the door on that day" in (one.detail or "") for one in answers)
    assert tour.booking().state == "booked"
    # and from then on it is taken
    just = early + timedelta(seconds=1)
    assert [one.answer for one in tour.send(a_report(tour.bookings[0], device_time=just), at=just)] == ["accepted"]


def test_a_made_up_day_may_be_played_the_day_before(tour: Round, now: datetime) -> None:
    # given a demo day, which is tomorrow
    tour.booking().made_up = True
    tour.session.commit()
    # then its visits can be recorded today, and its residents, who are nobody, hear nothing
    at = now + timedelta(minutes=1)
    assert [one.answer for one in tour.send(a_report(tour.bookings[0], device_time=at), at=at)] == ["accepted"]
    told = select(OutboxMessage.kind).where(OutboxMessage.kind.startswith("visit."))
    assert tour.session.scalars(told).all() == []
    assert_invariants(tour.session)


def test_nobody_was_at_the_door_before_its_route_was_published(
    session: Session, district: District, now: datetime
) -> None:
    # given a booking of the evening before, and a plan that is late: published at 03:00 of its day
    tour = Round(session, district, now, published_at=instant_at(TOMORROW, 3 * 3600))
    six, five = (instant_at(TOMORROW, 3 * 3600) - timedelta(minutes=minutes) for minutes in (6, 5))
    # then a clock of five minutes behind is taken, and one of six is not
    (answer,) = tour.send(a_report(tour.bookings[0], device_time=six))
    assert (answer.answer, "before the route was published" in (answer.detail or "")) == ("refused", True)
    assert [one.answer for one in tour.send(a_report(tour.bookings[0], device_time=five))] == ["accepted"]


def test_a_phone_may_be_offline_for_long_but_a_door_is_not_remembered_after_a_month(tour: Round) -> None:
    # given 24 November; thirty days after its end is the end of 24 December
    last = instant_at(date(2026, 12, 24), 24 * 3600)
    later = last + timedelta(days=170)
    (answer,) = tour.send(a_failure(tour.bookings[0], device_time=last + timedelta(seconds=1)), at=later)
    assert (answer.answer, "more than 30 days after" in (answer.detail or "")) == ("refused", True)
    assert tour.booking().state == "booked"
    # what was recorded in time is taken whenever it comes
    assert [one.answer for one in tour.send(a_failure(tour.bookings[0], device_time=last), at=later)] == ["accepted"]
    assert [one.answer for one in tour.send(a_report(tour.bookings[0]), at=later)] == ["accepted"]


@pytest.mark.parametrize(
    ("kind", "units", "said"),
    [
        # two fridges and a microwave were booked; twenty more of each may be taken, and twenty of what was not booked
        ("collected", {"fridge": 2, "microwave": 1}, None),
        ("collected", {"fridge": 22, "microwave": 21, "fan": 20}, None),
        ("collected", {"fridge": 2, "microwave": 22}, "at most 20 more"),
        ("collected", {"fridge": 2, "microwave": 1, "fan": 21}, "at most 20 more"),
        ("collected", {"fridge": 1, "microwave": 1}, "fewer of fridge than were booked: send kind 'partly'"),
        ("collected", {"fridge": 2}, "fewer of microwave"),
        ("collected", {"fan": 1}, "fewer of fridge, microwave"),
        ("partly", {"fridge": 2}, None),
        ("partly", {"fridge": 1, "microwave": 21}, None),
        ("partly", {"fan": 1}, None),
        ("partly", {"fridge": 1, "fan": 21}, "at most 20 more"),
        ("partly", {"fridge": 2, "microwave": 1}, "send kind 'collected'"),
        ("partly", {"fridge": 3, "microwave": 1, "fan": 1}, "send kind 'collected'"),
    ],
)
def test_collected_is_all_that_was_declared_partly_is_less_and_neither_is_beyond_reason(
    session: Session, district: District, now: datetime, kind: Any, units: dict[str, int], said: str | None
) -> None:
    booked = [WishedItem(item_type="fridge", quantity=2), WishedItem(item_type="microwave", quantity=1)]
    tour = Round(session, district, now, items=booked)
    items = tuple(CountedItem(item_type=item_type, units=count) for item_type, count in units.items())
    reason = None if kind == "collected" else "vehicle_full"
    (answer,) = tour.send(a_report(tour.bookings[0], kind=kind, items=items, reason=reason))
    if said is None:
        assert answer.answer == "accepted", answer.detail
        assert {item_type: count for item_type, (_, count) in tour.counted().items() if count} == units
    else:
        assert (answer.answer, answer.code) == ("refused", "invalid_input")
        assert said in (answer.detail or "")
        assert tour.booking().state == "booked"


def test_every_code_explains_at_least_one_kind_of_visit() -> None:
    assert len(FAILED_VISIT_CODES) == 12  # the table of our domain notes
    assert all(row.for_failed or row.for_partly for row in FAILED_VISIT_CODES.values())


def test_units_already_weighed_cannot_be_taken_back_at_the_door(tour: Round) -> None:
    # given a collected fridge that a station has weighed
    tour.send(a_report(tour.bookings[0]))
    tour.booking().items[0].weighed_units = 1
    tour.session.commit()
    # when a later record says that nothing was taken
    later = a_failure(tour.bookings[0], device_time=NINE + timedelta(minutes=1))
    (answer,) = tour.send(later)
    # then it is kept, a person will look at it, and the booking holds what was weighed
    assert (answer.answer, answer.code) == ("conflict", "already_weighed")
    assert (tour.booking().state, tour.counted()) == ("collected", {"fridge": (1, 1)})
    assert flags(tour) == {(later.event_id, "already_weighed")}


def test_a_booking_cancelled_meanwhile_stays_cancelled(
    session: Session, district: District, now: datetime, tour: Round
) -> None:
    # given a pickup that was withdrawn although its route stands (a dispatcher's hand in the database)
    tour.booking().state = "cancelled"
    session.commit()
    report = a_report(tour.bookings[0])
    (answer,) = tour.send(report)
    # then the record is kept for a person to look at: somebody was at that door
    assert (answer.answer, answer.code) == ("conflict", "booking_cancelled")
    assert tour.booking().state == "cancelled"
    assert flags(tour) == {(report.event_id, "booking_cancelled")}
    # and whoever lost that answer hears it again, until a person has ruled
    (again,) = tour.send(report)
    assert again == answer
    rule_on_event(
        report.event_id, counts=False, note="", by=tour.collector, district=tour.district, session=session, now=NINE
    )
    assert [one.answer for one in tour.send(report)] == ["duplicate"]


def test_records_are_never_changed_or_deleted(tour: Round) -> None:
    report = a_report(tour.bookings[0])
    tour.send(report)
    row = tour.session.get_one(FieldEvent, report.event_id)
    row.kind = "failed"
    with pytest.raises(TypeError, match="written once"):
        tour.session.flush()
    tour.session.rollback()
    tour.session.delete(row)
    with pytest.raises(TypeError, match="written once"):
        tour.session.flush()
    tour.session.rollback()


def test_records_of_one_visit_come_to_the_same_whichever_arrives_first(
    session: Session, district: District, now: datetime
) -> None:
    # given three records of a visit: nobody home, then half of it, then all of it with a fan
    # and six equal bookings of two microwaves, one for each of their 3! sequences
    tour = Round(session, district, now, bookings=6, items=[WishedItem(item_type="microwave", quantity=2)])
    one, two = (CountedItem(item_type="microwave", units=count) for count in (1, 2))
    found = []
    for number, sequence in enumerate(itertools.permutations(range(3))):
        booking_id = tour.bookings[number]
        reports = [
            a_failure(booking_id),
            a_report(
                booking_id, kind="partly", reason="vehicle_full", items=(one,), device_time=NINE + timedelta(minutes=1)
            ),
            a_report(
                booking_id,
                items=(two, CountedItem(item_type="fan", units=1)),
                device_time=NINE + timedelta(minutes=2),
            ),
        ]
        # when they arrive one by one, each twice
        for place in sequence:
            tour.send(reports[place], reports[place])
        found.append((tour.booking(number).state, tour.counted(number)))
    # then the last one by the clock has won every time
    assert found == [("collected", {"microwave": (2, 2), "fan": (0, 1)})] * 6
    assert_invariants(session)


def test_records_sent_by_both_of_a_crew_at_once_are_all_kept(
    app: Flask, session: Session, district: District, now: datetime, tour: Round
) -> None:
    # given the same record and one of their own from each of two phones
    mate = a_collector(session, TRUCK_CREW[1], now=now)
    shared = a_failure(tour.bookings[0])
    later = NINE + timedelta(minutes=5)
    start = threading.Barrier(2)
    told: list[list[str]] = []

    def phone(by: Principal, own: FieldReport) -> None:
        with app.app_context():
            start.wait(timeout=10)
            answers = record_events(
                [shared, own], by=by, district=tour.district, session=db.session(), now=NINE + timedelta(minutes=10)
            )
            told.append([one.answer for one in answers])

    own = [a_failure(tour.bookings[0], reason="no_access"), a_report(tour.bookings[0], device_time=later)]
    threads = [threading.Thread(target=phone, args=pair) for pair in zip((tour.collector, mate), own, strict=True)]
    session.rollback()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # then three records stand, the shared one taken once, and the last by the clock has won
    assert sorted(answers[0] for answers in told) == ["accepted", "duplicate"]
    assert [answers[1] for answers in told] == ["accepted", "accepted"]
    assert session.scalar(select(func.count()).select_from(FieldEvent)) == 3
    assert tour.booking().state == "collected"
    assert_invariants(session)
