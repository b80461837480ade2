"""Reading mass balances of trips and units that came stripped."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.models.balance import MissingPartsFlag, TripBalance
from recycling.policy.access import Principal
from recycling.units import kg_text
from recycling.usecases.intake.sight import visible_to
from recycling.usecases.queries.cursors import key, read_cursor, whole, write_cursor
from recycling.usecases.queries.spans import within

# What to do next, by why a trip is held; the first one that holds is the one to begin with.
NEXT_STEPS = {
    "not_weighed": (
        "本趟未过磅：请补磅；货物已不在站内的，核实去向后处理",
        "nothing of this trip was weighed: weigh it in; where the goods are gone, find out where to, then resolve it",
    ),
    "units_not_weighed": (
        "上门已收、磅单未列：请核对所列的差异物品，更正磅单，或查明去向后处理",
        "units were taken at its doors and are on no ticket of it: look for those that differ, correct the ticket,"
        " or find out where they went and resolve it",
    ),
    "units_not_collected": (
        "磅单所列多于上门登记：请核对趟次与预约，更正磅单或由调度核定上门记录",
        "its tickets hold units that its doors did not give: check trip and bookings, correct the ticket, or have the"
        " dispatcher rule on the record of the door",
    ),
    "mass": (
        "重量相差超出容差：请复磅或核对毛重、皮重与扣杂，更正磅单；属估重偏差的，注明后处理",
        "door and scale are too far apart: weigh again, or check gross, tare and refused and correct the ticket; where"
        " the door was only estimated, say so and resolve it",
    ),
}

_NEWEST_FIRST = (TripBalance.day.desc(), TripBalance.vehicle_key, TripBalance.trip)


def list_balances(
    *,
    by: Principal,
    session: Session,
    limit: int,
    state: str | None = None,
    first: date | None = None,
    last: date | None = None,
    station_key: str | None = None,
    vehicle_key: str | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of the trips that the caller may see, newest day first.

    Raises
    ------
    InvalidInput
        When the span ends before it begins.
    """
    mine = (visible_to(by, TripBalance.station_key), *within(TripBalance.day, first, last))
    wanted = select(TripBalance).where(*mine).order_by(*_NEWEST_FIRST)
    for column, value in (
        (TripBalance.state, state),
        (TripBalance.station_key, station_key),
        (TripBalance.vehicle_key, vehicle_key),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if cursor is not None:
        day, vehicle, trip = read_cursor(cursor, date.fromisoformat, key, whole)
        later = tuple_(TripBalance.vehicle_key, TripBalance.trip) > (vehicle, trip)
        wanted = wanted.where((TripBalance.day < day) | ((TripBalance.day == day) & later))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    more = shown[-1] if len(rows) > limit else None
    return {
        "trip_balances": [balance_in_full(row) for row in shown],
        "next_cursor": write_cursor(more.day, more.vehicle_key, more.trip) if more is not None else None,
    }


def find_balance(balance_id: UUID, *, by: Principal, session: Session) -> dict[str, Any]:
    """One trip that the caller may see.

    Raises
    ------
    NotFound
        When there is none; one of a foreign station answers the same.
    """
    row = session.scalar(
        select(TripBalance).where(TripBalance.id == balance_id, visible_to(by, TripBalance.station_key))
    )
    if row is None:
        raise NotFound(f"no trip balance {balance_id} of yours / 未找到该趟次")
    return balance_in_full(row)


def balance_in_full(row: TripBalance) -> dict[str, Any]:
    """A trip with its figures, what to do next while it is held, and what was said of them."""
    fields = (
        "id", "day", "vehicle_key", "trip", "station_key", "doors", "units", "door_g", "doorstep_g", "class_average_g",
        "type_table_g", "station_g", "difference_g", "tolerance_g", "tickets", "differing", "causes", "state",
        "version", "computed_at", "resolutions",
    )  # fmt: skip
    steps = [NEXT_STEPS[cause] for cause in NEXT_STEPS if cause in row.causes] if row.state == "held" else []
    return {name: getattr(row, name) for name in fields} | {
        "next_steps": [{"text_zh": zh, "text_en": en} for zh, en in steps]
    }


def held_between(first: date, last: date, *, session: Session) -> dict[str, Any]:
    """How many trips of a span of days nobody has resolved yet, and what the scales said of them."""
    held = (TripBalance.state == "held", TripBalance.day.between(first, last))
    trips, station_g = session.execute(
        select(func.count(), func.coalesce(func.sum(TripBalance.station_g), 0)).where(*held)
    ).one()
    return {"trips": trips, "station_g": int(station_g), "mass_text": kg_text(int(station_g))}


def list_missing_parts(
    *,
    by: Principal,
    session: Session,
    limit: int,
    first: date | None = None,
    last: date | None = None,
    station_key: str | None = None,
    collector_key: str | None = None,
    agreement: str | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of units that came stripped, newest day first.

    Raises
    ------
    InvalidInput
        When the span ends before it begins.
    """
    flag = MissingPartsFlag
    wanted = select(flag).where(visible_to(by, flag.station_key), *within(flag.day, first, last))
    asked: tuple[tuple[ColumnElement[bool], str | None], ...] = (
        (flag.station_key == station_key, station_key),
        (flag.collector_key == collector_key, collector_key),
        (flag.agreement == agreement, agreement),
    )
    wanted = wanted.where(*(clause for clause, value in asked if value is not None))
    if cursor is not None:
        wanted = wanted.where(tuple_(flag.day, flag.id) < read_cursor(cursor, date.fromisoformat, UUID))
    rows = session.scalars(wanted.order_by(flag.day.desc(), flag.id.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    more = shown[-1] if len(rows) > limit else None
    return {
        "missing_parts": shown,
        "next_cursor": write_cursor(more.day, more.id) if more is not None else None,
    }
