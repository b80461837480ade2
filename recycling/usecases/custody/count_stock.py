"""Count what lies on the shelves (盘点): differences adjust the lots, large ones with a second person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, Forbidden, InvalidInput, NotFound
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.custody import Step, WeighedTag, record_steps
from recycling.models.stock import (
    CountReason,
    StockAdjustment,
    StockCount,
    StockCountDecision,
    StockCountLine,
    StockCountTag,
    StockLot,
    add_lots,
    hold_stock,
    locked_lots,
    next_number,
)
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.catalogue import ItemType
from recycling.policy.district import District
from recycling.policy.plausible_mass import check_plausible
from recycling.units import kg_text
from recycling.usecases.custody.labels import LotKey, labelled_lots, labels_at, labels_by_lot, move_labels, read_labels
from recycling.usecases.custody.sight import own_station, seen_by
from recycling.usecases.intake.line_masses import shared

log = logger(__name__)

# Small differences of one item type within so many days are one to the rule of two: nobody writes stock off in slices.
TAKEN_TOGETHER = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What somebody counted of one item type, and weighed where it was weighed; why, where it is not what is booked.

    ``missing`` are labels of units that were not found, ``found`` those of units that an earlier count missed and that
    are among the counted now, as they were written down.
    """

    item_type: str
    units: int
    net_g: int | None = None
    reason: CountReason | None = None
    missing: Sequence[str] = ()
    found: Sequence[str] = ()


def count_stock(
    counted: Sequence[Counted], *, by: Principal, district: District, session: Session, now: datetime
) -> StockCount:
    """Write a count of the keeper's own station down beside the books, which follow it at once or when it is approved.

    Item types that are not named were not counted.

    Raises
    ------
    Forbidden
        When the caller is no keeper of a station.
    InvalidInput
        When an item type is unknown or comes twice, a mass cannot be, a difference has no reason, more labels are
        missing than units, or fewer than must be: more units would have labels than were counted.
    Conflict
        When a missing label is not in stock here, or no count misses a found one.
    """
    station_key, day = own_station(by), service_day(now)
    keys = [line.item_type for line in counted]
    for key in keys:
        if keys.count(key) > 1:
            raise InvalidInput(f"item_type {key!r} comes twice; give it once, with all its units / 同一品类重复")
    with atomic(session):
        kinds = {key: district.catalogue.item_type(key, on=day) for key in keys}
        lots = locked_lots(session, station_key, keys)
        labels: Counter[str] = Counter()
        for (item_type, _), number in labels_by_lot(station_key, keys, session=session).items():
            labels[item_type] += number
        lines = [
            _line(one, kinds[one.item_type], lots.get(one.item_type, ()), labels[one.item_type])
            for one in sorted(counted, key=lambda one: one.item_type)
        ]
        alone = _alone_lately(station_key, keys, session=session, since=now - TAKEN_TOGETHER)
        held = any(
            district.stock.takes_two(abs(line.units) + units, abs(line.net_g) + net_g)
            for line in lines
            if line.reason is not None
            for units, net_g in [alone.get(line.item_type, (0, 0))]
        )
        made = StockCount(
            id=uuid4(), station_key=station_key, number=next_number(session, station_key, "last_count"), day=day,
            counted_by_id=by.id, counted_at=now, held=held, lines=lines,
        )  # fmt: skip
        named = _lots_of_labels(lines, station_key, session=session)
        session.add(made)
        session.flush()
        if not held:
            _adjust(made, named, by=by, session=session, now=now)
        audit(session, action="stock.counted", subject=made.id, by=by, now=now, facts=_facts(made))
    log.info("stock.counted", count_id=str(made.id), station_key=station_key, held=held)
    return made


def decide_count(
    count_id: UUID, *, approved: bool, note: str, by: Principal, session: Session, now: datetime
) -> StockCount:
    """Let a held count hold, or put it aside: by somebody else than who counted.

    Raises
    ------
    NotFound
        When the caller may see no such count.
    Conflict
        When it waits for nobody, or less is left since than it takes away.
    Forbidden
        When the caller counted.
    """
    with atomic(session):
        wanted = select(StockCount).where(StockCount.id == count_id, seen_by(by, StockCount.station_key))
        count = session.scalar(wanted.with_for_update(key_share=True).execution_options(populate_existing=True))
        if count is None:
            raise NotFound(f"no stock count {count_id} of yours / 未找到该盘点")
        if not count.held or count.decision is not None:
            raise Conflict(f"count {count.number} of {count.station_key} waits for nobody / 该盘点无需复核或已复核")
        if count.counted_by_id == by.id:
            raise Forbidden("a second person decides, not the one who counted / 须由盘点人以外的人员复核")
        named = {}
        if approved:
            hold_stock(session, count.station_key)
            named = _lots_of_labels(count.lines, count.station_key, session=session)
        session.add(
            StockCountDecision(
                count_id=count.id, approved=approved, note=note, counted_by_id=count.counted_by_id, by_id=by.id, at=now
            )
        )
        session.flush()
        session.expire(count, ["decision"])
        if approved:
            _adjust(count, named, by=by, session=session, now=now)
        action = "stock.count_approved" if approved else "stock.count_rejected"
        audit(session, action=action, subject=count.id, by=by, now=now, facts=_facts(count))
    return count


