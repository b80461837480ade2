"""Reading hand-overs to processors (移交批次), and the processors there are."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from recycling.clock import service_day
from recycling.errors import NotFound
from recycling.models.hand_over import HandOver, ReWeigh
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.stock_rule import per_mille
from recycling.usecases.custody.sight import seen_by
from recycling.usecases.queries.cursors import instant, read_cursor, write_cursor
from recycling.usecases.queries.spans import within


def list_processors(*, district: District, now: datetime) -> dict[str, Any]:
    """Every processor with its licence, and whether that is in force today."""
    today = service_day(now)
    rows = district.processors.current(on=today)
    return {"processors": [asdict(row) | {"in_force": row.valid_on(today)} for row in rows]}


def list_hand_overs(
    *,
    by: Principal,
    session: Session,
    limit: int,
    first: date | None = None,
    last: date | None = None,
    station_key: str | None = None,
    processor_key: str | None = None,
    state: str | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of batches, newest first; those in the state ``held`` have a difference that nobody has settled.

    Raises
    ------
    InvalidInput
        When the span ends before it begins.
    """
    wanted = select(HandOver).where(seen_by(by, HandOver.station_key), *within(HandOver.day, first, last))
    if station_key is not None:
        wanted = wanted.where(HandOver.station_key == station_key)
    if processor_key is not None:
        wanted = wanted.where(HandOver.processor_key == processor_key)
    if state == "held":
        later = aliased(ReWeigh)
        newest = select(func.max(later.number)).where(later.hand_over_id == HandOver.id).scalar_subquery()
        open_one = ReWeigh.hand_over_id == HandOver.id, ReWeigh.held, ReWeigh.number == newest
        wanted = wanted.where(exists().where(*open_one, ~ReWeigh.resolution.has()))
    if cursor is not None:
        wanted = wanted.where(tuple_(HandOver.handed_at, HandOver.id) < read_cursor(cursor, instant, UUID))
    rows = session.scalars(wanted.order_by(HandOver.handed_at.desc(), HandOver.id.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    oldest = shown[-1] if len(rows) > limit else None
    return {
        "hand_overs": [batch_in_full(batch) for batch in shown],
        "next_cursor": None if oldest is None else write_cursor(oldest.handed_at.isoformat(), oldest.id),
    }


def find_hand_over(hand_over_id: UUID, *, by: Principal, session: Session) -> dict[str, Any]:
    """One batch that the caller may see.

    Raises
    ------
    NotFound
        When there is none; one of a foreign station answers the same.
    """
    batch = session.scalar(select(HandOver).where(HandOver.id == hand_over_id, seen_by(by, HandOver.station_key)))
    if batch is None:
        raise NotFound(f"no hand-over {hand_over_id} of yours / 未找到该移交批次")
    return batch_in_full(batch)


KINDS_ZH = {"reuse": "再使用", "refurbish": "维修翻新", "recovery": "拆解处理"}


def transfer_note(hand_over_id: UUID, *, by: Principal, district: District, session: Session) -> dict[str, Any]:
    """What is printed of a batch: with names, as the licence of its day had them.

    Raises
    ------
    NotFound
        When the caller may see no such batch.
    """
    batch = find_hand_over(hand_over_id, by=by, session=session)
    station = district.network.stations.get(batch["station_key"])
    key, number = batch["processor_key"], batch["licence_number"]
    licences = [row for row in district.processors.rows if (row.key, row.licence_number) == (key, number)]
    # What has left the configuration since then is told by its key.
    nameless = {"name_zh": key, "name_en": "", "authority": "—", "made_up": False}
    lines = []
    for line in batch["lines"]:
        kind = district.catalogue.latest(line.item_type)
        names = {"name_zh": kind.name_zh, "name_en": kind.name_en}
        lines.append(names | {"lot_day": line.lot_day, "units": line.units, "net_g": line.net_g})
    return batch | {
        "station": {
            "key": batch["station_key"],
            "name_zh": batch["station_key"] if station is None else station.name_zh,
        },
        "processor": asdict(licences[0]) if licences else nameless,
        "kind_zh": KINDS_ZH[batch["kind"]],
        "lines": lines,
    }


def batch_in_full(batch: HandOver) -> dict[str, Any]:
    """A batch with its lines, labels and re-weighs; ``state`` tells whether a difference waits for a person."""
    fields = (
        "id", "station_key", "number", "day", "processor_key", "kind", "licence_number", "licensed_to", "net_g",
        "plate", "seal", "keeper_id", "handed_at", "lines", "returned",
    )  # fmt: skip
    re_weighs = [
        {name: getattr(one, name) for name in ("number", "net_g", "difference_g", "held", "slip", "by_id", "at")}
        | {"difference_per_mille": per_mille(one.difference_g, batch.net_g), "resolution": one.resolution}
        for one in batch.re_weighs
    ]
    newest = batch.re_weighs[-1] if batch.re_weighs else None
    if newest is None:
        state = "handed_over"
    else:
        state = "held" if newest.held and newest.resolution is None else "settled"
    booked_g = sum(line.net_g for line in batch.lines)
    return {name: getattr(batch, name) for name in fields} | {
        "booked_g": booked_g, "units": sum(line.units for line in batch.lines), "tags": [row.tag for row in batch.tags],
        "re_weighs": re_weighs, "state": state,
    }  # fmt: skip
