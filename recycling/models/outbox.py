"""The outbox: messages written in the transaction of the change they tell of, delivered afterwards, at least once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    Index,
    String,
    Uuid,
    and_,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, insert_if_absent, one_of
from recycling.models.subscribers import Subscriber, subscribers
from recycling.models.transaction import rows_met

RecipientKind = Literal["resident", "staff", "bureau", "webhook"]
# What became of a text after the provider took it, by the provider's receipts.
DeliveryState = Literal["accepted", "delivered", "undelivered"]
LONGEST_ERROR = 200  # characters, as wide as the column
LONGEST_REFERENCE = 128
OBSOLETE = "obsolete: "
# Facts that leave the network: they name nobody.
TOLD_ABROAD = (
    "booking_id", "day", "report_id", "period", "version", "scope", "level", "anchor", "sha256", "files"
)  # fmt: skip


class OutboxMessage(WithId, Base):
    """One message to one recipient. ``facts`` holds ids and dates, never personal data; texts are made at delivery.

    ``dedupe_key`` names the effect: the same key is written once, so a repeated job or request sends nothing twice.
    It waits until ``due_at`` and for older messages of the same booking to the same recipient, is held by one sender at
    a time until ``lease_until``, and ends as sent or as dead. One that is no longer true when its turn comes ends as
    dead too, but was not given up: its ``last_error`` begins with `OBSOLETE`.

    ``provider`` and ``reference`` are who took a text and its name there; ``delivery`` what they said of it since.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        one_of("recipient_kind", get_args(RecipientKind)),
        one_of("delivery", get_args(DeliveryState)),
        CheckConstraint("(provider IS NULL) = (reference IS NULL)", name="referred"),
        CheckConstraint("sent_at IS NULL OR dead_at IS NULL", name="one_end"),
        CheckConstraint("(token IS NULL) = (lease_until IS NULL)", name="held"),
        Index(None, "sent_at", "dead_at", "due_at"),
        Index(None, "provider", "reference"),
    )

    dedupe_key: Mapped[str] = mapped_column(String(160), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    recipient_kind: Mapped[RecipientKind] = mapped_column(String(16))
    recipient_id: Mapped[UUID | None] = mapped_column(Uuid)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    token: Mapped[UUID | None] = mapped_column(Uuid)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dead_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(LONGEST_ERROR))
    provider: Mapped[str | None] = mapped_column(String(32))
    reference: Mapped[str | None] = mapped_column(String(LONGEST_REFERENCE))
    delivery: Mapped[DeliveryState | None] = mapped_column(String(16))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMessage:
    """A message in the hands of one sender; ``attempt`` counts from 1."""

    id: UUID
    token: UUID
    kind: str
    recipient_kind: RecipientKind
    recipient_id: UUID | None
    facts: dict[str, Any]
    created_at: datetime
    attempt: int


def post(
    session: Session,
    *,
    dedupe_key: str,
    kind: str,
    to: tuple[RecipientKind, UUID | None],
    facts: dict[str, Any],
    now: datetime,
) -> bool:
    """Put a message into the outbox of the running transaction; a second one of the same key is left out.

    Systems that subscribe to the kind are owed one each in the same transaction, without what concerns nobody else.

    Tells whether the message is new.
    """
    recipient_kind, recipient_id = to
    new = insert_if_absent(
        session, OutboxMessage, id=uuid4(), dedupe_key=dedupe_key, kind=kind, recipient_kind=recipient_kind,
        recipient_id=recipient_id, facts=facts, created_at=now, due_at=now, attempts=0,
    )  # fmt: skip
    for subscriber in subscribers.of(kind) if new else ():
        _post_abroad(session, subscriber, dedupe_key=dedupe_key, kind=kind, facts=facts, now=now)
    return new


def waiting(session: Session, *, now: datetime) -> bool:
    """Whether a message waits to be sent; a read that spares idle senders the write lock."""
    return session.scalar(select(OutboxMessage.id).where(_free(now)).limit(1)) is not None


def next_due(session: Session, *, now: datetime) -> OutboxMessage | None:
    """The message that waits longest, locked for us; ``None`` when none is due. An ended lease counts as none."""
    # What rested for the night is due at the same instant: then the sequence is that in which it was written.
    wanted = select(OutboxMessage).where(_free(now)).order_by(OutboxMessage.due_at, *_BY_AGE).limit(1)
    return session.scalar(wanted.with_for_update(skip_locked=True))


def line_of(session: Session, message: OutboxMessage) -> Sequence[OutboxMessage]:
    """The open messages of the same booking to the same recipient, oldest first: the first may be sent next.

    A message that tells of no booking stands alone.
    """
    booking_id = booking_told_of(message.facts)
    if booking_id is None:
        return [message]
    # The index leads to the open ones, which are few; the booking stands in their facts only.
    line = select(OutboxMessage).where(
        _OPEN,
        OutboxMessage.recipient_id == message.recipient_id,
        OutboxMessage.facts["booking_id"].as_string() == str(booking_id),
    )
    return session.scalars(line.order_by(*_BY_AGE)).all() or [message]


