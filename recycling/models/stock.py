"""Stock of the stations: lots that tickets bring in, hand-overs take out and counts adjust, all as rows that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Select,
    String,
    UniqueConstraint,
    Uuid,
    cast,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from recycling.errors import Conflict
from recycling.models.base import Base, UtcDateTime, WithId, insert_if_absent, key_column, one_of, table_of
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.transaction import run
from recycling.models.written_once import written_once
from recycling.policy.custody_tags import TAG_CHARS

# Why the books and the shelf differ, as the counter of the shelf says.
CountReason = Literal["miscounted", "found", "lost", "stolen", "damaged", "other"]
COUNT_REASONS: tuple[CountReason, ...] = get_args(CountReason)
# And by ourselves: a ticket was corrected after some of its mass had left; a processor sent something back.
ADJUSTMENT_REASONS = (*COUNT_REASONS, "ticket_corrected", "returned")
AMOUNTS = ("in_units", "in_g", "out_units", "out_g", "adjusted_units", "adjusted_g", "left_units", "left_g")


class StockLot(Base):
    """What a station weighed in of one item type on one day, and what is left of it.

    ``day`` is the day of weighing, also where a correction counts later: the goods have lain there since. The books
    balance in each row by the database's own word. ``told_on`` is when somebody was told that it lies too long.
    """

    __tablename__ = "stock_lot"
    __table_args__ = (
        CheckConstraint("left_units = in_units - out_units + adjusted_units", name="units_balance"),
        CheckConstraint("left_g = in_g - out_g + adjusted_g", name="mass_balances"),
        CheckConstraint("in_units >= 0 AND in_g >= 0 AND out_units >= 0 AND out_g >= 0", name="amounts"),
        # Whatever is left weighs something, and nothing weighs nothing.
        CheckConstraint("left_units >= 0 AND left_g >= left_units AND (left_units > 0 OR left_g = 0)", name="left"),
        Index(
            "ix_stock_lot_left", "station_key", "item_type", "day",
            sqlite_where=text("left_units > 0"), postgresql_where=text("left_units > 0"),
        ),
    )  # fmt: skip

    station_key: Mapped[str] = key_column(primary_key=True)
    item_type: Mapped[str] = key_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    in_units: Mapped[int] = mapped_column(default=0)
    in_g: Mapped[int] = mapped_column(BigInteger, default=0)
    out_units: Mapped[int] = mapped_column(default=0)
    out_g: Mapped[int] = mapped_column(BigInteger, default=0)
    adjusted_units: Mapped[int] = mapped_column(default=0)
    adjusted_g: Mapped[int] = mapped_column(BigInteger, default=0)
    left_units: Mapped[int] = mapped_column(default=0)
    left_g: Mapped[int] = mapped_column(BigInteger, default=0)
    told_on: Mapped[date | None]

    def bring(self, units: int, mass_g: int) -> None:
        """Put in what tickets say, or take off again what they do not say any more."""
        self.in_units, self.in_g = self.in_units + units, self.in_g + mass_g
        self._balance()

    def take(self, units: int) -> int:
        """Take units out; returns their grams: the lot's mean, and all that is left with the last of them."""
        mass_g = self.left_g * units // self.left_units
        self.out_units, self.out_g = self.out_units + units, self.out_g + mass_g
        self._balance()
        return mass_g

    def adjust(self, units: int, mass_g: int) -> None:
        """Bring the books to what was counted."""
        self.adjusted_units, self.adjusted_g = self.adjusted_units + units, self.adjusted_g + mass_g
        self._balance()

    def _balance(self) -> None:
        self.left_units = self.in_units - self.out_units + self.adjusted_units
        self.left_g = self.in_g - self.out_g + self.adjusted_g


@written_once
class StockAdjustment(WithId, Base):
    """A change of a lot that is no weigh-in and no hand-over, counted on ``day``, with its reason and who answers."""

    __tablename__ = "stock_adjustment"
    __table_args__ = (
        one_of("reason", ADJUSTMENT_REASONS),
        CheckConstraint("units <> 0 OR net_g <> 0", name="something"),
        CheckConstraint("(count_id IS NULL) = (reason IN ('ticket_corrected', 'returned'))", name="has_source"),
        CheckConstraint("(hand_over_id IS NOT NULL) = (reason = 'returned')", name="has_hand_over"),
        CheckConstraint("(ticket_id IS NOT NULL) = (reason = 'ticket_corrected')", name="has_ticket"),
        Index(None, "station_key", "day"),
    )

    station_key: Mapped[str] = key_column()
    item_type: Mapped[str] = key_column()
    lot_day: Mapped[date]
    day: Mapped[date]
    units: Mapped[int]
    net_g: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(24))
    count_id: Mapped[UUID | None] = mapped_column(ForeignKey("stock_count.id"), index=True)
    ticket_id: Mapped[UUID | None] = mapped_column(ForeignKey("intake_ticket.id"))
    hand_over_id: Mapped[UUID | None] = mapped_column(ForeignKey("hand_over.id"), index=True)
    by_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


