"""What is told of one booking comes in the sequence in which it happened, and only while it is true."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from recycling.models import outbox
from recycling.models.base import table_of
from recycling.models.booking import Booking, BookingState
from recycling.models.outbox import OutboxMessage, dead_messages, hold, next_due, outbox_state, post
from recycling.models.plan import PublishedPlan, Route, RouteStop
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from recycling.usecases.messages.deliver import LEASE, Delivery, deliver_next, try_dead_again
from recycling.usecases.messages.remind import remind_residents
from recycling.usecases.messages.still_true import why_obsolete
from recycling.usecases.planning.publish_plan import publish_plan
from tests.builders import TOMORROW, a_booking, a_resident
from tests.callers import KeptSms
from tests.invariants import assert_invariants
from tests.planned_days import TRUCK, VAN, a_plan, a_published_plan, with_vehicles

TODAY = TOMORROW - timedelta(days=1)
NIGHT = instant_at(TODAY, 22 * 3600 + 1800)  # 22:30, when nobody is to be woken by the times of the plan
MORNING = instant_at(TOMORROW, 7 * 3600)
DESK = Principal(id=uuid4(), role="dispatcher")


class Down:
    """A gateway that does not answer."""

    def send(self, phone: str, text: str, *, message_id: UUID) -> None:
        """Refuse."""
        raise ConnectionError


class Line:
    """The way of messages to phones."""

    def __init__(self, session: Session, district: District) -> None:
        self.session, self.district, self.sms = session, district, KeptSms()

    def deliver(self, at: datetime, *, gateway: Any = None) -> list[Delivery]:
        """Deal with everything that is due at an instant."""
        sms = gateway or self.sms
        send = lambda: deliver_next(sms=sms, district=self.district, session=self.session, now=at)  # noqa: E731
        return list(iter(send, None))

    def told(self) -> list[str]:
        """The kinds of the texts that reached a phone, in their sequence."""
        marks = {"is booked": "confirmed", "is changed": "amended", "is cancelled": "cancelled", "around": "expected"}
        return [next(kind for mark, kind in marks.items() if mark in text) for _, text in self.sms.sent]

    def messages(self) -> dict[str, OutboxMessage]:
        """The messages by kind, as they are now; of each kind the newest."""
        self.session.rollback()
        return {row.kind: row for row in self.session.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at))}


@pytest.fixture
def line(session: Session, district: District) -> Line:
    return Line(session, district)


def publish_later_by(seconds: int, session: Session, district: District, now: datetime) -> None:
    """Publish the day's next plan, in which every stop comes so much later."""
    plan = a_plan(session, district=district, now=now)
    stops, mine = table_of(RouteStop), select(Route.id).where(Route.plan_id == plan.id)
    with atomic(session):  # a plan is written once; only behind the mapper's back does this one get other times
        session.execute(update(stops).where(stops.c.route_id.in_(mine)).values(start_s=stops.c.start_s + seconds))
    standing = session.get(PublishedPlan, TOMORROW)
    replaces = None if standing is None else standing.plan_id
    publish_plan(plan.id, replaces=replaces, by=SYSTEM, district=district, session=session, now=now)


def test_of_two_times_told_at_night_the_corrected_one_alone_is_sent_in_the_morning(
    line: Line, session: Session, district: District, now: datetime
) -> None:
    # given six residents who hear of their pickups, and a plan at 22:30
    for _ in range(6):
        a_booking(session, district=district, now=now)
    line.deliver(now)
    a_published_plan(session, district=district, now=NIGHT)
    line.deliver(NIGHT)
    first = {row.facts["booking_id"]: row.facts["expected_s"] for row in session.scalars(windows())}
    # when a plan an hour and a quarter later replaces it ten minutes later
    publish_later_by(4500, session, district, NIGHT + timedelta(minutes=10))
    # then the first times are withdrawn, and each resident hears one in the morning, that which holds
    assert sorted(line.deliver(NIGHT + timedelta(minutes=10))) == ["obsolete"] * 6 + ["rests"] * 6
    assert line.deliver(MORNING) == ["sent"] * 6
    assert line.told() == ["confirmed"] * 6 + ["expected"] * 6
    sent = session.scalars(windows().where(OutboxMessage.sent_at.is_not(None)))
    assert {row.facts["booking_id"]: row.facts["expected_s"] for row in sent} == {
        booking_id: expected_s + 4500 for booking_id, expected_s in first.items()
    }
    assert_invariants(session)