def booking_told_of(facts: Mapping[str, Any]) -> UUID | None:
    """The booking that a message tells of, if it tells of one."""
    try:
        return UUID(facts["booking_id"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None  # what a broken message lacks is said when it is put into words, which gives it up


def hold(session: Session, message: OutboxMessage, *, now: datetime, lease: timedelta) -> HeldMessage | None:
    """Take a message that is due, however old an ended lease of it is; ``None`` when another sender has."""
    held = HeldMessage(
        id=message.id, token=uuid4(), kind=message.kind, recipient_kind=message.recipient_kind,
        recipient_id=message.recipient_id, facts=dict(message.facts), created_at=message.created_at,
        attempt=message.attempts + 1,
    )  # fmt: skip
    taken = update(OutboxMessage).where(OutboxMessage.id == message.id, _free(now))
    values = {"token": held.token, "lease_until": now + lease, "attempts": held.attempt}
    return held if rows_met(session, taken.values(values)) else None


def let_rest(message: OutboxMessage, *, until: datetime) -> None:
    """Let a message that nobody holds wait untried."""
    message.due_at = until


def withdraw(session: Session, message: OutboxMessage, *, reason: str, now: datetime) -> bool:
    """End a message that is no longer true; false when a sender holds it, or has ended it."""
    unheld = update(OutboxMessage).where(OutboxMessage.id == message.id, _OPEN, _unheld(now))
    error = f"{OBSOLETE}{reason}"[:LONGEST_ERROR]
    return rows_met(session, unheld.values(dead_at=now, last_error=error, token=None, lease_until=None)) == 1


def mark_sent(session: Session, held: HeldMessage, *, now: datetime, taken_by: tuple[str, str] | None = None) -> bool:
    """Record that a message was handed over; false when another sender has taken it over.

    ``taken_by`` is the provider and its name for the text, by which its receipts find the message.
    """
    if taken_by is None:
        return _end(session, held, sent_at=now, last_error=None)
    provider, reference = taken_by
    return _end(
        session, held, sent_at=now, last_error=None, provider=provider, reference=reference, delivery="accepted"
    )


def put_off(session: Session, held: HeldMessage, *, error: str, again_at: datetime) -> bool:
    """Let a message wait for its next attempt; false when another sender has taken it over."""
    return _end(session, held, due_at=again_at, last_error=error[:LONGEST_ERROR])


def bury(session: Session, held: HeldMessage, *, error: str, now: datetime) -> bool:
    """Give a message up, visibly; false when another sender has taken it over."""
    return _end(session, held, dead_at=now, last_error=error[:LONGEST_ERROR])


def revive(session: Session, *, now: datetime, message_id: UUID | None = None) -> int:
    """Give every message that was given up, or the named one, a new round of attempts; returns how many."""
    dead = update(OutboxMessage).where(_GIVEN_UP)
    if message_id is not None:
        dead = dead.where(OutboxMessage.id == message_id)
    return rows_met(session, dead.values(dead_at=None, due_at=now, attempts=0))


def dead_messages(session: Session) -> Sequence[OutboxMessage]:
    """The messages that were given up, oldest first."""
    return session.scalars(select(OutboxMessage).where(_GIVEN_UP).order_by(OutboxMessage.dead_at)).all()


def waiting_messages(session: Session, *, limit: int) -> Sequence[OutboxMessage]:
    """The messages that have not ended, the next one first."""
    return session.scalars(
        select(OutboxMessage).where(_OPEN).order_by(OutboxMessage.due_at, *_BY_AGE).limit(limit)
    ).all()


def undelivered_messages(session: Session, *, limit: int) -> Sequence[OutboxMessage]:
    """The messages that a provider took and could not bring to the phone, newest first."""
    failed = select(OutboxMessage).where(OutboxMessage.delivery == "undelivered")
    return session.scalars(failed.order_by(OutboxMessage.created_at.desc(), OutboxMessage.id).limit(limit)).all()


def outbox_state(session: Session, *, now: datetime) -> dict[str, int]:
    """How many messages wait, how old the oldest of them is, and how many were given up."""
    count = session.scalar(select(func.count()).where(_OPEN)) or 0
    oldest: datetime | None = session.scalar(select(func.min(OutboxMessage.created_at)).where(_OPEN))
    dead = session.scalar(select(func.count()).where(_GIVEN_UP)) or 0
    oldest_s = 0 if oldest is None else int((now - oldest).total_seconds())
    return {"waiting": count, "oldest_s": oldest_s, "dead": dead}


_OPEN = and_(OutboxMessage.sent_at.is_(None), OutboxMessage.dead_at.is_(None))
_BY_AGE = (OutboxMessage.created_at, OutboxMessage.id)
_GIVEN_UP = and_(
    OutboxMessage.dead_at.is_not(None), func.coalesce(OutboxMessage.last_error, "").not_like(f"{OBSOLETE}%")
)


def _free(now: datetime) -> ColumnElement[bool]:
    return and_(_OPEN, OutboxMessage.due_at <= now, _unheld(now))


def _unheld(now: datetime) -> ColumnElement[bool]:
    return or_(OutboxMessage.lease_until.is_(None), OutboxMessage.lease_until <= now)


def _post_abroad(
    session: Session, subscriber: Subscriber, *, dedupe_key: str, kind: str, facts: dict[str, Any], now: datetime
) -> None:
    insert_if_absent(
        session, OutboxMessage, id=uuid4(), dedupe_key=f"webhook:{subscriber.key}:{dedupe_key}", kind=kind,
        recipient_kind="webhook", recipient_id=subscriber.id,
        facts={name: facts[name] for name in TOLD_ABROAD if name in facts}, created_at=now, due_at=now, attempts=0,
    )  # fmt: skip


def _end(session: Session, held: HeldMessage, **values: Any) -> bool:
    mine = update(OutboxMessage).where(OutboxMessage.id == held.id, OutboxMessage.token == held.token)
    return rows_met(session, mine.values(token=None, lease_until=None, **values)) == 1
