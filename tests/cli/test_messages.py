"""`flask messages`: what waits, what was given up, what did not reach its phone; and another round for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy.orm import Session

from recycling.models.outbox import OutboxMessage


def said(app: Flask, *words: str, exit_code: int = 0) -> str:
    """What a command prints."""
    answer = app.test_cli_runner().invoke(args=["messages", *words])
    assert answer.exit_code == exit_code, answer.output
    return answer.output


def a_row(session: Session, now: datetime, **state: Any) -> OutboxMessage:
    """A message in some state."""
    row = OutboxMessage(
        id=uuid4(), dedupe_key=str(uuid4()), kind="booking.confirmed", recipient_kind="resident", recipient_id=uuid4(),
        facts={}, created_at=now, due_at=now, attempts=8, **state,
    )  # fmt: skip
    session.add(row)
    session.commit()
    return row


def test_each_state_is_listed_by_itself_and_names_nobody(app: Flask, session: Session, now: datetime) -> None:
    rows = {
        "waiting": a_row(session, now, last_error="unavailable: one answered with status 503"),
        "dead": a_row(session, now, dead_at=now, last_error="not_taken: one cannot be reached"),
        "undelivered": a_row(
            session, now, sent_at=now, provider="one", reference="r", delivery="undelivered", last_error=None
        ),
    }
    obsolete = a_row(session, now, dead_at=now, last_error="obsolete: opted out")
    for state, row in rows.items():
        output = said(app, "list", "--state", state)
        shown = {other for other in rows.values() if str(other.id) in output}
        assert shown == {row}
        assert str(row.recipient_id) not in output
        assert str(obsolete.id) not in output
    assert "1 waiting" in said(app, "list")
    assert "one cannot be reached" in said(app, "list")


def test_one_or_all_of_the_dead_get_another_round(app: Flask, session: Session, now: datetime) -> None:
    first, second, third = (a_row(session, now, dead_at=now, last_error="not_taken: x") for _ in range(3))
    kept = a_row(session, now, dead_at=now, last_error="obsolete: opted out")
    assert "1 messages wait" in said(app, "retry", str(second.id))
    session.expire_all()
    assert [row.dead_at is None for row in (first, second, third)] == [False, True, False]
    assert "2 messages wait" in said(app, "retry", "--all")
    session.expire_all()
    assert [row.attempts for row in (first, second, third)] == [0, 0, 0]
    # what ended because it was no longer so stays ended, and a message is named as it is, or not at all
    for unknown in (kept.id, uuid4()):
        assert f"no message {unknown} was given up" in said(app, "retry", str(unknown), exit_code=1)
    said(app, "retry", exit_code=2)
    said(app, "retry", str(first.id), "--all", exit_code=2)
