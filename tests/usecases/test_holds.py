"""Offers, holds and confirmations: a window is offered when a route can serve it, a hold keeps it, and it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, HoldLapsed, InvalidInput, NotFound, WindowClosed, WindowFull
from recycling.jobs.actions import improve_days
from recycling.models.booking import Booking
from recycling.models.ledger import close_day
from recycling.models.outbox import OutboxMessage
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.bookings.book_pickup import HOLD, confirm_hold, drop_hold, hold_pickup
from recycling.usecases.bookings.free_lapsed import free_lapsed
from recycling.usecases.bookings.offer_slots import check_hold_token, offer_slots
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.bookings.tentative import boards
from tests.builders import TOMORROW, a_booking, a_resident, a_wish
from tests.conftest import NOW
from tests.invariants import assert_invariants


def places(session: Session, district: District) -> list[str]:
    board = boards(session, [TOMORROW], district=district)[TOMORROW]
    return [] if board is None else [visit.key for route in board.routes for visit in route.visits if not visit.gone]


def test_an_offered_window_can_be_held_and_becomes_a_booking_of_the_same_id(
    session: Session, district: District
) -> None:
    by = a_resident(session, now=NOW)
    offers = offer_slots(a_wish(), by=by, district=district, session=session, now=NOW)
    assert offers[0].day == TOMORROW
    first = offers[0].windows[0]
    assert first.fit is not None
    assert first.hold_token is not None
    wish = replace(a_wish(), day=TOMORROW, pickup_window=first.pickup_window)
    check_hold_token(first.hold_token, wish, by=by, now=NOW)

    held = hold_pickup(wish, by=by, district=district, session=session, now=NOW)
    assert (held.state, held.held_until) == ("held", NOW + HOLD)
    assert places(session, district) == [str(held.id)]
    assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 0

    booking = confirm_hold(held.id, by=by, district=district, session=session, now=NOW + timedelta(minutes=9))
    assert (booking.id, booking.state, booking.held_until) == (held.id, "booked", None)
    assert places(session, district) == [str(held.id)]
    assert session.scalars(select(OutboxMessage.kind)).all() == ["booking.confirmed"]
    assert_invariants(session)


def test_a_lapsed_hold_frees_its_place_and_cannot_be_confirmed(session: Session, district: District) -> None:
    by = a_resident(session, now=NOW)
    held = hold_pickup(a_wish(), by=by, district=district, session=session, now=NOW)
    hold_id, late = held.id, NOW + HOLD
    with pytest.raises(HoldLapsed):
        confirm_hold(hold_id, by=by, district=district, session=session, now=late)
    assert places(session, district) == [str(hold_id)]
    assert free_lapsed(district=district, session=session, now=late) == 1
    assert places(session, district) == []
    assert session.scalar(select(func.count()).select_from(Booking)) == 0
    with pytest.raises(NotFound):
        confirm_hold(hold_id, by=by, district=district, session=session, now=late)
    assert_invariants(session)


def test_a_hold_of_a_day_published_meanwhile_is_refused(session: Session, district: District) -> None:
    by = a_resident(session, now=NOW)
    held = hold_pickup(a_wish(), by=by, district=district, session=session, now=NOW)
    with atomic(session):
        close_day(session, TOMORROW, now=NOW)
    with pytest.raises(WindowClosed):
        confirm_hold(held.id, by=by, district=district, session=session, now=NOW)
    assert offer_slots(a_wish(), by=by, district=district, session=session, now=NOW)[0].closed


def test_an_unknown_item_is_refused_also_when_the_first_day_is_planned(session: Session, district: District) -> None:
    by = a_resident(session, now=NOW)
    with atomic(session):
        close_day(session, TOMORROW, now=NOW)
    wish = a_wish(items=[WishedItem(item_type="spaceship", quantity=1)])
    with pytest.raises(InvalidInput, match="spaceship"):
        offer_slots(wish, by=by, district=district, session=session, now=NOW)


def test_a_hold_that_is_given_up_frees_its_place_and_a_booking_is_no_hold_any_more(
    session: Session, district: District
) -> None:
    by, other = a_resident(session, now=NOW), a_resident(session, now=NOW)
    held = hold_pickup(a_wish(), by=by, district=district, session=session, now=NOW)
    drop_hold(held.id, by=other, district=district, session=session, now=NOW)  # none of theirs: nothing happens
    assert places(session, district) == [str(held.id)]
    drop_hold(held.id, by=by, district=district, session=session, now=NOW)
    assert places(session, district) == []
    booking = a_booking(session, district=district, now=NOW, by=by)
    with pytest.raises(Conflict):
        drop_hold(booking.id, by=by, district=district, session=session, now=NOW)
    with pytest.raises(Conflict):
        confirm_hold(booking.id, by=by, district=district, session=session, now=NOW)
    assert_invariants(session)


def test_a_token_holds_for_its_wish_window_and_caller_and_for_half_an_hour(
    session: Session, district: District
) -> None:
    by, other = a_resident(session, now=NOW), a_resident(session, now=NOW)
    offer = offer_slots(a_wish(), by=by, district=district, session=session, now=NOW)[0].windows[0]
    token, wish = offer.hold_token or "", a_wish(pickup_window=offer.pickup_window)
    check_hold_token(token, wish, by=by, now=NOW)
    for wrong, caller in (
        (wish, other),
        (replace(wish, pickup_window="15-17"), by),
        (replace(wish, items=[WishedItem(item_type="fridge", quantity=2)]), by),
        (replace(wish, lat=34.81), by),
    ):
        with pytest.raises(InvalidInput):
            check_hold_token(token, wrong, by=caller, now=NOW)
    for garbage in ("", "a", "é", "A" * 64, token[:-2]):
        with pytest.raises(InvalidInput):
            check_hold_token(garbage, wish, by=by, now=NOW)
    with pytest.raises(HoldLapsed):
        check_hold_token(token, wish, by=by, now=NOW + timedelta(minutes=31))


def test_a_day_takes_bookings_until_no_route_can_serve_one_more_and_says_why(
    session: Session, district: District
) -> None:
    by = a_resident(session, now=NOW)
    wish = a_wish(items=[WishedItem(item_type="ac-split", quantity=2, dismantle=True)], floor=6)
    booked, full = 0, False
    while not full:
        try:
            a_booking(session, district=district, now=NOW, items=wish.items, floor=6)
            booked += 1
        except WindowFull:
            full = True
    # Only some crews hold the licence, each of them has two hours, and one such visit takes most of them.
    assert 2 < booked < 60
    day = offer_slots(wish, by=by, district=district, session=session, now=NOW)[0]
    shut = {window.pickup_window: window.refusal for window in day.windows if window.fit is None}
    refusal = shut["08-10"]
    assert refusal is not None
    assert refusal.zh
    assert refusal.changes
    for change in refusal.changes:
        again = offer_slots(change.wish, by=by, district=district, session=session, now=NOW)
        opened = {(one.day, w.pickup_window) for one in again for w in one.windows if w.fit is not None}
        assert (change.wish.day, change.wish.pickup_window) in opened, change
    assert_invariants(session)


def test_improving_a_day_keeps_every_promise_and_what_is_booked_meanwhile(session: Session, district: District) -> None:
    for n in range(12):
        a_booking(
            session, district=district, now=NOW, lat=34.78 + n * 0.004, lon=117.24 + (n * 7 % 12) * 0.005,
            pickup_window=("08-10", "10-12", "13-15", "15-17")[n % 4],
        )  # fmt: skip
    before = sorted(places(session, district))
    settings = {"IMPROVE_SECONDS": 1, "PLAN_WORKERS": 1, "PLAN_SEED": 1}
    done = improve_days(settings, district=district, session=session, clock=lambda: NOW)
    assert [one.day for one in done] == [TOMORROW]
    assert done[0].cost_after <= done[0].cost_before
    assert sorted(places(session, district)) == before
    # Nothing changed since: no further turn. A booking asks for one.
    assert improve_days(settings, district=district, session=session, clock=lambda: NOW) == []
    a_booking(session, district=district, now=NOW)
    assert len(improve_days(settings, district=district, session=session, clock=lambda: NOW)) == 1
    assert_invariants(session)
