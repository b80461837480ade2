"""Field events: what collectors recorded on their day. Append-only; every state is a fold over them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, key_column, one_of
from recycling.models.encrypted import EncryptedJson, EncryptedText
from recycling.models.written_once import written_once
from recycling.policy.field_events import FIELD_KINDS, FieldKind


@written_once
class FieldEvent(Base):
    """One record from a collector's device, named by the id the device gave it.

    ``vehicle_key`` is the vehicle they rode on by the plan of ``day`` that they went by, ``plan_version`` that plan.
    ``device_seq`` is the device's own count. ``device_time`` is what its clock said, ``made_at`` when it happened as
    far as we can tell, ``skew_s`` the difference where it is known. A ``quarantined`` one counts only once a person
    has said so. ``counts_on`` is the day it is counted for: that of the pickup, or of its arrival when the figures of
    that day were closed before.

    ``items`` is ``[{"item_type": str, "units": int, …}]``, ascending by item type; ``payload`` what else the folds and
    figures read, if anything; ``words`` what may be about people, encrypted, until its time is over; ``fingerprint``
    the digest of the record as sent, by which a second record under the same id is told apart.
    """

    __tablename__ = "field_event"
    __table_args__ = (
        one_of("kind", FIELD_KINDS),
        Index(None, "device_id", "device_seq"),
        Index(None, "day", "vehicle_key"),
    )

    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    day: Mapped[date]
    vehicle_key: Mapped[str] = key_column()
    plan_version: Mapped[int]
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"), index=True)
    collector_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    device_id: Mapped[UUID] = mapped_column(Uuid)
    device_seq: Mapped[int]
    kind: Mapped[FieldKind] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    words: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJson("field_event.words"), deferred=True)
    device_time: Mapped[datetime] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    skew_s: Mapped[int | None]
    quarantined: Mapped[bool] = mapped_column(default=False)
    counts_on: Mapped[date]
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))


@written_once
class FieldEventClash(Base):
    """What came under the id of a record that stood already, and said something else: kept beside it, and not counted.

    ``content`` is the whole of it as it came, but a resident's code and signature; ``booking_id`` what it was about.
    """

    __tablename__ = "field_event_clash"

    event_id: Mapped[UUID] = mapped_column(ForeignKey("field_event.event_id"), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    booking_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)  # as it was named, whether or not there is one
    collector_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    content: Mapped[dict[str, Any]] = mapped_column(EncryptedJson("field_event_clash.content"))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FieldFlag(Base):
    """Why a person has to look at an event: one row for a reason, which goes when it holds no more.

    ``settled_at`` is when somebody ruled on the event (`FieldRuling`).
    """

    __tablename__ = "field_flag"

    event_id: Mapped[UUID] = mapped_column(ForeignKey("field_event.event_id"), primary_key=True)
    code: Mapped[str] = key_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


@written_once
class FieldRuling(Base):
    """What a person said of an event: whether it counts. The newest one holds.

    ``note`` says why, encrypted, until the time of words about people is over.
    """

    __tablename__ = "field_ruling"

    event_id: Mapped[UUID] = mapped_column(ForeignKey("field_event.event_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    counts: Mapped[bool]
    note: Mapped[str | None] = mapped_column(EncryptedText("field_ruling.note"))
    by_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
