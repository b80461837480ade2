"""Mass balance: what the doors of a trip gave against what the station weighed, and units that came stripped."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, Uuid, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from recycling.models.base import Base, UtcDateTime, WithId, key_column, one_of
from recycling.models.written_once import written_once

BalanceState = Literal["ok", "held", "resolved"]
BALANCE_STATES: tuple[BalanceState, ...] = get_args(BalanceState)

# What a person found out about a trip that was held.
ResolutionReason = Literal[
    "reweighed", "door_estimate", "door_record_wrong", "unloaded_elsewhere", "goods_missing", "other"
]
RESOLUTION_REASONS: tuple[ResolutionReason, ...] = get_args(ResolutionReason)

# Whether door and station agree that units came stripped; goods that no crew fetched have no door.
Agreement = Literal["both", "station_only", "door_only", "no_door"]
AGREEMENTS: tuple[Agreement, ...] = get_args(Agreement)

TRIP_LOCKS = 0x7472  # the first half of the advisory locks of days
UNKNOWN_VEHICLE = "unknown"  # of a ticket whose goods no crew's record and no vehicle stands behind


class TripBalance(WithId, Base):
    """One load of a vehicle on a day, from 1: doors against scale, as far as is known by now.

    ``doorstep_g``, ``class_average_g`` and ``type_table_g`` are the grams of its doors by where they come from;
    ``station_g`` the net of its standing ``tickets`` (ids); ``station_key`` where it was weighed, before that the
    station of the vehicle. ``causes`` says why it is held, ``differing`` which units door and scale do not agree on:
    ``[{"booking_id", "item_type", "collected", "weighed"}]``.

    ``version`` counts the figures it had: a resolution is about one of them, and newer ones are judged anew. Nothing
    else ever changes a row. A trip of which nothing is left, since records were taken back, stays with zeros.
    """

    __tablename__ = "trip_balance"
    __table_args__ = (
        one_of("state", BALANCE_STATES),
        UniqueConstraint("day", "vehicle_key", "trip"),
        CheckConstraint("trip >= 1 AND version >= 1", name="numbers"),
        CheckConstraint("doorstep_g >= 0 AND class_average_g >= 0 AND type_table_g >= 0", name="door"),
        CheckConstraint("station_g >= 0 AND tolerance_g >= 0", name="station"),
        Index(None, "state", "day"),
    )

    day: Mapped[date]
    vehicle_key: Mapped[str] = key_column()
    trip: Mapped[int]
    station_key: Mapped[str] = key_column(index=True)
    doors: Mapped[int]
    units: Mapped[int]
    doorstep_g: Mapped[int]
    class_average_g: Mapped[int]
    type_table_g: Mapped[int]
    station_g: Mapped[int]
    tolerance_g: Mapped[int]
    tickets: Mapped[list[str]] = mapped_column(JSON)
    differing: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    causes: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[BalanceState] = mapped_column(String(16))
    version: Mapped[int]
    computed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    resolutions: Mapped[list[TripResolution]] = relationship(
        viewonly=True, lazy="selectin", order_by="TripResolution.version"
    )

    @property
    def door_g(self) -> int:
        """Grams of the doors from all sources together."""
        return self.doorstep_g + self.class_average_g + self.type_table_g

    @property
    def difference_g(self) -> int:
        """Station less doors: below zero when goods are missing."""
        return self.station_g - self.door_g


@written_once
class TripResolution(Base):
    """What a person said of a held trip's figures of one version. ``note`` holds no personal data."""

    __tablename__ = "trip_resolution"
    __table_args__ = (one_of("reason", RESOLUTION_REASONS),)

    balance_id: Mapped[UUID] = mapped_column(ForeignKey("trip_balance.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[ResolutionReason] = mapped_column(String(24))
    note: Mapped[str] = mapped_column(String(200))
    by_id: Mapped[UUID] = mapped_column(Uuid)
    by_role: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class MissingPartsFlag(Base):
    """Units of an item type that came stripped, by the door, the station or both: rebuilt with the day's balances.

    Of a booking, on its day; or of a line of a ticket without bookings, on the day of weighing. ``id`` is made of what
    it is about, so that a rebuilt row keeps it. ``door_units`` is ``None`` where the crew said so without a count;
    ``station_units`` is ``None`` until the goods are weighed.
    """

    __tablename__ = "missing_parts_flag"
    __table_args__ = (
        one_of("agreement", AGREEMENTS),
        CheckConstraint("units > 0", name="units"),
        Index(None, "day", "id"),
        Index(None, "station_key", "day"),
        Index(None, "collector_key", "day"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    day: Mapped[date]
    station_key: Mapped[str] = key_column()
    collector_key: Mapped[str | None] = key_column()
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"))
    ticket_id: Mapped[UUID | None] = mapped_column(ForeignKey("intake_ticket.id"))
    item_type: Mapped[str] = key_column()
    units: Mapped[int]
    door_units: Mapped[int | None]
    station_units: Mapped[int | None]
    agreement: Mapped[Agreement] = mapped_column(String(16))


def lock_balances(session: Session, day: date) -> None:
    """Make everybody else who works out the balances of a day wait until the transaction ends.

    SQLite's writers queue as it is.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(TRIP_LOCKS, day.toordinal())))
