"""Events for other systems: through the same outbox, signed, without people, each effective once at the receiver."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.app import create_app
from recycling.errors import ConfigError
from recycling.gateways.webhook import HttpWebhooks, Subscription
from recycling.models.outbox import HeldMessage, OutboxMessage, dead_messages, post
from recycling.models.subscribers import Subscriber, subscriber_id, subscribers
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.bookings.change_pickup import cancel_pickup
from recycling.usecases.messages.deliver import MOST_ATTEMPTS, Delivery, deliver_next
from recycling.usecases.messages.event_body import SUBSCRIBABLE_KINDS, event_body
from recycling.usecases.messages.texts import WORDINGS
from tests.builders import TOMORROW, a_booking, a_resident
from tests.callers import KeptSms
from tests.conftest import ROOT, test_settings
from tests.invariants import assert_invariants
from tests.providers.receiver import Receiver
from tests.providers.scripted import Script, nobody_there, scripted_provider

SECRET = bytes(range(32))
KINDS = frozenset({"booking.confirmed", "booking.cancelled"})
PERSONAL = ("清泉路", "phone", "address", "lat", "lon", "note")


def documented_verify() -> Callable[[bytes, str, bytes], bool]:
    """The function that docs/messages.md offers to receivers, as it stands there."""
    page = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(snippet, "docs/messages.md", "exec"), names)  # noqa: S102  # our own page
    return cast("Callable[[bytes, str, bytes], bool]", names["verify"])


class Neighbour:
    """A subscriber on this machine, and the sender that knows its address."""

    def __init__(self, session: Session, district: District) -> None:
        self.session, self.district, self.sms = session, district, KeptSms()
        self.receiver = Receiver(secret=SECRET, verify=documented_verify())
        self.url, self.script = "", cast("Script", None)

    def deliver(self, at: datetime, *, url: str | None = None, secret: bytes = SECRET) -> list[Delivery]:
        """Deal with everything that is due at an instant, by a clock that shows it."""
        known = [Subscription(key="bureau", url=url or self.url, secret=secret, kinds=KINDS)]
        webhooks = HttpWebhooks(known, id_of=subscriber_id, seconds=0.6)
        with time_machine.travel(at, tick=True):
            send = lambda: deliver_next(  # noqa: E731
                sms=self.sms, webhooks=webhooks, district=self.district, session=self.session, now=at
            )
            return list(iter(send, None))

    def events(self) -> list[OutboxMessage]:
        """The events in the outbox, as they are now."""
        self.session.rollback()
        mine = select(OutboxMessage).where(OutboxMessage.recipient_kind == "webhook")
        return list(self.session.scalars(mine.order_by(OutboxMessage.created_at)))


@pytest.fixture
def neighbour(session: Session, district: District) -> Iterator[Neighbour]:
    """A receiver that is up and subscribes to confirmations and cancellations."""
    found = Neighbour(session, district)
    subscribers.configure([Subscriber(key="bureau", kinds=KINDS)])
    with scripted_provider(found.receiver.answer) as (url, script):
        found.url, found.script = url, script
        yield found
    subscribers.configure([])


def test_a_booking_is_told_to_its_subscriber_signed_and_without_people(
    neighbour: Neighbour, session: Session, district: District, now: datetime
) -> None:
    booking = a_booking(session, district=district, now=now)
    assert neighbour.deliver(now) == ["sent", "sent"]
    (event,) = neighbour.receiver.events
    assert event == {
        "id": str(neighbour.events()[0].id), "kind": "booking.confirmed", "happened_at": now.isoformat(),
        "booking_id": str(booking.id), "day": str(TOMORROW), "state": "booked",
    }  # fmt: skip
    (request,) = neighbour.script.asked
    assert request.headers["webhook-id"] == event["id"]
    assert not [word for word in PERSONAL if word in request.body.decode()]
    assert str(booking.resident_id) not in request.body.decode()
    assert len(neighbour.sms.sent) == 1
    assert_invariants(session)


def test_no_facts_of_people_are_kept_for_others_even_when_a_message_has_some(
    neighbour: Neighbour, session: Session, now: datetime
) -> None:
    facts = {"booking_id": str(uuid4()), "day": "2026-11-24", "pickup_window": "08-10", "note": "后门"}
    with atomic(session):
        post(session, dedupe_key="x", kind="booking.confirmed", to=("staff", uuid4()), facts=facts, now=now)
    (event,) = neighbour.events()
    assert set(event.facts) == {"booking_id", "day"}


def test_what_is_rolled_back_or_posted_twice_is_told_as_often_as_it_happened(
    neighbour: Neighbour, session: Session, district: District, now: datetime
) -> None:
    to, facts = a_resident(session, now=now).id, {"day": "2026-11-24", "pickup_window": "08-10"}

    def tell(key: str) -> None:
        post(session, dedupe_key=key, kind="booking.confirmed", to=("resident", to), facts=facts, now=now)

    with contextlib.suppress(ZeroDivisionError), atomic(session):
        tell("gone")
        raise ZeroDivisionError
    for _ in range(2):
        with atomic(session):
            tell("once")
    assert [event.dedupe_key for event in neighbour.events()] == ["webhook:bureau:once"]


def test_kinds_that_nobody_subscribes_to_are_told_nobody(neighbour: Neighbour, session: Session, now: datetime) -> None:
    with atomic(session):
        post(session, dedupe_key="x", kind="job.failed", to=("staff", uuid4()), facts={}, now=now)
    assert neighbour.events() == []


def test_an_event_whose_answer_was_lost_comes_again_and_counts_once(
    neighbour: Neighbour, session: Session, district: District, now: datetime
) -> None:
    # given a receiver that takes the event and then fails
    neighbour.receiver.failing = 1
    a_booking(session, district=district, now=now)
    assert sorted(neighbour.deliver(now)) == ["put_off", "sent"]
    assert neighbour.deliver(now + timedelta(minutes=1)) == ["sent"]
    # then it came twice, the same bytes under the same id, signed anew, and stands once
    first, second = neighbour.script.asked
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert len(neighbour.receiver.events) == 1


def test_a_replayed_event_is_refused_after_five_minutes_and_a_changed_one_at_once(
    neighbour: Neighbour, session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    neighbour.deliver(now)
    (request,) = neighbour.script.asked
    verify, signed = documented_verify(), request.headers["webhook-signature"]
    with time_machine.travel(now + timedelta(seconds=290), tick=False):
        assert verify(SECRET, signed, request.body)
        assert not verify(SECRET, signed, request.body.replace(b"booked", b"failed"))
        assert not verify(bytes(32), signed, request.body)
        for broken in ("", "t=x,v1=y", signed.replace("t=", "t=1"), signed + "é", "t,v1"):
            assert not verify(SECRET, broken, request.body)
    with time_machine.travel(now + timedelta(seconds=302), tick=False):
        assert not verify(SECRET, signed, request.body)


def test_a_wrong_secret_is_refused_by_the_receiver_and_the_event_waits(
    neighbour: Neighbour, session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    assert sorted(neighbour.deliver(now, secret=bytes(range(1, 33)))) == ["put_off", "sent"]
    assert (neighbour.receiver.refused, neighbour.receiver.events) == (1, [])
    assert neighbour.events()[0].last_error == "unavailable: bureau answered with status 401"


def test_events_come_in_sequence_at_night_and_even_when_they_are_no_longer_so(
    neighbour: Neighbour, session: Session, district: District, now: datetime
) -> None:
    # given a booking made and cancelled while the receiver was away
    by = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, by=by)
    cancel_pickup(booking.id, version=1, by=by, district=district, session=session, now=now + timedelta(seconds=1))
    down = nobody_there()
    assert "put_off" in neighbour.deliver(now + timedelta(seconds=1), url=down)
    # then it hears both, in their sequence; the resident was told of the end alone
    night = now.replace(hour=15)  # 23:00 in Xuecheng
    assert neighbour.deliver(night) == ["sent", "sent"]
    assert [event["kind"] for event in neighbour.receiver.events] == ["booking.confirmed", "booking.cancelled"]
    assert len(neighbour.sms.sent) == 1
    assert_invariants(session)


def test_a_receiver_that_stays_down_leaves_a_dead_event_in_sight_and_the_residents_untouched(
    neighbour: Neighbour, session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    at, outcomes, down = now, [], nobody_there()
    for _ in range(MOST_ATTEMPTS):
        outcomes += neighbour.deliver(at, url=down)
        at += timedelta(hours=1)
    assert outcomes.count("put_off") == MOST_ATTEMPTS - 1
    assert outcomes[-1] == "dead"
    assert [message.recipient_kind for message in dead_messages(session)] == ["webhook"]
    assert len(neighbour.sms.sent) == 1


def test_who_is_gone_or_no_longer_subscribes_is_not_tried_again(
    neighbour: Neighbour, session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    with scripted_provider((410, {}, b"")) as (url, _):
        assert sorted(neighbour.deliver(now, url=url)) == ["dead", "sent"]
    a_booking(session, district=district, now=now)
    send = lambda: deliver_next(sms=neighbour.sms, district=district, session=session, now=now)  # noqa: E731
    assert sorted(iter(send, None)) == ["dead", "sent"]


@pytest.mark.parametrize("line", ["moved", "hang", "cut", "flood", "drip"])
def test_a_receiver_that_misbehaves_holds_nobody_up_and_is_not_followed(
    neighbour: Neighbour, session: Session, district: District, now: datetime, line: str
) -> None:
    a_booking(session, district=district, now=now)
    with scripted_provider(line) as (url, script):
        assert sorted(neighbour.deliver(now, url=url)) == ["put_off", "sent"]
        assert len(script.asked) == 1


def test_a_subscription_to_a_kind_that_is_not_for_others_stops_the_start(app: Flask) -> None:
    strange = Subscription(key="bureau", url="https://x.example", secret=SECRET, kinds=frozenset({"job.failed"}))
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    with pytest.raises(
        ConfigError, match=r"WEBHOOKS subscribes to job\.failed; choose from audit\.anchor, booking\.amended"
    ):
        create_app(test_settings(url, WEBHOOKS=(strange,)))
    assert set(SUBSCRIBABLE_KINDS) <= set(WORDINGS)


def test_a_subscriber_gets_the_whole_anchor_as_a_third_copy(now: datetime) -> None:
    line = {"number": 1, "day": "2026-11-24", "audit": [3, "ab"], "mac": "cd"}
    held = HeldMessage(
        id=uuid4(), token=uuid4(), kind="audit.anchor", recipient_kind="webhook", recipient_id=uuid4(),
        facts={"day": "2026-11-24", "anchor": line}, created_at=now, attempt=1,
    )  # fmt: skip
    assert json.loads(event_body(held))["anchor"] == line


def test_the_documented_event_is_json_as_it_is_sent() -> None:
    page = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL):
        json.loads(block)
