"""The shared step of everything that begins, moves or ends a live booking: its limits, and the refusal in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.errors import LimitReached
from recycling.models.booking import Booking
from recycling.models.limits import (
    LimitHit,
    give_back_limits,
    live_days,
    move_limits,
    own_hold_until,
    settle_limits,
    take_limits,
)
from recycling.policy.district import District
from recycling.units import local_text

MOST_DAYS = 5  # named in a refusal


def take(session: Session, booking: Booking, *, district: District, parts: Sequence[Booking] = ()) -> None:
    """Take the limits of a new booking, its further visits included; inside `tentative.changing`.

    That settles the counters.

    Raises
    ------
    LimitReached
        When one of its items is booked at that door for that day already.
    """
    rules = district.booking_rules
    clash = take_limits(
        session, booking, per_resident=rules.live_per_resident, per_address=rules.live_per_address, parts=parts
    )  # fmt: skip
    if clash is not None:
        raise _twice(session, clash, booking, district=district)


def move(session: Session, booking: Booking, *, district: District, parts: Sequence[Booking] = ()) -> None:
    """Take an amended booking's limits in the place of those it had; as `take`."""
    rules = district.booking_rules
    clash = move_limits(
        session, booking, per_resident=rules.live_per_resident, per_address=rules.live_per_address, parts=parts
    )  # fmt: skip
    if clash is not None:
        raise _twice(session, clash, booking, district=district)


def settle(session: Session) -> None:
    """Write the counters that this transaction moved.

    Raises
    ------
    LimitReached
        When the resident or the address has as many live bookings as it may.
    """
    hit = settle_limits(session)
    if hit is not None:
        raise _full(session, hit)


def end(session: Session, booking_id: UUID, *, resident_id: UUID) -> None:
    """Give back the limits of a booking that is not live any more, counters included; nothing when it has none."""
    if give_back_limits(session, booking_id, resident_id=resident_id):
        settle(session)


def _twice(session: Session, item_type: str, booking: Booking, *, district: District) -> LimitReached:
    day = booking.day
    kind = district.catalogue.item_type(item_type, on=day)
    held_until = own_hold_until(session, booking, item_type)
    if held_until is not None:
        until = local_text(held_until)
        return LimitReached(
            f"a place for {kind.name_en.lower()} at this address on {day} is kept until {until} and not booked yet;"
            f" book it or give it up under My bookings, or wait until then"
            f" / 该地址 {day} 的 {kind.name_zh} 已有未确认的占位，保留到 {until}：请在“我的预约”确认或放弃，或等它过期"
        )
    return LimitReached(
        f"{kind.name_en.lower()} is booked at this address on {day} already; change the quantity in that booking or"
        f" choose another day, and if that booking is not yours give your door in full"
        f" / 该地址 {day} 已预约 {kind.name_zh}，请在原预约中修改数量或另选日期；如非本人预约，请填写完整门牌"
    )


def _full(session: Session, hit: LimitHit) -> LimitReached:
    digest = hit.key if hit.kind == "address" else None
    days = live_days(session, resident_id=hit.resident_id, digest=digest, but=hit.booking_id)
    if hit.kind == "resident":
        return LimitReached(
            f"a resident may have {hit.cap} live bookings, kept places included: {_listed(days)}; cancel one of them,"
            " or book again when one has been collected"
            f" / 每位居民最多 {hit.cap} 个有效预约（含占位）：{_listed(days)}；请取消其中一个，或待上门后再预约"
        )
    # Of neighbours' bookings nothing is told but that there are some.
    own = f"; yours are on {_listed(days)}" if days else ""
    own_zh = f"，其中您的预约：{_listed(days)}" if days else ""
    return LimitReached(
        f"an address may have {hit.cap} live bookings, kept places included, and this one has{own}; cancel one, book"
        " again when one has been collected, or give your door in full if several homes share this address"
        f" / 同一地址最多 {hit.cap} 个有效预约（含占位），现已达到{own_zh}；请取消其中一个或待上门后再预约，"
        "如多户共用该地址请填写完整门牌"
    )


def _listed(days: Sequence[date]) -> str:
    shown = ", ".join(str(day) for day in sorted(set(days))[:MOST_DAYS])
    return f"{shown}, …" if len(set(days)) > MOST_DAYS else shown
