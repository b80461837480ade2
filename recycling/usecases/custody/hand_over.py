"""Hand a batch over to a licensed processor (移交批次): out of the lots, with the labels that leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, InvalidInput
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.custody import Step, record_steps
from recycling.models.hand_over import HandOver, HandOverLine, HandOverTag
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.stock import StockLot, locked_lots, next_number
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.catalogue import ItemType
from recycling.policy.custody_tags import LONGEST_AS_READ, read_seal
from recycling.policy.district import District
from recycling.policy.plausible_mass import check_plausible
from recycling.policy.processors import Processor, check_covered
from recycling.usecases.custody.labels import LotKey, labelled_lots, labels_in_stock, move_labels, read_labels
from recycling.usecases.custody.sight import own_station

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedUnits:
    """So many units of an item type: out of the lot of a day, else out of the oldest."""

    item_type: str
    units: int
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a keeper hands over: units by item type, labelled units by their labels, and what the scale shows."""

    processor_key: str
    net_g: int
    plate: str
    lines: Sequence[WantedUnits] = ()
    tags: Sequence[str] = ()
    seal: str | None = None


@dataclass(slots=True)
class _Taken:
    """What leaves one lot: labelled units, and units that nobody named."""

    tags: list[str] = field(default_factory=list)
    unnamed: int = 0


def hand_over(batch: Batch, *, by: Principal, district: District, session: Session, now: datetime) -> HandOver:
    """Write a batch of the keeper's own station down, once: numbered, out of the lots, its labels at the outlet.

    Raises
    ------
    Forbidden
        When the caller is no keeper of a station.
    InvalidInput
        When the batch is empty, contradicts itself, or cannot weigh what the scale showed.
    Conflict
        When the licence does not cover it today, the goods hold data that nobody has wiped, there is less in stock than
        is handed over, or labelled units would leave without their labels.
    """
    station_key, day = own_station(by), service_day(now)
    tags = read_labels(batch.tags)
    if not batch.lines and not tags:
        raise InvalidInput("lines and tags are both empty: name what leaves / 请填写移交品类或标签")
    seal = None if batch.seal is None else read_seal(batch.seal)
    if batch.seal is not None and seal is None:
        raise InvalidInput(
            f"seal {batch.seal[:LONGEST_AS_READ]!r} is no number of 4 to 24 letters and digits / 封签有误"
        )
    processor = district.processors.licensed(batch.processor_key, on=day)
    with atomic(session):
        labelled = labelled_lots(tags, station_key, session=session)
        wanted = {line.item_type for line in batch.lines} | {key[0] for key in labelled.values()}
        kinds = {item_type: district.catalogue.item_type(item_type, on=day) for item_type in sorted(wanted)}
        check_covered(processor, tuple(kinds.values()))
        lots = locked_lots(session, station_key, wanted)
        # Again: a correction may have changed it before we held the lots.
        labelled = labelled_lots(tags, station_key, session=session)
        taken = _chosen(batch.lines, labelled, lots)
        along = _labels_along(taken, lots, station_key, session=session)
        batch_id = uuid4()
        lines = _lines(taken, lots, processor, kinds)
        _check_weight(batch.net_g, lines, kinds)
        made = HandOver(
            id=batch_id, station_key=station_key, day=day,
            number=next_number(session, station_key, "last_hand_over"), processor_key=processor.key,
            kind=processor.kind, licence_number=processor.licence_number, licensed_to=processor.valid_to,
            net_g=batch.net_g, plate=batch.plate, seal=seal, keeper_id=by.id, handed_at=now, lines=lines,
            tags=[HandOverTag(tag=tag) for tag in sorted(along)],
        )  # fmt: skip
        session.add(made)
        session.flush()
        move_labels(along, session=session, hand_over_id=batch_id)
        at = {"hand_over_id": str(batch_id), "processor_key": processor.key, "station_key": station_key}
        record_steps(session, [Step(tag, "outlet", at) for tag in sorted(along)], by=by, now=now)
        audit(
            session, action="hand_over.made", subject=batch_id, by=by, now=now,
            facts={
                "station_key": station_key, "number": made.number, "processor_key": processor.key,
                "licence_number": processor.licence_number, "net_g": batch.net_g, "tags": len(along),
                "units": sum(line.units for line in lines), "booked_g": sum(line.net_g for line in lines),
            },
        )  # fmt: skip
    log.info("hand_over.made", hand_over_id=str(batch_id), station_key=station_key, net_g=batch.net_g)
    return made