def _alone_lately(
    station_key: str, item_types: Sequence[str], *, session: Session, since: datetime
) -> dict[str, tuple[int, int]]:
    """Units and grams that counts without a second person have moved at a station, by item type."""
    line = StockCountLine
    moved = (
        select(line.item_type, func.sum(func.abs(line.units)), cast(func.sum(func.abs(line.net_g)), BigInteger))
        .join(StockCount, StockCount.id == line.count_id)
        .where(StockCount.station_key == station_key, StockCount.held.is_(False), StockCount.counted_at >= since)
        .where(line.item_type.in_(item_types), line.reason.is_not(None))
        .group_by(line.item_type)
    )
    return {item_type: (units, net_g) for item_type, units, net_g in session.execute(moved)}


def _facts(count: StockCount) -> dict[str, object]:
    changed = [[line.item_type, line.units, line.net_g, line.reason] for line in count.lines if line.reason is not None]
    return {"station_key": count.station_key, "number": count.number, "held": count.held, "differences": changed}


def _line(one: Counted, kind: ItemType, lots: Sequence[StockLot], labels: int) -> StockCountLine:
    """A count beside the books; without a mass, units that are more or fewer weigh what the others do."""
    booked_units, booked_g = sum(lot.left_units for lot in lots), sum(lot.left_g for lot in lots)
    if one.net_g is None:
        unit_g = booked_g // booked_units if booked_units else kind.unit_mass_g
        net_g = unit_g * (one.units - booked_units) if one.units else -booked_g
    else:
        goods = f"{one.units} × {kind.name_zh} {kind.key}"
        check_plausible(one.net_g, table_g=one.units * kind.unit_mass_g, goods=goods, fields="net_g")
        if one.net_g < one.units or (not one.units and one.net_g):
            raise InvalidInput(f"net_g {one.net_g} of {one.units} {one.item_type}: nothing weighs that / 质量有误")
        net_g = one.net_g - booked_g
    units = one.units - booked_units
    missing, found = read_labels(one.missing), read_labels(one.found)
    # At least so many labels are gone, since each is on a unit; at most so many, since what is gone is.
    least = labels + len(found) - one.units
    most = max(0, len(found) - units, least)
    if len(missing) > most:
        raise InvalidInput(
            f"{one.item_type}: {len(missing)} labels are missing and {most} units; name no more labels than"
            " units / 缺失标签数不得多于盘亏件数"
        )
    if len(missing) < least:
        raise InvalidInput(
            f"{one.item_type}: {one.units} counted, and {labels + len(found)} in stock have labels; name at least"
            f" {least} in missing / {kind.name_zh}盘点 {one.units} 件，在库带标签 {labels + len(found)} 件，"
            f"请至少列出 {least} 个缺失标签"
        )
    if (units or net_g or missing or found) and one.reason is None:
        raise InvalidInput(
            f"{one.item_type}: {one.units} counted and {booked_units} booked, a difference of {units} units and"
            f" {kg_text(net_g)}; say why in reason, or count again"
            f" / {kind.name_zh}账面 {booked_units} 件，盘点 {one.units} 件，请注明差异原因或重新盘点"
        )
    return StockCountLine(
        item_type=one.item_type, counted_units=one.units, counted_g=one.net_g, booked_units=booked_units,
        booked_g=booked_g, units=units, net_g=net_g,
        reason=one.reason if units or net_g or missing or found else None,
        tags=[StockCountTag(tag=tag, found=tag in found) for tag in [*missing, *found]],
    )  # fmt: skip


