"""What became of goods that left the stations (去向): reuse, refurbishment, recovery apart, no part of any figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Row, cast, func, select, union_all
from sqlalchemy.orm import Session

from recycling.models.hand_over import HandOver, HandOverLine
from recycling.models.stock import StockAdjustment
from recycling.policy.processors import OUTLET_KINDS
from recycling.units import kg_text

NOTE_ZH = "移交去向不计入回收量：每件只在入库过磅时计一次"
NOTE_EN = "no part of the recovered figures: an item counts once, at weigh-in"

Outflow = Row[date, str, str, str, int, int]


def outflow_between(first: date, last: date, *, session: Session) -> Sequence[Outflow]:
    """What was handed over in a span of days, both included, by day, station, item type and kind of outlet.

    What came back is taken off on the day on which it did.
    """
    batch, line, back = HandOver, HandOverLine, StockAdjustment
    handed = select(batch.day, batch.station_key, line.item_type, batch.kind, line.units, line.net_g)
    returned = select(back.day, back.station_key, back.item_type, batch.kind, -back.units, -back.net_g)
    both = union_all(
        handed.join(batch, batch.id == line.hand_over_id).where(batch.day.between(first, last)),
        returned.join(batch, batch.id == back.hand_over_id).where(back.day.between(first, last)),
    ).subquery()
    day, station_key, item_type, kind, units, net_g = both.c
    keys = (day, station_key, item_type, kind)
    sums = func.sum(units).label("units"), cast(func.sum(net_g), BigInteger).label("net_g")
    return session.execute(select(*keys, *sums).group_by(*keys).order_by(*keys)).all()


def outflow_by_kind(first: date, last: date, *, session: Session) -> dict[str, Any]:
    """Units and mass of each kind of outlet, those without any too, and what must be said beside them."""
    rows = outflow_between(first, last, session=session)
    return {"note_zh": NOTE_ZH, "note_en": NOTE_EN, "kinds": [_kind(kind, rows) for kind in OUTLET_KINDS]}


def _kind(kind: str, rows: Sequence[Outflow]) -> dict[str, Any]:
    mine = [row for row in rows if row.kind == kind]
    net_g = sum(row.net_g for row in mine)
    return {"kind": kind, "units": sum(row.units for row in mine), "net_g": net_g, "mass_text": kg_text(net_g)}
