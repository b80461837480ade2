"""A day that mends itself: what went wrong on it, proposals for its rest, and promises that these break."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, key_column, one_of
from recycling.models.encrypted import EncryptedText
from recycling.models.written_once import written_once
from recycling.policy.healing import CAUSES, DISRUPTION_KINDS, Cause, DisruptionKind


@written_once
class Disruption(WithId, Base):
    """Something of a running day that is not as it was planned.

    It is about a vehicle, a station or a booking, as its kind says. ``minutes`` is how long a late vehicle stands
    still from ``at`` on, ``substitutes`` who rides on a vehicle in the place of its sick crew. ``event_id`` is the
    collector's record that tells of it; what the crew records later then decides whether it still holds. ``note`` is
    encrypted, for it may say how somebody is, and goes when its time is over.
    """

    __tablename__ = "disruption"
    __table_args__ = (
        one_of("kind", DISRUPTION_KINDS),
        CheckConstraint("(kind IN ('breakdown', 'sick', 'late')) = (vehicle_key IS NOT NULL)", name="vehicle"),
        CheckConstraint("(kind IN ('station_closed', 'station_full')) = (station_key IS NOT NULL)", name="station"),
        CheckConstraint("(kind IN ('urgent', 'cancelled')) = (booking_id IS NOT NULL)", name="booking"),
        CheckConstraint("(kind = 'late') = (minutes IS NOT NULL) AND minutes > 0", name="minutes"),
    )

    day: Mapped[date] = mapped_column(index=True)
    kind: Mapped[DisruptionKind] = mapped_column(String(16))
    vehicle_key: Mapped[str | None] = key_column()
    station_key: Mapped[str | None] = key_column()
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"), index=True)
    minutes: Mapped[int | None]
    substitutes: Mapped[list[str]] = mapped_column(JSON)
    event_id: Mapped[UUID | None] = mapped_column(ForeignKey("field_event.event_id"), unique=True)
    note: Mapped[str | None] = mapped_column(EncryptedText("disruption.note"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[UUID] = mapped_column(Uuid)


@written_once
class ReplanProposal(Base):
    """What a mid-day version of a plan is based on, and what it changes.

    ``base_plan_id`` is the version that people went by, ``root_plan_id`` the one of the evening before, whose problem
    is the whole day. ``seen`` is the digest of the events that matter to it: with another one it is out of date.
    ``changes`` is ``[{"booking_id", "vehicle_before", "vehicle_after", "start_before_s", "start_after_s", "window_s",
    "kept", "kept_before", "reason"}, …]``, ascending by booking. Of the ``open_stops`` so many ``moved`` to another
    vehicle, ``eased`` of them from one that drives no more; ``broken`` promises are late or left out, and were not.
    """

    __tablename__ = "replan_proposal"
    __table_args__ = (
        one_of("cause", CAUSES),
        CheckConstraint("moved BETWEEN eased AND open_stops AND eased >= 0", name="moved"),
        CheckConstraint("broken >= 0 AND left_out >= 0", name="counts"),
        CheckConstraint("plan_id <> base_plan_id", name="base"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"), primary_key=True)
    base_plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"), index=True)
    root_plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"))
    day: Mapped[date] = mapped_column(index=True)
    now_s: Mapped[int]
    cause: Mapped[Cause] = mapped_column(String(16))
    seen: Mapped[str] = mapped_column(String(64))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    open_stops: Mapped[int]
    moved: Mapped[int]
    eased: Mapped[int]
    broken: Mapped[int]
    left_out: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


@written_once
class BrokenPromise(WithId, Base):
    """A promised window that a published mid-day plan does not keep, and what its resident is offered instead.

    ``expected_before_s`` is when the plan before had the visit, ``expected_after_s`` when the new one has it, ``None``
    for not at all. ``alternatives`` is ``[{"day": str, "pickup_window": str}, …]``, proven open together when offered.
    ``message_id`` is the notice; nobody is there to get one for a made-up booking.
    """

    __tablename__ = "broken_promise"
    __table_args__ = (UniqueConstraint("booking_id", "plan_id"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("replan_proposal.plan_id"), index=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    day: Mapped[date] = mapped_column(index=True)
    pickup_window: Mapped[str] = key_column()
    expected_before_s: Mapped[int | None]
    expected_after_s: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(32))
    alternatives: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    message_id: Mapped[UUID | None] = mapped_column(Uuid)


@written_once
class TakenAlternative(Base):
    """Which alternative a resident took for a broken promise, and the booking it became."""

    __tablename__ = "taken_alternative"

    promise_id: Mapped[UUID] = mapped_column(ForeignKey("broken_promise.id"), primary_key=True)
    number: Mapped[int]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), unique=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