def _chosen(
    lines: Sequence[WantedUnits], labelled: Mapping[str, LotKey], lots: Mapping[str, Sequence[StockLot]]
) -> dict[LotKey, _Taken]:
    """What leaves which lot: labelled units their own, named days theirs, the rest the oldest."""
    left = {(lot.item_type, lot.day): lot.left_units for some in lots.values() for lot in some}
    taken: dict[LotKey, _Taken] = {}
    for tag, key in sorted(labelled.items()):
        if left.get(key, 0) < 1:
            raise _too_few(key[0], 1, 0, key[1])
        left[key] -= 1
        taken.setdefault(key, _Taken()).tags.append(tag)
    # Those that name their day first, so that the others do not take it from them.
    for line in sorted(lines, key=lambda line: line.day is None):
        days = [lot.day for lot in lots.get(line.item_type, ()) if line.day in (None, lot.day)]
        there = sum(left[line.item_type, day] for day in days)
        if line.units > there:
            raise _too_few(line.item_type, line.units, there, line.day)
        wanted = line.units
        for day in days:
            units = min(wanted, left[line.item_type, day])
            if units:
                taken.setdefault((line.item_type, day), _Taken()).unnamed += units
            left[line.item_type, day] -= units
            wanted -= units
    return taken


def _too_few(item_type: str, wanted: int, there: int, day: date | None) -> Conflict:
    of_day = "" if day is None else f" of {day}"
    return Conflict(
        f"{there} {item_type}{of_day} are in stock and {wanted} are to be handed over; count the stock, or hand over"
        f" fewer / 库存 {item_type} 仅 {there} 件，欲移交 {wanted} 件"
    )


def _labels_along(
    taken: Mapping[LotKey, _Taken], lots: Mapping[str, Sequence[StockLot]], station_key: str, *, session: Session
) -> set[str]:
    """The labels that leave: those named, and of a lot that goes out whole all that were not.

    Where some of a lot stays, units without a label may leave unnamed, labelled ones may not: nobody could tell later
    which of them went.
    """
    left = {(lot.item_type, lot.day): lot.left_units for some in lots.values() for lot in some}
    along = {tag for one in taken.values() for tag in one.tags}
    unnamed = {key for key, one in taken.items() if one.unnamed}
    if not unnamed:
        return along
    there: dict[LotKey, set[str]] = {key: set() for key in unnamed}
    in_lots = IntakeLine.item_type.in_({key[0] for key in unnamed}), IntakeTicket.day.in_({key[1] for key in unnamed})
    for tag, item_type, day in session.execute(labels_in_stock(station_key).where(*in_lots)):
        if (item_type, day) in there and tag not in along:
            there[item_type, day].add(tag)
    for key, tags in there.items():
        stays = left[key] - len(taken[key].tags) - taken[key].unnamed
        if stays == 0 and len(tags) <= taken[key].unnamed:
            along |= tags
        elif len(tags) > stays:
            raise Conflict(
                f"{len(tags)} of the {key[0]} weighed in on {key[1]} have labels, and {stays} would stay; name the tags"
                f" of those that leave / {key[1]} 入库的 {key[0]} 有 {len(tags)} 件带标签，请扫描移交件的标签"
            )
    return along


def _lines(
    taken: Mapping[LotKey, _Taken],
    lots: Mapping[str, Sequence[StockLot]],
    processor: Processor,
    kinds: Mapping[str, ItemType],
) -> list[HandOverLine]:
    """Take the units out of their lots."""
    of_key = {(lot.item_type, lot.day): lot for some in lots.values() for lot in some}
    lines = []
    for position, (key, one) in enumerate(sorted(taken.items())):
        units = one.unnamed + len(one.tags)
        lines.append(
            HandOverLine(
                position=position, item_type=key[0], lot_day=key[1], units=units, net_g=of_key[key].take(units),
                kind=processor.kind, data_bearing=kinds[key[0]].data_bearing,
            )
        )  # fmt: skip
    return lines


def _check_weight(net_g: int, lines: Sequence[HandOverLine], kinds: Mapping[str, ItemType]) -> None:
    """Refuse a reading that cannot be that of the goods; a smaller difference is for the balance to show."""
    units: Counter[str] = Counter()
    for line in lines:
        units[line.item_type] += line.units
    goods = "、".join(f"{count} × {kinds[item_type].name_zh} {item_type}" for item_type, count in sorted(units.items()))
    check_plausible(net_g, table_g=sum(line.net_g for line in lines), goods=goods[:120], fields="net_g")
