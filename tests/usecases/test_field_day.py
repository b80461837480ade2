"""A collector's day with bad signal, wrong clocks and two crews: nothing is lost, nothing counts twice."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from recycling.models.field import FieldEvent, FieldEventClash, FieldFlag
from recycling.models.limits import LiveItem
from recycling.models.plan import Plan, Publication, PublishedPlan, Route, RouteCrew, RouteStop
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.device_clock import DeviceClock
from recycling.policy.district import District
from recycling.policy.field_events import FieldRecord, in_sequence, route_state, visit_of
from recycling.units import instant_at
from recycling.usecases.field.device_gaps import device_gaps
from recycling.usecases.field.record_events import record_events
from recycling.usecases.field.reports import GivenProof, PriceChange
from recycling.usecases.field.rule_on_event import rule_on_event
from recycling.usecases.reporting.goal_report import make_goal_report
from tests.builders import TOMORROW
from tests.field_events import DEVICE
from tests.invariants import assert_invariants
from tests.planned_days import a_collector
from tests.usecases.test_record_events import NINE, Round, a_failure, a_note_of, a_report, flags

MINUTE = timedelta(minutes=1)
DESK = Principal(id=UUID(int=9), role="dispatcher")
OTHER_TRUCK = "xingren-1"


@pytest.fixture
def tour(session: Session, district: District, now: datetime) -> Round:
    """A truck with one fridge to fetch."""
    return Round(session, district, now)


def handed_over(tour: Round, district: District, *, at: datetime) -> Principal:
    """The only pickup given to another truck by a second version of the plan; the first of that truck's crew."""
    session, vehicle = tour.session, OTHER_TRUCK
    session.rollback()
    crew = [one.key for one in district.network.crew_of(vehicle)]
    plan = Plan(
        id=uuid4(), day=TOMORROW, version=2, problem={}, answer={}, problem_sha256="", cost_total=0,
        travel_quality="great_circle", search={}, made_at=at, made_by_id=SYSTEM.id,
    )  # fmt: skip
    route = Route(id=uuid4(), plan_id=plan.id, vehicle_key=vehicle, collector_key=crew[0], distance_m=0, travel_s=0)
    stop = RouteStop(
        route_id=route.id, position=1, kind="pickup", booking_id=tour.bookings[0], arrival_s=36_000, start_s=36_000,
        end_s=37_000, load_g=0, load_l=0,
    )  # fmt: skip
    log = Publication(plan_id=plan.id, day=TOMORROW, at=at, by_id=SYSTEM.id)
    for rows in ([plan], [route, log], [stop, *(RouteCrew(route_id=route.id, collector_key=key) for key in crew)]):
        session.add_all(rows)
        session.flush()
    session.execute(update(PublishedPlan).where(PublishedPlan.day == TOMORROW).values(plan_id=plan.id))
    session.commit()
    return a_collector(session, crew[0], now=at)


# --- the same id again ---


def test_the_same_id_with_another_content_is_kept_beside_the_first_and_a_person_looks(tour: Round) -> None:
    # given a fridge collected
    report = a_report(tour.bookings[0])
    tour.send(report)
    # when its id comes with another content, twice, and once more in one batch with its double
    other = a_failure(tour.bookings[0], event_id=report.event_id)
    for _ in range(2):
        (answer,) = tour.send(other)
        assert (answer.answer, answer.code) == ("conflict", "event_id_reused")
    # then both stand, the first counts, and it waits for a person
    clash = tour.session.scalars(select(FieldEventClash)).one()
    assert (clash.event_id, clash.content["kind"]) == (report.event_id, "failed")
    assert (tour.booking().state, flags(tour)) == ("collected", {(report.event_id, "id_reused")})


