"""Linked visits: what no single crew can do is one booking of several visits, and what happens befalls all of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from recycling.errors import Conflict, DomainError, HoldLapsed, InvalidInput, LimitReached, NotFound, WindowFull
from recycling.extensions import db
from recycling.models.booking import BookedItem, Booking, BookingChange
from recycling.models.ledger import close_day
from recycling.models.limits import LiveCount, no_show_days, note_no_show
from recycling.models.outbox import OutboxMessage
from recycling.models.transaction import atomic
from recycling.models.waiting import WaitingWish
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings.book_pickup import HOLD, book_pickup, confirm_hold, drop_hold, hold_pickup
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from recycling.usecases.bookings.free_lapsed import free_lapsed
from recycling.usecases.bookings.linked import MOST_VISITS
from recycling.usecases.bookings.offer_freed import offer_freed
from recycling.usecases.bookings.offer_slots import check_hold_token, offer_slots
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.bookings.rebuild_limits import rebuild_limits
from recycling.usecases.bookings.waiting import Choice, join_waiting_list, withdraw_wish
from recycling.usecases.messages.remind import remind_residents
from recycling.usecases.messages.texts import render
from recycling.usecases.queries.bookings import list_bookings, visits_of
from tests.builders import DISPATCHER, TOMORROW, a_booking, a_resident
from tests.conftest import NOW
from tests.invariants import assert_invariants, broken
from tests.linked_wishes import AIR_CONDITIONER, COOLING, FRIDGE, GAS, GAS_HEATER, a_linked_wish, two_crews
from tests.loads import collect
from tests.places import places, visits
from tests.planned_days import a_published_plan, with_vehicles

NEXT_DAY = TOMORROW + timedelta(days=1)


@pytest.fixture
def apart(district: District) -> District:
    """Two trucks of which neither can do both."""
    return two_crews(district)


def a_linked_booking(session: Session, apart: District, by: Principal, *, day: date = TOMORROW) -> Booking:
    """One booking of two visits."""
    return book_pickup(a_linked_wish(day=day), by=by, district=apart, session=session, now=NOW)


def book_out_gas(session: Session, apart: District) -> int:
    """Give the crew for gas as many visits from eight to ten as it can make."""
    for booked in range(100):
        try:
            a_booking(session, district=apart, now=NOW, items=[GAS_HEATER])
        except WindowFull:
            session.rollback()
            return booked
    raise AssertionError("the crew for gas is never full")


def carried(session: Session, booking: Booking) -> list[dict[str, int]]:
    """The items of each visit, the one that stands for the booking first."""
    session.refresh(booking)
    return [{item.item_type: item.declared_units for item in row.items} for row in visits_of(booking)]


def told(session: Session) -> list[tuple[str, int]]:
    """Messages with the visits that they speak of."""
    rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at, OutboxMessage.kind))
    return [(row.kind, row.facts.get("visits", 1)) for row in rows]


def nothing_is_kept(session: Session) -> bool:
    """No booking, no item, no place, no limit, no message."""
    session.rollback()
    rows = [session.scalar(select(func.count()).select_from(model)) for model in (Booking, BookedItem, OutboxMessage)]
    used = session.scalar(select(func.coalesce(func.sum(LiveCount.used), 0)))
    return [*rows, used, len(visits(session))] == [0, 0, 0, 0, 0]


# --- from a wish to a booking ---


def test_an_offer_says_which_items_go_apart_and_why(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)
    day = offer_slots(a_linked_wish(), by=by, district=apart, session=session, now=NOW)[0]
    assert day.visits == 2
    assert day.apart is not None
    zh, en = day.apart
    assert zh.startswith("没有一个车组能一次完成，同一时段分 2 次上门：")
    assert "燃气热水器 × 1（燃气拆移车组）" in zh
    assert "no single crew can do all of it: 2 visits in the same window" in en
    assert "1 × gas water heater (crews that may disconnect gas)" in en
    # every window is open: each truck has its own visit
    assert [len(window.fits) for window in day.windows] == [2] * 5
    first = day.windows[0]
    assert first.added_s == sum(fit.added_s for fit in first.fits)
    assert {fit.vehicle for fit in first.fits} == {COOLING, GAS}
    # what one crew can do is one visit, without words
    alone = offer_slots(a_linked_wish(items=[FRIDGE]), by=by, district=apart, session=session, now=NOW)[0]
    assert (alone.visits, alone.apart, len(alone.windows[0].fits)) == (1, None, 1)


def test_a_hold_keeps_all_visits_and_becomes_one_booking_told_once(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)
    offer = offer_slots(a_linked_wish(), by=by, district=apart, session=session, now=NOW)[0].windows[0]
    wish = a_linked_wish(pickup_window=offer.pickup_window)
    check_hold_token(offer.hold_token or "", wish, by=by, now=NOW)
    held = hold_pickup(wish, by=by, district=apart, session=session, now=NOW)
    rows = visits_of(held)
    assert {(row.state, row.held_until, row.pickup_window) for row in rows} == {("held", NOW + HOLD, "08-10")}
    assert [row.part_of for row in rows] == [None, held.id]
    assert {key for row in carried(session, held) for key in row} == {"ac-split", "water-heater-gas", "fridge"}
    assert set(visits(session)) == {str(row.id) for row in rows}
    # a further visit is no hold of its own
    for act in (confirm_hold, drop_hold):
        with pytest.raises(Conflict, match=str(held.id)):
            act(rows[1].id, by=by, district=apart, session=session, now=NOW)
    booking = confirm_hold(held.id, by=by, district=apart, session=session, now=NOW)
    assert [row.state for row in visits_of(booking)] == ["booked", "booked"]
    assert told(session) == [("booking.confirmed", 2)]
    facts = session.scalars(select(OutboxMessage.facts)).one()
    text = render("booking.confirmed", facts, district=apart)
    assert "上门回收（分 2 次上门）。" in text
    assert "is booked (2 visits)." in text
    # one booking of the five that a resident may have
    assert session.scalars(select(LiveCount.used)).all() == [1, 1]
    assert_invariants(session)


def test_a_hold_that_ends_takes_all_its_visits_along(session: Session, apart: District) -> None:
    by, other = a_resident(session, now=NOW), a_resident(session, now=NOW)
    held = hold_pickup(a_linked_wish(), by=by, district=apart, session=session, now=NOW)
    drop_hold(held.id, by=other, district=apart, session=session, now=NOW)  # none of theirs
    assert len(visits(session)) == 2
    drop_hold(held.id, by=by, district=apart, session=session, now=NOW)
    assert nothing_is_kept(session)
    held_id = hold_pickup(a_linked_wish(), by=by, district=apart, session=session, now=NOW).id
    with pytest.raises(HoldLapsed):
        confirm_hold(held_id, by=by, district=apart, session=session, now=NOW + HOLD)
    assert free_lapsed(district=apart, session=session, now=NOW + HOLD) == 1
    assert nothing_is_kept(session)
    assert_invariants(session)


def test_units_of_one_type_that_go_apart_are_no_second_booking_of_it(session: Session, apart: District) -> None:
    # given trucks that carry 2,600 l, and two wardrobes of 2,500 l each
    by, network = a_resident(session, now=NOW), apart.network
    small = {key: replace(one, capacity_l=2_600) for key, one in network.vehicle_classes.items()}
    apart = replace(apart, network=replace(network, vehicle_classes=small))
    wish = a_linked_wish(items=[WishedItem(item_type="wardrobe-four", quantity=2)])
    day = offer_slots(wish, by=by, district=apart, session=session, now=NOW)[0]
    assert day.apart is not None
    assert day.apart[0].startswith("一车装不下，同一时段分 2 次上门")
    booking = book_pickup(wish, by=by, district=apart, session=session, now=NOW)
    assert carried(session, booking) == [{"wardrobe-four": 1}, {"wardrobe-four": 1}]
    assert_invariants(session)
    # but a further booking of it at the door is
    with pytest.raises(LimitReached):
        book_pickup(wish, by=by, district=apart, session=session, now=NOW)
    amended = amend_pickup(
        booking.id, {"pickup_window": "13-15"}, version=1, by=by, district=apart, session=session, now=NOW
    )
    assert carried(session, amended) == [{"wardrobe-four": 1}, {"wardrobe-four": 1}]
    assert_invariants(session)


# --- what is refused keeps nothing ---


def test_what_has_room_for_one_visit_only_is_not_offered_and_not_kept(session: Session, apart: District) -> None:
    # given the gas crew booked out from eight to ten: each visit takes 480 + 1500 s and more, its window 7200 s
    by = a_resident(session, now=NOW)
    assert book_out_gas(session, apart) > 1
    before = visits(session)
    day = offer_slots(a_linked_wish(), by=by, district=apart, session=session, now=NOW)[0]
    shut = day.windows[0]
    assert (shut.fits, shut.fit, shut.hold_token) == ((), None, None)
    assert shut.refusal is not None
    assert (shut.refusal.binding, shut.refusal.skill) == ("crew", "gas-fitting")
    # the changes that it names open it
    for change in shut.refusal.changes:
        again = offer_slots(change.wish, by=by, district=apart, session=session, now=NOW)
        opened = {(one.day, w.pickup_window) for one in again for w in one.windows if w.fits}
        assert (change.wish.day, change.wish.pickup_window) in opened, change
    assert shut.refusal.changes
    # and booked all the same, nothing of it is kept: not the visit that has a place either
    with pytest.raises(WindowFull):
        book_pickup(a_linked_wish(), by=by, district=apart, session=session, now=NOW)
    session.rollback()
    assert visits(session) == before
    assert session.scalar(select(func.count()).where(Booking.resident_id == by.id)) == 0
    assert_invariants(session)


def test_a_wish_of_too_many_visits_or_of_what_nobody_takes_is_refused_in_words(
    session: Session, apart: District
) -> None:
    by, network = a_resident(session, now=NOW), apart.network
    small = {key: replace(one, capacity_l=2_600) for key, one in network.vehicle_classes.items()}
    tight = replace(apart, network=replace(network, vehicle_classes=small))
    many = [WishedItem(item_type="wardrobe-four", quantity=2), WishedItem(item_type="sofa-three", quantity=2)]
    for district, items, words in (
        (tight, many, f"more than {MOST_VISITS} visits"),
        (with_vehicles(apart, COOLING), [GAS_HEATER, FRIDGE], "gas water heater"),
    ):
        day = offer_slots(a_linked_wish(items=items), by=by, district=district, session=session, now=NOW)[0]
        refusal = day.windows[0].refusal
        assert refusal is not None
        assert refusal.binding == "no_vehicle"
        assert words in refusal.en
        with pytest.raises(WindowFull):
            book_pickup(a_linked_wish(items=items), by=by, district=district, session=session, now=NOW)
        assert nothing_is_kept(session)


# --- changes ---


def test_a_cancellation_takes_all_visits_and_is_the_owners(session: Session, apart: District) -> None:
    by, other = a_resident(session, now=NOW), a_resident(session, now=NOW)
    booking = a_linked_booking(session, apart, by)
    booking_id, part_id = (row.id for row in visits_of(booking))
    for one in (booking_id, part_id):
        with pytest.raises(NotFound):
            cancel_pickup(one, version=1, by=other, district=apart, session=session, now=NOW)
    # neither the owner nor, before the day is planned, the desk parts what goes together
    for who in (by, DISPATCHER):
        with pytest.raises(Conflict, match=str(booking_id)):
            cancel_pickup(part_id, version=1, by=who, district=apart, session=session, now=NOW)
        with pytest.raises(Conflict, match=str(booking_id)):
            amend_pickup(
                part_id, {"floor": 2}, version=1, by=who, district=apart, session=session, now=NOW
            )  # fmt: skip
    assert len(visits(session)) == 2
    cancel_pickup(booking_id, version=1, by=by, district=apart, session=session, now=NOW)
    assert set(session.scalars(select(Booking.state))) == {"cancelled"}
    assert visits(session) == {}
    assert set(session.scalars(select(LiveCount.used))) == {0}
    assert told(session) == [("booking.cancelled", 2), ("booking.confirmed", 2)]
    assert_invariants(session)


def test_another_day_and_window_move_all_visits_or_none(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)
    booking = a_linked_booking(session, apart, by)
    changes = {"day": NEXT_DAY, "pickup_window": "13-15"}
    moved = amend_pickup(booking.id, changes, version=1, by=by, district=apart, session=session, now=NOW)
    rows = visits_of(moved)
    assert {(row.day, row.pickup_window, row.version, row.state) for row in rows} == {(NEXT_DAY, "13-15", 2, "booked")}
    assert places(session) == {("2026-11-25", "13-15"): 2}
    assert told(session)[0] == ("booking.amended", 2)
    # given the gas crew booked out on the first day, the way back is refused and all stays
    book_out_gas(session, apart)
    with pytest.raises(WindowFull):
        amend_pickup(
            booking.id, {"day": TOMORROW, "pickup_window": "08-10"},
            version=2, by=by, district=apart, session=session, now=NOW,
        )  # fmt: skip
    session.rollback()
    assert places(session)["2026-11-25", "13-15"] == 2
    assert_invariants(session)


def test_other_items_are_parted_anew(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)

    def amended(version: int, *items: WishedItem) -> list[dict[str, int]]:
        changes = {"items": list(items)}
        made = amend_pickup(booking_id, changes, version=version, by=by, district=apart, session=session, now=NOW)
        assert_invariants(session)
        return carried(session, made)

    # given a booking of one visit
    booking_id = a_booking(session, district=apart, now=NOW, by=by, items=[FRIDGE]).id
    # when it asks for what takes two, one more comes
    two = amended(1, AIR_CONDITIONER, GAS_HEATER)
    assert sorted(map(str, two)) == ["{'ac-split': 1}", "{'water-heater-gas': 1}"]
    assert len(visits(session)) == 2
    # when it asks for what takes one, the other ends, without items: they go with the first
    assert amended(2, GAS_HEATER, FRIDGE) == [{"fridge": 1, "water-heater-gas": 1}]
    assert len(visits(session)) == 1
    ended = session.scalars(select(Booking).where(Booking.part_of == booking_id)).one()
    assert (ended.state, ended.items, ended.declared_g) == ("cancelled", [], 0)
    # and again two: a new one comes, the ended one stays so
    assert len(amended(3, AIR_CONDITIONER, GAS_HEATER)) == 2
    session.rollback()
    assert session.scalar(select(func.count()).where(Booking.part_of == booking_id)) == 2
    kinds = session.scalars(select(BookingChange.kind).where(BookingChange.booking_id == ended.id)).all()
    assert sorted(kinds) == ["booked", "cancelled"]
    assert [count for kind, count in told(session) if kind == "booking.amended"] in ([2, 1, 2], [1, 2, 2], [2, 2, 1])
    assert session.scalars(select(LiveCount.used)).all() == [1, 1]


def test_consent_to_wiping_survives_a_change_of_floor(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)
    computer = WishedItem(item_type="computer-desktop", quantity=1, wipe_consent=True)
    wish = a_linked_wish(items=[AIR_CONDITIONER, GAS_HEATER, computer])
    booking = book_pickup(wish, by=by, district=apart, session=session, now=NOW)
    later = NOW + timedelta(hours=1)
    amend_pickup(booking.id, {"floor": 6}, version=1, by=by, district=apart, session=session, now=later)
    item = session.scalars(select(BookedItem).where(BookedItem.item_type == "computer-desktop")).one()
    assert (item.wipe_consent_at, item.wipe_consent_by) == (NOW, by.id)
    assert_invariants(session)


def test_a_linked_booking_beyond_a_limit_keeps_nothing(session: Session, apart: District, district: District) -> None:
    apart, by = replace(apart, booking_rules=district.booking_rules), a_resident(session, now=NOW)
    for n in range(apart.booking_rules.live_per_resident):
        a_booking(session, district=apart, now=NOW, by=by, items=[FRIDGE], day=TOMORROW + timedelta(days=n % 2))
    before = len(visits(session))
    in_the_afternoon = a_linked_wish(address="长江路 9 号", pickup_window="13-15")  # the trucks have room then
    with pytest.raises(LimitReached):
        book_pickup(in_the_afternoon, by=by, district=apart, session=session, now=NOW)
    session.rollback()
    assert len(visits(session)) == before
    # an item of a further visit counts as booked at the door
    other = a_resident(session, now=NOW)
    day = TOMORROW + timedelta(days=3)
    a_linked_booking(session, apart, other, day=day)
    for one in (GAS_HEATER, AIR_CONDITIONER):
        with pytest.raises(LimitReached):
            book_pickup(a_linked_wish(items=[one], day=day), by=other, district=apart, session=session, now=NOW)
    assert rebuild_limits(district=apart, session=session, now=NOW).counters == 0
    assert_invariants(session)


def test_who_waits_gets_all_visits_or_none_and_gives_all_back(session: Session, apart: District) -> None:
    # given the crew for gas booked out, and somebody who waits for the morning with a linked wish
    full = book_out_gas(session, apart)
    by = a_resident(session, now=NOW)
    morning = [Choice(day=TOMORROW, pickup_windows=("08-10",))]
    wish_id = join_waiting_list(a_linked_wish(), morning, by=by, district=apart, session=session, now=NOW).id
    assert offer_freed(district=apart, session=session, now=NOW) == []
    # when the bookings for gas are given up
    for booking in session.scalars(select(Booking).where(Booking.part_of.is_(None))).all():
        owner = Principal(id=booking.resident_id, role="resident")
        cancel_pickup(booking.id, version=1, by=owner, district=apart, session=session, now=NOW)
    assert full > 1
    # then both visits are held, as one offer
    assert offer_freed(district=apart, session=session, now=NOW) == [wish_id]
    held = session.scalars(select(Booking).where(Booking.state == "held")).all()
    assert len(held) == len(visits(session)) == 2
    wish = session.get_one(WaitingWish, wish_id)
    assert wish.booking_id == next(row.id for row in held if row.part_of is None)
    assert_invariants(session)
    # and who stops waiting gives both back
    withdraw_wish(wish_id, version=wish.version, by=by, district=apart, session=session, now=NOW)
    assert visits(session) == {}
    assert session.scalars(select(Booking).where(Booking.state == "held")).all() == []
    assert_invariants(session)


# --- at once ---


def test_of_a_cancellation_and_a_change_at_once_one_happens_to_all_visits(
    app: Flask, session: Session, apart: District
) -> None:
    by = a_resident(session, now=NOW)
    booking_id = a_linked_booking(session, apart, by).id
    session.rollback()
    start = threading.Barrier(2)

    def act(kind: str) -> str:
        with app.app_context():
            start.wait(timeout=60)
            try:
                if kind == "cancel":
                    cancel_pickup(booking_id, version=1, by=by, district=apart, session=db.session(), now=NOW)
                else:
                    amend_pickup(
                        booking_id, {"day": NEXT_DAY}, version=1, by=by, district=apart, session=db.session(), now=NOW
                    )
            except DomainError as error:
                return error.code
            return kind

    with ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(act, ["cancel", "amend"]))
    session.expire_all()
    rows = session.execute(select(Booking.state, Booking.day, Booking.version)).all()
    assert done in (["cancel", "stale_version"], ["amend", "stale_version"])
    expected = ("cancelled", TOMORROW, 2) if "cancel" in done else ("booked", NEXT_DAY, 2)
    assert [tuple(row) for row in rows] == [expected] * 2
    assert_invariants(session)


def test_of_a_confirmation_and_a_drop_at_once_all_visits_are_kept_or_none(
    app: Flask, session: Session, apart: District
) -> None:
    by = a_resident(session, now=NOW)
    hold_id = hold_pickup(a_linked_wish(), by=by, district=apart, session=session, now=NOW).id
    session.rollback()
    start = threading.Barrier(2)

    def act(use_case: str) -> str:
        with app.app_context():
            start.wait(timeout=60)
            try:
                if use_case == "confirm":
                    confirm_hold(hold_id, by=by, district=apart, session=db.session(), now=NOW)
                else:
                    drop_hold(hold_id, by=by, district=apart, session=db.session(), now=NOW)
            except DomainError as error:
                return error.code
            return use_case

    with ThreadPoolExecutor(2) as pool:
        done = set(pool.map(act, ["confirm", "drop"]))
    session.expire_all()
    states = session.scalars(select(Booking.state)).all()
    assert states == (["booked", "booked"] if "confirm" in done else [])
    assert len(visits(session)) == len(states)
    assert_invariants(session)


# --- the day itself ---


def test_once_planned_each_visit_is_a_stop_and_the_desk_may_cancel_one(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)
    booking = a_linked_booking(session, apart, by)
    booking_id, part_id = (row.id for row in visits_of(booking))
    assert remind_residents(TOMORROW, session=session, now=instant_at(TOMORROW, 0) - timedelta(hours=15)) == 1
    assert ("booking.reminder", 2) in told(session)
    evening = datetime(2026, 11, 23, 12, 0, tzinfo=NOW.tzinfo)
    a_published_plan(session, district=apart, now=evening)
    times = select(OutboxMessage.facts).where(OutboxMessage.kind == "plan.window_confirmed")
    found = session.scalars(times).all()
    assert {UUID(facts["booking_id"]) for facts in found} == {booking_id, part_id}
    assert {facts["one_of"] for facts in found} == {2}
    assert "上门回收（2 次上门之一）已排定" in render("plan.window_confirmed", found[0], district=apart)
    # the desk cancels the further one alone; the first stands
    cancel_pickup(part_id, version=1, by=DISPATCHER, district=apart, session=session, now=evening)
    states = {row.id: row.state for row in session.execute(select(Booking.id, Booking.state))}
    assert states == {booking_id: "booked", part_id: "cancelled"}
    text = session.scalars(select(OutboxMessage.facts).where(OutboxMessage.kind == "booking.cancelled")).one()
    assert text["one_of"] == 2
    assert_invariants(session)
    # and then the first
    cancel_pickup(booking_id, version=1, by=DISPATCHER, district=apart, session=session, now=evening)
    assert set(session.scalars(select(Booking.state))) == {"cancelled"}
    assert_invariants(session)


def test_at_the_door_each_visit_has_an_outcome_of_its_own(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)
    first, further = visits_of(a_linked_booking(session, apart, by))
    # one is collected while the other is still to come
    collect(session, further, district=apart, now=NOW, not_yet=[first])
    session.expire_all()
    assert [session.get_one(Booking, row.id).state for row in (first, further)] == ["booked", "collected"]
    assert session.scalars(select(LiveCount.used)).all() == [1, 1]
    text = session.scalars(select(OutboxMessage.facts).where(OutboxMessage.kind == "visit.collected")).one()
    assert "上门回收（2 次上门之一）已完成" in render("visit.collected", text, district=apart)
    assert_invariants(session)
    # cancelled by the desk, the first goes alone: what was collected stays so
    cancel_pickup(first.id, version=1, by=DISPATCHER, district=apart, session=session, now=NOW)
    session.expire_all()
    assert [session.get_one(Booking, row.id).state for row in (first, further)] == ["cancelled", "collected"]
    text = session.scalars(select(OutboxMessage.facts).where(OutboxMessage.kind == "booking.cancelled")).one()
    assert text["one_of"] == 2  # the other was collected: the booking as a whole is not called cancelled
    assert set(session.scalars(select(LiveCount.used))) == {0}
    assert_invariants(session)


def test_nobody_home_at_both_visits_is_one_no_show(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)
    booking = a_linked_booking(session, apart, by)
    other = a_booking(session, district=apart, now=NOW, by=by, items=[FRIDGE])
    for row in (*visits_of(booking), other):
        note_no_show(session, row, counts=True)
    # two bookings of one day are two all the same
    assert no_show_days(session, by.id, since=TOMORROW) == [TOMORROW, TOMORROW]
    session.rollback()


def test_a_list_shows_which_visits_go_together(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)
    booking = a_linked_booking(session, apart, by)
    first, further = visits_of(booking)
    rows = {row["id"]: row for row in list_bookings(by=by, session=session, limit=10)["bookings"]}
    assert (rows[first.id]["part_of"], rows[first.id]["parts"]) == (None, [further.id])
    assert (rows[further.id]["part_of"], rows[further.id]["parts"]) == (first.id, [])


def test_the_invariant_sees_visits_that_were_torn_apart(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)
    booking = a_linked_booking(session, apart, by)
    with atomic(session):
        session.execute(update(Booking).where(Booking.part_of == booking.id).values(pickup_window="13-15"))
    assert any(key.startswith("I-32") for key in broken(session))
    with atomic(session):
        session.execute(update(Booking).where(Booking.part_of == booking.id).values(pickup_window="08-10"))
        session.execute(update(Booking).where(Booking.id == booking.id).values(state="cancelled"))
        close_day(session, TOMORROW, now=NOW)
    assert any(key.startswith("I-32") for key in broken(session))


def test_an_item_that_nobody_knows_is_refused_before_anything_is_parted(session: Session, apart: District) -> None:
    by = a_resident(session, now=NOW)
    wish = a_linked_wish(items=[AIR_CONDITIONER, WishedItem(item_type="spaceship", quantity=1)])
    with pytest.raises(InvalidInput):
        book_pickup(wish, by=by, district=apart, session=session, now=NOW)