def windows() -> Any:
    """The messages that tell when we come."""
    return select(OutboxMessage).where(OutboxMessage.kind == "plan.window_confirmed")


def test_a_pickup_cancelled_at_night_is_not_expected_in_the_morning(
    line: Line, session: Session, district: District, now: datetime
) -> None:
    # given a plan published at 22:30, whose times rest
    booking = a_booking(session, district=district, now=now)
    line.deliver(now)
    a_published_plan(session, district=district, now=NIGHT)
    assert line.deliver(NIGHT) == ["rests"]
    # when the desk cancels ten minutes later
    later = NIGHT + timedelta(minutes=10)
    cancel_pickup(booking.id, version=1, by=DESK, district=district, session=session, now=later)
    # then the resident hears that at once, and nothing in the morning
    assert line.deliver(later) == ["obsolete", "sent"]
    assert line.deliver(MORNING) == []
    assert line.told() == ["confirmed", "cancelled"]


def test_a_confirmation_that_failed_is_not_sent_after_the_cancellation(
    line: Line, session: Session, district: District, now: datetime
) -> None:
    # given a gateway that is down for the confirmation's first attempt
    by = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, by=by)
    assert line.deliver(now, gateway=Down()) == ["put_off"]
    # when the resident cancels twenty seconds later
    later = now + timedelta(seconds=20)
    cancel_pickup(booking.id, version=1, by=by, district=district, session=session, now=later)
    with structlog.testing.capture_logs() as lines:
        outcomes = line.deliver(later)
    # then they hear that it is cancelled, and nothing afterwards
    assert outcomes == ["obsolete", "sent"]
    assert line.deliver(now + timedelta(hours=3)) == []
    assert line.told() == ["cancelled"]
    # and the confirmation is kept with its reason, no warning is logged, and nobody has to revive it
    ended = line.messages()["booking.confirmed"]
    assert (ended.dead_at, ended.last_error) == (later, "obsolete: the booking is cancelled")
    assert lines == []
    assert (outbox_state(session, now=later)["dead"], list(dead_messages(session))) == (0, [])
    assert try_dead_again(session=session, now=later) == 0
    assert_invariants(session)


def failed_then_changed(line: Line, session: Session, district: District, now: datetime) -> datetime:
    """A confirmation that failed once, and a change of note twenty seconds later: both of them are true."""
    by = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, by=by)
    line.deliver(now, gateway=Down())
    later = now + timedelta(seconds=20)
    amend_pickup(booking.id, {"note": "后门"}, version=1, by=by, district=district, session=session, now=later)
    return later


def test_a_message_waits_for_an_older_one_of_its_booking(
    line: Line, session: Session, district: District, now: datetime
) -> None:
    later = failed_then_changed(line, session, district, now)
    # then the change waits until the confirmation is tried again, after a minute, and comes after it
    assert line.deliver(later) == ["rests"]
    assert line.messages()["booking.amended"].due_at == now + timedelta(minutes=1)
    assert line.deliver(now + timedelta(minutes=1)) == ["sent", "sent"]
    assert line.told() == ["confirmed", "amended"]
    assert_invariants(session)


def test_control_without_the_line_the_newer_message_overtakes(
    line: Line, session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "line_of", lambda _session, message: [message])
    line.deliver(failed_then_changed(line, session, district, now))
    line.deliver(now + timedelta(minutes=1))
    assert line.told() == ["amended", "confirmed"]


def test_a_message_that_is_given_up_holds_the_next_one_up_no_longer(
    line: Line, session: Session, district: District, now: datetime
) -> None:
    at = failed_then_changed(line, session, district, now)
    outcomes: list[Delivery] = []
    while "dead" not in outcomes:
        at += timedelta(hours=1)
        outcomes = line.deliver(at, gateway=Down())
    assert line.messages()["booking.amended"].sent_at is None
    line.deliver(at + timedelta(hours=1))
    assert line.told() == ["amended"]