def test_a_batch_that_contradicts_itself_keeps_both_contents(tour: Round) -> None:
    report = a_report(tour.bookings[0])
    answers = tour.send(report, a_failure(tour.bookings[0], event_id=report.event_id))
    assert [(one.answer, one.code) for one in answers] == [("accepted", None), ("conflict", "event_id_reused")]
    assert tour.session.scalar(select(func.count()).select_from(FieldEventClash)) == 1


# --- sequence ---


def test_what_is_missing_of_a_devices_count_is_asked_for_and_blocks_nothing(tour: Round) -> None:
    # given records 1, 2, 5 and 9 of a device
    numbers = (1, 2, 5, 9)
    notes = [a_note_of("note", note="门口积水", device_seq=number) for number in numbers]
    assert {one.answer for one in tour.send(*notes)} == {"accepted"}
    (gaps,) = device_gaps(tour.session, [DEVICE], by=tour.collector)
    assert (gaps.highest_seq, gaps.missing) == (9, ((3, 4), (6, 8)))
    # when they come, however late, nothing is missing any more
    late = [a_note_of("note", note="补", device_seq=number) for number in (8, 3, 4, 7, 6)]
    assert {one.answer for one in tour.send(*late, at=NINE + timedelta(days=3))} == {"accepted"}
    assert device_gaps(tour.session, [DEVICE], by=tour.collector)[0].missing == ()
    # and nobody is told of a device that they have recorded nothing with
    assert device_gaps(tour.session, [DEVICE, UUID(int=77)], by=DESK) == []


def test_within_a_device_its_count_decides_and_a_clock_set_back_fakes_nothing(tour: Round) -> None:
    # given a visit that failed at nine, and after it one collected, on a phone set back by an hour in between
    tour.send(a_failure(tour.bookings[0], device_seq=4))
    back = a_report(tour.bookings[0], device_seq=5, device_time=NINE - timedelta(hours=1))
    tour.send(back)
    # then the later by count holds, although its clock says that it was earlier
    assert tour.booking().state == "collected"
    assert_invariants(tour.session)


def test_a_device_number_that_comes_twice_flags_both(tour: Round) -> None:
    # given two phones that call themselves the same, each at its third record
    one, two = (a_note_of("note", note=text, device_seq=3) for text in ("甲", "乙"))
    tour.send(one)
    (answer,) = tour.send(two)
    assert (answer.answer, answer.flags) == ("accepted", ("sequence_reused",))
    assert flags(tour) == {(one.event_id, "sequence_reused"), (two.event_id, "sequence_reused")}
    assert_invariants(tour.session)


# --- clocks ---


def sent_at(device_time: datetime, **clock: Any) -> DeviceClock:
    return DeviceClock(device_time=device_time, **clock)


@pytest.mark.parametrize(
    ("off", "flagged"),
    [(timedelta(minutes=5), None), (timedelta(minutes=6), "clock_skew"), (-timedelta(hours=23), "clock_skew")],
)
def test_a_wrong_clock_is_measured_and_the_visit_stands_at_its_true_time(
    tour: Round, off: timedelta, flagged: str | None
) -> None:
    # given a fridge collected at nine, sent at ten past, by a phone whose clock is off
    report = a_report(tour.bookings[0], device_time=NINE + off)
    (answer,) = record_events(
        [report], by=tour.collector, district=tour.district, session=tour.session, now=NINE + 10 * MINUTE,
        sent=sent_at(NINE + 10 * MINUTE + off),
    )  # fmt: skip
    assert (answer.answer, answer.flags) == ("accepted", (flagged,) if flagged else ())
    stored = tour.session.get_one(FieldEvent, report.event_id)
    assert (stored.made_at, stored.skew_s) == (NINE, off.total_seconds())
    assert_invariants(tour.session)


