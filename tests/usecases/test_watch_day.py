"""Who will be visited late hears of it once at each step, while it is so, and never after the visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.models.outbox import OutboxMessage
from recycling.models.plan import RouteStop
from recycling.models.position import VehiclePosition, keep_position
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.live import watch_day as watching
from recycling.usecases.live.links import public_address, tracking_path
from recycling.usecases.live.watch_day import watch_day
from recycling.usecases.messages.deliver import deliver_next
from recycling.usecases.messages.still_true import why_obsolete
from tests.builders import TOMORROW
from tests.callers import KeptSms
from tests.invariants import assert_invariants
from tests.planned_days import TRUCK
from tests.usecases.test_record_events import Round, a_failure, a_note_of

TEN = 10 * 3600  # the window of every booking here closes then
MINUTE = 60


@pytest.fixture
def tour(session: Session, district: District, now: datetime) -> Round:
    """A truck with two fridges to fetch between eight and ten, judged by the window alone; in planned sequence."""
    tour = Round(session, district, now, bookings=2)
    tour.district = replace(tour.district, lateness=replace(district.lateness, past_told_s=()))
    starts = {row.booking_id: row.start_s for row in session.execute(select(RouteStop.booking_id, RouteStop.start_s))}
    tour.bookings.sort(key=lambda booking_id: starts[booking_id])
    session.rollback()
    return tour


def at(second: int) -> datetime:
    """An instant of the day."""
    return instant_at(TOMORROW, second)


def late(tour: Round) -> list[OutboxMessage]:
    """What tells of lateness, by booking and step."""
    tour.session.rollback()
    found = tour.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "visit.late"))
    return sorted(found, key=lambda one: (one.facts["booking_id"] != str(tour.bookings[0]), one.facts["step"]))


def look(tour: Round, second: int) -> int:
    """Look after the day at a second of it; how many heard newly."""
    return watch_day(district=tour.district, session=tour.session, now=at(second))["told"]


def still(tour: Round, second: int) -> str | None:
    """Why the newest message is no longer true at a second of the day."""
    message = late(tour)[-1]
    return why_obsolete(message.kind, message.facts, district=tour.district, session=tour.session, now=at(second))


def leave(tour: Round, second: int) -> None:
    """The first door is left at a second, with nothing taken: what comes after it is all that is late."""
    tour.send(
        a_note_of("arrive", booking_id=tour.bookings[0], device_time=at(second - MINUTE)),
        a_failure(tour.bookings[0], reason="no_access", device_time=at(second)),
        at=at(second),
    )


def test_a_resident_hears_once_at_each_step_and_a_larger_one_skips_those_below(tour: Round) -> None:
    # given a first door that is left ten minutes before the window closes: the second starts in it
    leave(tour, TEN - 10 * MINUTE)
    assert look(tour, TEN - 10 * MINUTE) == 0
    # when it has not been reached 15 minutes after the window, then its resident hears, once
    assert look(tour, TEN + 15 * MINUTE - 1) == 0
    assert [look(tour, TEN + 15 * MINUTE), look(tour, TEN + 16 * MINUTE)] == [1, 0]
    assert [(one.facts["booking_id"], one.facts["step"]) for one in late(tour)] == [(str(tour.bookings[1]), 1)]
    # when it is 45 minutes, then once more
    assert [look(tour, TEN + 45 * MINUTE), look(tour, TEN + 46 * MINUTE)] == [1, 0]
    assert [one.facts["step"] for one in late(tour)] == [1, 2]
    assert_invariants(tour.session)


def test_a_resident_who_was_told_a_quarter_hears_inside_the_window_too(tour: Round, district: District) -> None:
    tour.district = replace(tour.district, lateness=district.lateness)
    starts = select(RouteStop.start_s).where(RouteStop.booking_id == tour.bookings[1])
    told = tour.session.scalars(starts).one() // 900 * 900
    tour.session.rollback()
    assert told + 45 * MINUTE < TEN
    # given a first door that is left so that the second is due any minute
    leave(tour, told + 40 * MINUTE)
    # when 45 minutes have passed since the quarter that was told, still inside the window, then its resident hears
    assert [look(tour, told + 45 * MINUTE - 1), look(tour, told + 45 * MINUTE)] == [0, 1]
    assert [(one.facts["booking_id"], one.facts["step"]) for one in late(tour)] == [(str(tour.bookings[1]), 1)]


def test_told_of_forty_five_minutes_nobody_hears_of_fifteen(tour: Round) -> None:
    leave(tour, TEN + 10 * MINUTE)
    assert look(tour, TEN + 50 * MINUTE) == 1
    # when it is only half an hour late again, by a clock that is right once more, then there is no message
    assert look(tour, TEN + 30 * MINUTE) == 0
    assert [one.facts["step"] for one in late(tour)] == [2]


def test_a_message_that_waits_is_not_sent_when_it_is_better_again_or_the_crew_is_there(tour: Round) -> None:
    leave(tour, TEN - 10 * MINUTE)
    assert look(tour, TEN + 15 * MINUTE) == 1
    assert still(tour, TEN + 15 * MINUTE) is None
    # control: the same message at an instant at which the visit would not be late
    assert still(tour, TEN) == "the visit is less late by now, or under way"
    tour.send(
        a_note_of("arrive", booking_id=tour.bookings[1], device_time=at(TEN + 16 * MINUTE)), at=at(TEN + 16 * MINUTE)
    )
    assert still(tour, TEN + 17 * MINUTE) == "the visit is less late by now, or under way"
    assert look(tour, TEN + 50 * MINUTE) == 0
    tour.send(
        a_failure(tour.bookings[1], reason="no_access", device_time=at(TEN + 55 * MINUTE)), at=at(TEN + 55 * MINUTE)
    )
    assert still(tour, TEN + 56 * MINUTE) == "the booking is failed"


def test_without_word_of_the_vehicle_nobody_hears_that_they_wait_in_vain(tour: Round) -> None:
    # given nothing recorded at all: the phone may be offline, and the doors done
    assert look(tour, TEN + 50 * MINUTE) == 0
    # or nothing for longer than an hour
    leave(tour, TEN - 10 * MINUTE)
    assert look(tour, TEN + 50 * MINUTE + 1) == 0
    # control: a minute earlier it would be told
    assert look(tour, TEN + 50 * MINUTE) == 1


def test_a_vehicle_that_stands_is_the_dispatchers_and_tells_nobody_a_time(tour: Round) -> None:
    leave(tour, TEN)
    tour.send(a_note_of("fault", drives=False, device_time=at(TEN + MINUTE)), at=at(TEN + MINUTE))
    assert look(tour, TEN + 50 * MINUTE) == 0


def test_two_watchers_at_once_tell_once(tour: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a second watcher that looked before the first one wrote
    leave(tour, TEN - 10 * MINUTE)
    found: Callable[..., list[watching._Late]] = watching._late
    calls: list[int] = []

    def overtaken(*args: object, **kwargs: object) -> list[watching._Late]:
        mine = found(*args, **kwargs)
        if not calls:
            calls.append(1)
            assert look(tour, TEN + 15 * MINUTE) == 1
        return mine

    monkeypatch.setattr(watching, "_late", overtaken)
    assert look(tour, TEN + 15 * MINUTE) == 0
    assert len(late(tour)) == 1


def test_the_message_says_when_we_come_now_and_where_to_see_it(
    tour: Round, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms = KeptSms()

    def deliver(instant: datetime) -> None:
        while deliver_next(sms=sms, district=tour.district, session=tour.session, now=instant):
            pass

    deliver(now)
    leave(tour, TEN - 10 * MINUTE)
    deliver(at(TEN))
    look(tour, TEN + 15 * MINUTE)
    monkeypatch.setattr(public_address, "_url", "https://recycling.example")
    deliver(at(TEN + 15 * MINUTE))
    (text,) = [text for _, text in sms.sent if "会晚一些" in text]
    # due now, at 10:15, after 25 minutes of silence: 5 min + 15 % of 25 = 8:45; not before now, 10:23:45 up to 10:25
    path = tracking_path(tour.bookings[1], TOMORROW)
    assert text == (
        "【薛城回收】抱歉，您 11月24日（周二） 的上门回收会晚一些，预计 10:15–10:25 上门，请稍候。"
        f"查看进度：https://recycling.example{path} "
        " Sorry: your pickup on Tue 24 Nov will be later, expected 10:15–10:25. Please bear with us."
    )


def test_places_that_nobody_waits_for_are_forgotten(tour: Round) -> None:
    # given the truck on its way to the first door, and its place
    tour.send(a_note_of("on_the_way", booking_id=tour.bookings[0], device_time=at(TEN)), at=at(TEN))
    with atomic(tour.session):
        keep_position(
            tour.session, TRUCK, booking_id=tour.bookings[0], point={"lat": 34.8, "lon": 117.2, "accuracy_m": 5},
            made_at=at(TEN), kept_until=at(TEN) + timedelta(minutes=10),
        )  # fmt: skip
    count = select(func.count()).select_from(VehiclePosition)
    look(tour, TEN + MINUTE)
    assert tour.session.scalar(count) == 1
    # when it arrives, then the next look takes it away
    tour.send(
        a_note_of("arrive", booking_id=tour.bookings[0], device_time=at(TEN + 2 * MINUTE)), at=at(TEN + 2 * MINUTE)
    )
    look(tour, TEN + 3 * MINUTE)
    assert tour.session.scalar(count) == 0
    assert_invariants(tour.session)
