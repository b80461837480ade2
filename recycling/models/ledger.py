"""The day's ledger: what is already promised for a service day and area. `move` and `free` are its only writers.

Every limit is one conditional UPDATE, the same on both engines, with a CHECK behind it: the database, not the caller,
decides who gets the last place. A ledger row is always touched before the rows of its windows, and several ledgers in
ascending sequence of (day, area), so that two changes queue instead of waiting for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import CheckConstraint, Update, bindparam, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.errors import Busy, Conflict, WindowClosed, WindowFull
from recycling.models.base import Base, insert_if_absent, key_column, table_of
from recycling.models.transaction import run
from recycling.policy.capacity import AreaCapacity


class DayLedger(Base):
    """Seconds, grams and litres promised in one area on one day; ``closed`` once its plan is published."""

    __tablename__ = "day_ledger"
    __table_args__ = (
        CheckConstraint("service_used_s BETWEEN 0 AND service_cap_s", name="service"),
        CheckConstraint("load_used_g BETWEEN 0 AND load_cap_g", name="grams"),
        CheckConstraint("load_used_l BETWEEN 0 AND load_cap_l", name="litres"),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    area: Mapped[str] = key_column(primary_key=True)
    closed: Mapped[bool] = mapped_column(default=False)
    service_used_s: Mapped[int] = mapped_column(default=0)
    service_cap_s: Mapped[int]
    load_used_g: Mapped[int] = mapped_column(default=0)
    load_cap_g: Mapped[int]
    load_used_l: Mapped[int] = mapped_column(default=0)
    load_cap_l: Mapped[int]


class WindowLedger(Base):
    """Places promised in one pickup window of one area and day."""

    __tablename__ = "window_ledger"
    __table_args__ = (CheckConstraint("places_used BETWEEN 0 AND places_cap", name="places"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    area: Mapped[str] = key_column(primary_key=True)
    pickup_window: Mapped[str] = key_column(primary_key=True)
    places_used: Mapped[int] = mapped_column(default=0)
    places_cap: Mapped[int]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Promise:
    """What one booking takes out of a day: one place in a window, and its seconds, grams and litres."""

    day: date
    area: str
    pickup_window: str
    service_s: int
    load_g: int
    load_l: int


def open_ledger(session: Session, *, day: date, capacity: AreaCapacity) -> None:
    """Make the rows of a day and area if they do not stand yet; existing rows keep their limits."""
    if session.get(DayLedger, (day, capacity.area)) is not None:
        return
    insert_if_absent(
        session, DayLedger, day=day, area=capacity.area, closed=False, service_used_s=0,
        service_cap_s=capacity.service_s, load_used_g=0, load_cap_g=capacity.mass_g, load_used_l=0,
        load_cap_l=capacity.litres,
    )  # fmt: skip
    for window in capacity.places:
        _add_window(session, day, window, capacity)


def move(session: Session, *, give_up: Promise | None, take_up: Promise, capacity: AreaCapacity) -> None:
    """Take a promise, in exchange for another if there is one, inside the caller's transaction.

    The day's rows are made from ``capacity``, that of the new promise's area, when this is their first.

    Raises
    ------
    WindowFull
        When the new promise does not fit; the transaction then keeps nothing of this change.
    WindowClosed
        When the plan of one of the two days is already published.
    """
    # Ascending (day, area); at the same ledger the old promise goes first, so that a change within it is not refused
    # for room that the booking itself holds.
    steps = [(take_up, +1)] if give_up is None else [(give_up, -1), (take_up, +1)]
    for promise, sign in sorted(steps, key=lambda step: (step[0].day, step[0].area, step[1])):
        if sign < 0:
            free(session, promise)
        else:
            _take(session, promise, capacity)


def free(session: Session, promise: Promise, *, even_closed: bool = False) -> None:
    """Give a promise up; ``even_closed`` also on a day whose plan is published, where nobody can take the room.

    Raises
    ------
    WindowClosed
        When the day's plan is already published.
    """
    if not _run(session, _ADD_EVEN_CLOSED if even_closed else _ADD, promise, -1):
        raise WindowClosed(
            f"the routes of {promise.day} are already planned: only the dispatcher can still take the booking out"
            f" / {promise.day} 的收运路线已排定，只有调度可以取消"
        )
    _run(session, _FREE_PLACE, promise, -1)


def _take(session: Session, promise: Promise, capacity: AreaCapacity) -> None:
    if not _run(session, _ADD_WHAT_FITS, promise, +1):
        # Refused, or the day's first booking: rows are looked for only now, not on every booking.
        open_ledger(session, day=promise.day, capacity=capacity)
        if not _run(session, _ADD_WHAT_FITS, promise, +1):
            raise _why_not(session, promise)
    if not (_run(session, _TAKE_PLACE, promise, +1) or _take_in_new_window(session, promise, capacity)):
        raise WindowFull(
            f"window {promise.pickup_window} on {promise.day} is full; choose another window or day"
            f" / {promise.day} {promise.pickup_window} 时段已约满，请选择其他时段或日期"
        )


def _take_in_new_window(session: Session, promise: Promise, capacity: AreaCapacity) -> bool:
    """Take a place in a window that was configured after the day's rows were made; false when it has its row."""
    return _add_window(session, promise.day, promise.pickup_window, capacity) and _run(
        session, _TAKE_PLACE, promise, +1
    )