def _adjust(count: StockCount, named: Mapping[str, LotKey], *, by: Principal, session: Session, now: datetime) -> None:
    """Bring the lots to a count: what has no label goes out of the oldest that have such, and comes into the newest."""
    differing = [line for line in count.lines if line.reason is not None]
    keys = [line.item_type for line in differing]
    lots, labels = (
        locked_lots(session, count.station_key, keys),
        labels_by_lot(count.station_key, keys, session=session),
    )
    for line in differing:
        gone, back = (Counter(named[tag][1] for tag in tags) for tags in (line.missing_tags, line.found_tags))
        mine = lots.get(line.item_type, [])
        mine += [_lot(count, line, day, session=session) for day in back if day not in {lot.day for lot in mine}]
        if line.units > 0 and not mine:
            mine = [_lot(count, line, count.day, session=session)]
        mine.sort(key=lambda lot: lot.day)
        there = sum(lot.left_units for lot in mine)
        mass_g = sum(lot.left_g for lot in mine) + line.net_g
        with_label = {lot.day: labels[line.item_type, lot.day] for lot in mine}
        units = _units_after(mine, line.units, gone=gone, back=back, labels=with_label)
        if units is None or mass_g < there + line.units or (not there + line.units and mass_g):
            raise Conflict(
                f"{there} {line.item_type} are left by now, and the count takes away {-line.units}; count again"
                f" / 账面现有 {line.item_type} {there} 件，不足以调减 {-line.units} 件，请重新盘点"
            )
        for lot, after, after_g in zip(mine, units, _masses_after(mine, units, mass_g), strict=True):
            change, change_g = after - lot.left_units, after_g - lot.left_g
            if not change and not change_g:
                continue
            lot.adjust(change, change_g)
            session.add(_row(count, line, lot.day, change, change_g, by=by, now=now))
    session.flush()
    missing, found = ([tag for line in count.lines for tag in tags(line)] for tags in (_missing, _found))
    move_labels(missing, session=session, count_id=count.id)
    move_labels(found, session=session)
    facts = {"station_key": count.station_key, "count_id": str(count.id)}
    steps = [Step(tag, "missing", facts) for tag in missing] + [Step(tag, "found", facts) for tag in found]
    record_steps(session, sorted(steps, key=lambda step: step.tag), by=by, now=now)


def _lot(count: StockCount, line: StockCountLine, day: date, *, session: Session) -> StockLot:
    return add_lots(session, count.station_key, day, [line.item_type])[line.item_type]


def _missing(line: StockCountLine) -> list[str]:
    return line.missing_tags


def _found(line: StockCountLine) -> list[str]:
    return line.found_tags


def _lots_of_labels(lines: Iterable[StockCountLine], station_key: str, *, session: Session) -> dict[str, LotKey]:
    """The lots of the labels that a count misses or has found again, each of the item type that it is named under.

    Of a station whose stock is held: nobody hands them over from here on.
    """
    wanted = {row.tag: line.item_type for line in lines for row in line.tags}
    missing, found = ([tag for line in lines for tag in tags(line)] for tags in (_missing, _found))
    lots = labelled_lots(missing, station_key, session=session)
    missed = labels_at(station_key, WeighedTag.count_id.is_not(None), WeighedTag.tag.in_(found))
    lots |= {row.tag: (row.item_type, row.day) for row in session.execute(missed)}
    for tag, item_type in wanted.items():
        if tag not in lots:
            raise Conflict(f"tag {tag} is missed by no count of this station / 标签 {tag} 未被本站盘点记为缺失")
        if lots[tag][0] != item_type:
            raise Conflict(f"tag {tag} is on a {lots[tag][0]}, not on a {item_type} / 标签 {tag} 属于 {lots[tag][0]}")
    return lots


def _units_after(
    lots: Sequence[StockLot], change: int, *, gone: Mapping[date, int], back: Mapping[date, int],
    labels: Mapping[date, int],
) -> list[int] | None:  # fmt: skip
    """Units of each lot, oldest first, when so many more or fewer are there; ``None`` when there are not so many.

    Labelled units leave and enter the lots of their days, the others the oldest that has some, and the newest.
    """
    after, least = [], []
    for lot in lots:
        # Of labels that an earlier release left behind no unit is in the lot.
        without_unit = max(0, labels[lot.day] - lot.left_units)
        taken = max(0, gone.get(lot.day, 0) - without_unit)
        change += taken - back.get(lot.day, 0)
        after.append(lot.left_units - taken + back.get(lot.day, 0))
        least.append(min(after[-1], labels[lot.day] - gone.get(lot.day, 0) + back.get(lot.day, 0)))
    if change > 0:
        after[-1] += change
    for place, units in enumerate(after):
        leave = min(units - least[place], max(0, -change))
        after[place], change = units - leave, change + leave
    return None if change < 0 or min(after, default=0) < 0 else after


def _masses_after(lots: Sequence[StockLot], units: Sequence[int], mass_g: int) -> list[int]:
    """Grams of each lot, so that they add up to what is there: a gram a unit, the rest by what the units weighed."""
    if not sum(units):
        return [0] * len(units)
    there, there_g = sum(lot.left_units for lot in lots), sum(lot.left_g for lot in lots)
    mean_g = [lot.left_g // lot.left_units if lot.left_units else there_g // max(1, there) for lot in lots]
    weights = [count * max(1, mean) for count, mean in zip(units, mean_g, strict=True)]
    return [
        count + part for count, part in zip(units, shared(mass_g - sum(units), weights), strict=True)
    ]  # fmt: skip


def _row(
    count: StockCount, line: StockCountLine, lot_day: date, units: int, net_g: int, *, by: Principal, now: datetime
) -> StockAdjustment:
    return StockAdjustment(
        id=uuid4(), station_key=count.station_key, item_type=line.item_type, lot_day=lot_day, day=service_day(now),
        units=units, net_g=net_g, reason=str(line.reason), count_id=count.id, by_id=by.id, at=now,
    )  # fmt: skip
