"""A collector who sets out: its resident hears once, while it is so; nothing of the visit's outcome changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.outbox import OutboxMessage
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.field.reports import FieldReport
from recycling.usecases.messages.deliver import deliver_next
from recycling.usecases.messages.still_true import why_obsolete
from tests.builders import TOMORROW
from tests.callers import KeptSms
from tests.invariants import assert_invariants
from tests.usecases.test_record_events import FRIDGE, NINE, Round, a_report

MINUTE = timedelta(minutes=1)


def setting_out(booking_id: UUID, **overrides: Any) -> FieldReport:
    """On the way at ten to nine."""
    fields: dict[str, Any] = {"kind": "on_the_way", "items": (), "device_time": NINE - 10 * MINUTE}
    return a_report(booking_id, **(fields | overrides))


@pytest.fixture
def tour(session: Session, district: District, now: datetime) -> Round:
    """A truck with one fridge to fetch."""
    return Round(session, district, now)


def messages(tour: Round) -> list[OutboxMessage]:
    """What tells that the collector is coming."""
    tour.session.rollback()
    return list(tour.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "visit.on_the_way")))


def test_the_resident_hears_once_and_the_booking_stays_as_it_is(tour: Round) -> None:
    # when the collector sets out, and once more after a detour
    answers = tour.send(setting_out(tour.bookings[0]), setting_out(tour.bookings[0], device_time=NINE), at=NINE)
    assert [answer.answer for answer in answers] == ["accepted", "accepted"]
    # then one message, and a booking that nothing has come of yet
    (message,) = messages(tour)
    assert message.recipient_id == tour.booking().resident_id
    assert (tour.booking().state, tour.booking().version) == ("booked", 1)
    assert_invariants(tour.session)


def test_a_record_of_setting_out_never_decides_the_outcome(tour: Round) -> None:
    # given a fridge collected, and a record of setting out whose clock is later
    tour.send(a_report(tour.bookings[0]))
    (answer,) = tour.send(setting_out(tour.bookings[0], device_time=NINE + 5 * MINUTE))
    assert answer.answer == "accepted"
    assert (tour.booking().state, tour.counted()) == ("collected", {"fridge": (1, 1)})
    assert messages(tour) == []
    assert_invariants(tour.session)


@pytest.mark.parametrize("wrong", [{"reason": "nobody_home"}, {"items": FRIDGE}])
def test_setting_out_comes_with_nothing_else(tour: Round, wrong: dict[str, Any]) -> None:
    (answer,) = tour.send(setting_out(tour.bookings[0], **wrong))
    assert (answer.answer, answer.code) == ("refused", "invalid_input")
    assert messages(tour) == []


def test_a_message_of_the_way_holds_for_an_hour_of_the_day_itself(tour: Round, session: Session) -> None:
    tour.send(setting_out(tour.bookings[0]), at=NINE)
    (message,) = messages(tour)

    def why(at: datetime, **other: str) -> str | None:
        return why_obsolete(message.kind, message.facts | other, district=tour.district, session=session, now=at)

    set_out = NINE - 10 * MINUTE
    assert why(NINE) is None
    assert why(set_out + 60 * MINUTE) is None
    assert why(set_out + 61 * MINUTE) == "the collector set out long ago"
    assert why(NINE, set_out_at="soon") == "the collector set out long ago"
    assert why(instant_at(TOMORROW, 86_400)) == f"{TOMORROW} is over"


def test_a_record_from_a_phone_without_a_network_tells_nobody_hours_later(tour: Round) -> None:
    later, sms = NINE + timedelta(hours=3), KeptSms()
    tour.send(setting_out(tour.bookings[0]), at=later)
    send = lambda: deliver_next(sms=sms, district=tour.district, session=tour.session, now=later)  # noqa: E731
    list(iter(send, None))
    assert not [text for _, text in sms.sent if "正在前往" in text]


def test_a_phone_whose_clock_is_ahead_does_not_make_it_true_for_longer(tour: Round) -> None:
    tour.send(setting_out(tour.bookings[0], device_time=NINE + timedelta(hours=5)), at=NINE)
    assert messages(tour)[0].facts["set_out_at"] == NINE.isoformat()


def test_it_is_told_at_once_in_both_languages(tour: Round, now: datetime) -> None:
    sms = KeptSms()
    early = instant_at(TOMORROW, 6 * 3600)

    def deliver(at: datetime) -> None:
        while deliver_next(sms=sms, district=tour.district, session=tour.session, now=at):
            pass

    deliver(now)  # what was told of the booking and its time the day before
    tour.send(setting_out(tour.bookings[0], device_time=early), at=early)
    deliver(early)
    (text,) = [text for _, text in sms.sent if "正在前往" in text]
    # The door opens at eight, two hours after the last word: 5 min + 15 % of 120 = 23; not before eight, 08:23 up.
    assert text == (
        "【薛城回收】回收员正在前往您处（11月24日（周二） 上门回收），预计 08:00–08:25 上门，请备好物品并保持电话畅通。"
        " The collector is on the way to you (pickup on Tue 24 Nov), expected 08:00–08:25. Please have the items"
        " ready and your phone at hand."
    )
