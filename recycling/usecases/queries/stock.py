"""Reading the stock of the stations (库存): by station, item type and age, and what was counted."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import NotFound
from recycling.models.stock import AMOUNTS, StockCount, StockLot
from recycling.policy.access import Principal
from recycling.policy.checks import BP
from recycling.policy.district import District
from recycling.usecases.custody.sight import seen_by
from recycling.usecases.queries.cursors import instant, key, read_cursor, write_cursor


def stock_by_station(
    *, by: Principal, district: District, session: Session, now: datetime, station_key: str | None = None
) -> dict[str, Any]:
    """What lies at each station that the caller may see, by item type and age, against its storage limit."""
    today = service_day(now)
    wanted = select(StockLot).where(StockLot.left_units > 0, seen_by(by, StockLot.station_key))
    if station_key is not None:
        wanted = wanted.where(StockLot.station_key == station_key)
    of_station: dict[str, dict[str, list[StockLot]]] = {}
    for lot in session.scalars(wanted.order_by(StockLot.day, StockLot.station_key, StockLot.item_type)):
        of_station.setdefault(lot.station_key, {}).setdefault(lot.item_type, []).append(lot)
    shown = [own for own in district.network.stations if by.role != "keeper" or own == by.station_key]
    keys = [own for own in [*shown, *sorted(of_station.keys() - {*shown})] if station_key in (None, own)]
    return {
        "on": today,
        "stations": [_station(own, of_station.get(own, {}), today=today, district=district) for own in keys],
    }


def _station(
    station_key: str, of_type: dict[str, list[StockLot]], *, today: date, district: District
) -> dict[str, Any]:
    station = district.network.stations.get(station_key)  # one that has left the network may still hold goods
    limit_g = None if station is None else station.storage_limit_g
    there_g = sum(lot.left_g for lots in of_type.values() for lot in lots)
    share_bp = None if limit_g is None else there_g * BP // limit_g
    state = "no_limit"
    if share_bp is not None:
        near = "near" if share_bp >= district.stock.alarm_bp else "within"
        state = "above" if limit_g is not None and there_g > limit_g else near
    categories = [_category(key, lots, today=today, district=district) for key, lots in of_type.items()]
    return {
        "station_key": station_key,
        "name_zh": station_key if station is None else station.name_zh,
        "name_en": station_key if station is None else station.name_en,
        "storage_limit_g": limit_g,
        "stored_g": there_g,
        "stored_units": sum(lot.left_units for lots in of_type.values() for lot in lots),
        "share_bp": share_bp,
        "state": state,
        "item_types": categories,  # the one that lies longest first
    }


def _category(item_type: str, lots: list[StockLot], *, today: date, district: District) -> dict[str, Any]:
    kind = district.catalogue.latest(item_type)
    aged = [lot for lot in lots if (today - lot.day).days > district.stock.most_days(kind.group)]
    return {
        "item_type": item_type, "name_zh": kind.name_zh, "name_en": kind.name_en, "group": kind.group,
        "units": sum(lot.left_units for lot in lots), "net_g": sum(lot.left_g for lot in lots), "lots": len(lots),
        "oldest_day": lots[0].day, "oldest_days": (today - lots[0].day).days,
        "most_days": district.stock.most_days(kind.group), "aged_units": sum(lot.left_units for lot in aged),
    }  # fmt: skip


def list_lots(
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    limit: int,
    station_key: str | None = None,
    item_type: str | None = None,
    least_days: int | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of the lots with something left, oldest first; ``least_days`` leaves out the younger ones."""
    today = service_day(now)
    keys = (StockLot.day, StockLot.station_key, StockLot.item_type)
    wanted = select(StockLot).where(StockLot.left_units > 0, seen_by(by, StockLot.station_key)).order_by(*keys)
    if station_key is not None:
        wanted = wanted.where(StockLot.station_key == station_key)
    if item_type is not None:
        wanted = wanted.where(StockLot.item_type == item_type)
    if least_days is not None:
        wanted = wanted.where(StockLot.day <= today - timedelta(days=least_days))
    if cursor is not None:
        wanted = wanted.where(tuple_(*keys) > read_cursor(cursor, date.fromisoformat, key, key))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    return {
        "lots": [_lot(lot, today=today, district=district) for lot in shown],
        "next_cursor": None if last is None else write_cursor(last.day, last.station_key, last.item_type),
    }


def _lot(lot: StockLot, *, today: date, district: District) -> dict[str, Any]:
    names = ("station_key", "item_type", "day", *AMOUNTS)
    most_days = district.stock.most_days(district.catalogue.latest(lot.item_type).group)
    days = (today - lot.day).days
    return {name: getattr(lot, name) for name in names} | {"days": days, "aged": days > most_days}


def list_counts(
    *,
    by: Principal,
    session: Session,
    limit: int,
    station_key: str | None = None,
    state: str | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of stock counts, newest first; those in the state ``held`` wait for a second person."""
    wanted = select(StockCount).where(seen_by(by, StockCount.station_key))
    if station_key is not None:
        wanted = wanted.where(StockCount.station_key == station_key)
    if state == "held":
        wanted = wanted.where(StockCount.held, ~StockCount.decision.has())
    if cursor is not None:
        wanted = wanted.where(tuple_(StockCount.counted_at, StockCount.id) < read_cursor(cursor, instant, UUID))
    newest = wanted.order_by(StockCount.counted_at.desc(), StockCount.id.desc())
    rows = session.scalars(newest.limit(limit + 1)).all()
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    return {
        "stock_counts": [count_in_full(count) for count in shown],
        "next_cursor": None if last is None else write_cursor(last.counted_at.isoformat(), last.id),
    }


def find_count(count_id: UUID, *, by: Principal, session: Session) -> dict[str, Any]:
    """One stock count that the caller may see.

    Raises
    ------
    NotFound
        When there is none; one of a foreign station answers the same.
    """
    wanted = select(StockCount).where(StockCount.id == count_id, seen_by(by, StockCount.station_key))
    count = session.scalar(wanted)
    if count is None:
        raise NotFound(f"no stock count {count_id} of yours / 未找到该盘点")
    return count_in_full(count)


def count_in_full(count: StockCount) -> dict[str, Any]:
    """A count with its lines, and whether the books follow it."""
    fields = ("id", "station_key", "number", "day", "counted_by_id", "counted_at", "held", "lines", "decision")
    if count.decision is None:
        state = "held" if count.held else "done"
    else:
        state = "done" if count.decision.approved else "rejected"
    return {name: getattr(count, name) for name in fields} | {"state": state}
