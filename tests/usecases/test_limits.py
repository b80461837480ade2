"""Limits: live bookings per resident and address, no item twice at a door and day, and what no-shows leave to book."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Executable, delete, insert, select, update
from sqlalchemy.orm import Session

from recycling.errors import DomainError, LimitReached, ShortNoticeOnly
from recycling.extensions import db
from recycling.models import limits
from recycling.models.booking import Booking
from recycling.models.limits import LiveCount, LiveItem, NoShow, address_digest, normal_address
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.book_pickup import HOLD, book_pickup, confirm_hold, drop_hold, hold_pickup
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from recycling.usecases.bookings.free_lapsed import free_lapsed
from recycling.usecases.bookings.offer_slots import offer_slots
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.bookings.rebuild_limits import rebuild_limits
from recycling.usecases.housekeeping import clean_up
from recycling.usecases.queries.bookings import own_holds
from recycling.usecases.queries.invariants import Invariant
from recycling.usecases.queries.invariants import limits as rules
from recycling.usecases.queries.my_limits import my_limits
from tests.builders import TOMORROW, VILLAGE, a_booking, a_resident, a_wish
from tests.callers import Callers
from tests.conftest import NOW
from tests.invariants import assert_invariants, broken
from tests.loads import collect
from tests.usecases.test_record_events import NINE, Round, a_failure, a_report

DAY = timedelta(days=1)
FAN = [WishedItem(item_type="fan", quantity=1)]


def used(session: Session) -> list[int]:
    """All counters above nought, ascending."""
    session.rollback()
    return sorted(session.scalars(select(LiveCount.used).where(LiveCount.used > 0)))


def capped(district: District, most: int, *, per_address: int = 100) -> District:
    """The district with other caps."""
    booking_rules = replace(district.booking_rules, live_per_resident=most, live_per_address=per_address)
    return replace(district, booking_rules=booking_rules)


# --- so many ---


def test_a_resident_has_five_live_bookings_and_hears_of_them_at_the_sixth(session: Session, district: District) -> None:
    by = a_resident(session, now=NOW)
    first = a_booking(session, district=district, now=NOW, by=by)
    for ahead in range(1, 5):
        a_booking(session, district=district, now=NOW, by=by, day=TOMORROW + ahead * DAY)
    with pytest.raises(
        LimitReached, match=r"may have 5 live bookings.*2026-11-24, .*2026-11-28; cancel one.*最多 5 个"
    ):
        a_booking(session, district=district, now=NOW, by=by, items=FAN)
    # one counter of five, five doors of one; nothing is left of the sixth
    assert used(session) == [1, 1, 1, 1, 1, 5]
    # when one is cancelled, another may be booked; somebody else could all along
    a_booking(session, district=district, now=NOW)
    cancel_pickup(first.id, version=1, by=by, district=district, session=session, now=NOW)
    a_booking(session, district=district, now=NOW, by=by)
    assert_invariants(session)


def test_an_address_has_five_however_it_is_written_and_neighbours_stay_unnamed(
    session: Session, district: District
) -> None:
    for n in range(5):
        address = ("清泉路1号2单元301", "清泉路 １ 号 2 单元 301", "清泉路1号，2单元301")[n % 3]
        a_booking(session, district=district, now=NOW, address=address, day=TOMORROW + n * DAY)
    with pytest.raises(LimitReached, match=r"an address may have 5 live bookings.*this one has; cancel one"):
        a_booking(session, district=district, now=NOW, address="清泉路1号2单元301", items=FAN)
    assert a_booking(session, district=district, now=NOW, address="清泉路1号2单元302").state == "booked"
    assert_invariants(session)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ａ座 3-301", "a座3－301", True),
        ("清泉路1号", "清泉路 1 号。", True),
        ("12-301", "1-2301", False),
        ("3 301", "33 01", False),
        ("清泉路1号", "清泉路2号", False),
    ],
)
def test_an_address_is_known_by_what_is_not_spelling(one: str, other: str, *, same: bool) -> None:
    assert (normal_address(one) == normal_address(other)) is same
    assert (address_digest(one, VILLAGE) == address_digest(other, VILLAGE)) is same
    assert address_digest(one, VILLAGE) != address_digest(one, "370403001002")


def test_a_hold_counts_until_it_is_given_up_or_lapses_and_once_when_confirmed(
    session: Session, district: District
) -> None:
    by, one = a_resident(session, now=NOW), capped(district, 1)
    held = hold_pickup(a_wish(), by=by, district=one, session=session, now=NOW)
    with pytest.raises(LimitReached):
        a_booking(session, district=one, now=NOW, by=by)
    drop_hold(held.id, by=by, district=one, session=session, now=NOW)
    assert used(session) == []
    hold_pickup(a_wish(), by=by, district=one, session=session, now=NOW)
    assert free_lapsed(district=one, session=session, now=NOW + HOLD) == 1
    assert used(session) == []
    # a hold that has lapsed unswept makes room in the same transaction
    hold_pickup(a_wish(), by=by, district=one, session=session, now=NOW)
    again = hold_pickup(a_wish(), by=by, district=one, session=session, now=NOW + HOLD)
    confirm_hold(again.id, by=by, district=one, session=session, now=NOW + HOLD)
    assert used(session) == [1, 1]
    assert_invariants(session)


def test_a_changed_cap_holds_for_everybody_at_once(session: Session, district: District) -> None:
    by = a_resident(session, now=NOW)
    for n in range(3):
        a_booking(session, district=district, now=NOW, by=by, day=TOMORROW + n * DAY)
    with pytest.raises(LimitReached, match=r"may have 2"):
        a_booking(session, district=capped(district, 2), now=NOW, by=by, items=FAN)
    # a wider one is written to the row
    a_booking(session, district=capped(district, 9), now=NOW, by=by, items=FAN)
    session.rollback()
    assert session.get_one(LiveCount, f"resident:{by.id}").cap == 9


# --- not twice ---


def test_the_same_item_is_not_booked_twice_at_a_door_and_day(session: Session, district: District) -> None:
    by = a_resident(session, now=NOW)
    here: dict[str, Any] = {"session": session, "district": district, "now": NOW, "address": "清泉路 9 号"}
    # several units in one booking are one item
    a_booking(by=by, items=[WishedItem(item_type="fan", quantity=3)], **here)
    for who in (by, None):
        with pytest.raises(LimitReached, match="fan is booked at this address on 2026-11-24 already"):
            a_booking(by=who, items=FAN, **here)
    a_booking(by=by, **here)  # a fridge
    a_booking(by=by, items=FAN, day=TOMORROW + DAY, **here)
    assert_invariants(session)


def test_a_place_kept_and_forgotten_is_named_to_its_resident_and_to_nobody_else(
    session: Session, district: District
) -> None:
    # given a place that somebody keeps, on a page that they have closed
    by = a_resident(session, now=NOW)
    here: dict[str, Any] = {"session": session, "district": district, "now": NOW}
    kept = hold_pickup(a_wish(address="清泉路 9 号", items=FAN), by=by, **here)
    kept_id = kept.id
    # when they want it again they hear of it, with its end, ten minutes after ten o'clock; a neighbour does not
    with pytest.raises(LimitReached, match="kept until 2026-11-23 10:10 and not booked yet"):
        a_booking(by=by, address="清泉路 9 号", items=FAN, **here)
    with pytest.raises(LimitReached, match="is booked at this address"):
        a_booking(by=None, address="清泉路 9 号", items=FAN, **here)
    # and it stands among their kept places until it lapses
    assert [hold.id for hold in own_holds(by=by, session=session, now=NOW)] == [kept_id]
    assert own_holds(by=a_resident(session, now=NOW), session=session, now=NOW) == []
    assert own_holds(by=by, session=session, now=NOW + timedelta(minutes=10)) == []


# --- amending ---


def test_amending_moves_the_limits_and_a_refused_change_keeps_the_old(session: Session, district: District) -> None:
    by, two = a_resident(session, now=NOW), capped(district, 2, per_address=1)
    one = a_booking(session, district=two, now=NOW, by=by, address="甲 1")
    other = a_booking(session, district=two, now=NOW, by=by, address="乙 2")

    def amend(version: int, **changes: Any) -> Booking:
        return amend_pickup(one.id, changes, version=version, by=by, district=two, session=session, now=NOW)

    before = [tuple(row) for row in session.execute(select(LiveItem.address_digest, LiveItem.item_type, LiveItem.day))]
    for changes in ({"address": "乙 2"}, {"address": "乙 2", "items": FAN}):  # the item is there; the address is full
        with pytest.raises(LimitReached):
            amend(1, **changes)
    after = [tuple(row) for row in session.execute(select(LiveItem.address_digest, LiveItem.item_type, LiveItem.day))]
    assert sorted(before) == sorted(after)
    assert used(session) == [1, 1, 2]
    # at the cap of persons and address, day, items and door may change
    amend(1, day=TOMORROW + DAY, items=FAN)
    amend(2, address="丙 3")
    assert used(session) == [1, 1, 2]
    assert_invariants(session)
    cancel_pickup(other.id, version=1, by=by, district=two, session=session, now=NOW)
    amend(3, address="乙 2")
    assert used(session) == [1, 1]
    assert_invariants(session)


# --- the end of a life ---


def test_a_visit_ends_it_whatever_came_of_it_and_a_correction_changes_nothing(tour: Round) -> None:
    assert used(tour.session) == [1, 1]
    tour.send(a_failure(tour.bookings[0]))
    assert used(tour.session) == []
    tour.send(a_report(tour.bookings[0], device_time=tour_time(1)))
    assert tour.booking().state == "collected"
    assert used(tour.session) == []
    assert_invariants(tour.session)


def test_a_pickup_that_nobody_came_for_is_live_until_its_day_is_over_by_two_days(
    session: Session, district: District
) -> None:
    by = a_resident(session, now=NOW)
    booking = a_booking(session, district=district, now=NOW, by=by)
    # the 24th; on the 26th it still counts, in the night to the 27th no more
    assert clean_up(district.privacy, session=session, now=NOW + 3 * DAY)["stale_limits"] == 0
    assert used(session) == [1, 1]
    gone = clean_up(district.privacy, session=session, now=NOW + 4 * DAY)
    assert gone["stale_limits"] == 1
    assert used(session) == []
    assert rules.live_items_are_of_live_bookings.breaches(session, NOW + 4 * DAY) == []
    # the record that comes after all, or the dispatcher's cancellation, gives nothing back a second time
    desk = Principal(id=uuid4(), role="dispatcher")
    cancel_pickup(booking.id, version=1, by=desk, district=district, session=session, now=NOW + 4 * DAY)
    assert used(session) == []
    # and counters at nought are forgotten
    assert clean_up(district.privacy, session=session, now=NOW + 5 * DAY)["unused_counters"] == 2


# --- at once ---


def _at_once(app: Flask, district: District, by: Principal, *, meanwhile: Any = lambda: None) -> list[str]:
    """Two bookings of one resident on two days, asked for at the same instant."""
    start = threading.Barrier(2)

    def book(ahead: int) -> str:
        with app.app_context():
            meanwhile()
            start.wait(timeout=60)
            wish = a_wish(day=TOMORROW + ahead * DAY, address=f"门 {ahead}")
            try:
                book_pickup(wish, by=by, district=district, session=db.session(), now=NOW)
            except DomainError as error:
                return error.code
            return "booked"

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(book, range(2)))


def test_of_two_at_once_at_the_last_place_one_is_booked(app: Flask, session: Session, district: District) -> None:
    by = a_resident(session, now=NOW)
    assert _at_once(app, capped(district, 1), by) == ["booked", "limit_reached"]
    assert used(session) == [1, 1]
    assert_invariants(session)


def test_control_counting_before_booking_lets_both_through(
    app: Flask, session: Session, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the counter taken out: each request counts the live bookings when it comes in, and is refused by that
    by, counted = a_resident(session, now=NOW), threading.local()

    def count() -> None:
        counted.live = len(limits.live_days(db.session(), resident_id=by.id, digest=None))
        db.session.rollback()

    def by_count(_session: Session, moved: Any) -> limits.LimitHit | None:
        cap = min(move.cap for _, move in moved)
        if counted.live < cap:
            return None
        return limits.LimitHit(kind="resident", key="", cap=cap, booking_id=uuid4(), resident_id=by.id)

    monkeypatch.setattr(limits, "_taken", by_count)
    # then both get the last place
    assert _at_once(app, capped(district, 1), by, meanwhile=count) == ["booked", "booked"]
    # and the invariant sees that no counter stands for them
    assert any("限额计数" in rule for rule in broken(session))


def test_residents_who_free_each_others_lapsed_holds_never_wait_in_a_circle(
    app: Flask, session: Session, district: District
) -> None:
    # given on each of two days lapsed holds of both residents, who then book there crosswise at the same instant
    people = [a_resident(session, now=NOW) for _ in range(2)]
    for n, by in enumerate(people):
        for ahead in range(2):
            wish = a_wish(day=TOMORROW + ahead * DAY, address=f"门 {n} {ahead}")
            hold_pickup(wish, by=by, district=district, session=session, now=NOW)
    session.rollback()
    start = threading.Barrier(2)

    def book(n: int) -> str:
        with app.app_context():
            start.wait(timeout=60)
            wish = a_wish(day=TOMORROW + n * DAY, address=f"户 {n}")
            return book_pickup(wish, by=people[n], district=district, session=db.session(), now=NOW + HOLD).state

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(book, range(2))) == ["booked", "booked"]
    assert used(session) == [1, 1, 1, 1]
    assert_invariants(session)


# --- no-shows ---


@pytest.fixture
def tour(session: Session, district: District, now: datetime) -> Round:
    """A truck with one fridge to fetch."""
    return Round(session, district, now)


def tour_time(minutes: int) -> datetime:
    """So many minutes after nine."""
    return NINE + timedelta(minutes=minutes)


def test_a_no_show_is_what_the_outcome_says_now_however_often_it_is_told(tour: Round) -> None:
    def noted() -> list[date]:
        tour.session.rollback()
        return list(tour.session.scalars(select(NoShow.day)))

    failure = a_failure(tour.bookings[0])
    tour.send(failure)
    tour.send(failure, a_failure(tour.bookings[0], device_time=tour_time(1)))
    assert noted() == [TOMORROW]
    # another reason does not count against the resident, nor does a visit that succeeded after all
    tour.send(a_failure(tour.bookings[0], reason="vehicle_full", device_time=tour_time(2)))
    assert noted() == []
    tour.send(a_failure(tour.bookings[0], device_time=tour_time(3)))
    assert noted() == [TOMORROW]
    tour.send(a_report(tour.bookings[0], device_time=tour_time(4)))
    assert noted() == []
    assert_invariants(tour.session)


def no_shows(session: Session, district: District, by: Principal, *ago: int) -> None:
    """So many days ago nobody was home: booked at the time, as its outcome stands."""
    for days in ago:
        booking = a_booking(session, district=district, now=NOW - (days + 1) * DAY, by=by, day=NOW.date() - days * DAY)
        cancel_pickup(booking.id, version=1, by=by, district=district, session=session, now=NOW - (days + 1) * DAY)
        with atomic(session):
            session.add(NoShow(booking_id=booking.id, resident_id=by.id, day=booking.day))


def test_the_first_no_show_is_free_the_second_leaves_three_days_and_says_until_when(
    session: Session, district: District
) -> None:
    by = a_resident(session, now=NOW)
    far = TOMORROW + 3 * DAY
    no_shows(session, district, by, 10)
    kept = a_booking(session, district=district, now=NOW, by=by, day=far)
    no_shows(session, district, by, 100)
    # the second latest is 100 days old and counts for 180: until 80 days from the 23rd of November, 2027-02-11
    with pytest.raises(ShortNoticeOnly, match=r"nobody was home at 2 visits.*until 2027-02-11.*Open are 2026-11-24"):
        a_booking(session, district=district, now=NOW, by=by, day=far)
    with pytest.raises(ShortNoticeOnly):
        hold_pickup(a_wish(day=far), by=by, district=district, session=session, now=NOW)
    near = a_booking(session, district=district, now=NOW, by=by, day=far - DAY)
    with pytest.raises(ShortNoticeOnly):
        amend_pickup(near.id, {"day": far}, version=1, by=by, district=district, session=session, now=NOW)
    # what was promised before stays, and may change on its day
    amend_pickup(
        kept.id, {"pickup_window": "13-15"}, version=1, by=by, district=district, session=session, now=NOW
    )  # fmt: skip
    # the dispatcher, who has spoken with them, may book any day
    desk = Principal(id=uuid4(), role="dispatcher")
    book_pickup(
        a_wish(day=far, address="调度代约"), by=desk, district=district, session=session, now=NOW,
        resident_id=by.id, consent="phone",
    )  # fmt: skip
    # and the day after its end the rule is over
    wish = a_wish(day=date(2027, 2, 20), address="到期")
    book_pickup(wish, by=by, district=district, session=session, now=datetime(2027, 2, 12, 2, tzinfo=NOW.tzinfo))


def test_offers_end_after_three_days_for_them_and_each_later_window_says_why(
    session: Session, district: District
) -> None:
    by = a_resident(session, now=NOW)
    no_shows(session, district, by, 5, 10)
    days = offer_slots(a_wish(), by=by, district=district, session=session, now=NOW)
    assert len(days) == 14
    for n, day in enumerate(days):
        for window in day.windows:
            assert (window.hold_token is not None) is (n < 3)
            if n >= 3:
                assert window.refusal is not None
                assert window.refusal.binding == "no_show"
                assert {change.wish.day for change in window.refusal.changes} == {days[2].day}
    told = my_limits(by=by, district=district, session=session, now=NOW)
    assert (told["live"], told["live_most"], told["no_shows"]) == (0, 5, 2)
    assert told["short_notice_until"] == NOW.date() + 170 * DAY  # the second latest, ten days ago, counts for 180


def test_a_resident_reads_their_limits_and_the_note_on_offers(callers: Callers) -> None:
    caller = callers.resident()
    told = caller.get("/my-limits")
    assert told.status_code == 200
    assert told.get_json() == {
        "live": 0, "live_most": 5, "live_most_per_address": 5, "live_days": [], "no_shows": 0, "no_shows_free": 1,
        "short_notice_until": None, "short_notice_days": None, "note_zh": None, "note_en": None,
    }  # fmt: skip
    assert callers.staff("dispatcher").get("/my-limits").status_code == 403


# --- the invariants, and putting right ---


@contextmanager
def breach(session: Session, *statements: Executable) -> Iterator[set[str]]:
    """What is found after statements behind the program's back; they are taken back."""
    for statement in statements:
        session.execute(statement)
    yield {
        name
        for name in ("live_items_are_of_live_bookings", "live_counts_are_live_bookings", "no_shows_are_outcomes")
        if getattr(rules, name).breaches(session, NOW)
    }
    session.rollback()


