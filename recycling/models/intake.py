"""Weigh-in: scales, tickets and their lines. A recovered kilogram exists only because a ticket says so."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from recycling.models.base import Base, UtcDateTime, WithId, insert_into, key_column, one_of
from recycling.models.written_once import written_once

Channel = Literal["door", "walk_in"]
Provenance = Literal["weighed", "type_table"]


class Scale(Base):
    """A scale of a station. ``last_number`` is the newest ticket's number: locked and counted up by each weigh-in."""

    __tablename__ = "scale"
    __table_args__ = (CheckConstraint("last_number >= 0", name="last_number"),)

    station_key: Mapped[str] = key_column(primary_key=True)
    scale_number: Mapped[str] = mapped_column(String(32), primary_key=True)
    last_number: Mapped[int] = mapped_column(default=0)


@written_once
class IntakeTicket(WithId, Base):
    """One weigh-in. Never changed: a correction is a new ticket that names the one it replaces.

    ``day`` is the service day the mass counts for: the day of weighing, for a correction the day of its original.
    A replaced ticket counts no more; a correction without lines withdraws its original.
    """

    __tablename__ = "intake_ticket"
    __table_args__ = (
        one_of("channel", get_args(Channel)),
        UniqueConstraint("station_key", "scale_number", "number"),
        CheckConstraint("net_g = gross_g - tare_g", name="net"),
        CheckConstraint("tare_g >= 0 AND net_g >= 0 AND refused_g BETWEEN 0 AND net_g", name="masses"),
        CheckConstraint("net_g > 0 OR corrects_id IS NOT NULL", name="something_weighed"),
        CheckConstraint("(corrects_id IS NULL) = (correction_reason IS NULL)", name="correction_has_reason"),
        Index(None, "day", "station_key"),
    )

    station_key: Mapped[str] = key_column()
    scale_number: Mapped[str] = mapped_column(String(32))
    number: Mapped[int]
    channel: Mapped[Channel] = mapped_column(String(16))
    day: Mapped[date]
    gross_g: Mapped[int]
    tare_g: Mapped[int]
    net_g: Mapped[int]
    refused_g: Mapped[int] = mapped_column(default=0)
    vehicle_key: Mapped[str | None] = key_column()
    keeper_id: Mapped[UUID] = mapped_column(Uuid)
    weighed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("intake_ticket.id"), unique=True)
    correction_reason: Mapped[str | None] = mapped_column(String(200))
    made_up: Mapped[bool] = mapped_column(default=False)

    lines: Mapped[list[IntakeLine]] = relationship(
        back_populates="ticket", lazy="selectin", order_by="IntakeLine.position"
    )


@written_once
class IntakeLine(Base):
    """Units and net grams of one item type; the lines of a ticket add up to its net less what was refused.

    ``town_key`` is the town-level unit the goods come from: that of the booking, for a walk-in that of the station.
    """

    __tablename__ = "intake_line"
    __table_args__ = (
        one_of("provenance", get_args(Provenance)),
        CheckConstraint("units > 0 AND net_g > 0", name="amounts"),
        Index(None, "booking_id"),
    )

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("intake_ticket.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_type: Mapped[str] = key_column()
    units: Mapped[int]
    net_g: Mapped[int]
    provenance: Mapped[Provenance] = mapped_column(String(16))
    town_key: Mapped[str] = key_column()
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"))

    ticket: Mapped[IntakeTicket] = relationship(back_populates="lines")


def next_number(session: Session, *, station_key: str, scale_number: str) -> int:
    """Count a scale up and return the number of its next ticket; the row stays locked until the transaction ends.

    A transaction that is undone gives its number back, so that the numbers of a scale have no gap.
    """
    row = insert_into(session, Scale).values(station_key=station_key, scale_number=scale_number, last_number=1)
    counted = row.on_conflict_do_update(
        index_elements=["station_key", "scale_number"], set_={"last_number": Scale.last_number + 1}
    )
    return session.scalars(counted.returning(Scale.last_number)).one()