def test_a_clock_set_between_recording_and_sending_fakes_no_punctuality(tour: Round) -> None:
    # given a visit at ten, recorded with the clock set back to nine, and sent at half past ten with the clock right
    # again; the counter since the phone was started says that half an hour lies between them
    report = a_report(tour.bookings[0], device_time=NINE, monotonic_ms=5_000_000, boot_id="b")
    at = NINE + timedelta(minutes=90)
    sent = sent_at(at, monotonic_ms=5_000_000 + 30 * 60 * 1000, boot_id="b")
    (answer,) = record_events(
        [report], by=tour.collector, district=tour.district, session=tour.session, now=at, sent=sent
    )
    assert answer.flags == ("clock_skew",)
    assert tour.session.get_one(FieldEvent, report.event_id).made_at == NINE + timedelta(hours=1)
    # control: by the clock alone the lie would stand
    assert sent.device_time - at == timedelta()


def test_a_clock_two_days_ahead_is_kept_apart_until_a_person_says_so(tour: Round) -> None:
    report = a_report(tour.bookings[0], device_time=NINE + timedelta(days=2))
    (answer,) = tour.send(report)
    # then it is kept, and nothing of it counts
    assert (answer.answer, answer.code) == ("conflict", "clock_quarantined")
    assert tour.booking().state == "booked"
    assert_invariants(tour.session)

    # when a dispatcher lets it count, it does; and not any more when they think better of it
    def rule(*, counts: bool, note: str) -> None:
        rule_on_event(
            report.event_id, counts=counts, note=note, by=DESK, district=tour.district, session=tour.session,
            now=NINE + 20 * MINUTE,
        )  # fmt: skip

    rule(counts=True, note="已电话核实")
    assert tour.booking().state == "collected"
    assert_invariants(tour.session)
    rule(counts=False, note="居民否认")
    assert tour.booking().state == "booked"
    assert_invariants(tour.session)
    settled = tour.session.scalars(select(FieldFlag.settled_at)).all()
    assert None not in settled


# --- taking back ---


def test_an_outcome_taken_back_makes_the_booking_wait_again_with_its_limits(tour: Round) -> None:
    # given a failure pressed at the wrong door
    wrong = a_failure(tour.bookings[0])
    tour.send(wrong)
    assert tour.session.scalar(select(func.count()).select_from(LiveItem)) == 0
    # when it is taken back, then the pickup waits again and counts against its resident's limits as before
    undo = a_note_of("undo", booking_id=tour.bookings[0], undoes=wrong.event_id, device_time=NINE + MINUTE)
    assert [one.answer for one in tour.send(undo)] == ["accepted"]
    assert (tour.booking().state, tour.counted()) == ("booked", {"fridge": (1, 0)})
    assert tour.session.scalar(select(func.count()).select_from(LiveItem)) == 1
    assert_invariants(tour.session)
    # and the fridge can be fetched after all
    tour.send(a_report(tour.bookings[0], device_time=NINE + 2 * MINUTE))
    assert tour.booking().state == "collected"
    assert_invariants(tour.session)


def test_taking_back_may_arrive_before_what_it_takes_back(tour: Round) -> None:
    wrong = a_failure(tour.bookings[0])
    undo = a_note_of("undo", booking_id=tour.bookings[0], undoes=wrong.event_id, device_time=NINE + MINUTE)
    assert [one.answer for one in tour.send(undo, wrong)] == ["accepted", "accepted"]
    assert tour.booking().state == "booked"
    assert_invariants(tour.session)


def test_what_is_weighed_cannot_be_taken_back_without_a_person(tour: Round) -> None:
    done = a_report(tour.bookings[0])
    tour.send(done)
    tour.booking().items[0].weighed_units = 1
    tour.session.commit()
    undo = a_note_of("undo", booking_id=tour.bookings[0], undoes=done.event_id, device_time=NINE + MINUTE)
    (answer,) = tour.send(undo)
    assert (answer.answer, answer.code, tour.booking().state) == ("conflict", "undo_blocked", "collected")


# --- two crews ---


