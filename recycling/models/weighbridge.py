"""What a weighbridge says by itself, the key it signs with, and which ticket stands on which reading and which trip."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, Uuid, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, key_column, one_of
from recycling.models.encrypted import EncryptedText
from recycling.models.written_once import written_once

# How a reading came: sent by the weighbridge itself, or read out of its memory by a keeper.
ReadingSource = Literal["push", "csv"]
READING_SOURCES: tuple[ReadingSource, ...] = get_args(ReadingSource)

READING_NUMBER_CHARS = 32


class ScaleKey(Base):
    """The key that a weighbridge signs its readings with; shown once, when it is made."""

    __tablename__ = "scale_key"

    station_key: Mapped[str] = key_column(primary_key=True)
    scale_number: Mapped[str] = mapped_column(String(32), primary_key=True)
    secret: Mapped[str] = mapped_column(EncryptedText("scale_key.secret"))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    issued_by_id: Mapped[UUID] = mapped_column(Uuid)


@written_once
class ScaleReading(WithId, Base):
    """One weighing as the weighbridge itself tells it, under its own ``reading_number``. Makes no figure by itself.

    ``vehicle_key`` is one of our vehicles or nothing: the number plate of anybody else is not kept.
    """

    __tablename__ = "scale_reading"
    __table_args__ = (
        one_of("source", READING_SOURCES),
        UniqueConstraint("station_key", "scale_number", "reading_number"),
        CheckConstraint("net_g = gross_g - tare_g", name="net"),
        CheckConstraint("tare_g >= 0 AND net_g > 0", name="masses"),
        Index(None, "station_key", "at"),
    )

    station_key: Mapped[str] = key_column()
    scale_number: Mapped[str] = mapped_column(String(32))
    reading_number: Mapped[str] = mapped_column(String(READING_NUMBER_CHARS))
    gross_g: Mapped[int]
    tare_g: Mapped[int]
    net_g: Mapped[int]
    vehicle_key: Mapped[str | None] = key_column()
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    source: Mapped[ReadingSource] = mapped_column(String(8))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_by_id: Mapped[UUID | None] = mapped_column(Uuid)


# A ticket's number, and with it its row, comes after what it stands on is certain: the key is looked at at the end.
def _ticket() -> ForeignKey:
    return ForeignKey("intake_ticket.id", deferrable=True, initially="DEFERRED")


class WeighedReading(Base):
    """Which standing ticket a reading has gone into: one, as the key says. A correction takes it over."""

    __tablename__ = "weighed_reading"

    reading_id: Mapped[UUID] = mapped_column(ForeignKey("scale_reading.id"), primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(_ticket(), unique=True)


class WeighedTrip(Base):
    """Which standing door ticket weighs a vehicle's load: one, as the key says. A correction takes it over."""

    __tablename__ = "weighed_trip"
    __table_args__ = (CheckConstraint("trip >= 1", name="trip"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    vehicle_key: Mapped[str] = key_column(primary_key=True)
    trip: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ticket_id: Mapped[UUID] = mapped_column(_ticket(), unique=True)


def let_go(session: Session, ticket_id: UUID) -> None:
    """Free the reading and the trip of a ticket that is just being replaced."""
    for table in (WeighedReading, WeighedTrip):
        gone = delete(table).where(table.ticket_id == ticket_id)
        session.execute(gone.execution_options(synchronize_session=False))
