"""One effect and one answer per idempotency key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, update
from sqlalchemy.orm import Session

from recycling.errors import Busy, IdempotencyKeyMismatch
from recycling.models.base import insert_if_absent, table_of
from recycling.models.encrypted import keyring
from recycling.models.idempotency import IdempotencyKey
from recycling.models.transaction import atomic, rows_met, run

_row = table_of(IdempotencyKey).c
_KEEP = (
    update(table_of(IdempotencyKey))
    .where(
        _row.caller_id == bindparam("of_caller"),
        _row.endpoint == bindparam("at_endpoint"),
        _row.key == bindparam("of_key"),
    )
    .values(answer=bindparam("given"))
)


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
    # Keyed, since a body may hold little beside a phone, and eleven digits are soon guessed from a plain digest.
    fingerprint = keyring.digest(fingerprint.hex(), context="idempotency_key.fingerprint")
    with atomic(session):
        mine = insert_if_absent(
            session,
            IdempotencyKey,
            caller_id=caller_id,
            endpoint=endpoint,
            key=key,
            fingerprint=fingerprint,
            created_at=now,
        )
        if not mine:
            return _kept(session, name, fingerprint), True
        answer = effect()
        run(session, _KEEP, {"of_caller": caller_id, "at_endpoint": endpoint, "of_key": key, "given": asdict(answer)})
        return answer, False


def was_answered(*, caller_id: UUID, endpoint: str, key: str, session: Session) -> bool:
    """Whether the key has an answer already, so that costly judging before `answer_once` would be for nothing."""
    found = session.get(IdempotencyKey, (caller_id, endpoint, key)) is not None
    session.rollback()
    return found


def _kept(session: Session, name: tuple[UUID, str, str], fingerprint: bytes) -> Answer:
    """The answer that the key's first request was given."""
    row = session.get(IdempotencyKey, name)
    if row is None:
        raise Busy("the same request is just being undone; send it again in a moment / 同一请求正在处理，请稍后重试")
    if row.fingerprint != fingerprint:
        raise IdempotencyKeyMismatch(
            f"Idempotency-Key {row.key[:40]!r} came before with another body; make a new key for a new wish"
            " / 此 Idempotency-Key 已用于不同内容，请为新操作换一个"
        )
    return Answer(**row.answer)


def forget_keys(*, before: datetime, session: Session) -> int:
    """Delete the keys kept long enough; returns how many."""
    with atomic(session):
        return rows_met(session, delete(IdempotencyKey).where(IdempotencyKey.created_at < before))
