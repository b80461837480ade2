"""The day's ledger (日台账): the tentative routes in which every promise of a service day has its place.

`locked_day` is the door and `rewrite` the only writer: whoever changes a day's routes first takes the day's row, which
counts its version up, and only then reads, in a later statement, what is promised. Several days are locked in ascending
sequence, so that two changes queue instead of waiting for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Executable, Index, Uuid, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.errors import Busy, WindowClosed, WindowFull
from recycling.models.base import Base, insert_if_absent, key_column, table_of
from recycling.models.booking import Booking
from recycling.models.encrypted import EncryptedJson, Sealed
from recycling.models.transaction import run

ROUTE = EncryptedJson("tentative_route.route")


class DayLedger(Base):
    """One row for a service day; ``version`` counts the changes of its routes, ``closed`` ends them.

    ``improved_version`` is the version that the planner has last worked on, ``change_number`` the newest dated change
    of fleet or calendar that was worked into its routes. ``born`` tells this row from one that an older state of the
    database had, so that what a process remembers of a day is never taken for another's.
    """

    __tablename__ = "day_ledger"
    __table_args__ = (CheckConstraint("version >= 0 AND improved_version <= version", name="versions"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    improved_version: Mapped[int] = mapped_column(default=0)
    closed: Mapped[bool] = mapped_column(default=False)
    change_number: Mapped[int] = mapped_column(default=0, server_default="0")
    born: Mapped[UUID] = mapped_column(Uuid)


class TentativeRoute(Base):
    """The promised visits of one vehicle on one day, with the timetable that keeps them: `routing.standing` as JSON.

    Encrypted, for a visit's point is where somebody lives. ``version`` is the day's at the last change of this route.
    """

    __tablename__ = "tentative_route"
    __table_args__ = (Index(None, "day", "version"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    vehicle_key: Mapped[str] = key_column(primary_key=True)
    version: Mapped[int]
    route: Mapped[dict[str, Any]] = mapped_column(ROUTE)


class StationLedger(Base):
    """What the routes of a day bring to a station with an intake limit."""

    __tablename__ = "station_ledger"
    __table_args__ = (
        CheckConstraint("used_g BETWEEN 0 AND cap_g", name="grams"),
        CheckConstraint("used_l BETWEEN 0 AND cap_l", name="litres"),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    station_key: Mapped[str] = key_column(primary_key=True)
    used_g: Mapped[int] = mapped_column(default=0)
    cap_g: Mapped[int]
    used_l: Mapped[int] = mapped_column(default=0)
    cap_l: Mapped[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a change of routes brings more (or less) to a station, and what the station takes on a day."""

    station_key: str
    more_g: int
    more_l: int
    cap_g: int
    cap_l: int


# Put together once: every booking runs them, on SQLite while all others wait, and building one anew takes longer than
# the database takes to run it.
_ledger, _route, _station = table_of(DayLedger), table_of(TentativeRoute), table_of(StationLedger)
_booking = table_of(Booking)
_STATES = select(_ledger.c.day, _ledger.c.version, _ledger.c.closed, _ledger.c.born).where(
    _ledger.c.day.between(bindparam("first"), bindparam("last"))
)
_COUNT_UP = (
    update(_ledger)
    .where(_ledger.c.day == bindparam("of_day"))
    .values(version=_ledger.c.version + 1)
    .returning(
        _ledger.c.version,
        _ledger.c.closed,
        _ledger.c.born,
        _ledger.c.change_number,
        # Asked on the way, since it nearly always is nothing: a look of its own would cost every booking one.
        select(1)
        .where(_booking.c.day == bindparam("of_day"), _booking.c.held_until <= bindparam("now"))
        .exists()
        .label("lapsed"),
    )
)
_SINCE = (
    select(_route.c.vehicle_key, _route.c.route)
    .where(_route.c.day == bindparam("of_day"), _route.c.version > bindparam("since"))
    .order_by(_route.c.vehicle_key)
)
_ADD_INTAKE = (
    update(_station)
    .where(
        _station.c.day == bindparam("of_day"),
        _station.c.station_key == bindparam("of_station"),
        _station.c.used_g + bindparam("more_g") <= _station.c.cap_g,
        _station.c.used_l + bindparam("more_l") <= _station.c.cap_l,
    )
    .values(used_g=_station.c.used_g + bindparam("more_g"), used_l=_station.c.used_l + bindparam("more_l"))
)


def _upsert(dialect: str) -> Executable:
    row = postgresql.insert(_route) if dialect == "postgresql" else sqlite.insert(_route)
    return row.on_conflict_do_update(
        index_elements=["day", "vehicle_key"], set_={"version": row.excluded.version, "route": row.excluded.route}
    )


_UPSERT = {dialect: _upsert(dialect) for dialect in ("postgresql", "sqlite")}


@dataclass(frozen=True, slots=True, kw_only=True)
class DayState:
    """Which state of a day's routes is meant: the row they belong to, and how often they have changed.

    ``change_number`` is told of locked days only: the newest dated change that is worked into them.
    """

    version: int
    closed: bool
    born: UUID
    lapsed: bool = False
    change_number: int = 0


