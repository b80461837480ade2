"""Weigh-in: scales, tickets and their lines. A recovered kilogram exists only because a ticket says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, Uuid, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from recycling.models.base import Base, UtcDateTime, WithId, insert_into, key_column, one_of
from recycling.models.encrypted import keyring
from recycling.models.written_once import written_once

if TYPE_CHECKING:
    from recycling.models.custody import WeighedTag

# By which way goods come: with a van from a door, brought by their owner, out of a smart bin, taken back by a shop for
# a new one, or out of the pool of public bodies' idle equipment. Only goods from a door have a booking.
Channel = Literal["door", "walk_in", "bin", "trade_in", "pool"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)

# Where a line's grams come from, best first. A national mean is never written on a ticket: there is a type table.
Provenance = Literal["weighed", "station_class_average", "type_table"]
PROVENANCES: tuple[Provenance, ...] = get_args(Provenance)

# Why part of a load is sent back (扣杂).
RefusedReason = Literal["waste", "wet", "hazardous", "not_accepted", "foreign_matter", "other"]
REFUSED_REASONS: tuple[RefusedReason, ...] = get_args(RefusedReason)


class Scale(Base):
    """A scale of a station: its newest ticket's number and mac. Locked and moved on by each weigh-in."""

    __tablename__ = "scale"
    __table_args__ = (CheckConstraint("last_number >= 0", name="last_number"),)

    station_key: Mapped[str] = key_column(primary_key=True)
    scale_number: Mapped[str] = mapped_column(String(32), primary_key=True)
    last_number: Mapped[int] = mapped_column(default=0)
    last_mac: Mapped[bytes] = mapped_column(LargeBinary(32), default=b"")


@written_once
class IntakeTicket(WithId, Base):
    """One weigh-in. Never changed: a correction is a new ticket that names the one it replaces.

    ``day`` is the day of weighing, for a correction the day of its original; ``counts_on`` the day the mass counts for.
    The two are the same until the month of ``day`` is closed: a correction after that is a dated adjustment. It counts
    on the day it is made, and ``counters_id`` names the ticket whose lines are taken off again on that same day; that
    ticket stays in its closed month. A ticket replaced in any other way counts no more. A correction without lines
    withdraws its original.

    ``weighed_at`` is when the load stood on the scale, ``recorded_at`` when we came to know: later for a ticket taken
    off a reading. ``trip`` tells which of the vehicle's loads of ``day`` it was, from 1. ``reading_id`` is what the
    weighbridge itself said of it, where it can speak. ``mac`` chains the tickets of a scale.
    """

    __tablename__ = "intake_ticket"
    __table_args__ = (
        one_of("channel", CHANNELS),
        one_of("refused_reason", REFUSED_REASONS),
        UniqueConstraint("station_key", "scale_number", "number"),
        CheckConstraint("net_g = gross_g - tare_g", name="net"),
        CheckConstraint("tare_g >= 0 AND net_g >= 0 AND refused_g BETWEEN 0 AND net_g", name="masses"),
        CheckConstraint("net_g > 0 OR corrects_id IS NOT NULL", name="something_weighed"),
        CheckConstraint("(corrects_id IS NULL) = (correction_reason IS NULL)", name="correction_has_reason"),
        CheckConstraint("refused_g = 0 OR refused_reason IS NOT NULL", name="refusal_has_reason"),
        CheckConstraint("trip IS NULL OR (trip >= 1 AND vehicle_key IS NOT NULL)", name="trip"),
        CheckConstraint("counters_id IS NULL OR (corrects_id IS NOT NULL AND counts_on > day)", name="adjustment"),
        CheckConstraint("counters_id IS NOT NULL OR counts_on = day", name="counts_on"),
        Index(None, "day", "station_key"),
        Index(None, "counts_on", "station_key"),
        # Figures say how many made-up tickets are in them; where there are none, this is how to see it at once.
        Index(
            "ix_intake_ticket_made_up", "counts_on", postgresql_where=text("made_up"), sqlite_where=text("made_up = 1")
        ),
    )

    station_key: Mapped[str] = key_column()
    scale_number: Mapped[str] = mapped_column(String(32))
    number: Mapped[int]
    channel: Mapped[Channel] = mapped_column(String(16))
    day: Mapped[date]
    counts_on: Mapped[date]
    gross_g: Mapped[int]
    tare_g: Mapped[int]
    net_g: Mapped[int]
    refused_g: Mapped[int] = mapped_column(default=0)
    refused_reason: Mapped[RefusedReason | None] = mapped_column(String(16))
    vehicle_key: Mapped[str | None] = key_column()
    trip: Mapped[int | None]
    reading_id: Mapped[UUID | None] = mapped_column(ForeignKey("scale_reading.id"))
    keeper_id: Mapped[UUID] = mapped_column(Uuid)
    weighed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("intake_ticket.id"), unique=True)
    counters_id: Mapped[UUID | None] = mapped_column(ForeignKey("intake_ticket.id"), index=True)
    correction_reason: Mapped[str | None] = mapped_column(String(200))
    made_up: Mapped[bool] = mapped_column(default=False)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32), default=b"")

    lines: Mapped[list[IntakeLine]] = relationship(
        back_populates="ticket", lazy="selectin", order_by="IntakeLine.position"
    )


