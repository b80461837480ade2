"""The balance of each station (站点物料平衡): what came in, left, was adjusted, and lies there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Select, and_, case, cast, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from recycling.clock import service_day
from recycling.errors import InvalidInput
from recycling.models.hand_over import HandOver, HandOverLine
from recycling.models.recovery import DailyRecovery
from recycling.models.stock import StockAdjustment, StockLot
from recycling.models.transaction import see_one_state
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.custody.sight import seen_by

MOVES = ("in", "out", "adjusted")


def station_balance(
    first: date,
    last: date,
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    station_key: str | None = None,
) -> dict[str, Any]:
    """Sums of a span by station and item type; in is what the recovered figures say: both stand or fall together.

    ``closing = opening + in − out + adjusted``. ``difference`` is what the movements of all time come to, less what the
    lots hold now: it is zero.

    Raises
    ------
    InvalidInput
        When the span ends before it begins, or after today.
    """
    today = service_day(now)
    if not first <= last <= today:
        raise InvalidInput(f"from = {first}, to = {last}: give days in sequence up to today, {today} / 日期范围有误")
    see_one_state(session)
    parts = [
        _moves(name, day, station, item_type, units, mass_g, first, last)
        .where(seen_by(by, station), *([] if station_key is None else [station == station_key]))
        for name, day, station, item_type, units, mass_g in _sources()
    ]  # fmt: skip
    both = union_all(*parts).subquery()
    keys = both.c.station_key, both.c.item_type
    sums = [cast(func.sum(column), BigInteger).label(column.name) for column in list(both.c)[2:]]
    rows = session.execute(select(*keys, *sums).group_by(*keys).order_by(*keys))
    return {"first": first, "last": last, "stations": _by_station([row._asdict() for row in rows], district=district)}


Source = tuple[str, Any, InstrumentedAttribute[str], Any, Any, Any]


def _sources() -> list[Source]:
    """Where each kind of movement is written down, with its sign; the lots come last, taken off again."""
    fact, line, batch, change, lot = DailyRecovery, HandOverLine, HandOver, StockAdjustment, StockLot
    return [
        ("in", fact.day, fact.station_key, fact.item_type, fact.units, fact.recovered_g),
        ("out", batch.day, batch.station_key, line.item_type, -line.units, -line.net_g),
        ("adjusted", change.day, change.station_key, change.item_type, change.units, change.net_g),
        ("lots", None, lot.station_key, lot.item_type, -lot.left_units, -lot.left_g),
    ]


def _moves(
    name: str, day: Any, station: Any, item_type: Any, units: Any, mass_g: Any, first: date, last: date
) -> Select[*tuple[Any, ...]]:
    """Amounts of one kind of movement: before the span, in it by kind, and of all time."""
    columns: list[Any] = [station.label("station_key"), item_type.label("item_type")]
    for unit, amount in (("units", units), ("g", mass_g)):
        columns.append((literal(0) if day is None else _when(day < first, amount)).label(f"opening_{unit}"))
        columns += [
            (_when(and_(day >= first, day <= last), amount) if one == name else literal(0)).label(f"{one}_{unit}")
            for one in MOVES
        ]
        columns.append(amount.label(f"difference_{unit}"))
    wanted = select(*columns)
    return wanted.join(HandOver, HandOver.id == HandOverLine.hand_over_id) if name == "out" else wanted


def _when(condition: Any, amount: Any) -> Any:
    return case((condition, amount), else_=0)


def _by_station(rows: list[dict[str, Any]], *, district: District) -> list[dict[str, Any]]:
    of_station: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        kind = district.catalogue.latest(row["item_type"])
        row |= {"name_zh": kind.name_zh, "name_en": kind.name_en}
        for unit in ("units", "g"):
            row[f"out_{unit}"] = -row[f"out_{unit}"]  # what left, as a number of things
            row[f"closing_{unit}"] = (
                row[f"opening_{unit}"] + row[f"in_{unit}"] - row[f"out_{unit}"] + row[f"adjusted_{unit}"]
            )
        of_station.setdefault(row["station_key"], []).append(row)
    return [
        {"station_key": key, "item_types": mine, "balanced": not any(_differs(row) for row in mine)}
        for key, mine in of_station.items()
    ]


def _differs(row: dict[str, Any]) -> bool:
    return bool(row["difference_units"] or row["difference_g"])