def test_each_limit_written_by_hand_is_found(session: Session, district: District) -> None:
    booking = a_booking(session, district=district, now=NOW)
    assert_invariants(session)
    items, counts, shows = "live_items_are_of_live_bookings", "live_counts_are_live_bookings", "no_shows_are_outcomes"
    shown = insert(NoShow).values(booking_id=booking.id, resident_id=booking.resident_id, day=TOMORROW)
    for expected, statement in (
        ({counts}, update(LiveCount).values(used=0)),
        ({counts}, delete(LiveCount)),
        ({items, counts}, delete(LiveItem)),
        ({items}, update(LiveItem).values(day=TOMORROW + DAY)),
        ({items, counts}, update(LiveItem).values(address_digest="0" * 64)),
        ({items}, update(Booking).values(state="cancelled")),
        ({shows}, shown),
    ):
        with breach(session, statement) as found:
            assert found == expected, statement


def test_the_rebuild_fills_empty_tables_and_puts_counters_right(session: Session, district: District) -> None:
    # given bookings from before the limits, one of them cancelled and one visited
    by = a_resident(session, now=NOW)
    bookings = [a_booking(session, district=district, now=NOW, by=by, day=TOMORROW + n * DAY) for n in range(4)]
    cancel_pickup(bookings[0].id, version=1, by=by, district=district, session=session, now=NOW)
    collect(session, bookings[1], district=district, now=NOW)
    with atomic(session):
        session.execute(delete(LiveItem))
        session.execute(update(LiveCount).values(used=0))
    two = capped(district, 1, per_address=1)
    found = rebuild_limits(district=two, session=session, now=NOW)
    # then two are live, at two doors, and more than the cap stay
    assert (found.live, found.clashes) == (2, ())
    assert used(session) == [1, 1, 2]
    assert rebuild_limits(district=two, session=session, now=NOW).counters == 0
    # `collect` leaves the visited day's routes open, so that only our own rules are asked
    ours = [rule for rule in vars(rules).values() if isinstance(rule, Invariant)]
    assert [rule.rule for rule in ours if rule.breaches(session, NOW)] == []