def locked_day(session: Session, day: date, *, now: datetime, even_closed: bool = False) -> DayState:
    """Take the day's row until the transaction ends; its state as this change will leave it.

    ``lapsed`` tells whether the day has holds whose time was over at ``now``.

    Raises
    ------
    WindowClosed
        When the day's plan is published and nothing may be promised any more.
    """
    row = run(session, _COUNT_UP, {"of_day": day, "now": now}).first()
    if row is None:
        insert_if_absent(
            session, DayLedger, day=day, version=0, improved_version=0, closed=False, born=uuid4(), change_number=0,
        )  # fmt: skip
        row = run(session, _COUNT_UP, {"of_day": day, "now": now}).one()
    if row.closed and not even_closed:
        raise day_is_closed(day)
    return DayState(
        version=row.version, closed=row.closed, born=row.born, lapsed=row.lapsed, change_number=row.change_number,
    )  # fmt: skip


def day_is_closed(day: date) -> WindowClosed:
    """The refusal of a change to a day whose plan is published."""
    return WindowClosed(
        f"the routes of {day} are already planned; choose a later day, or call the dispatcher about a booking of that"
        f" day / {day} 的收运路线已排定，请选择之后的日期，已有预约请联系调度"
    )


def rewrite(
    session: Session, day: date, *, version: int, routes: Mapping[str, Sealed], intakes: Sequence[Intake] = ()
) -> None:
    """Write changed routes of a locked day, by vehicle; each is what ``ROUTE`` has sealed.

    Raises
    ------
    WindowFull
        When a station would get more than it takes; the transaction then keeps nothing of this change.
    """
    for intake in sorted(intakes, key=lambda one: one.station_key):
        _add_intake(session, day, intake)
    if routes:
        rows = [
            {"day": day, "vehicle_key": vehicle, "version": version, "route": routes[vehicle]}
            for vehicle in sorted(routes)
        ]
        run(session, _UPSERT[session.get_bind().dialect.name], rows)


def _add_intake(session: Session, day: date, intake: Intake) -> None:
    wanted = {
        "of_day": day, "of_station": intake.station_key, "more_g": intake.more_g, "more_l": intake.more_l,
    }  # fmt: skip
    if run(session, _ADD_INTAKE, wanted).rowcount:
        return
    insert_if_absent(
        session, StationLedger, day=day, station_key=intake.station_key, used_g=0, cap_g=intake.cap_g, used_l=0,
        cap_l=intake.cap_l,
    )  # fmt: skip
    if not run(session, _ADD_INTAKE, wanted).rowcount:
        raise WindowFull(
            f"station {intake.station_key} takes no more on {day}; choose another day"
            f" / {day} 该站点接收量已满，请选择其他日期"
        )


def day_states(session: Session, first: date, last: date) -> dict[date, DayState]:
    """The state of each day in a span; a day that was never promised anything is missing."""
    rows = run(session, _STATES, {"first": first, "last": last})
    return {row.day: DayState(version=row.version, closed=row.closed, born=row.born) for row in rows}


def routes_since(session: Session, day: date, *, version: int) -> list[tuple[str, dict[str, Any]]]:
    """The routes of a day that changed after a version, by vehicle."""
    return [(row.vehicle_key, row.route) for row in run(session, _SINCE, {"of_day": day, "since": version})]


def close_day(session: Session, day: date, *, now: datetime) -> DayState:
    """Stop taking promises for a day: its routes are about to be published. Waits for promises under way."""
    state = locked_day(session, day, now=now, even_closed=True)
    session.execute(update(DayLedger).where(DayLedger.day == day).values(closed=True))
    return state


def note_change(session: Session, days: Iterable[date], *, number: int) -> None:
    """Note on locked days that a dated change is worked in: whoever goes by older facts is refused from now on."""
    session.execute(update(DayLedger).where(DayLedger.day.in_(list(days))).values(change_number=number))


def check_facts(state: DayState, day: date, *, newest: int) -> None:
    """See that the facts a caller goes by know of every change that is worked into a locked day.

    Parameters
    ----------
    newest
        The number of the newest change of the day that the caller's facts hold.

    Raises
    ------
    Busy
        When a change was recorded after they were read.
    """
    if state.change_number > newest:
        raise Busy(
            f"fleet or calendar of {day} have just been changed; send the request again"
            f" / {day} 的车辆或日历刚刚调整，请重试"
        )


def mark_improved(session: Session, day: date, *, version: int) -> None:
    """Note that the planner has worked on a version of the day."""
    session.execute(update(DayLedger).where(DayLedger.day == day).values(improved_version=version))


def days_to_improve(session: Session, days: Iterable[date]) -> list[date]:
    """Those of the days that changed since the planner last worked on them, ascending."""
    changed = select(DayLedger.day).where(
        DayLedger.day.in_(list(days)), DayLedger.closed.is_(False), DayLedger.improved_version < DayLedger.version
    )
    return list(session.scalars(changed.order_by(DayLedger.day)))


def closed_days(session: Session, days: Iterable[date]) -> set[date]:
    """Those of the days whose plan is published."""
    return set(session.scalars(select(DayLedger.day).where(DayLedger.day.in_(list(days)), DayLedger.closed)))