def test_a_record_for_an_older_plan_counts_and_says_which_version_has_the_stop_now(
    tour: Round, district: District
) -> None:
    # given a stop that a second version gave to another truck while the first one's phone had no signal
    handed_over(tour, district, at=NINE)
    (answer,) = tour.send(a_report(tour.bookings[0], device_time=NINE + MINUTE))
    # then whoever was there first has collected it
    assert (answer.answer, answer.plan_version) == ("accepted", 2)
    assert tour.booking().state == "collected"
    assert_invariants(tour.session)


def test_of_two_crews_the_first_at_the_door_counts_whichever_is_heard_first(tour: Round, district: District) -> None:
    other = handed_over(tour, district, at=NINE)
    # given the second crew's outcome of ten past, heard first, and the first crew's of nine, heard after it
    later = a_failure(tour.bookings[0], device_time=NINE + 10 * MINUTE, device_id=UUID(int=8), plan_version=2)
    earlier = a_report(tour.bookings[0])
    assert [one.answer for one in tour.send(later, by=other)] == ["accepted"]
    assert tour.booking().state == "failed"
    assert [one.answer for one in tour.send(earlier)] == ["accepted"]
    # then the earlier one holds, and the other waits for a person
    assert tour.booking().state == "collected"
    assert flags(tour) == {(later.event_id, "claimed_by_other")}
    assert_invariants(tour.session)
    # who may decide for the second crew
    rule_on_event(
        earlier.event_id, counts=False, note="看错门牌", by=DESK, district=tour.district, session=tour.session,
        now=NINE + 20 * MINUTE,
    )  # fmt: skip
    assert tour.booking().state == "failed"
    assert_invariants(tour.session)


def test_nobody_records_for_a_day_without_a_route_of_theirs(tour: Round) -> None:
    (answer,) = tour.send(a_note_of("shift_start", device_time=NINE), by=a_collector(tour.session, "c03", now=NINE))
    assert (answer.answer, answer.code) == ("refused", "not_found")


# --- after the figures were reported ---


def test_what_comes_after_the_months_figures_is_an_adjustment_of_the_day_it_came(tour: Round) -> None:
    # given November's report, and a phone found in December
    december = instant_at(date(2026, 12, 2), 9 * 3600)
    make_goal_report("2026-11", district=tour.district, session=tour.session, now=december)
    done = a_report(tour.bookings[0])
    (answer,) = tour.send(done, at=december)
    assert (answer.answer, answer.flags) == ("accepted", ("late_adjustment",))
    stored = tour.session.get_one(FieldEvent, done.event_id)
    assert (stored.day, stored.counts_on) == (TOMORROW, date(2026, 12, 2))
    assert_invariants(tour.session)


# --- kinds ---


@pytest.mark.parametrize(
    ("kind", "carried", "said"),
    [
        ("unload", {}, "payload.station_key is missing"),
        ("fault", {}, "payload.drives is missing"),
        ("undo", {}, "payload.undoes is missing"),
        ("note", {}, "payload.note is missing"),
        ("photo", {"photo_sha256": "0" * 64}, "needs a booking_id"),
        ("shift_start", {"station_key": "lincheng"}, "payload.station_key does not go with"),
        ("arrive", {}, "at a booking or at a station"),
        ("on_the_way", {}, "needs a booking_id"),
    ],
)
def test_each_kind_carries_what_it_needs_and_nothing_else(
    tour: Round, kind: str, carried: dict[str, Any], said: str
) -> None:
    (answer,) = tour.send(a_note_of(kind, **carried))
    assert (answer.answer, answer.code) == ("refused", "invalid_input")
    assert said in (answer.detail or "")


