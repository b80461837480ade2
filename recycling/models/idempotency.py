"""Idempotency keys: the answer of a creating call, kept in the transaction of its effect."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime
from recycling.models.encrypted import EncryptedJson


class IdempotencyKey(Base):
    """One key of one caller at one endpoint, the fingerprint of its body and the answer it got."""

    __tablename__ = "idempotency_key"

    caller_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    endpoint: Mapped[str] = mapped_column(String(128), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    answer: Mapped[Any] = mapped_column(EncryptedJson("idempotency_key.answer"), nullable=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
