"""Receipts over HTTP: signed over time and body, five minutes, once."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from recycling.gateways.http_sms import SmsProvider
from recycling.models.outbox import OutboxMessage
from recycling.models.receipt import SmsReceipt
from recycling.policy.signature import signature
from tests.callers import Callers

SECRET = secrets.token_bytes(32)


@pytest.fixture
def provider(app: Flask) -> Iterator[SmsProvider]:
    """A configured provider that signs, beside one that never sends receipts."""
    one = SmsProvider(name="one", url="https://sms.example", body={}, id_field="id", receipt_secret=SECRET)
    silent = SmsProvider(name="silent", url="https://sms.example", body={}, id_field="id")
    before, app.config["SMS_PROVIDERS"] = app.config["SMS_PROVIDERS"], (one, silent)
    yield one
    app.config["SMS_PROVIDERS"] = before


def a_body(**overrides: Any) -> bytes:
    """A delivered text."""
    fields = {
        "receipt_id": str(uuid4()), "reference": "ref-1", "state": "delivered",
        "reported_at": "2026-11-23T10:00:00+08:00",
    }  # fmt: skip
    return json.dumps(fields | overrides).encode()


def send(
    app: Flask, body: bytes, now: datetime, *, to: str = "one", secret: bytes = SECRET, late_s: int = 0, **headers: str
) -> TestResponse:
    """POST a receipt as its provider does."""
    signed = {"Receipt-Signature": signature(secret, body, at_s=int(now.timestamp()) - late_s)}
    signed |= {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().post(f"/sms-receipts/{to}", data=body, headers=signed, content_type="application/json")


@pytest.mark.usefixtures("provider")
def test_a_signed_receipt_brings_its_message_up_to_date_and_a_replay_does_nothing_more(
    app: Flask, session: Session, now: datetime
) -> None:
    message = OutboxMessage(
        dedupe_key="x", kind="booking.confirmed", recipient_kind="resident", recipient_id=uuid4(), facts={},
        created_at=now, due_at=now, attempts=1, sent_at=now, provider="one", reference="ref-1", delivery="accepted",
    )  # fmt: skip
    session.add(message)
    session.commit()
    body = a_body()
    first, again = send(app, body, now), send(app, body, now)
    assert (first.status_code, first.get_json()) == (200, {"taken": "applied"})
    assert (again.status_code, again.get_json()) == (200, {"taken": "duplicate"})
    session.expire_all()
    assert message.delivery == "delivered"


@pytest.mark.usefixtures("provider")
def test_a_receipt_of_an_unknown_text_is_kept(app: Flask, session: Session, now: datetime) -> None:
    assert send(app, a_body(reference="unheard"), now).get_json() == {"taken": "parked"}
    assert session.scalars(select(SmsReceipt.reference)).all() == ["unheard"]


@pytest.mark.usefixtures("provider")
def test_what_is_not_signed_by_that_provider_now_is_refused_alike_and_leaves_nothing(
    app: Flask, session: Session, now: datetime, callers: Callers
) -> None:
    body = a_body()
    admin, made_for = callers.staff("admin"), signature(SECRET, body, at_s=int(now.timestamp()))
    answers = {
        "no signature": app.test_client().post("/sms-receipts/one", data=body, content_type="application/json"),
        "another secret": send(app, body, now, secret=bytes(32)),
        "another body": send(app, body + b" ", now, Receipt_Signature=made_for),
        "too old": send(app, body, now, late_s=302),
        "too new": send(app, body, now, late_s=-302),
        "an unknown provider": send(app, body, now, to="two"),
        "nobody's secret": send(app, body, now, to="two", secret=bytes(32)),
        "a provider without a secret": send(app, body, now, to="silent", secret=bytes(32)),
        "an empty secret": send(app, body, now, to="silent", secret=b""),
        "an account": admin.post("/sms-receipts/one", json.loads(body)),
    }  # fmt: skip
    assert {case: answer.status_code for case, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert all(answer.content_type == "application/problem+json" for answer in answers.values())
    # the same words, whether a provider is unknown or its secret is wrong
    assert answers["an unknown provider"].get_json()["detail"] == answers["another secret"].get_json()["detail"]
    assert answers["nobody's secret"].get_json()["detail"] == answers["another secret"].get_json()["detail"]
    assert session.scalar(select(func.count()).select_from(SmsReceipt)) == 0


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    "wrong",
    [{"state": "lost"}, {"receipt_id": ""}, {"receipt_id": "x" * 129}, {"reference": "x" * 129}, {"reference": 7},
     {"reported_at": "2026-11-23T10:00:00"}, {"code": "x" * 33}, {"phone": "13812345678"}],
)  # fmt: skip
def test_a_signed_body_must_still_have_its_form(
    app: Flask, session: Session, now: datetime, wrong: dict[str, Any]
) -> None:
    answer = send(app, a_body(**wrong), now)
    assert answer.status_code == 422
    assert "13812345678" not in answer.text
    assert session.scalar(select(func.count()).select_from(SmsReceipt)) == 0


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"{", 400), (b"[]", 422), (b"\xff", 400), (b'{"a":NaN}', 400)]
)
def test_signed_garbage_is_refused_by_its_form(app: Flask, now: datetime, body: bytes, status: int) -> None:
    assert send(app, body, now).status_code == status


@pytest.mark.usefixtures("provider")
def test_a_clock_a_little_off_is_let_through(app: Flask, now: datetime, session: Session) -> None:
    for late_s in (290, -290):
        assert send(app, a_body(), now, late_s=late_s).status_code == 200
