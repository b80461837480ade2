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
from recycling.models.custody import Step, record_steps
from recycling.models.stock import (
    CountReason,
    StockAdjustment,
    StockCount,
    StockCountDecision,
    StockCountLine,
    StockCountTag,
    StockLot,
    add_lots,
    locked_lots,
    next_number,
)
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.catalogue import ItemType
from recycling.policy.district import District
from recycling.policy.plausible_mass import check_plausible
from recycling.units import kg_text
from recycling.usecases.custody.labels import LotKey, labelled_lots, read_labels
from recycling.usecases.custody.sight import own_station, seen_by
from recycling.usecases.intake.line_masses import shared

log = logger(__name__)

# Small differences of one item type within so many days are one to the rule of two: nobody writes stock off in slices.
TAKEN_TOGETHER = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What somebody counted of one item type, and weighed where it was weighed; why, where it is not what is booked.

    ``missing`` are labels of units that were not found, as they were written down.
    """

    item_type: str
    units: int
    net_g: int | None = None
    reason: CountReason | None = None
    missing: Sequence[str] = ()


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
        When an item type is unknown or comes twice, a mass cannot be, a difference has no reason, or more labels are
        missing than units.
    Conflict
        When a missing label is not in stock here.
    """
    station_key, day = own_station(by), service_day(now)
    keys = [line.item_type for line in counted]
    for key in keys:
        if keys.count(key) > 1:
            raise InvalidInput(f"item_type {key!r} comes twice; give it once, with all its units / 同一品类重复")
    with atomic(session):
        kinds = {key: district.catalogue.item_type(key, on=day) for key in keys}
        lots = locked_lots(session, station_key, keys)
        lines = [
            _line(one, kinds[one.item_type], lots.get(one.item_type, ()))
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
        gone = _lots_of_missing(lines, station_key, session=session)  # before the count itself takes them out
        session.add(made)
        session.flush()
        if not held:
            _adjust(made, gone, by=by, session=session, now=now)
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
        gone = _lots_of_missing(count.lines, count.station_key, session=session) if approved else {}
        session.add(
            StockCountDecision(
                count_id=count.id, approved=approved, note=note, counted_by_id=count.counted_by_id, by_id=by.id, at=now
            )
        )
        session.flush()
        session.expire(count, ["decision"])
        if approved:
            _adjust(count, gone, by=by, session=session, now=now)
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


def _line(one: Counted, kind: ItemType, lots: Sequence[StockLot]) -> StockCountLine:
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
    missing = read_labels(one.missing)
    if len(missing) > max(0, -units):
        raise InvalidInput(
            f"{one.item_type}: {len(missing)} labels are missing and {max(0, -units)} units; name no more labels than"
            " units / 缺失标签数不得多于盘亏件数"
        )
    if (units or net_g) and one.reason is None:
        raise InvalidInput(
            f"{one.item_type}: {one.units} counted and {booked_units} booked, a difference of {units} units and"
            f" {kg_text(net_g)}; say why in reason, or count again"
            f" / {kind.name_zh}账面 {booked_units} 件，盘点 {one.units} 件，请注明差异原因或重新盘点"
        )
    return StockCountLine(
        item_type=one.item_type, counted_units=one.units, counted_g=one.net_g, booked_units=booked_units,
        booked_g=booked_g, units=units, net_g=net_g, reason=one.reason if units or net_g else None,
        missing=[StockCountTag(tag=tag) for tag in missing],
    )  # fmt: skip


def _adjust(count: StockCount, gone: Mapping[str, LotKey], *, by: Principal, session: Session, now: datetime) -> None:
    """Bring the lots to a count: what is missing goes out of the oldest, what is there too many into the newest."""
    differing = [line for line in count.lines if line.reason is not None]
    lots = locked_lots(session, count.station_key, [line.item_type for line in differing])
    for line in differing:
        mine = lots.get(line.item_type, [])
        if line.units > 0 and not mine:
            mine = [add_lots(session, count.station_key, count.day, [line.item_type])[line.item_type]]
        # Summed up after that: there was nothing to lock, and a load may have been weighed in meanwhile.
        there = sum(lot.left_units for lot in mine)
        mass_g = sum(lot.left_g for lot in mine) + line.net_g
        units = _units_after(mine, line.units, named=Counter(gone[tag][1] for tag in line.missing_tags))
        if there + line.units < 0 or mass_g < there + line.units or (not there + line.units and mass_g):
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
    facts = {"station_key": count.station_key, "count_id": str(count.id)}
    record_steps(session, [Step(tag, "missing", facts) for tag in sorted(gone)], by=by, now=now)


def _lots_of_missing(lines: Iterable[StockCountLine], station_key: str, *, session: Session) -> dict[str, LotKey]:
    """The lots of the labels that a count misses, each of the item type that it is missed of."""
    wanted = {tag: line.item_type for line in lines for tag in line.missing_tags}
    locked_lots(session, station_key, wanted.values())  # nobody hands them over from here on
    found = labelled_lots(sorted(wanted), station_key, session=session)
    for tag, (item_type, _) in found.items():
        if item_type != wanted[tag]:
            raise Conflict(f"tag {tag} is on a {item_type}, not on a {wanted[tag]} / 标签 {tag} 属于 {item_type}")
    return found


def _units_after(lots: Sequence[StockLot], change: int, *, named: Mapping[date, int]) -> list[int]:
    """Units of each lot, oldest first, when so many more or fewer are there, some of them missing of a named day."""
    taken = [min(lot.left_units, named.get(lot.day, 0)) for lot in lots]
    after = [lot.left_units - units for lot, units in zip(lots, taken, strict=True)]
    change += sum(taken)
    if change > 0:
        after[-1] += change
    for place, units in enumerate(after):
        gone = min(units, max(0, -change))
        after[place], change = units - gone, change + gone
    return after


def _masses_after(lots: Sequence[StockLot], units: Sequence[int], mass_g: int) -> list[int]:
    """Grams of each lot, so that they add up to what is there: a gram a unit, the rest by what the units weighed."""
    if not sum(units):
        return [0] * len(units)
    mean_g = [lot.left_g // lot.left_units if lot.left_units else 1 for lot in lots]
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
