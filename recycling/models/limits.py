"""Limits on live bookings (有效预约上限): so many per resident and per address, and no item twice at one door on a day.

This module is the only writer of its tables. A booking takes its limits when a place is promised to it and gives them
back when it ends; its rows in ``live_item`` are the mark that it has them, so that giving back twice, or after the
nightly release, changes nothing. Counters are not written one by one: `settle_limits` writes all that a transaction
moved, scopes ascending, after the day's row and the booking's, so that two transactions queue instead of waiting for
each other in a circle.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Executable,
    ForeignKey,
    Index,
    String,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.logs import logger
from recycling.models.base import Base, insert_if_absent, key_column, table_of
from recycling.models.booking import PROMISED, Booking
from recycling.models.encrypted import keyring
from recycling.models.transaction import run

log = logger(__name__)


class LiveCount(Base):
    """How many live bookings a resident or an address has; ``cap`` is the one that held when the last was taken.

    ``scope`` is ``resident:<id>`` or ``address:<digest>``.
    """

    __tablename__ = "live_count"
    __table_args__ = (CheckConstraint("used BETWEEN 0 AND cap", name="used"),)

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    used: Mapped[int]
    cap: Mapped[int]


class LiveItem(Base):
    """One item type of one live booking; the key is the guard against the same item twice at one door and day."""

    __tablename__ = "live_item"

    address_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    item_type: Mapped[str] = key_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("booking.id"), index=True)


class NoShow(Base):
    """A visit that found nobody home, as the booking's outcome stands now: one row a booking, never a count."""

    __tablename__ = "no_show"
    __table_args__ = (Index(None, "resident_id", "day"),)

    booking_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("booking.id"), primary_key=True)
    resident_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("resident.id"))
    day: Mapped[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitHit:
    """The limit that a booking would break: ``resident`` or ``address``, with the scope's key and its cap."""

    kind: str
    key: str
    cap: int
    booking_id: UUID
    resident_id: UUID


@dataclass(slots=True)
class _Move:
    more: int = 0
    cap: int = 0
    booking_id: UUID | None = None
    resident_id: UUID | None = None


# Put together once, as in `ledger`: every booking runs them.
_count, _item, _no_show = table_of(LiveCount), table_of(LiveItem), table_of(NoShow)
_booking = table_of(Booking)


def _take(dialect: str, rows: int) -> Executable:
    row = postgresql.insert(_count) if dialect == "postgresql" else sqlite.insert(_count)
    # As a SELECT, since SQLAlchemy compiles several rows of VALUES anew each time.
    given = union_all(
        *(
            select(
                bindparam(f"scope_{n}", type_=_count.c.scope.type),
                bindparam(f"used_{n}", type_=_count.c.used.type),
                bindparam(f"cap_{n}", type_=_count.c.cap.type),
            ).where(true())  # SQLite takes ON CONFLICT behind a SELECT only where that has a WHERE
            for n in range(rows)
        )
    )
    row = row.from_select(["scope", "used", "cap"], given)
    # One statement decides, and applies a cap that was configured anew to a row that stands.
    return row.on_conflict_do_update(
        index_elements=["scope"],
        set_={"used": _count.c.used + row.excluded.used, "cap": row.excluded.cap},
        where=_count.c.used + row.excluded.used <= row.excluded.cap,
    ).returning(_count.c.scope)


# A booking takes two counters, its resident's and its address's: mostly both at once, in the sequence they are given.
_TAKE = {(dialect, rows): _take(dialect, rows) for dialect in ("postgresql", "sqlite") for rows in (1, 2)}
_GIVE_BACK = (
    update(_count)
    .where(_count.c.scope == bindparam("of_scope"), _count.c.used >= bindparam("fewer"))
    .values(used=_count.c.used - bindparam("fewer"))
)
_DROP_ITEMS = delete(_item).where(_item.c.booking_id == bindparam("of_booking")).returning(_item.c.address_digest)
_DROP_NO_SHOW = delete(_no_show).where(_no_show.c.booking_id == bindparam("of_booking"))
# Nobody home at two visits of one booking is one no-show.
_booking_met = func.coalesce(_booking.c.part_of, _booking.c.id)
_NO_SHOW_DAYS = (
    select(_no_show.c.day)
    .join(_booking, _booking.c.id == _no_show.c.booking_id)
    .where(_no_show.c.resident_id == bindparam("of_resident"), _no_show.c.day >= bindparam("since"))
    .group_by(_booking_met, _no_show.c.day)
    .order_by(_no_show.c.day.desc())
)


def normal_address(address: str) -> str:
    """An address without what people write differently: width, case, spaces and signs.

    Between two digits one sign stays: 1-2301 and 12-301 are two doors.
    """
    out: list[str] = []
    gap = False
    for char in unicodedata.normalize("NFKC", address).casefold():
        if not char.isalnum():
            gap = True
            continue
        if gap and out and out[-1].isdigit() and char.isdigit():
            out.append("-")
        out.append(char)
        gap = False
    return "".join(out)


def address_digest(address: str, village_code: str) -> str:
    """A keyed digest of the door, 64 hexadecimal digits: the same however the address is written."""
    return keyring.digest(f"{village_code}\0{normal_address(address)}", context="live_item.address").hex()


def resident_scope(resident_id: UUID) -> str:
    """The counter of a resident."""
    return f"resident:{resident_id}"


def address_scope(digest: str) -> str:
    """The counter of an address."""
    return f"address:{digest}"


def take_limits(
    session: Session, booking: Booking, *, per_resident: int, per_address: int, parts: Sequence[Booking] = ()
) -> str | None:
    """Take a new or changed booking's limits: its items now, its counters at `settle_limits`.

    It takes them for its further visits, ``parts``, as well: together they are one booking.

    Returns the item type that is live at the same door and day already; the caller then refuses. Made-up bookings,
    behind which nobody stands, take none, and neither do those of institutions, who give away by the dozen.
    """
    if booking.made_up or booking.consent == "institution":
        return None
    digest = address_digest(booking.place["address"], booking.village_code)
    for item_type in sorted({item.item_type for visit in (booking, *parts) for item in visit.items}):
        if not insert_if_absent(
            session, LiveItem, address_digest=digest, day=booking.day, item_type=item_type, booking_id=booking.id
        ):
            return item_type
    for scope, cap in (
        (resident_scope(booking.resident_id), per_resident),
        (address_scope(digest), per_address),
    ):
        move = _moves(session).setdefault(scope, _Move())
        move.more += 1
        move.cap, move.booking_id, move.resident_id = cap, booking.id, booking.resident_id
    return None


def give_back_limits(session: Session, booking_id: UUID, *, resident_id: UUID) -> bool:
    """Give a booking's limits back, counters at `settle_limits`; whether it had any."""
    digest = next(iter(run(session, _DROP_ITEMS, {"of_booking": booking_id}).scalars().all()), None)
    if digest is None:
        return False
    for scope in (resident_scope(resident_id), address_scope(digest)):
        _moves(session).setdefault(scope, _Move()).more -= 1
    return True


def move_limits(
    session: Session, booking: Booking, *, per_resident: int, per_address: int, parts: Sequence[Booking] = ()
) -> str | None:
    """Take the limits of an amended booking in the place of those it had; as for `take_limits`."""
    give_back_limits(session, booking.id, resident_id=booking.resident_id)
    return take_limits(session, booking, per_resident=per_resident, per_address=per_address, parts=parts)


def settle_limits(session: Session) -> LimitHit | None:
    """Write the counters that this transaction moved; returns the limit that is reached: the caller then refuses."""
    moves: dict[str, _Move] = session.info.pop("limits", {})
    moved = [(scope, moves[scope]) for scope in sorted(moves) if moves[scope].more]
    if len(moved) == 2 and all(move.more > 0 for _, move in moved):
        return _taken(session, moved)
    for scope, move in moved:
        if move.more > 0:
            hit = _taken(session, [(scope, move)])
            if hit is not None:
                return hit
        elif not run(session, _GIVE_BACK, {"of_scope": scope, "fewer": -move.more}).rowcount:
            # A record at a door is not refused for it; the invariant shows it, and the rebuild puts it right.
            log.error("limits.drifted", scope=scope.split(":")[0], fewer=-move.more)
    return None


def _taken(session: Session, moved: Sequence[tuple[str, _Move]]) -> LimitHit | None:
    """Count one or two scopes up; the first that has no room."""
    values: dict[str, object] = {}
    for n, (scope, move) in enumerate(moved):
        values |= {f"scope_{n}": scope, f"used_{n}": move.more, f"cap_{n}": move.cap}
    taken = set(run(session, _TAKE[session.get_bind().dialect.name, len(moved)], values).scalars())
    for scope, move in moved:
        if scope in taken:
            continue
        if move.booking_id is None or move.resident_id is None:
            raise AssertionError("a counter goes up for a booking")
        kind, _, key = scope.partition(":")
        return LimitHit(kind=kind, key=key, cap=move.cap, booking_id=move.booking_id, resident_id=move.resident_id)
    return None


def _moves(session: Session) -> dict[str, _Move]:
    moves: dict[str, _Move] = session.info.setdefault("limits", {})
    return moves


def note_no_show(session: Session, booking: Booking, *, counts: bool) -> None:
    """Keep whether a booking's outcome, as it stands now, is a no-show."""
    if booking.made_up:
        return
    if counts:
        insert_if_absent(session, NoShow, booking_id=booking.id, resident_id=booking.resident_id, day=booking.day)
    else:
        run(session, _DROP_NO_SHOW, {"of_booking": booking.id})


def no_show_days(session: Session, resident_id: UUID, *, since: date) -> list[date]:
    """The days since a day on which a resident was not at home, latest first."""
    return list(run(session, _NO_SHOW_DAYS, {"of_resident": resident_id, "since": since}).scalars())


def live_days(session: Session, *, resident_id: UUID, digest: str | None, but: UUID | None = None) -> list[date]:
    """The days of a resident's live bookings, at one address if given; ``but`` is left out."""
    wanted = select(Booking.day).where(
        Booking.resident_id == resident_id, Booking.state.in_(PROMISED), Booking.id != but
    )
    mine = select(LiveItem.booking_id)
    if digest is not None:
        mine = mine.where(LiveItem.address_digest == digest)
    return list(session.scalars(wanted.where(Booking.id.in_(mine)).order_by(Booking.day)))


def own_hold_until(session: Session, booking: Booking, item_type: str) -> datetime | None:
    """Until when the resident's own kept place has that item at the booking's door and day; ``None`` if none has."""
    digest = address_digest(booking.place["address"], booking.village_code)
    wanted = (
        select(Booking.held_until)
        .join(LiveItem, LiveItem.booking_id == Booking.id)
        .where(LiveItem.address_digest == digest, LiveItem.day == booking.day, LiveItem.item_type == item_type)
        .where(Booking.resident_id == booking.resident_id, Booking.state == "held")
    )
    return session.scalar(wanted)


def count_anew(session: Session, *, per_resident: int, per_address: int) -> int:
    """Write every counter anew from the rows in ``live_item``; how many were wrong. A transaction of its own.

    Nobody else writes counters meanwhile, and who waits to do so has rows that are not yet seen here.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE live_count IN EXCLUSIVE MODE"))
    counted: dict[str, set[UUID]] = {}
    for digest, booking_id, resident_id in session.execute(
        select(LiveItem.address_digest, LiveItem.booking_id, Booking.resident_id).join(
            Booking, Booking.id == LiveItem.booking_id
        )
    ):
        counted.setdefault(address_scope(digest), set()).add(booking_id)
        counted.setdefault(resident_scope(resident_id), set()).add(booking_id)
    standing = {row.scope: row for row in session.scalars(select(LiveCount).execution_options(populate_existing=True))}
    wrong = 0
    for scope in sorted(counted.keys() | standing.keys()):
        used = len(counted.get(scope, ()))
        row = standing.get(scope)
        if row is not None and row.used == used:
            continue
        wrong += 1
        # Whoever had more than the cap before there was one keeps them, and gets no further one.
        cap = max(used, per_resident if scope.startswith("resident:") else per_address)
        if row is None:
            session.add(LiveCount(scope=scope, used=used, cap=cap))
        else:
            row.used, row.cap = used, max(row.cap, cap)
    session.flush()
    return wrong


# Counters at nought: a digest of an address is kept no longer than it is of use.
UNUSED = delete(LiveCount).where(LiveCount.used == 0)


def stale_bookings(session: Session, *, before: date) -> list[UUID]:
    """Bookings of days before one that still have their limits."""
    return list(session.scalars(select(LiveItem.booking_id).where(LiveItem.day < before).distinct()))


def ended_bookings(session: Session) -> Collection[UUID]:
    """Bookings that have limits although they are not live any more: none, unless somebody wrote past this module."""
    ended = select(LiveItem.booking_id).join(Booking, Booking.id == LiveItem.booking_id)
    return list(session.scalars(ended.where(Booking.state.not_in(PROMISED)).distinct()))
