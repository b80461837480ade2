"""Doorstep events: what a collector recorded at a stop. Append-only; a booking's outcome is a fold over them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, one_of
from recycling.models.written_once import written_once

DoorstepKind = Literal["collected", "partly", "failed", "on_the_way"]
DOORSTEP_KINDS: tuple[DoorstepKind, ...] = get_args(DoorstepKind)


@written_once
class DoorstepEvent(Base):
    """One record from a collector's device, named by the id the device gave it.

    ``on_the_way`` says that the collector has set out for this door; it is no outcome and changes none.
    ``items`` is ``[{"item_type": str, "units": int, "estimated_g": int | None}]``, ascending by item type;
    ``fingerprint`` the digest of the record as sent, by which a second record under the same id is told apart.
    """

    __tablename__ = "doorstep_event"
    __table_args__ = (one_of("kind", DOORSTEP_KINDS),)

    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), index=True)
    collector_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    kind: Mapped[DoorstepKind] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    device_time: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