def _add_window(session: Session, day: date, window: str, capacity: AreaCapacity) -> bool:
    return insert_if_absent(
        session, WindowLedger, day=day, area=capacity.area, pickup_window=window, places_used=0,
        places_cap=capacity.places[window],
    )  # fmt: skip


# Put together once: every booking runs them, on SQLite while all others wait, and building one anew takes longer than
# the database takes to run it.
_day, _window = table_of(DayLedger).c, table_of(WindowLedger).c
_ADD_EVEN_CLOSED = (
    update(table_of(DayLedger))
    .where(_day.day == bindparam("of_day"), _day.area == bindparam("of_area"))
    .values(
        service_used_s=_day.service_used_s + bindparam("more_s"),
        load_used_g=_day.load_used_g + bindparam("more_g"),
        load_used_l=_day.load_used_l + bindparam("more_l"),
    )
)
_ADD = _ADD_EVEN_CLOSED.where(_day.closed.is_(False))
_ADD_WHAT_FITS = _ADD.where(
    _day.service_used_s + bindparam("more_s") <= _day.service_cap_s,
    _day.load_used_g + bindparam("more_g") <= _day.load_cap_g,
    _day.load_used_l + bindparam("more_l") <= _day.load_cap_l,
)
_THE_WINDOW = update(table_of(WindowLedger)).where(
    _window.day == bindparam("of_day"),
    _window.area == bindparam("of_area"),
    _window.pickup_window == bindparam("of_window"),
)
_TAKE_PLACE = _THE_WINDOW.where(_window.places_used < _window.places_cap).values(places_used=_window.places_used + 1)
_FREE_PLACE = _THE_WINDOW.values(places_used=_window.places_used - 1)


def _run(session: Session, statement: Update, promise: Promise, sign: int) -> bool:
    """Add a promise (+1) or subtract it (-1); whether a row was there that met the statement's conditions."""
    done = run(
        session,
        statement,
        {
            "of_day": promise.day,
            "of_area": promise.area,
            "of_window": promise.pickup_window,
            "more_s": sign * promise.service_s,
            "more_g": sign * promise.load_g,
            "more_l": sign * promise.load_l,
        },
    )
    return done.rowcount > 0


def _why_not(session: Session, promise: Promise) -> Conflict:
    """Which limit stood in the way, for the message; read after the refusal, so only the words depend on it."""
    row = session.get(DayLedger, (promise.day, promise.area), populate_existing=True)
    if row is None or row.closed:
        return WindowClosed(
            f"the routes of {promise.day} are already planned; choose a later day"
            f" / {promise.day} 的收运路线已排定，请选择之后的日期"
        )
    # Used, wished and allowed, and the unit to say them in. Compared as they are stored: rounded, a limit missed by
    # half a kilogram looks kept.
    limits = (
        (row.service_used_s, promise.service_s, row.service_cap_s, 60, "handling minutes", "作业分钟"),
        (row.load_used_g, promise.load_g, row.load_cap_g, 1000, "kilograms", "公斤"),
        (row.load_used_l, promise.load_l, row.load_cap_l, 1, "litres", "升"),
    )
    for used, wish, cap, unit, name, name_zh in limits:
        if used + wish > cap:
            too_large = wish > cap
            used, wish, cap = -(-used // unit), -(-wish // unit), cap // unit
            if too_large:
                return WindowFull(
                    f"this booking needs {wish} {name}, a whole day of this area has {cap}: place it as several"
                    f" bookings on different days / 一次预约超过该片区全天能力（{name_zh} {wish}/{cap}），请分次预约"
                )
            return WindowFull(
                f"{promise.day} is full in this area: {used} of {cap} {name} are promised, this booking needs {wish};"
                f" choose another day or fewer items / 该片区 {promise.day} 已约满（{name_zh} {used}/{cap}），"
                "请改日或减少物品"
            )
    return Busy(f"room on {promise.day} was freed at this moment; send the request again / 刚有余量释放，请重新提交")


def close_day(session: Session, *, day: date, areas: Iterable[str]) -> None:
    """Stop taking promises for a day: its routes are about to be published."""
    for area in sorted(areas):
        session.execute(update(DayLedger).where(DayLedger.day == day, DayLedger.area == area).values(closed=True))