def test_a_whole_shift_is_taken_in(tour: Round) -> None:
    day = [
        a_note_of("shift_start", device_time=NINE - 60 * MINUTE),
        a_note_of("on_the_way", booking_id=tour.bookings[0], device_time=NINE - 20 * MINUTE),
        a_note_of("arrive", booking_id=tour.bookings[0], device_time=NINE - 10 * MINUTE),
        a_note_of("start", booking_id=tour.bookings[0], device_time=NINE - 8 * MINUTE),
        a_report(tour.bookings[0]),
        a_note_of("unload", station_key="lincheng", device_time=NINE + 5 * MINUTE),
        a_note_of("break_start", device_time=NINE + 6 * MINUTE),
        a_note_of("break_end", device_time=NINE + 7 * MINUTE),
        a_note_of("fault", drives=False, device_time=NINE + 8 * MINUTE),
        a_note_of("shift_end", device_time=NINE + 9 * MINUTE),
    ]
    assert [one.answer for one in tour.send(*day)] == ["accepted"] * len(day)
    assert tour.booking().state == "collected"
    assert_invariants(tour.session)


def test_a_price_nobody_agreed_to_takes_nothing(tour: Round) -> None:
    change = PriceChange(reason="condition_differs", fen=3_000, agreed=False)
    (answer,) = tour.send(a_report(tour.bookings[0], price_change=change))
    assert (answer.answer, "price_refused" in (answer.detail or "")) == ("refused", True)
    agreed = PriceChange(reason="condition_differs", fen=3_000, agreed=True)
    assert [one.answer for one in tour.send(a_report(tour.bookings[0], price_change=agreed))] == ["accepted"]


# --- the pure fold ---


def a_record(number: int, kind: Any, minute: int, **other: Any) -> FieldRecord:
    fields: dict[str, Any] = {
        "event_id": UUID(int=number), "device_id": DEVICE, "device_seq": number, "kind": kind,
        "made_at": NINE + minute * MINUTE, "vehicle_key": "a", "booking_id": UUID(int=500),
    }  # fmt: skip
    return FieldRecord(**(fields | other))


def test_one_taking_back_does_not_reach_another_crews_record() -> None:
    done = a_record(1, "collected", 0)
    foreign = a_record(2, "undo", 1, vehicle_key="b", device_id=UUID(int=8), undoes=UUID(int=1))
    assert visit_of([done, foreign]).outcome == "collected"
    assert visit_of([done, a_record(2, "undo", 1, undoes=UUID(int=1))]).outcome is None


def test_the_sequence_of_a_set_is_one_whatever_the_sequence_of_arrival() -> None:
    # given two devices, one of which was set back ten minutes after its first record
    records = [
        a_record(1, "arrive", 10),
        a_record(2, "start", 0),
        a_record(3, "collected", 1),
        a_record(4, "failed", 5, device_id=UUID(int=8), device_seq=1),
    ]
    # then the second and third count as made no earlier than the first, and the other device's of minute 5 before them
    expected = [4, 1, 2, 3]
    for sequence in itertools.permutations(records):
        assert [one.event_id.int for one in in_sequence(sequence)] == expected


# --- what hides behind another record ---


def test_a_clock_a_century_ahead_is_one_record_to_look_at_and_takes_nothing_from_the_others(tour: Round) -> None:
    far = a_note_of("note", note="x", device_time=datetime(2199, 1, 1, tzinfo=UTC), device_seq=1)
    answers = tour.send(far, a_report(tour.bookings[0]))
    assert [one.answer for one in answers] == ["conflict", "accepted"]
    assert tour.session.get_one(FieldEvent, far.event_id).skew_s == 2**31 - 1


def test_that_somebody_arrived_heard_sooner_or_later_moves_no_outcome() -> None:
    # given one crew that arrived, by a slip of its clock, after it had collected, and another that came in between
    records = [
        a_record(1, "arrive", 8),
        a_record(2, "collected", 0),
        a_record(1, "failed", 4, event_id=UUID(int=9), device_id=UUID(int=8), vehicle_key="b"),
    ]
    # then the first outcome is the first crew's, with its arrival known or not
    assert visit_of(records).outcome == visit_of(records[1:]).outcome == "collected"


