"""Take back what a processor sends back of a batch (退回): again in the lots that it left, its labels in stock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, InvalidInput
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.custody import Step, WeighedTag, record_steps
from recycling.models.hand_over import HandOver, HandOverLine
from recycling.models.stock import StockAdjustment, add_lots, hold_stock
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.usecases.custody.hand_over import WantedUnits
from recycling.usecases.custody.labels import LotKey, labels_at, move_labels, read_labels
from recycling.usecases.custody.re_weigh import locked_batch
from recycling.usecases.custody.sight import own_station

log = logger(__name__)


def take_back(
    hand_over_id: UUID,
    *,
    lines: Sequence[WantedUnits],
    tags: Sequence[str],
    note: str,
    by: Principal,
    session: Session,
    now: datetime,
) -> HandOver:
    """Put units of a batch of the keeper's own station into stock again, with the grams that they left with.

    Labelled units come back by their labels, the others by item type, and lot where ``day`` names one.

    Raises
    ------
    Forbidden
        When the caller is no keeper of a station.
    NotFound
        When the caller's station has no such batch.
    InvalidInput
        When nothing is named.
    Conflict
        When less of it is still with the processor, or a label is not.
    """
    station_key = own_station(by)
    names = read_labels(tags)
    if not lines and not names:
        raise InvalidInput("lines and tags are both empty: name what comes back / 请填写退回品类或标签")
    with atomic(session):
        batch = locked_batch(hand_over_id, by=by, session=session)
        hold_stock(session, station_key)
        away = {
            row.tag: (row.item_type, row.day)
            for row in session.execute(labels_at(station_key, WeighedTag.hand_over_id == batch.id))
        }
        units = _chosen(batch, lines, names, away)
        for key, number in sorted(units.items()):
            _put_back(batch, key, number, by=by, session=session, now=now)
        session.flush()
        session.expire(batch, ["returned"])
        move_labels(names, session=session)
        at = {"hand_over_id": str(batch.id), "processor_key": batch.processor_key, "station_key": station_key}
        record_steps(session, [Step(tag, "returned", at) for tag in sorted(names)], by=by, now=now)
        facts = {"station_key": station_key, "units": sum(units.values()), "tags": len(names), "note": note}
        audit(session, action="hand_over.returned", subject=batch.id, by=by, now=now, facts=facts)
    log.info("hand_over.returned", hand_over_id=str(hand_over_id), station_key=station_key, units=sum(units.values()))
    return batch


def _chosen(
    batch: HandOver, lines: Sequence[WantedUnits], tags: Sequence[str], away: dict[str, LotKey]
) -> Counter[LotKey]:
    """Units that come back to each lot: labelled ones to their own, the others to the oldest they can be of."""
    units: Counter[LotKey] = Counter()
    for tag in tags:
        if tag not in away:
            raise Conflict(
                f"tag {tag} did not leave with batch {batch.number}, or is back; look at its trail"
                f" / 标签 {tag} 不在该批次的在外物品中，请核对追溯记录"
            )
        units[away[tag]] += 1
    unlabelled = _with_processor(batch)
    unlabelled.subtract(Counter(away.values()))
    for line in sorted(lines, key=lambda line: line.day is None):
        mine = [key for key in sorted(unlabelled) if key[0] == line.item_type and line.day in (None, key[1])]
        there = sum(max(0, unlabelled[key]) for key in mine)
        if line.units > there:
            raise Conflict(
                f"{there} {line.item_type} without a label are with the processor of batch {batch.number}, and"
                f" {line.units} are to come back; name labelled ones in tags"
                f" / 该批次在外的无标签 {line.item_type} 为 {there} 件，带标签的请扫描标签"
            )
        wanted = line.units
        for key in mine:
            number = min(wanted, max(0, unlabelled[key]))
            units[key] += number
            unlabelled[key] -= number
            wanted -= number
    return +units


def _with_processor(batch: HandOver) -> Counter[LotKey]:
    """Units of each lot that have not come back."""
    return Counter({(line.item_type, line.lot_day): _left(batch, line)[0] for line in batch.lines})


def _put_back(batch: HandOver, key: LotKey, units: int, *, by: Principal, session: Session, now: datetime) -> None:
    """Adjust the lot by units that came back: the line's mean each, and all that is left with the last of them."""
    item_type, lot_day = key
    line = next(line for line in batch.lines if (line.item_type, line.lot_day) == key)
    left_units, left_g = _left(batch, line)
    net_g = left_g * units // left_units
    lot = add_lots(session, batch.station_key, lot_day, [item_type])[item_type]
    lot.adjust(units, net_g)
    session.add(
        StockAdjustment(
            id=uuid4(), station_key=batch.station_key, item_type=item_type, lot_day=lot_day, day=service_day(now),
            units=units, net_g=net_g, reason="returned", hand_over_id=batch.id, by_id=by.id, at=now,
        )
    )  # fmt: skip


def _left(batch: HandOver, line: HandOverLine) -> tuple[int, int]:
    back = [row for row in batch.returned if (row.item_type, row.lot_day) == (line.item_type, line.lot_day)]
    return line.units - sum(row.units for row in back), line.net_g - sum(row.net_g for row in back)
