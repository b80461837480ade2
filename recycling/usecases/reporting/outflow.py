"""What became of goods that left the stations (去向): reuse, refurbishment, recovery apart, no part of any figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Row, cast, func, select
from sqlalchemy.orm import Session

from recycling.models.hand_over import HandOver, HandOverLine
from recycling.policy.processors import OUTLET_KINDS
from recycling.units import kg_text

NOTE_ZH = "移交去向不计入回收量：每件只在入库过磅时计一次"
NOTE_EN = "no part of the recovered figures: an item counts once, at weigh-in"

Outflow = Row[date, str, str, str, int, int]


def outflow_between(first: date, last: date, *, session: Session) -> Sequence[Outflow]:
    """What was handed over in a span of days, both included, by day, station, item type and kind of outlet."""
    keys = (HandOver.day, HandOver.station_key, HandOverLine.item_type, HandOver.kind)
    return session.execute(
        select(
            *keys,
            func.sum(HandOverLine.units).label("units"),
            cast(func.sum(HandOverLine.net_g), BigInteger).label("net_g"),
        )
        .join(HandOver, HandOver.id == HandOverLine.hand_over_id)
        .where(HandOver.day.between(first, last))
        .group_by(*keys)
        .order_by(*keys)
    ).all()


def outflow_by_kind(first: date, last: date, *, session: Session) -> dict[str, Any]:
    """Units and mass of each kind of outlet, those without any too, and what must be said beside them."""
    rows = outflow_between(first, last, session=session)
    return {"note_zh": NOTE_ZH, "note_en": NOTE_EN, "kinds": [_kind(kind, rows) for kind in OUTLET_KINDS]}


def _kind(kind: str, rows: Sequence[Outflow]) -> dict[str, Any]:
    mine = [row for row in rows if row.kind == kind]
    net_g = sum(row.net_g for row in mine)
    return {"kind": kind, "units": sum(row.units for row in mine), "net_g": net_g, "mass_text": kg_text(net_g)}
