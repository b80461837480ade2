"""Invariants of stock, hand-overs and the trails of labelled units."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from recycling.models.custody import CustodyEvent, CustodyTag, WeighedTag
from recycling.models.hand_over import HandOver, HandOverLine, HandOverTag
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.recovery import DailyRecovery
from recycling.models.stock import (
    StationBook,
    StockAdjustment,
    StockCount,
    StockCountDecision,
    StockLot,
)
from recycling.usecases.queries.custody import verify_custody
from recycling.usecases.queries.invariants.figures import NEWEST
from recycling.usecases.queries.invariants.rule import MOST_ROWS, Breaches, Query, differences, invariant, rows


def _sums(*parts: Query) -> Query:
    """Parts of the same columns added up by their first three or two keys, zero sums left out."""
    both = union_all(*parts).subquery()
    keys, amounts = list(both.c)[:-2], list(both.c)[-2:]
    return select(*keys, *(func.sum(amount) for amount in amounts)).group_by(*keys)


@invariant(
    "I-13", "站点平衡：入 − 出 ± 调整 − 库存 = 0 / by station and item type, in − out ± adjusted − stock is zero"
)
def stations_balance(session: Session, _now: datetime) -> Breaches:
    """Stations and item types where recovered figures, hand-overs and adjustments do not come to what lies there."""
    fact, line, change, lot = DailyRecovery, HandOverLine, StockAdjustment, StockLot
    handed = select(HandOver.station_key, line.item_type, -line.units, -line.net_g)
    moved = _sums(
        select(fact.station_key, fact.item_type, fact.units.label("units"), fact.recovered_g.label("net_g")),
        handed.join(HandOver, HandOver.id == line.hand_over_id),
        select(change.station_key, change.item_type, change.units, change.net_g),
    )
    there = select(lot.station_key, lot.item_type, func.sum(lot.left_units), func.sum(lot.left_g))
    return differences(session, 2, moved, there.group_by(lot.station_key, lot.item_type))


@invariant("I-44", "批次 = 磅单、移交与调整 / each lot is what tickets brought, hand-overs took and counts adjusted")
def lots_are_their_movements(session: Session, _now: datetime) -> Breaches:
    """Lots whose amounts in, out or adjusted are not what is written down of them."""
    ticket, line, lot = IntakeTicket, IntakeLine, StockLot
    keys = lot.station_key, lot.item_type, lot.day
    brought = (
        select(ticket.station_key, line.item_type, ticket.day, func.sum(line.units), func.sum(line.net_g))
        .join(ticket, ticket.id == line.ticket_id)
        .where(NEWEST)
        .group_by(ticket.station_key, line.item_type, ticket.day)
    )
    out = HandOverLine
    taken = (
        select(HandOver.station_key, out.item_type, out.lot_day, func.sum(out.units), func.sum(out.net_g))
        .join(HandOver, HandOver.id == out.hand_over_id)
        .group_by(HandOver.station_key, out.item_type, out.lot_day)
    )
    change = StockAdjustment
    of_change = change.station_key, change.item_type, change.lot_day
    adjusted = select(*of_change, func.sum(change.units), func.sum(change.net_g)).group_by(*of_change)
    return [
        *differences(session, 3, select(*keys, lot.in_units, lot.in_g), brought),
        *differences(session, 3, select(*keys, lot.out_units, lot.out_g), taken),
        *differences(session, 3, select(*keys, lot.adjusted_units, lot.adjusted_g), adjusted),
    ][:MOST_ROWS]


@invariant("I-44", "移交编号连续 / hand-overs and counts of a station are numbered from 1 without a gap")
def station_numbers_have_no_gap(session: Session, _now: datetime) -> Breaches:
    """Stations whose hand-overs or counts are not as many as their newest number says."""
    found: list[Any] = []
    for table, counter in ((HandOver, StationBook.last_hand_over), (StockCount, StationBook.last_count)):
        there = func.count(table.id)
        wrong = or_(counter != there, counter != func.coalesce(func.max(table.number), 0))
        wanted = select(StationBook.station_key, counter, there)
        joined = wanted.outerjoin(table, table.station_key == StationBook.station_key)
        found += rows(session, joined.group_by(StationBook.station_key, counter).having(wrong))
        strays = select(table.id).outerjoin(StationBook, StationBook.station_key == table.station_key)
        found += rows(session, strays.where(StationBook.station_key.is_(None)))
    return found


@invariant("I-44", "移交去向一致 / every line of a batch goes where the batch goes; a batch has lines")
def batches_are_whole(session: Session, _now: datetime) -> Breaches:
    """Lines of another kind of outlet than their batch, and batches without a line."""
    line = HandOverLine
    wanted = select(HandOver.id, line.position).outerjoin(line, line.hand_over_id == HandOver.id)
    return rows(session, wanted.where(or_(line.kind.is_(None), line.kind != HandOver.kind)))


@invariant("I-45", "盘点调整经复核 / adjustments of a held count were approved by a second person")
def held_counts_are_approved(session: Session, _now: datetime) -> Breaches:
    """Adjustments of counts that were held and that nobody has approved."""
    decision = StockCountDecision
    wanted = (
        select(StockAdjustment.id, StockCount.id)
        .join(StockCount, StockCount.id == StockAdjustment.count_id)
        .outerjoin(decision, and_(decision.count_id == StockCount.id, decision.approved))
    )
    return rows(session, wanted.where(StockCount.held, decision.count_id.is_(None)))


@invariant("I-46", "追溯链完整 / the trail of every label verifies from its first step to its counter")
def trails_verify(session: Session, _now: datetime) -> Breaches:
    """Labels whose steps were edited, deleted, added or cut."""
    return [(bad.tag, bad.number, bad.fault) for bad in verify_custody(session)[:MOST_ROWS]]


@invariant("I-46", "标签随最新磅单与移交 / labels stand on newest tickets, with their steps at scale and outlet")
def labels_follow_their_goods(session: Session, _now: datetime) -> Breaches:
    """Labels that stand on replaced tickets or not on the newest, on the line of another door, without a step, or that
    are said to be elsewhere than their trail says.
    """
    tag = WeighedTag
    ticket = select(tag.tag, tag.ticket_id).join(IntakeTicket, IntakeTicket.id == tag.ticket_id)
    misplaced = ticket.where(tag.stands != NEWEST)
    other_door = (
        select(tag.tag, tag.ticket_id)
        .join(IntakeLine, and_(IntakeLine.ticket_id == tag.ticket_id, IntakeLine.position == tag.position))
        .join(CustodyTag, CustodyTag.tag == tag.tag)
        .where(
            tag.stands,
            or_(
                CustodyTag.booking_id.is_distinct_from(IntakeLine.booking_id),
                CustodyTag.item_type != IntakeLine.item_type,
            ),
        )
    )

    def stepless(table: Any, kind: str) -> Query:
        step = and_(CustodyEvent.tag == table.tag, CustodyEvent.kind == kind)
        return select(table.tag).outerjoin(CustodyEvent, step).where(CustodyEvent.tag.is_(None))

    # Where a label says its unit is, is where the newest step that moved it has brought it.
    step, later = CustodyEvent, aliased(CustodyEvent)
    moves = ("lot", "outlet", "missing", "found", "returned")
    newer = select(later.number).where(later.tag == step.tag, later.kind.in_(moves), later.number > step.number)
    newest = and_(step.tag == tag.tag, step.kind.in_(moves), ~newer.exists())
    gone = case((tag.hand_over_id.is_not(None), "outlet"), (tag.count_id.is_not(None), "missing"), else_="lot")
    brought = case((step.kind.in_(("found", "returned")), "lot"), else_=step.kind)
    lost = select(tag.tag, gone, step.kind).outerjoin(step, newest)
    lost = lost.where(tag.stands, gone.is_distinct_from(brought))
    found: list[Any] = []
    for wanted in (misplaced, other_door, stepless(tag, "station"), stepless(HandOverTag, "outlet"), lost):
        found += rows(session, wanted)
    return found