@written_once
class StockCount(WithId, Base):
    """What a keeper counted on the shelves beside what the books said. ``held`` ones wait for a second person."""

    __tablename__ = "stock_count"
    __table_args__ = (UniqueConstraint("station_key", "number"),)

    station_key: Mapped[str] = key_column()
    number: Mapped[int]
    day: Mapped[date]
    counted_by_id: Mapped[UUID] = mapped_column(Uuid)
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    held: Mapped[bool]

    lines: Mapped[list[StockCountLine]] = relationship(lazy="selectin", order_by="StockCountLine.item_type")
    decision: Mapped[StockCountDecision | None] = relationship(lazy="selectin")


@written_once
class StockCountLine(Base):
    """One item type of a count; ``counted_g`` only where it was weighed."""

    __tablename__ = "stock_count_line"
    __table_args__ = (
        one_of("reason", COUNT_REASONS),
        CheckConstraint("counted_units >= 0 AND booked_units >= 0 AND booked_g >= 0", name="amounts"),
        CheckConstraint("counted_g IS NULL OR counted_g >= counted_units", name="counted_g"),
        CheckConstraint("reason IS NOT NULL OR (units = 0 AND net_g = 0)", name="difference_has_reason"),
    )

    count_id: Mapped[UUID] = mapped_column(ForeignKey("stock_count.id"), primary_key=True)
    item_type: Mapped[str] = key_column(primary_key=True)
    counted_units: Mapped[int]
    counted_g: Mapped[int | None] = mapped_column(BigInteger)
    booked_units: Mapped[int]
    booked_g: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[int]
    net_g: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[CountReason | None] = mapped_column(String(24))

    tags: Mapped[list[StockCountTag]] = relationship(lazy="selectin", order_by="StockCountTag.tag")

    @property
    def missing_tags(self) -> list[str]:
        """The labels that were not found."""
        return [row.tag for row in self.tags if not row.found]

    @property
    def found_tags(self) -> list[str]:
        """The labels that were missed before and found now."""
        return [row.tag for row in self.tags if row.found]


@written_once
class StockCountTag(Base):
    """A label that a count misses, or has found again; once the count holds, its unit is out of stock, or in again."""

    __tablename__ = "stock_count_tag"
    __table_args__ = (
        ForeignKeyConstraint(["count_id", "item_type"], ["stock_count_line.count_id", "stock_count_line.item_type"]),
    )

    count_id: Mapped[UUID] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(String(TAG_CHARS), ForeignKey("custody_tag.tag"), primary_key=True, index=True)
    item_type: Mapped[str] = key_column()
    found: Mapped[bool] = mapped_column(default=False)


@written_once
class StockCountDecision(Base):
    """What a second person says of a count that was held."""

    __tablename__ = "stock_count_decision"
    __table_args__ = (CheckConstraint("by_id <> counted_by_id", name="second_person"),)

    count_id: Mapped[UUID] = mapped_column(ForeignKey("stock_count.id"), primary_key=True)
    approved: Mapped[bool]
    note: Mapped[str] = mapped_column(String(200))
    counted_by_id: Mapped[UUID] = mapped_column(Uuid)
    by_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class StationBook(Base):
    """The newest numbers of a station's hand-overs and counts; held by whoever changes its stock (`hold_stock`)."""

    __tablename__ = "station_book"

    station_key: Mapped[str] = key_column(primary_key=True)
    last_hand_over: Mapped[int] = mapped_column(default=0)
    last_count: Mapped[int] = mapped_column(default=0)


def hold_stock(session: Session, station_key: str) -> None:
    """Hold a station's book until the transaction ends.

    Whoever reads lots in order to change some does so first, so that they queue for one row: also where there is no lot
    yet, and whatever lots they come to later, in whatever sequence.
    """
    if not _locked(session, station_key):
        insert_if_absent(session, StationBook, station_key=station_key, last_hand_over=0, last_count=0)
        _locked(session, station_key)


