"""The outbox: messages written in the transaction of the change they tell of, delivered afterwards, at least once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import JSON, Index, String, Uuid
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, insert_into, one_of

RecipientKind = Literal["resident", "staff", "bureau"]


class OutboxMessage(WithId, Base):
    """One message to one recipient. ``facts`` holds ids and dates, never personal data; texts are made at delivery.

    ``dedupe_key`` names the effect: the same key is written once, so a repeated job or request sends nothing twice.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (one_of("recipient_kind", get_args(RecipientKind)), Index(None, "sent_at", "dead_at", "due_at"))

    dedupe_key: Mapped[str] = mapped_column(String(160), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    recipient_kind: Mapped[RecipientKind] = mapped_column(String(16))
    recipient_id: Mapped[UUID | None] = mapped_column(Uuid)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dead_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(200))


def post(
    session: Session,
    *,
    dedupe_key: str,
    kind: str,
    to: tuple[RecipientKind, UUID | None],
    facts: dict[str, Any],
    now: datetime,
) -> None:
    """Put a message into the outbox of the running transaction; a second one of the same key is left out."""
    recipient_kind, recipient_id = to
    session.execute(
        insert_into(session, OutboxMessage)
        .values(
            dedupe_key=dedupe_key, kind=kind, recipient_kind=recipient_kind, recipient_id=recipient_id, facts=facts,
            created_at=now, due_at=now, attempts=0,
        )
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
    )  # fmt: skip
