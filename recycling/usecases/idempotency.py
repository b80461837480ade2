"""One effect and one answer per idempotency key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, delete, tuple_, update
from sqlalchemy.orm import Session

from recycling.errors import Busy, IdempotencyKeyMismatch
from recycling.models.base import insert_into
from recycling.models.idempotency import IdempotencyKey
from recycling.models.transaction import atomic


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a creating call was told."""

    status: int
    headers: dict[str, str]
    body: str


def answer_once(
    effect: Callable[[], Answer],
    *,
    caller_id: UUID,
    endpoint: str,
    key: str,
    fingerprint: bytes,
    session: Session,
    now: datetime,
) -> tuple[Answer, bool]:
    """Run ``effect`` under the key, or give back the answer it gave before; the flag says which.

    The key's row, the effect and the kept answer are one transaction. A second request with the key waits for the first
    at the row's unique index. An effect that raises leaves no key behind, so that a repeated request does the work.

    Raises
    ------
    IdempotencyKeyMismatch
        When the key came before with another body.
    """
    name = (caller_id, endpoint, key)
    with atomic(session):
        claim = insert_into(session, IdempotencyKey).values(
            caller_id=caller_id, endpoint=endpoint, key=key, fingerprint=fingerprint, created_at=now
        )
        mine = session.scalar(claim.on_conflict_do_nothing().returning(IdempotencyKey.key)) is not None
        if not mine:
            return _kept(session, name, fingerprint), True
        answer = effect()
        session.execute(
            update(IdempotencyKey)
            .where(tuple_(IdempotencyKey.caller_id, IdempotencyKey.endpoint, IdempotencyKey.key) == name)
            .values(answer=asdict(answer))
            .execution_options(synchronize_session=False)
        )
        return answer, False


def _kept(session: Session, name: tuple[UUID, str, str], fingerprint: bytes) -> Answer:
    """The answer that the key's first request was given."""
    row = session.get(IdempotencyKey, name)
    if row is None:
        raise Busy("the same request is just being undone; send it again in a moment")
    if row.fingerprint != fingerprint:
        raise IdempotencyKeyMismatch(
            f"Idempotency-Key {row.key[:40]!r} came before with another body; make a new key for a new wish"
        )
    return Answer(**row.answer)


def forget_keys(*, before: datetime, session: Session) -> int:
    """Delete the keys kept long enough; returns how many."""
    with atomic(session):
        done = session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before))
        return cast("CursorResult[Any]", done).rowcount
