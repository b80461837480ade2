"""Messages are delivered, retried, rested or given up; none is lost, and none names anybody in the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from recycling.errors import NotTaken, SmsRefused, Unavailable
from recycling.gateways.http_sms import HttpSms
from recycling.gateways.sms import LogSms
from recycling.gateways.sms_balance import BalancedSms, Choice
from recycling.logs import configure_logs
from recycling.models.outbox import HeldMessage, OutboxMessage, hold, next_due, outbox_state, post
from recycling.models.people import Resident
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.messages.deliver import LEASE, MOST_ATTEMPTS, Delivery, deliver_next, try_dead_again
from tests.builders import a_resident
from tests.callers import KeptSms
from tests.gateways.test_http_sms import a_provider
from tests.invariants import assert_invariants
from tests.providers.scripted import scripted_provider

FACTS = {"day": "2026-11-24", "pickup_window": "08-10"}


class DownSms:
    """A gateway whose provider does not answer."""

    def send(self, phone: str, text: str, *, message_id: UUID) -> None:
        """Refuse, as requests would: with the number in the words."""
        raise ConnectionError(f"POST /send?to={phone} refused")


@pytest.fixture
def sms() -> KeptSms:
    """A gateway that keeps what it sends."""
    return KeptSms()


@pytest.fixture
def deliver(sms: KeptSms, district: District, session: Session, now: datetime) -> Callable[..., list[Delivery]]:
    """Deliver everything that is due at an instant."""

    def all_due(at: datetime = now, *, gateway: Any = sms) -> list[Delivery]:
        send = lambda: deliver_next(sms=gateway, district=district, session=session, now=at)  # noqa: E731
        return list(iter(send, None))

    return all_due


def a_message(session: Session, *, now: datetime, to: UUID | None = None, **overrides: Any) -> None:
    """A confirmed booking to be told to a resident."""
    fields: dict[str, Any] = {"dedupe_key": str(uuid4()), "kind": "booking.confirmed", "facts": FACTS}
    to = a_resident(session, now=now).id if to is None else to
    with atomic(session):
        post(session, to=("resident", to), now=now, **(fields | overrides))


def take(session: Session, at: datetime) -> HeldMessage | None:
    """The message that waits longest, in the hands of a sender."""
    due = next_due(session, now=at)
    return None if due is None else hold(session, due, now=at, lease=LEASE)


def the_message(session: Session) -> OutboxMessage:
    """The only message, as it is now."""
    session.rollback()
    return session.scalars(select(OutboxMessage)).one()


def test_a_resident_is_told_in_chinese_and_english_on_their_own_phone(
    deliver: Callable[..., list[Delivery]], sms: KeptSms, session: Session, now: datetime
) -> None:
    resident = a_resident(session, now=now)
    phone = session.get_one(Resident, resident.id).phone
    a_message(session, now=now, to=resident.id)
    assert deliver() == ["sent"]
    # 24 November 2026 is a Tuesday; bookings are withdrawn until cancel_cutoff, 20:00.
    assert sms.sent == [
        (
            phone,
            "【薛城回收】您已预约 11月24日（周二） 08:00–10:00 上门回收。"
            "如需修改或取消，请于前一日 20:00 前且路线发布前办理。"
            " Your pickup on Tue 24 Nov, 08:00-10:00, is booked. Change or cancel it until 20:00 the day before"
            " or until the routes are published.",
        )
    ]
    assert (the_message(session).sent_at, the_message(session).attempts) == (now, 1)
    assert deliver() == []


def test_the_same_effect_is_told_once(
    deliver: Callable[..., list[Delivery]], sms: KeptSms, session: Session, now: datetime
) -> None:
    to = a_resident(session, now=now).id
    for _ in range(2):
        a_message(session, now=now, to=to, dedupe_key="booking.confirmed:1")
    assert deliver() == ["sent"]
    assert len(sms.sent) == 1


def test_a_gateway_that_is_down_is_tried_again_after_longer_and_longer_and_then_given_up(
    deliver: Callable[..., list[Delivery]], session: Session, now: datetime
) -> None:
    # given a provider that does not answer, and a message for a resident
    a_message(session, now=now)
    at = now
    with structlog.testing.capture_logs() as lines:
        # when it is tried as soon as it may be: 1, 2, 4, 8, 16, 32, then every 60 minutes
        for wait_min in (1, 2, 4, 8, 16, 32, 60):
            assert deliver(at, gateway=DownSms()) == ["put_off"]
            assert deliver(at + timedelta(minutes=wait_min, seconds=-1), gateway=DownSms()) == []
            at += timedelta(minutes=wait_min)
        # then the eighth failure is the last, and is an error in the log
        assert deliver(at, gateway=DownSms()) == ["dead"]
    message = the_message(session)
    assert (message.attempts, message.dead_at, message.last_error) == (MOST_ATTEMPTS, at, "ConnectionError")
    assert (lines[-1]["event"], lines[-1]["log_level"]) == ("message.dead", "error")
    assert outbox_state(session, now=at) == {"waiting": 0, "oldest_s": 0, "dead": 1}
    assert_invariants(session)


def test_a_dead_message_is_sent_when_somebody_asks_for_it_again(
    deliver: Callable[..., list[Delivery]], sms: KeptSms, session: Session, now: datetime
) -> None:
    a_message(session, now=now, kind="booking.eaten")
    assert deliver() == ["dead"]
    assert "no words for messages of kind 'booking.eaten'" in str(the_message(session).last_error)
    the_message(session).kind = "booking.confirmed"
    session.commit()
    assert try_dead_again(session=session, now=now) == 1
    assert deliver() == ["sent"]
    assert len(sms.sent) == 1


def test_a_message_without_its_facts_or_its_resident_is_given_up_at_once(
    deliver: Callable[..., list[Delivery]], session: Session, now: datetime
) -> None:
    a_message(session, now=now, facts={"day": "2026-11-24"})
    a_message(session, now=now, to=uuid4())
    assert deliver() == ["dead", "dead"]
    errors = sorted(str(error) for error in session.scalars(select(OutboxMessage.last_error)))
    assert "lacks the fact 'window_zh'" in errors[0]
    assert "is gone; nobody can be told" in errors[1]


def test_one_bad_message_does_not_stop_the_next(
    deliver: Callable[..., list[Delivery]], sms: KeptSms, session: Session, now: datetime
) -> None:
    a_message(session, now=now - timedelta(seconds=1), kind="booking.eaten")
    a_message(session, now=now)
    assert deliver() == ["dead", "sent"]
    assert len(sms.sent) == 1


def test_a_number_that_the_provider_refuses_is_given_up_at_once_and_the_code_says_why(
    deliver: Callable[..., list[Delivery]], session: Session, now: datetime
) -> None:
    class Refusing:
        def send(self, phone: str, text: str, *, message_id: UUID) -> None:
            raise SmsRefused(f"one refuses {phone}")

    a_message(session, now=now)
    assert deliver(gateway=Refusing()) == ["dead"]
    assert str(the_message(session).last_error).startswith("sms_refused: one refuses 1")
    assert "****" in str(the_message(session).last_error)


def test_a_provider_that_asks_for_more_time_gets_it(
    deliver: Callable[..., list[Delivery]], sms: KeptSms, session: Session, now: datetime
) -> None:
    # given a provider that wants to be left alone for ten minutes, where we would have waited for one
    class Full:
        def send(self, phone: str, text: str, *, message_id: UUID) -> None:
            raise NotTaken("full", retry_after_s=600)

    a_message(session, now=now)
    assert deliver(gateway=Full()) == ["put_off"]
    assert deliver(now + timedelta(minutes=9, seconds=59)) == []
    assert deliver(now + timedelta(minutes=10)) == ["sent"]
    assert len(sms.sent) == 1


def test_a_message_goes_through_a_provider_under_its_own_id_at_each_attempt(
    deliver: Callable[..., list[Delivery]], session: Session, now: datetime
) -> None:
    # given a provider that takes the text and does not say so, then is well, beside one that nobody may ask meanwhile
    with scripted_provider("cut", "well") as (url, script), scripted_provider("well") as (other, unasked):
        providers = [
            Choice(name=name, gateway=HttpSms(a_provider(address, name=name)), weight=1)
            for name, address in (("one", url), ("two", other))
        ]
        gateway = BalancedSms(providers, draw=lambda: 0.0)
        a_message(session, now=now)
        assert deliver(gateway=gateway) == ["put_off"]
        assert "may have taken" in str(the_message(session).last_error)
        assert deliver(now + timedelta(minutes=1), gateway=gateway) == ["sent"]
    # then both attempts carry the id of the message, by which the provider can tell that they are one
    message = the_message(session)
    assert [request.headers["idempotency-key"] for request in script.asked] == [str(message.id)] * 2
    assert unasked.asked == []
    assert (message.provider, message.reference, message.delivery) == ("one", f"ref-{message.id}", "accepted")
    assert_invariants(session)


def test_two_senders_never_hold_one_message(session: Session, now: datetime) -> None:
    a_message(session, now=now)
    sessions = sessionmaker(session.get_bind())
    found = []
    for _ in range(2):
        with sessions() as own, atomic(own):
            found.append(take(own, now))
    assert found[0] is not None
    assert found[1] is None


def test_a_message_whose_sender_died_is_sent_by_the_next_after_the_lease(
    deliver: Callable[..., list[Delivery]], sms: KeptSms, session: Session, now: datetime
) -> None:
    # given a sender that died with a message in its hands
    a_message(session, now=now)
    with atomic(session):
        take(session, now)
    # then it is nobody else's until the lease is over
    assert deliver(now + LEASE - timedelta(seconds=1)) == []
    assert deliver(now + LEASE) == ["sent"]
    assert len(sms.sent) == 1


def test_a_late_sender_does_not_mark_what_another_has_taken_over(
    deliver: Callable[..., list[Delivery]], sms: KeptSms, session: Session, now: datetime, district: District
) -> None:
    # given a sender that stands still while it sends, for longer than its lease
    a_message(session, now=now)
    sessions = sessionmaker(session.get_bind())

    class Slow(KeptSms):
        def send(self, phone: str, text: str, *, message_id: UUID) -> None:
            with sessions() as own:
                later = now + LEASE + timedelta(seconds=1)
                assert deliver_next(sms=sms, district=district, session=own, now=later) == "sent"

    # then the other one's mark stands
    assert deliver(gateway=Slow()) == ["taken_over"]
    assert the_message(session).attempts == 2


def test_a_message_that_kills_its_senders_is_given_up(
    deliver: Callable[..., list[Delivery]], sms: KeptSms, session: Session, now: datetime
) -> None:
    a_message(session, now=now)
    at = now
    for _ in range(MOST_ATTEMPTS):
        with atomic(session):
            assert take(session, at) is not None
        at += LEASE + timedelta(seconds=1)
    assert deliver(at) == ["dead"]
    assert sms.sent == []


def test_nobody_is_woken_by_a_reminder_but_a_confirmation_comes_at_once(
    deliver: Callable[..., list[Delivery]], sms: KeptSms, session: Session, now: datetime
) -> None:
    # given 23:00 on Monday in Xuecheng, 15:00 UTC, and two messages
    night = now.replace(hour=15)
    a_message(session, now=night, kind="booking.reminder")
    a_message(session, now=night)
    # when both are due
    assert sorted(deliver(night)) == ["rests", "sent"]
    # then the reminder waits until 07:00 on Tuesday, 23:00 UTC on Monday, and counts as not yet tried
    resting = session.scalars(select(OutboxMessage).where(OutboxMessage.sent_at.is_(None))).one()
    assert (resting.due_at, resting.attempts) == (now.replace(hour=23), 0)
    assert deliver(now.replace(hour=22, minute=59)) == []
    assert deliver(now.replace(hour=23)) == ["sent"]


def test_the_small_hours_wait_for_the_same_morning(
    deliver: Callable[..., list[Delivery]], session: Session, now: datetime
) -> None:
    # 03:00 on Tuesday in Xuecheng is 19:00 UTC on Monday; 07:00 is 23:00 UTC on Monday.
    a_message(session, now=now.replace(hour=19), kind="booking.reminder")
    assert deliver(now.replace(hour=19)) == ["rests"]
    assert the_message(session).due_at == now.replace(hour=23)


def test_staff_messages_go_to_the_log(
    deliver: Callable[..., list[Delivery]], session: Session, now: datetime, sms: KeptSms
) -> None:
    facts = {"report_id": str(uuid4()), "period": "2026-10", "version": 1}
    with atomic(session):
        post(session, dedupe_key="r", kind="goal_report.made", to=("bureau", None), facts=facts, now=now)
    assert deliver() == ["sent"]
    assert sms.sent == []


def test_no_log_line_holds_a_phone_number(
    deliver: Callable[..., list[Delivery]], session: Session, now: datetime, capfd: pytest.CaptureFixture[str]
) -> None:
    # given a resident, and a log as it runs in a district, every line written
    resident = a_resident(session, now=now)
    phone = session.get_one(Resident, resident.id).phone
    configure_logs("DEBUG")
    # when a message goes to the log gateway, and another fails in words that repeat the number until it is dead
    a_message(session, now=now, to=resident.id)
    deliver(gateway=LogSms())

    class Leaky:
        def send(self, phone: str, text: str, *, message_id: UUID) -> None:
            raise Unavailable(f"{phone} is not reachable")

    a_message(session, now=now, to=resident.id)
    at = now
    for _ in range(MOST_ATTEMPTS):
        deliver(at, gateway=Leaky())
        at += timedelta(hours=1)
    configure_logs("WARNING")
    # then neither the log nor a row holds it
    written = capfd.readouterr().err
    assert [event in written for event in ("sms.logged", "message.sent", "message.put_off", "message.dead")] == [
        True
    ] * 4
    assert phone not in written
    session.rollback()
    assert phone not in str(list(session.scalars(select(OutboxMessage.last_error))))
