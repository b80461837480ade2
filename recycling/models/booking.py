"""Bookings, their items, and the log of their changes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, Index, String, Uuid, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from recycling.models.base import Base, UtcDateTime, WithId, key_column, one_of
from recycling.models.encrypted import EncryptedJson
from recycling.policy.catalogue import CONDITIONS, Condition

BookingState = Literal["held", "booked", "collected", "partly_collected", "failed", "cancelled"]
BOOKING_STATES: tuple[BookingState, ...] = get_args(BookingState)

# How a resident agreed to a booking that somebody at a desk made for them.
Consent = Literal["phone", "shop", "visit", "institution"]
CONSENTS: tuple[Consent, ...] = get_args(Consent)

# A place is kept, or promised: these have their visit in a tentative route.
PROMISED: tuple[BookingState, ...] = ("held", "booked")

# The allowed graph. A hold that is not confirmed in time is deleted, without a history. The doorstep's outcome is a
# fold over events, so it may be corrected or taken back; a cancelled booking stays so.
NEXT_STATES: dict[BookingState, frozenset[BookingState]] = {
    "held": frozenset({"booked"}),
    "booked": frozenset({"collected", "partly_collected", "failed", "cancelled"}),
    "collected": frozenset({"partly_collected", "failed", "booked"}),
    "partly_collected": frozenset({"collected", "failed", "booked"}),
    "failed": frozenset({"collected", "partly_collected", "booked"}),
    "cancelled": frozenset(),
}

# What is left of a place when its time is over, or its resident has been erased.
BLANK_PLACE: dict[str, Any] = {"address": "", "lat": None, "lon": None, "note": ""}


class Booking(WithId, Base):
    """A request to fetch items at an address in one window of one service day.

    ``place`` holds ``{"address": str, "lat": float, "lon": float, "note": str}`` (WGS-84), encrypted; `BLANK_PLACE`
    from ``place_blanked_at`` on. ``area`` is the key of the town-level unit whose station serves it. A held one is kept
    until ``held_until`` and is no booking yet. ``consent`` says how the resident agreed to what staff booked for them.

    Each row is one visit. Where a booking needs several, the further ones are ``part_of`` the first, which stands for
    the booking: same resident, place, day and window, and until the day is planned the same state.
    """

    __tablename__ = "booking"
    __table_args__ = (
        one_of("state", BOOKING_STATES),
        CheckConstraint("service_s >= 0 AND declared_g >= 0 AND declared_l >= 0", name="amounts"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name="held"),
        CheckConstraint("part_of <> id", name="part_of"),
        Index(None, "day", "area"),
        Index(None, "resident_id", "created_at"),
    )

    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    part_of: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"), index=True)
    day: Mapped[date]
    area: Mapped[str] = key_column()
    pickup_window: Mapped[str] = key_column()
    village_code: Mapped[str] = mapped_column(String(12))
    place: Mapped[dict[str, Any]] = mapped_column(EncryptedJson("booking.place"))
    floor: Mapped[int]
    has_lift: Mapped[bool]
    state: Mapped[BookingState] = mapped_column(String(16))
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    consent: Mapped[Consent | None] = mapped_column(String(16))
    service_s: Mapped[int]
    declared_g: Mapped[int]
    declared_l: Mapped[int]
    made_up: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    place_blanked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    items: Mapped[list[BookedItem]] = relationship(
        back_populates="booking", cascade="all, delete-orphan", lazy="selectin", order_by="BookedItem.item_type"
    )
    parts: Mapped[list[Booking]] = relationship(viewonly=True, order_by="(Booking.created_at, Booking.id)")

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}  # noqa: RUF012  # SQLAlchemy's form


class BookedItem(Base):
    """One item type of a booking: units declared by the resident, counted at the door, weighed at a station.

    The checks are the double-count guard: no unit is weighed that no collector counted, and none twice.
    ``wipe_terms`` names the terms that somebody agreed to for a data-bearing type, with when and who.
    """

    __tablename__ = "booked_item"
    __table_args__ = (
        CheckConstraint("declared_units >= 0 AND collected_units >= 0", name="units"),
        CheckConstraint("weighed_units BETWEEN 0 AND collected_units", name="weighed_once"),
        one_of("condition", CONDITIONS),
        CheckConstraint(
            "(wipe_consent_at IS NULL) = (wipe_consent_by IS NULL)"
            " AND (wipe_consent_at IS NULL) = (wipe_terms IS NULL)",
            name="wipe_consent",
        ),
    )

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    item_type: Mapped[str] = key_column(primary_key=True)
    declared_units: Mapped[int]
    dismantle: Mapped[bool] = mapped_column(default=False)
    collected_units: Mapped[int] = mapped_column(default=0)
    weighed_units: Mapped[int] = mapped_column(default=0)
    condition: Mapped[Condition] = mapped_column(String(16), default="unknown", server_default="unknown")
    wipe_terms: Mapped[str | None] = key_column()
    wipe_consent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    wipe_consent_by: Mapped[UUID | None] = mapped_column(Uuid)

    booking: Mapped[Booking] = relationship(back_populates="items")


class BookingChange(WithId, Base):
    """One line of a booking's history: who did what, when, and what it asked for then. Holds no personal data.

    ``wish`` is ``{"area", "pickup_window", "items": {item type: units}, "declared_g"}``. Of lines from before it was
    kept, it and ``day`` are empty.
    """

    __tablename__ = "booking_change"

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[UUID] = mapped_column(Uuid)
    by_role: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(32))
    state: Mapped[BookingState] = mapped_column(String(16))
    version: Mapped[int]
    day: Mapped[date | None] = mapped_column(index=True)
    wish: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


def with_parts(booking_id: UUID) -> ColumnElement[bool]:
    """The row of a booking and those of its further visits."""
    return or_(Booking.id == booking_id, Booking.part_of == booking_id)


def visits_with(session: Session, booking: Booking) -> int:
    """How many visits that were not withdrawn the booking has that this row is one of, itself included."""
    others = select(func.count()).where(
        with_parts(booking.part_of or booking.id), Booking.id != booking.id, Booking.state != "cancelled"
    )
    return 1 + (session.scalar(others) or 0)


def linked_on(session: Session, day: date) -> dict[UUID, int]:
    """How many visits that were not withdrawn each linked booking of a day has, by the id of its first."""
    further = select(Booking.part_of, func.count()).where(
        Booking.day == day, Booking.part_of.is_not(None), Booking.state != "cancelled"
    )
    return {main: 1 + parts for main, parts in session.execute(further.group_by(Booking.part_of)) if main is not None}
