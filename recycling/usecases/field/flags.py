"""What a person has to look at: flags on events, kept as the folds say (待核实记录)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from recycling.models.base import insert_into
from recycling.models.field import FieldEvent, FieldFlag

FlagCode = Literal[
    "booking_cancelled", "claimed_by_other", "already_weighed", "undo_blocked", "undo_without_effect", "clock_skew",
    "clock_quarantined", "sequence_reused", "late_adjustment", "id_reused", "other_device", "proof_missing",
    "label_clash",
]  # fmt: skip
# Why, in Chinese and English, and what to do.
FLAG_WORDS: Mapping[str, tuple[str, str]] = {
    "booking_cancelled": (
        "预约已取消，却登记了上门结果：请向居民核实",
        "an outcome of a cancelled booking: ask the resident",
    ),
    "claimed_by_other": (
        "另一车辆已登记该预约：请核实由谁收取",
        "another vehicle's crew has recorded this pickup: find out who took it",
    ),
    "already_weighed": (
        "站点已称重的数量多于此记录：请先更正磅单",
        "a station has weighed more than this leaves: correct its ticket first",
    ),
    "undo_blocked": (
        "撤销后无法恢复预约：居民已另行预约或物品已称重",
        "the booking cannot come back: its resident has booked again, or its items are weighed",
    ),
    "undo_without_effect": (
        "撤销未对应任何有效记录",
        "it takes nothing back: what it names has not come, or is another crew's or door's",
    ),
    "clock_skew": ("手机时钟偏差超过5分钟", "the phone's clock was off by more than five minutes"),
    "clock_quarantined": (
        "手机时钟偏差超过24小时，核实前不计入",
        "the phone's clock was off by more than a day: it counts once you say so",
    ),
    "sequence_reused": (
        "同一设备序号出现两次：设备可能被复制",
        "one device's number came twice: the device may have been cloned",
    ),
    "id_reused": (
        "同一记录编号出现两种内容：以首次为准，请核实",
        "its id came again with another content: the first counts, find out which is true",
    ),
    "other_device": (
        "由另一台设备代传：请核实是否更换了手机",
        "sent by another device than the one that recorded it: find out whether the phone was replaced",
    ),
    "proof_missing": (
        "缺少上门凭证（照片、核验码、签名等）",
        "lacks what proves such a visit: a photo, the resident's code or signature, a seal",
    ),
    "label_clash": ("标签或封签与其他物品冲突", "a label or seal of it stands elsewhere or cannot be read"),
    "late_adjustment": (
        "当月数据已报送，按到达日期记为调整",
        "came after the month's figures were reported: counted on the day it came",
    ),
}
# These follow from the fold and go with it; the others say how a record came and stay.
FOLDED: frozenset[FlagCode] = frozenset(
    {"booking_cancelled", "claimed_by_other", "already_weighed", "undo_blocked", "undo_without_effect"}
)

Flag = tuple[UUID, FlagCode]


def add_flags(session: Session, flags: Iterable[Flag], *, now: datetime) -> None:
    """Flag events; one that has the flag keeps it as it is."""
    rows = [{"event_id": event_id, "code": code, "at": now} for event_id, code in sorted(set(flags))]
    if rows:
        session.execute(insert_into(session, FieldFlag).on_conflict_do_nothing(), rows)


def open_flags(session: Session, events: Collection[UUID]) -> set[Flag]:
    """The flags of events on which nobody has ruled yet."""
    if not events:
        return set()
    wanted = select(FieldFlag).where(FieldFlag.event_id.in_(events), FieldFlag.settled_at.is_(None))
    return {(row.event_id, cast(FlagCode, row.code)) for row in session.scalars(wanted)}


def waiting_undos(session: Session, bookings: Iterable[UUID | None]) -> set[UUID | None]:
    """Those of the bookings that have a taking back without effect: whatever comes may be what it waits for."""
    asked = [booking_id for booking_id in bookings if booking_id is not None]
    if not asked:
        return set()
    waiting = (
        select(FieldEvent.booking_id)
        .join(FieldFlag, FieldFlag.event_id == FieldEvent.event_id)
        .where(FieldEvent.booking_id.in_(asked), FieldFlag.code == "undo_without_effect")
    )
    return set(session.scalars(waiting))


def keep_folded(session: Session, bookings: Iterable[UUID], flags: Iterable[Flag], *, now: datetime) -> None:
    """Make the flags that follow from the folds of these bookings exactly ``flags``; settled ones stay settled."""
    wanted = set(flags)
    standing = {
        (row.event_id, row.code)
        for row in session.execute(
            select(FieldFlag.event_id, FieldFlag.code)
            .join(FieldEvent, FieldEvent.event_id == FieldFlag.event_id)
            .where(FieldEvent.booking_id.in_(list(bookings)), FieldFlag.code.in_(FOLDED))
        )
    }
    gone = standing - wanted
    if gone:
        session.execute(
            delete(FieldFlag)
            .where(tuple_(FieldFlag.event_id, FieldFlag.code).in_(sorted(gone)))
            .execution_options(synchronize_session=False)
        )
    add_flags(session, wanted - standing, now=now)
