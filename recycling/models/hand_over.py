"""Hand-overs to licensed processors: what left a station, what the processor weighed, and who settled a difference."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from recycling.models.base import Base, UtcDateTime, WithId, key_column, one_of
from recycling.models.stock import StockAdjustment
from recycling.models.written_once import written_once
from recycling.policy.custody_tags import TAG_CHARS
from recycling.policy.processors import OUTLET_KINDS, OutletKind

# How a person settles a difference that was held: who weighed wrong, or what became of the mass.
ResolutionCode = Literal["our_scale", "their_scale", "moisture", "lost_on_the_way", "other"]
RESOLUTION_CODES: tuple[ResolutionCode, ...] = get_args(ResolutionCode)


@written_once
class HandOver(WithId, Base):
    """One batch that left a station for a processor: numbered per station, with the licence that covered it that day.

    ``net_g`` is what our scale showed for the whole batch; the lines tell what its goods weighed at weigh-in.
    """

    __tablename__ = "hand_over"
    __table_args__ = (
        one_of("kind", OUTLET_KINDS),
        UniqueConstraint("station_key", "number"),
        CheckConstraint("net_g > 0", name="net_g"),
        Index(None, "day", "station_key"),
    )

    station_key: Mapped[str] = key_column()
    number: Mapped[int]
    day: Mapped[date]
    processor_key: Mapped[str] = key_column()
    kind: Mapped[OutletKind] = mapped_column(String(16))
    licence_number: Mapped[str] = mapped_column(String(64))
    licensed_to: Mapped[date]
    net_g: Mapped[int] = mapped_column(BigInteger)
    plate: Mapped[str] = mapped_column(String(16))
    seal: Mapped[str | None] = mapped_column(String(24))
    keeper_id: Mapped[UUID] = mapped_column(Uuid)
    handed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    lines: Mapped[list[HandOverLine]] = relationship(lazy="selectin", order_by="HandOverLine.position")
    tags: Mapped[list[HandOverTag]] = relationship(lazy="selectin", order_by="HandOverTag.tag")
    re_weighs: Mapped[list[ReWeigh]] = relationship(lazy="selectin", order_by="ReWeigh.number")
    returned: Mapped[list[StockAdjustment]] = relationship(
        viewonly=True,
        lazy="selectin",
        order_by="(StockAdjustment.at, StockAdjustment.id)",
    )


@written_once
class HandOverLine(Base):
    """Units taken out of one lot, with their grams by our tickets.

    What holds somebody's data goes to recovery only, by the database's own word: there is no wipe result to go by yet.
    """

    __tablename__ = "hand_over_line"
    __table_args__ = (
        one_of("kind", OUTLET_KINDS),
        CheckConstraint("units > 0 AND net_g > 0", name="amounts"),
        CheckConstraint("kind = 'recovery' OR NOT data_bearing", name="wiped_first"),
        Index(None, "item_type", "lot_day"),
    )

    hand_over_id: Mapped[UUID] = mapped_column(ForeignKey("hand_over.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_type: Mapped[str] = key_column()
    lot_day: Mapped[date]
    units: Mapped[int]
    net_g: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[OutletKind] = mapped_column(String(16))
    data_bearing: Mapped[bool]


@written_once
class HandOverTag(Base):
    """A labelled unit that left with a batch; another time only after it came back."""

    __tablename__ = "hand_over_tag"

    tag: Mapped[str] = mapped_column(String(TAG_CHARS), ForeignKey("custody_tag.tag"), primary_key=True)
    hand_over_id: Mapped[UUID] = mapped_column(ForeignKey("hand_over.id"), primary_key=True, index=True)


@written_once
class ReWeigh(Base):
    """The net that the processor's scale showed. Outside the tolerance it is ``held`` for a person."""

    __tablename__ = "re_weigh"
    __table_args__ = (CheckConstraint("net_g >= 0", name="net_g"),)

    hand_over_id: Mapped[UUID] = mapped_column(ForeignKey("hand_over.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    net_g: Mapped[int] = mapped_column(BigInteger)
    difference_g: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[bool]
    slip: Mapped[str | None] = mapped_column(String(64))
    by_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    resolution: Mapped[ReWeighResolution | None] = relationship(lazy="selectin")


@written_once
class ReWeighResolution(Base):
    """How a second person settled a held difference."""

    __tablename__ = "re_weigh_resolution"
    __table_args__ = (
        one_of("code", RESOLUTION_CODES),
        CheckConstraint("by_id <> weighed_by_id AND by_id <> handed_by_id", name="second_person"),
        ForeignKeyConstraint(["hand_over_id", "number"], ["re_weigh.hand_over_id", "re_weigh.number"]),
    )

    hand_over_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[ResolutionCode] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(String(200))
    weighed_by_id: Mapped[UUID] = mapped_column(Uuid)
    handed_by_id: Mapped[UUID] = mapped_column(Uuid)
    by_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
