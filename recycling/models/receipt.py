"""Delivery receipts (短信回执): what a provider says became of a text, each kept once, whatever comes first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import get_args
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, insert_if_absent, one_of
from recycling.models.outbox import LONGEST_REFERENCE, DeliveryState, OutboxMessage
from recycling.models.transaction import rows_met

LONGEST_RECEIPT_ID = 128
# A later one never gives way to an earlier one. That a text reached the phone is proof; that it did not is an opinion.
RANKS: Sequence[DeliveryState] = ("accepted", "undelivered", "delivered")


class SmsReceipt(WithId, Base):
    """One receipt under the id its provider gave it; the constraint on both is what a replay runs into.

    ``message_id`` stays empty, and the receipt parked, while no message of that provider and reference is known.
    """

    __tablename__ = "sms_receipt"
    __table_args__ = (
        UniqueConstraint("provider", "receipt_id"),
        one_of("state", get_args(DeliveryState)),
        Index(None, "provider", "reference"),
    )

    provider: Mapped[str] = mapped_column(String(32))
    receipt_id: Mapped[str] = mapped_column(String(LONGEST_RECEIPT_ID))
    reference: Mapped[str] = mapped_column(String(LONGEST_REFERENCE))
    state: Mapped[DeliveryState] = mapped_column(String(16))
    code: Mapped[str | None] = mapped_column(String(32))
    reported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("outbox_message.id"))


def keep_receipt(
    session: Session, *, provider: str, receipt_id: str, reference: str, state: DeliveryState, code: str | None,
    reported_at: datetime, now: datetime,
) -> bool:  # fmt: skip
    """Store a receipt; false when it stands already."""
    return insert_if_absent(
        session, SmsReceipt, id=uuid4(), provider=provider, receipt_id=receipt_id, reference=reference, state=state,
        code=code, reported_at=reported_at, received_at=now, message_id=None,
    )  # fmt: skip


def waits_for_fold(session: Session, *, provider: str, reference: str) -> bool:
    """Whether a receipt of a text is parked; a read that spares most senders a transaction."""
    parked = select(SmsReceipt.id).where(
        SmsReceipt.provider == provider, SmsReceipt.reference == reference, SmsReceipt.message_id.is_(None)
    )
    return session.scalar(parked.limit(1)) is not None


def fold_receipts(session: Session, *, provider: str, reference: str) -> DeliveryState | None:
    """Bring a message up to what all its receipts come to; ``None`` when there is no such message yet.

    A fold over the whole set: in whatever sequence they came and however often, the message ends the same.
    """
    mine = (OutboxMessage.provider == provider, OutboxMessage.reference == reference)
    message_id = session.scalar(select(OutboxMessage.id).where(*mine).limit(1).with_for_update())
    if message_id is None:
        return None
    of_this = (SmsReceipt.provider == provider, SmsReceipt.reference == reference)
    said = session.scalars(select(SmsReceipt.state).where(*of_this)).all()
    state = max(said, key=RANKS.index, default=None)
    if state is not None:
        lower = or_(OutboxMessage.delivery.is_(None), OutboxMessage.delivery.in_(RANKS[: RANKS.index(state)]))
        rows_met(session, update(OutboxMessage).where(OutboxMessage.id == message_id, lower).values(delivery=state))
        rows_met(
            session, update(SmsReceipt).where(*of_this, SmsReceipt.message_id.is_(None)).values(message_id=message_id)
        )
    return state


def parked_receipts(session: Session, *, limit: int) -> Sequence[tuple[str, str]]:
    """Provider and reference of parked receipts whose message is known by now."""
    known = (OutboxMessage.provider == SmsReceipt.provider, OutboxMessage.reference == SmsReceipt.reference)
    found = (
        select(SmsReceipt.provider, SmsReceipt.reference)
        .join(OutboxMessage, known[0] & known[1])
        .where(SmsReceipt.message_id.is_(None))
        .distinct()
        .limit(limit)
    )
    return [(provider, reference) for provider, reference in session.execute(found)]