def test_a_ruling_does_not_settle_what_it_brings_to_light(tour: Round) -> None:
    # given a quarantined record of a booking that was cancelled meanwhile
    report = a_report(tour.bookings[0], device_time=NINE + timedelta(days=2))
    tour.send(report)
    tour.booking().state = "cancelled"
    tour.session.commit()
    rule_on_event(
        report.event_id, counts=True, note="核实", by=DESK, district=tour.district, session=tour.session, now=NINE
    )  # fmt: skip
    open_flags = tour.session.scalars(select(FieldFlag.code).where(FieldFlag.settled_at.is_(None))).all()
    assert open_flags == ["booking_cancelled"]


def test_ruling_out_the_only_outcome_of_a_weighed_booking_leaves_it_for_a_person(tour: Round) -> None:
    done = a_report(tour.bookings[0])
    tour.send(done)
    tour.booking().items[0].weighed_units = 1
    tour.session.commit()
    rule_on_event(
        done.event_id, counts=False, note="核实", by=DESK, district=tour.district, session=tour.session, now=NINE
    )  # fmt: skip
    assert (tour.booking().state, flags(tour)) == ("collected", {(done.event_id, "undo_blocked")})


def test_taking_back_nothing_is_told_until_what_it_names_has_come(tour: Round) -> None:
    wrong = a_failure(tour.bookings[0])
    undo = a_note_of("undo", booking_id=tour.bookings[0], undoes=wrong.event_id, device_time=NINE + MINUTE)
    (answer,) = tour.send(undo)
    assert answer.flags == ("undo_without_effect",)
    tour.send(wrong)
    assert (tour.booking().state, flags(tour)) == ("booked", set())
    # and a taking back of a taking back brings nothing back
    again = a_note_of("undo", booking_id=tour.bookings[0], undoes=undo.event_id, device_time=NINE + 2 * MINUTE)
    assert tour.send(again)[0].flags == ("undo_without_effect",)


def test_a_mis_tap_on_a_cancelled_booking_that_was_taken_back_waits_for_nobody(tour: Round) -> None:
    tour.booking().state = "cancelled"
    tour.session.commit()
    wrong = a_report(tour.bookings[0])
    tour.send(wrong)
    assert flags(tour) == {(wrong.event_id, "booking_cancelled")}
    tour.send(a_note_of("undo", booking_id=tour.bookings[0], undoes=wrong.event_id, device_time=NINE + MINUTE))
    assert flags(tour) == set()


def test_a_van_stands_from_its_fault_on_whatever_it_recorded_before() -> None:
    day = [
        a_record(1, "collected", 30),
        a_record(2, "fault", 120, booking_id=None, drives=False),
    ]
    assert route_state(day).stopped_at == NINE + 120 * MINUTE
    # one that never set out stands too, and one that was mended drives
    assert route_state(day[1:]).stopped_at == NINE + 120 * MINUTE
    assert route_state([*day, a_record(3, "fault", 150, booking_id=None, drives=True)]).drives


def test_a_clash_keeps_neither_code_nor_signature(tour: Round) -> None:
    report = a_report(tour.bookings[0])
    proof = GivenProof(code="123456", called_s=7)
    tour.send(report, a_failure(tour.bookings[0], event_id=report.event_id, proof=proof))
    (clash,) = tour.session.scalars(select(FieldEventClash)).all()
    assert "123456" not in str(clash.content)
    assert clash.content["payload"]["proof"]["called_s"] == 7


def test_what_a_taking_back_waited_for_may_be_an_arrival(tour: Round) -> None:
    arrived = a_note_of("arrive", booking_id=tour.bookings[0])
    undo = a_note_of("undo", booking_id=tour.bookings[0], undoes=arrived.event_id, device_time=NINE + MINUTE)
    tour.send(undo)
    assert flags(tour) == {(undo.event_id, "undo_without_effect")}
    tour.send(arrived)
    assert flags(tour) == set()
