"""Freed places go to who waits for them, first come first served; an offer is a hold like any other."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, HoldLapsed, InvalidInput, NotFound, StaleVersion, WindowFull
from recycling.models.booking import Booking
from recycling.models.outbox import OutboxMessage
from recycling.models.transaction import atomic
from recycling.models.waiting import WaitingDay, WaitingWish
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings import offer_freed as offer_freed_module
from recycling.usecases.bookings.book_pickup import confirm_hold, drop_hold
from recycling.usecases.bookings.change_pickup import cancel_pickup
from recycling.usecases.bookings.free_lapsed import free_lapsed
from recycling.usecases.bookings.offer_freed import OFFERED_FOR, offer_freed
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.bookings.waiting import Choice, join_waiting_list, withdraw_wish
from tests.builders import TOMORROW, a_booking, a_resident, a_waiting_wish, a_wish
from tests.conftest import NOW
from tests.invariants import assert_invariants, broken

HEAVY: dict[str, Any] = {"items": [WishedItem(item_type="ac-split", quantity=2, dismantle=True)], "floor": 6}
MORNING = (Choice(day=TOMORROW, pickup_windows=("08-10",)),)


def a_full_morning(session: Session, district: District) -> list[Booking]:
    """Bookings of the crews that take air conditioners down, until none has time for one more from 8 to 10."""
    booked = []
    while True:
        try:
            booked.append(a_booking(session, district=district, now=NOW, **HEAVY))
        except WindowFull:
            return booked


def waits(session: Session, district: District, by: Principal, *, now: datetime = NOW) -> UUID:
    return join_waiting_list(a_wish(**HEAVY), MORNING, by=by, district=district, session=session, now=now).id


def wish(session: Session, wish_id: UUID) -> WaitingWish:
    session.expire_all()
    return session.get_one(WaitingWish, wish_id)


def free_one(session: Session, district: District, booking: Booking, *, now: datetime = NOW) -> None:
    by = Principal(id=booking.resident_id, role="resident")
    cancel_pickup(booking.id, version=booking.version, by=by, district=district, session=session, now=now)


def offers(session: Session, district: District, now: datetime) -> list[UUID]:
    free_lapsed(district=district, session=session, now=now)
    return offer_freed(district=district, session=session, now=now)


def test_a_freed_place_goes_to_the_first_in_line_and_an_unanswered_offer_to_the_next(
    session: Session, district: District
) -> None:
    # given a full morning and two who wait for it
    booked = a_full_morning(session, district)
    first, second = a_resident(session, now=NOW), a_resident(session, now=NOW)
    one = waits(session, district, first)
    two = waits(session, district, second, now=NOW + timedelta(seconds=1))
    assert offers(session, district, NOW) == []
    # when a place is freed
    free_one(session, district, booked[0])
    assert offers(session, district, NOW) == [one]
    # then the first has a hold of two hours and is told, the second waits
    offered = wish(session, one)
    assert (offered.state, offered.offered_until) == ("offered", NOW + OFFERED_FOR)
    hold_id = offered.booking_id
    assert hold_id is not None
    assert session.get_one(Booking, hold_id).held_until == NOW + OFFERED_FOR
    message = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "waiting.offered")).one()
    assert (message.recipient_id, message.facts["booking_id"]) == (first.id, str(hold_id))
    assert offers(session, district, NOW + timedelta(minutes=1)) == []
    assert_invariants(session)
    # and when the first does not answer, the second gets it, and the first stands at the end
    late = NOW + OFFERED_FOR
    with pytest.raises(HoldLapsed, match="kept for a while"):
        confirm_hold(hold_id, by=first, district=district, session=session, now=late)
    assert offers(session, district, late) == [two]
    assert (wish(session, one).state, wish(session, one).queued_at) == ("waiting", late)
    assert_invariants(session)
    # who confirms it like any hold, and waits no longer
    got = wish(session, two).booking_id
    assert got is not None
    booking = confirm_hold(got, by=second, district=district, session=session, now=late)
    assert (booking.state, wish(session, two).state, wish(session, two).booking_id) == ("booked", "taken", got)
    assert session.scalars(select(WaitingDay.wish_id)).all() == [one]
    assert_invariants(session)


def test_a_wish_that_lets_two_offers_lapse_leaves_the_list(session: Session, district: District) -> None:
    booked = a_full_morning(session, district)
    by = a_resident(session, now=NOW)
    one = waits(session, district, by)
    free_one(session, district, booked[0])
    assert offers(session, district, NOW) == [one]
    assert offers(session, district, NOW + OFFERED_FOR) == [one]
    assert offers(session, district, NOW + 2 * OFFERED_FOR) == []
    assert wish(session, one).state == "lapsed"
    assert session.scalars(select(WaitingDay.wish_id)).all() == []
    assert_invariants(session)


def test_a_declined_offer_and_a_withdrawn_wish_free_the_place(session: Session, district: District) -> None:
    booked = a_full_morning(session, district)
    first, second = a_resident(session, now=NOW), a_resident(session, now=NOW)
    one = waits(session, district, first)
    two = waits(session, district, second, now=NOW + timedelta(seconds=1))
    free_one(session, district, booked[0])
    assert offers(session, district, NOW) == [one]
    later = NOW + timedelta(seconds=2)
    drop_hold(wish(session, one).booking_id or one, by=first, district=district, session=session, now=later)
    assert wish(session, one).state == "waiting"
    assert offers(session, district, later) == [two]
    version = wish(session, two).version
    with pytest.raises(NotFound):
        withdraw_wish(two, version=version, by=first, district=district, session=session, now=later)
    with pytest.raises(StaleVersion):
        withdraw_wish(two, version=version - 1, by=second, district=district, session=session, now=later)
    withdraw_wish(two, version=version, by=second, district=district, session=session, now=later)
    assert (wish(session, two).state, wish(session, two).booking_id) == ("withdrawn", None)
    assert offers(session, district, later) == [one]
    assert_invariants(session)


def test_who_may_not_wait(session: Session, district: District) -> None:
    by = a_resident(session, now=NOW)
    # what is open is booked, not waited for
    with pytest.raises(Conflict, match="08-10 on 2026-11-24 is open"):
        waits(session, district, by)
    a_full_morning(session, district)
    one = waits(session, district, by)
    with pytest.raises(Conflict, match="you wait for 2026-11-24 already"):
        waits(session, district, by)
    with pytest.raises(InvalidInput):
        join_waiting_list(a_wish(**HEAVY), MORNING * 2, by=by, district=district, session=session, now=NOW)
    withdraw_wish(one, version=1, by=by, district=district, session=session, now=NOW)
    waits(session, district, by)
    assert_invariants(session)


def test_at_night_the_offer_runs_into_the_morning_and_ends_with_booking(session: Session, district: District) -> None:
    day = TOMORROW + timedelta(days=1)
    by = a_resident(session, now=NOW)
    heavy = {**HEAVY, "day": day}
    booked: Booking | None = None
    while True:
        try:
            booked = a_booking(session, district=district, now=NOW, **heavy)
        except WindowFull:
            break
    choices = [Choice(day=day, pickup_windows=("08-10",))]
    one = join_waiting_list(a_wish(**HEAVY), choices, by=by, district=district, session=session, now=NOW).id
    assert booked is not None
    # at 21:30 local, half an hour of waking time is left
    evening = NOW.replace(hour=13, minute=30)
    free_one(session, district, booked, now=evening)
    assert offers(session, district, evening) == [one]
    assert wish(session, one).offered_until == datetime.fromisoformat("2026-11-24T08:30+08:00")


def test_a_wish_ends_with_its_last_day_and_says_so(session: Session, district: District) -> None:
    a_full_morning(session, district)
    by = a_resident(session, now=NOW)
    one = waits(session, district, by)
    closes = district.booking_rules.booking_closes_at(TOMORROW)
    assert offers(session, district, closes - timedelta(seconds=1)) == []
    assert wish(session, one).state == "waiting"
    assert offers(session, district, closes) == []
    assert wish(session, one).state == "lapsed"
    assert "waiting.ended" in session.scalars(select(OutboxMessage.kind)).all()
    assert_invariants(session)


def test_a_day_that_did_not_change_is_not_searched_again(
    session: Session, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = a_full_morning(session, district)
    one = waits(session, district, a_resident(session, now=NOW))
    looks, search = [], offer_freed_module._open_window

    def counted(*args: Any, **more: Any) -> str | None:
        looks.append(args)
        return search(*args, **more)

    monkeypatch.setattr(offer_freed_module, "_open_window", counted)
    assert offers(session, district, NOW) == []
    assert offers(session, district, NOW) == []
    assert len(looks) == 1
    free_one(session, district, booked[0])
    assert offers(session, district, NOW) == [one]
    assert len(looks) == 2


def test_the_invariant_finds_a_live_wish_without_days_and_an_offer_whose_hold_is_none(
    session: Session, district: District
) -> None:
    by = a_resident(session, now=NOW)
    one = a_waiting_wish(session, by, now=NOW)
    assert_invariants(session)
    session.execute(delete(WaitingDay))
    session.commit()
    assert any(key.startswith("I-29") for key in broken(session))
    booking = a_booking(session, district=district, now=NOW, by=by)
    row = wish(session, one)
    row.state, row.booking_id, row.offered_until = "offered", booking.id, NOW
    session.commit()
    assert any("'offered', 'booked'" in found for rows in broken(session).values() for found in rows)


def test_a_wish_that_was_offered_meanwhile_is_not_offered_twice(session: Session, district: District) -> None:
    # given two schedulers that have both found a place for the one who waits
    by = a_resident(session, now=NOW)
    one = a_waiting_wish(session, by, now=NOW)

    def hold() -> bool:
        with atomic(session):
            return offer_freed_module._hold(
                one, TOMORROW, "08-10", district=district, session=session, now=NOW, offered_for=OFFERED_FOR
            )

    # then one of them holds it
    assert [hold(), hold()] == [True, False]
    assert len(session.scalars(select(Booking)).all()) == 1
    assert_invariants(session)