def _locked(session: Session, station_key: str) -> bool:
    book = table_of(StationBook).c.station_key
    return session.scalar(select(book).where(book == station_key).with_for_update()) is not None


def next_number(session: Session, station_key: str, column: Literal["last_hand_over", "last_count"]) -> int:
    """The next number of a station's hand-overs or counts, whose book is held; one that is undone gives it back."""
    counter = table_of(StationBook).c[column]
    counted = update(table_of(StationBook)).where(table_of(StationBook).c.station_key == station_key)
    number: int = session.scalars(counted.values({column: counter + 1}).returning(counter)).one()
    return number


def locked_lots(session: Session, station_key: str, item_types: Iterable[str]) -> dict[str, list[StockLot]]:
    """The lots of item types with something left, oldest first, the station's stock held until the transaction ends."""
    hold_stock(session, station_key)
    wanted = select(StockLot).where(
        StockLot.station_key == station_key, StockLot.item_type.in_(set(item_types)), StockLot.left_units > 0
    )
    found: dict[str, list[StockLot]] = {}
    for lot in _in_sequence(session, wanted):
        found.setdefault(lot.item_type, []).append(lot)
    return found


def _in_sequence(session: Session, wanted: Select[StockLot]) -> Sequence[StockLot]:
    in_sequence = wanted.order_by(StockLot.item_type, StockLot.day)
    return session.scalars(in_sequence.execution_options(populate_existing=True)).all()


def add_lots(session: Session, station_key: str, day: date, item_types: Iterable[str]) -> dict[str, StockLot]:
    """The lots of one day, made where they are missing, the station's stock held until the transaction ends."""
    keys = sorted(set(item_types))
    if not keys:
        return {}
    hold_stock(session, station_key)
    for item_type in keys:
        empty = dict.fromkeys(AMOUNTS, 0) | {"told_on": None}
        insert_if_absent(session, StockLot, station_key=station_key, item_type=item_type, day=day, **empty)
    wanted = select(StockLot).where(
        StockLot.station_key == station_key, StockLot.day == day, StockLot.item_type.in_(keys)
    )
    return {lot.item_type: lot for lot in _in_sequence(session, wanted)}


def stock_ticket(session: Session, ticket: IntakeTicket, *, take_back: Sequence[IntakeLine] = ()) -> None:
    """Bring a ticket's lines into the lots of its day, and take out those of the ticket it replaces.

    What is left of a lot keeps a possible mass: when a correction changes the mass of goods of which some have left
    already, the books are adjusted to the new mean.

    Raises
    ------
    Conflict
        When a correction takes units out that were handed over since.
    """
    units: Counter[str] = Counter()
    mass_g: Counter[str] = Counter()
    for lines, sign in ((ticket.lines, 1), (take_back, -1)):
        for line in lines:
            units[line.item_type] += sign * line.units
            mass_g[line.item_type] += sign * line.net_g
    lots = add_lots(session, ticket.station_key, ticket.day, units)
    for item_type, lot in lots.items():
        lot.bring(units[item_type], mass_g[item_type])
        if lot.left_units < 0:
            raise Conflict(
                f"{lot.out_units} {item_type} of those weighed in at {lot.station_key} on {lot.day} have left the stock"
                f" or were counted as missing; the correction takes away {-lot.left_units} too many. Correct the number"
                f" of units, or settle the hand-over first / {lot.day} 入库的 {item_type} 已出库 {lot.out_units} 件，"
                f"更正会使库存少于零（差 {-lot.left_units} 件）"
            )
        if lot.left_g < lot.left_units or (not lot.left_units and lot.left_g):
            mean_g = lot.in_g * lot.left_units // lot.in_units if lot.in_units else 0
            change_g = max(lot.left_units, mean_g) - lot.left_g
            lot.adjust(0, change_g)
            row = {
                "id": uuid4(), "station_key": lot.station_key, "item_type": item_type, "lot_day": lot.day,
                "day": ticket.counts_on, "units": 0, "net_g": change_g, "reason": "ticket_corrected", "count_id": None,
                "ticket_id": ticket.id, "hand_over_id": None, "by_id": ticket.keeper_id, "at": ticket.weighed_at,
            }  # fmt: skip
            session.flush()
            run(session, insert(table_of(StockAdjustment)), [row])
    session.flush()


def stored_g(session: Session, station_key: str) -> int:
    """Grams in stock at a station."""
    wanted = select(func.coalesce(cast(func.sum(StockLot.left_g), BigInteger), 0))
    return session.scalars(wanted.where(StockLot.station_key == station_key, StockLot.left_units > 0)).one()