def test_a_message_waits_while_another_sender_holds_an_older_one(
    line: Line, session: Session, district: District, now: datetime
) -> None:
    # given a sender that died with the confirmation in its hands, and a cancellation
    by = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, by=by)
    with atomic(session):
        due = next_due(session, now=now)
        assert due is not None
        assert hold(session, due, now=now, lease=LEASE) is not None
    later = now + timedelta(seconds=20)
    cancel_pickup(booking.id, version=1, by=by, district=district, session=session, now=later)
    # then nothing overtakes it, for it may be on its way to the phone, until its lease is over
    assert line.deliver(later) == ["rests"]
    assert line.deliver(now + LEASE - timedelta(seconds=1)) == []
    assert line.deliver(now + LEASE) == ["obsolete", "sent"]
    assert line.told() == ["cancelled"]
    assert_invariants(session)


def test_of_two_messages_of_one_kind_the_newer_alone_is_sent(
    line: Line, session: Session, district: District, now: datetime
) -> None:
    # given a booking changed twice while the gateway was down
    by = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, by=by)
    line.deliver(now)
    for version, note in enumerate(("后门", "前门"), start=1):
        amend_pickup(booking.id, {"note": note}, version=version, by=by, district=district, session=session, now=now)
    # then one text tells that it is changed
    assert line.deliver(now) == ["obsolete", "sent"]
    assert line.told() == ["confirmed", "amended"]
    assert_invariants(session)


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("plan.window_confirmed", {"day": str(TOMORROW)}),
        *(("booking.confirmed", {"booking_id": wrong}) for wrong in ("nonsense", None, 7, ["x"])),
    ],
)
def test_a_broken_message_is_given_up_and_holds_nobody_up(
    line: Line, session: Session, district: District, now: datetime, kind: str, facts: dict[str, Any]
) -> None:
    # given a message that lacks what its text needs, written before a good one
    with atomic(session):
        broken = a_resident(session, now=now).id
        post(session, dedupe_key="broken", kind=kind, to=("resident", broken), facts=facts, now=now)
    a_booking(session, district=district, now=now + timedelta(seconds=1))
    # then the good one is sent, and the broken one ends visibly
    outcomes = line.deliver(now + timedelta(seconds=1))
    assert outcomes.count("sent") == 1
    for hour in range(1, 12):
        outcomes += line.deliver(now + timedelta(hours=hour))
    assert outcomes.count("dead") == 1
    assert [row.dedupe_key for row in dead_messages(session)] == ["broken"]


def test_a_plan_message_without_its_time_is_obsolete(session: Session, district: District, now: datetime) -> None:
    booking = a_booking(session, district=district, now=now)
    a_published_plan(session, district=district, now=now)
    facts = {"booking_id": str(booking.id), "day": str(TOMORROW)}
    reason = why_obsolete("plan.window_confirmed", facts, district=district, session=session, now=now)
    assert reason == "the published plan comes at another time"


def test_messages_of_other_bookings_do_not_wait(
    line: Line, session: Session, district: District, now: datetime
) -> None:
    # given a resident whose first booking could not be confirmed
    by = a_resident(session, now=now)
    a_booking(session, district=district, now=now, by=by)
    line.deliver(now, gateway=Down())
    # when they book another, then they hear of that
    later = now + timedelta(seconds=20)
    a_booking(session, district=district, now=later, by=by)
    assert line.deliver(later) == ["sent"]


def test_messages_due_at_one_instant_come_as_they_were_written(line: Line, session: Session, now: datetime) -> None:
    # given twelve messages that rested until one instant, written a second apart, each with a window of its own
    to = a_resident(session, now=now).id
    with atomic(session):
        for number in range(12):
            post(
                session, dedupe_key=str(number), kind="booking.confirmed", to=("resident", to),
                facts={"day": str(TOMORROW), "pickup_window": f"{number:02d}"}, now=now + timedelta(seconds=number),
            )  # fmt: skip
        session.execute(update(OutboxMessage).values(due_at=now))
    line.deliver(now)
    assert [f" {number:02d} 上门回收" in text for number, (_, text) in enumerate(line.sms.sent)] == [True] * 12