@written_once
class IntakeLine(Base):
    """Units and net grams of one item type; the lines of a ticket add up to its net less what was refused.

    ``town_key`` is the town-level unit the goods come from: that of the booking, without one that of the station.
    ``missing_parts`` counts the units that came stripped of something.
    """

    __tablename__ = "intake_line"
    __table_args__ = (
        one_of("provenance", PROVENANCES),
        CheckConstraint("units > 0 AND net_g > 0", name="amounts"),
        CheckConstraint("missing_parts BETWEEN 0 AND units", name="missing_parts"),
        Index(None, "booking_id"),
    )

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("intake_ticket.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_type: Mapped[str] = key_column()
    units: Mapped[int]
    net_g: Mapped[int]
    provenance: Mapped[Provenance] = mapped_column(String(24))
    missing_parts: Mapped[int] = mapped_column(default=0)
    town_key: Mapped[str] = key_column()
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"))

    ticket: Mapped[IntakeTicket] = relationship(back_populates="lines")
    weighed_tags: Mapped[list[WeighedTag]] = relationship(viewonly=True, lazy="selectin", order_by="WeighedTag.tag")

    @property
    def tags(self) -> list[str]:
        """The labels of its units, those that the ticket names."""
        return [row.tag for row in self.weighed_tags]


def number_ticket(session: Session, ticket: IntakeTicket) -> None:
    """Give a new ticket the next number of its scale and chain it to the one before, then store it.

    The scale's row stays locked until the transaction ends; a transaction that is undone gives its number back, so
    that the numbers of a scale have no gap.
    """
    row = insert_into(session, Scale).values(
        station_key=ticket.station_key, scale_number=ticket.scale_number, last_number=1, last_mac=b""
    )
    counted = row.on_conflict_do_update(
        index_elements=["station_key", "scale_number"], set_={"last_number": Scale.last_number + 1}
    )
    ticket.number, before = session.execute(counted.returning(Scale.last_number, Scale.last_mac)).one()
    ticket.mac = ticket_mac(ticket, before=bytes(before))
    session.execute(
        update(Scale)
        .where(Scale.station_key == ticket.station_key, Scale.scale_number == ticket.scale_number)
        .values(last_mac=ticket.mac)
        .execution_options(synchronize_session=False)
    )
    session.add(ticket)
    session.flush()


def ticket_mac(ticket: IntakeTicket, *, before: bytes) -> bytes:
    """The keyed digest of a ticket, its lines, and the mac of the ticket before it on the same scale."""
    said = [before.hex(), *_plain(_of_ticket(ticket))]
    said += [_plain(_of_line(line)) for line in sorted(ticket.lines, key=_position)]
    return keyring.digest(_COMPACT.encode(said), context="intake_ticket.mac")


# What the chain vouches for: every column but the mac itself.
CHAINED = (
    "id", "station_key", "scale_number", "number", "channel", "day", "counts_on", "gross_g", "tare_g", "net_g",
    "refused_g", "refused_reason", "vehicle_key", "trip", "reading_id", "keeper_id", "weighed_at", "recorded_at",
    "corrects_id", "counters_id", "correction_reason", "made_up",
)  # fmt: skip
CHAINED_LINE = (
    "position", "item_type", "units", "net_g", "provenance", "missing_parts", "town_key", "booking_id"
)  # fmt: skip


# A month of tickets is hundreds of thousands of them: read at once and told apart by type, in half the time.
_of_ticket, _of_line, _position = attrgetter(*CHAINED), attrgetter(*CHAINED_LINE), attrgetter("position")
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_AS_TEXT: dict[type, Callable[[Any], str]] = {
    datetime: lambda value: value.astimezone(UTC).isoformat(timespec="microseconds"),
    date: str,
    UUID: str,
}


def _plain(values: Iterable[Any]) -> list[Any]:
    return [as_text(value) if (as_text := _AS_TEXT.get(type(value))) else value for value in values]
