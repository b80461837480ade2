"""Receipts: once each, in any sequence, before the message's own mark or after it; none is lost."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from recycling.extensions import db
from recycling.gateways.sms import Accepted
from recycling.models import receipt as receipts_table
from recycling.models.outbox import DeliveryState, OutboxMessage, post, undelivered_messages
from recycling.models.receipt import SmsReceipt
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.housekeeping import clean_up
from recycling.usecases.messages import deliver
from recycling.usecases.messages import receipts as module
from recycling.usecases.messages.deliver import deliver_next
from recycling.usecases.messages.receipts import ReceiptReport, Taken, fold_parked, take_receipt
from tests.builders import a_resident
from tests.invariants import assert_invariants

_numbers = itertools.count()


class Provider:
    """Takes every text under a name that a test chooses, and may send receipts before it has answered."""

    def __init__(self, reference: str, session: Session, now: datetime) -> None:
        self.reference, self.now = reference, now
        self.sessions = sessionmaker(session.get_bind())
        self.early: list[DeliveryState] = []

    def send(self, phone: str, text: str, *, message_id: UUID) -> Accepted:
        """Take it."""
        for state in self.early:
            with self.sessions() as own:
                assert (
                    take_receipt(a_receipt(self.reference, state), provider="one", session=own, now=self.now)
                    == "parked"
                )
        return Accepted(provider="one", reference=self.reference)


def a_receipt(reference: str, state: DeliveryState, **overrides: Any) -> ReceiptReport:
    """A receipt with an id of its own."""
    fields: dict[str, Any] = {
        "receipt_id": f"r{next(_numbers)}", "reference": reference, "state": state,
        "reported_at": datetime.fromisoformat("2026-11-23T10:00:00+08:00"),
    }  # fmt: skip
    return ReceiptReport(**(fields | overrides))


def a_sent_message(
    session: Session, district: District, now: datetime, *early: DeliveryState, reference: str | None = None
) -> str:
    """A confirmation that a provider took, under a name; receipts may have come before we knew the name."""
    reference = reference or str(uuid4())
    to = a_resident(session, now=now).id
    facts = {"day": "2026-11-24", "pickup_window": "08-10"}
    with atomic(session):
        post(session, dedupe_key=reference, kind="booking.confirmed", to=("resident", to), facts=facts, now=now)
    provider = Provider(reference, session, now)
    provider.early = list(early)
    assert deliver_next(sms=provider, district=district, session=session, now=now) == "sent"
    return reference


def take(session: Session, now: datetime, report: ReceiptReport, *, provider: str = "one") -> Taken:
    """Hand a receipt in."""
    return take_receipt(report, provider=provider, session=session, now=now)


def delivery(session: Session, reference: str) -> DeliveryState | None:
    """What the message says of itself now."""
    session.rollback()
    return session.scalars(select(OutboxMessage.delivery).where(OutboxMessage.reference == reference)).one()


def test_a_text_is_accepted_when_taken_and_delivered_when_its_provider_says_so(
    session: Session, district: District, now: datetime
) -> None:
    reference = a_sent_message(session, district, now)
    assert delivery(session, reference) == "accepted"
    assert take(session, now, a_receipt(reference, "delivered")) == "applied"
    assert delivery(session, reference) == "delivered"
    row = session.scalars(select(SmsReceipt)).one()
    assert row.message_id == session.scalars(select(OutboxMessage.id)).one()
    assert_invariants(session)


def test_a_receipt_that_comes_again_changes_nothing(session: Session, district: District, now: datetime) -> None:
    reference = a_sent_message(session, district, now)
    report = a_receipt(reference, "undelivered", code="ABSENT")
    assert [take(session, now, report) for _ in range(3)] == ["applied", "duplicate", "duplicate"]
    # and under the same id with another state it is still the first that counts: an id is used once
    forged = a_receipt(reference, "delivered", receipt_id=report.receipt_id)
    assert take(session, now, forged) == "duplicate"
    assert delivery(session, reference) == "undelivered"
    assert session.scalar(select(func.count()).select_from(SmsReceipt)) == 1
    assert [row.reference for row in undelivered_messages(session, limit=5)] == [reference]


def test_the_same_id_from_another_provider_is_another_receipt(
    session: Session, district: District, now: datetime
) -> None:
    reference = a_sent_message(session, district, now)
    report = a_receipt(reference, "delivered")
    assert take(session, now, report, provider="two") == "parked"
    assert delivery(session, reference) == "accepted"
    assert take(session, now, report) == "applied"


def test_a_receipt_that_is_quicker_than_our_own_mark_waits_for_it(
    session: Session, district: District, now: datetime
) -> None:
    reference = a_sent_message(session, district, now, "accepted", "delivered")
    assert delivery(session, reference) == "delivered"
    assert session.scalars(select(SmsReceipt.message_id).where(SmsReceipt.message_id.is_(None))).all() == []


def test_control_without_a_look_after_the_mark_an_early_receipt_stays_parked(
    session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "apply_receipts", lambda *_, **__: False)
    reference = a_sent_message(session, district, now, "delivered")
    assert delivery(session, reference) == "accepted"
    # and the nightly cleaning is there for a sender that died before its look
    assert fold_parked(session=session) == 1
    assert delivery(session, reference) == "delivered"


def test_a_receipt_of_an_unknown_text_is_kept_and_found_by_the_nightly_cleaning(
    session: Session, district: District, now: datetime
) -> None:
    # given a receipt whose process died between its two transactions: it is kept, and not folded
    reference = a_sent_message(session, district, now)
    report = a_receipt(reference, "delivered")
    with atomic(session):
        receipts_table.keep_receipt(
            session, provider="one", receipt_id=report.receipt_id, reference=reference, state="delivered", code=None,
            reported_at=report.reported_at, now=now,
        )  # fmt: skip
    # and one of a text that nobody has sent
    assert take(session, now, a_receipt("nobody's", "delivered")) == "parked"
    # when the house is kept
    clean_up(district.privacy, session=session, now=now)
    # then the first has reached its message, and the other is still there
    assert delivery(session, reference) == "delivered"
    parked = session.scalars(select(SmsReceipt.reference).where(SmsReceipt.message_id.is_(None))).all()
    assert parked == ["nobody's"]
    assert fold_parked(session=session) == 0


STATES: st.SearchStrategy[DeliveryState] = st.sampled_from(["accepted", "delivered", "undelivered"])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(STATES, min_size=1, max_size=5).flatmap(lambda states: st.tuples(st.just(states), st.permutations(states)))
)
def test_any_sequence_of_receipts_ends_the_same_and_a_delivered_text_stays_delivered(
    session: Session, district: District, now: datetime, drawn: tuple[list[DeliveryState], list[DeliveryState]]
) -> None:
    ends = []
    for states in drawn:
        reference, seen = a_sent_message(session, district, now), []
        for state in states:
            take(session, now, a_receipt(reference, state))
            seen.append(delivery(session, reference))
        ranks = [RANK[str(one)] for one in seen]
        assert ranks == sorted(ranks)
        ends.append(seen[-1])
    assert ends[0] == ends[1] == max(drawn[0], key=lambda state: RANK[state])


RANK = {"accepted": 0, "undelivered": 1, "delivered": 2}


def test_control_without_the_ranks_a_late_receipt_takes_a_delivery_back(
    session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def last_one_wins(session: Session, *, provider: str, reference: str) -> DeliveryState:
        state = session.scalars(
            select(SmsReceipt.state).where(SmsReceipt.message_id.is_(None), SmsReceipt.reference == reference)
        ).one()
        session.execute(update(OutboxMessage).where(OutboxMessage.reference == reference).values(delivery=state))
        session.execute(update(SmsReceipt).values(message_id=select(OutboxMessage.id).scalar_subquery()))
        return state

    monkeypatch.setattr(module, "fold_receipts", last_one_wins)
    reference = a_sent_message(session, district, now)
    for state in ("delivered", "accepted"):
        take(session, now, a_receipt(reference, state))
    assert delivery(session, reference) == "accepted"


@pytest.fixture
def racers(app: Flask) -> Iterator[list[threading.Thread]]:
    """Threads that are waited for."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join()


def test_a_receipt_sent_twice_at_once_counts_once(
    app: Flask, session: Session, district: District, now: datetime, racers: list[threading.Thread]
) -> None:
    reference = a_sent_message(session, district, now)
    report, barrier, answers = a_receipt(reference, "delivered"), threading.Barrier(8), []

    def send() -> None:
        with app.app_context():
            barrier.wait()
            answers.append(take(db.session(), now + timedelta(seconds=1), report))
            db.session.remove()

    racers += [threading.Thread(target=send) for _ in range(8)]
    for thread in racers:
        thread.start()
    for thread in racers:
        thread.join()
    assert sorted(answers) in (["applied"] + ["duplicate"] * 7, ["duplicate"] * 7 + ["parked"])
    assert delivery(session, reference) == "delivered"
    assert session.scalar(select(func.count()).select_from(SmsReceipt)) == 1