# --- what is no longer true ---


@pytest.mark.parametrize(
    ("kind", "state", "obsolete"),
    [
        ("booking.confirmed", "booked", False),
        ("booking.confirmed", "collected", True),
        ("booking.reminder", "booked", False),
        ("booking.reminder", "cancelled", True),
        ("booking.cancelled", "cancelled", False),
        ("visit.failed", "failed", False),
        ("visit.failed", "collected", True),
        ("visit.collected", "partly_collected", True),
        ("booking.eaten", "cancelled", False),  # nobody knows what it tells; it is given up for want of words
    ],
)
def test_a_message_tells_of_one_state(
    session: Session, district: District, now: datetime, *, kind: str, state: BookingState, obsolete: bool
) -> None:
    booking_id = a_booking(session, district=district, now=now).id
    session.execute(update(Booking).values(state=state))
    facts = {"booking_id": str(booking_id), "day": str(TOMORROW)}
    assert (why_obsolete(kind, facts, district=district, session=session, now=now) is not None) == obsolete


def test_a_message_tells_of_one_day_and_window_which_are_not_over(
    session: Session, district: District, now: datetime
) -> None:
    facts = {
        "booking_id": str(a_booking(session, district=district, now=now).id), "day": str(TOMORROW),
        "pickup_window": "08-10",
    }  # fmt: skip

    def why(at: datetime = now, **other: str) -> str | None:
        return why_obsolete("booking.confirmed", facts | other, district=district, session=session, now=at)

    assert why() is None
    assert why(instant_at(TOMORROW, 86_399)) is None
    assert why(instant_at(TOMORROW, 86_400)) == "2026-11-24 is over"
    assert why(pickup_window="10-12") == why(day="2026-11-25") == "the booking has moved to 2026-11-24, 08-10"
    assert why(booking_id=str(UUID(int=0))) == "the booking is gone"


def test_who_is_left_out_is_not_told_that_we_come_and_who_is_reached_not_that_we_do_not(
    line: Line, session: Session, district: District, now: datetime
) -> None:
    # given a fridge that the only van cannot carry: left out; its apology rests at night
    a_booking(session, district=district, now=now)
    line.deliver(now, gateway=Down())
    a_published_plan(session, district=with_vehicles(district, VAN), now=NIGHT)
    # then the confirmation that is still waiting is not sent any more
    assert line.deliver(NIGHT) == ["obsolete", "rests"]
    # and when a truck is found that fetches it, no apology either, but the time
    a_published_plan(session, district=with_vehicles(district, TRUCK), now=NIGHT + timedelta(minutes=10))
    assert sorted(line.deliver(MORNING)) == ["obsolete", "sent"]
    assert line.told() == ["expected"]


@pytest.mark.parametrize(("vehicle", "reminders"), [(TRUCK, 1), (VAN, 0)])
def test_nobody_is_reminded_of_a_pickup_that_the_plan_leaves_out(
    session: Session, district: District, now: datetime, vehicle: str, reminders: int
) -> None:
    # given a fridge, which the truck fetches and the van cannot
    a_booking(session, district=district, now=now)
    plan = a_published_plan(session, district=with_vehicles(district, vehicle), now=now)
    assert len(plan.unassigned) == 1 - reminders
    assert remind_residents(TOMORROW, session=session, now=now) == reminders


def test_a_reminder_written_before_the_plan_left_the_pickup_out_is_not_sent(
    line: Line, session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    line.deliver(now)
    remind_residents(TOMORROW, session=session, now=now)
    a_published_plan(session, district=with_vehicles(district, VAN), now=now + timedelta(seconds=1))
    outcomes = line.deliver(now + timedelta(seconds=1))
    assert outcomes[0] == "obsolete"
    assert line.messages()["booking.reminder"].last_error == "obsolete: the published plan leaves the booking out"
