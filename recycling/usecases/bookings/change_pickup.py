"""Amend or cancel a booking until its cut-off, at the desk cancel it until it is visited.

The old place is kept until the new one is sure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, NotFound, StaleVersion, WindowClosed
from recycling.logs import logger
from recycling.models.booking import Booking
from recycling.models.limits import give_back_limits
from recycling.models.transaction import atomic
from recycling.policy.access import Principal, Role
from recycling.policy.district import District
from recycling.usecases.bookings import live_limits
from recycling.usecases.bookings.history import enter, note_change, tell_resident
from recycling.usecases.bookings.promise import Wish, WishedItem, booked_items, judge
from recycling.usecases.bookings.short_notice import refuse_long_notice
from recycling.usecases.bookings.sight import visible_to
from recycling.usecases.bookings.tentative import changing

log = logger(__name__)

# They settle what a plan leaves out, and take the call of a resident who does not want us after all.
DESK: tuple[Role, ...] = ("dispatcher", "admin")


def amend_pickup(
    booking_id: UUID,
    changes: Mapping[str, Any],
    *,
    version: int,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> Booking:
    """Change day, window, place or items of a booking, all or nothing: ``changes`` by field of `Wish`, the rest stays.

    Raises
    ------
    NotFound
        When the caller has no booking of that id.
    StaleVersion
        When the booking is no longer the version that the caller saw.
    WindowClosed, WindowFull
        When the old day takes no changes or another one no bookings, or the new window has no place; the old place is
        then still held.
    LimitReached, ShortNoticeOnly
        As for `book_pickup.book_pickup`; the booking stays as it was.
    """
    with atomic(session):
        # What version it is tells its day and window too: the locked row below is this one, or the change is refused.
        seen = _seen(booking_id, version=version, by=by, session=session)
        _refuse_late(seen, by=by, district=district, now=now)
        wish = replace(_as_wish(seen), **changes)
        standing = (seen.day, seen.pickup_window)
        judged = judge(wish, district=district, now=now, standing=standing)
        if wish.day != seen.day:
            refuse_long_notice(wish.day, by=by, district=district, session=session, now=now)
        with changing(session, {seen.day, wish.day}, district=district, now=now) as days:
            booking = _changeable(booking_id, version=version, by=by, session=session)
            _refuse_late(booking, by=by, district=district, now=now)
            # The old place goes first, so that the new one may use what it held; refused, both stay as they were.
            days[booking.day].release(str(booking.id))
            window = district.network.pickup_windows[wish.pickup_window].window_s
            days[wish.day].take(judged.visit(str(booking.id), window), window)
            booking.day, booking.area, booking.pickup_window = wish.day, judged.area, wish.pickup_window
            booking.village_code, booking.place = wish.village_code, judged.place
            booking.floor, booking.has_lift = wish.floor, wish.has_lift
            booking.service_s = judged.need.service_s
            booking.declared_g, booking.declared_l = judged.need.mass_g, judged.need.litres
            if "items" in changes:
                booking.items.clear()
                session.flush()
                booking.items.extend(booked_items(wish.items, day=wish.day, by=by, district=district, now=now))
            enter(booking, "booked", now=now)
            session.flush()
            live_limits.move(session, booking, district=district)
            _tell(session, booking, kind="amended", by=by, now=now)
    log.info("booking.amended", booking_id=str(booking.id), version=booking.version)
    return booking


def cancel_pickup(
    booking_id: UUID, *, version: int, by: Principal, district: District, session: Session, now: datetime
) -> Booking:
    """Withdraw a booking and free its place.

    Dispatchers and administrators may do so as long as nobody has visited: on a published day too, where the plan may
    have left the booking out, and afterwards, where nobody came.

    Raises
    ------
    NotFound, StaleVersion, WindowClosed
        As for `amend_pickup`.
    """
    with atomic(session):
        seen = _seen(booking_id, version=version, by=by, session=session)
        with changing(session, [seen.day], district=district, now=now, even_closed=by.role in DESK) as days:
            booking = _changeable(booking_id, version=version, by=by, session=session)
            if by.role not in DESK:
                _refuse_late(booking, by=by, district=district, now=now)
            days[booking.day].release(str(booking.id))
            enter(booking, "cancelled", now=now)
            give_back_limits(session, booking.id, resident_id=booking.resident_id)
            _tell(session, booking, kind="cancelled", by=by, now=now)
    log.info("booking.cancelled", booking_id=str(booking.id))
    return booking


def _seen(booking_id: UUID, *, version: int, by: Principal, session: Session) -> Booking:
    """The booking as it is before its day is locked: which day that is."""
    booking = session.scalar(select(Booking).where(Booking.id == booking_id, visible_to(by), Booking.state != "held"))
    if booking is None:
        raise NotFound(f"no booking {booking_id} of yours / 未找到该预约")
    _check_changeable(booking, version)
    return booking


def _changeable(booking_id: UUID, *, version: int, by: Principal, session: Session) -> Booking:
    """The booking, locked, when it is the caller's to change, in this version, and nobody has visited it."""
    # The row lock makes two changes of one booking queue, so that each frees exactly what the row then holds.
    wanted = select(Booking).where(Booking.id == booking_id, visible_to(by)).with_for_update()
    booking = session.scalar(wanted.execution_options(populate_existing=True))
    if booking is None:
        raise NotFound(f"no booking {booking_id} of yours / 未找到该预约")
    _check_changeable(booking, version)
    return booking


def _check_changeable(booking: Booking, version: int) -> None:
    if booking.version != version:
        raise StaleVersion(
            f"the booking is now version {booking.version}, you sent {version}; read it again and repeat"
            " / 预约已被修改，请刷新后重试"
        )
    if booking.state != "booked":
        raise Conflict(
            f"the booking is {booking.state} and cannot be changed any more; make a new booking for what is still to be"
            " fetched / 当前状态不可修改，如仍需回收请重新预约"
        )


def _refuse_late(booking: Booking, *, by: Principal, district: District, now: datetime) -> None:
    if now < district.booking_rules.cancel_closes_at(booking.day):
        return
    step, step_zh = "call the dispatcher", "请联系调度"
    if by.role in DESK:
        step, step_zh = "cancel the booking and book another day for the resident", "请取消后为居民改约他日"
    raise WindowClosed(
        f"changes for {booking.day} ended the evening before; {step} / {booking.day} 的变更已截止，{step_zh}"
    )


def _tell(session: Session, booking: Booking, *, kind: str, by: Principal, now: datetime) -> None:
    """Write history and message."""
    session.flush()
    note_change(session, booking, kind=kind, by=by, now=now)
    tell_resident(session, booking, kind=f"booking.{kind}", now=now, pickup_window=booking.pickup_window)


def _as_wish(booking: Booking) -> Wish:
    place = booking.place
    day: date = booking.day
    return Wish(
        items=[
            WishedItem(
                item_type=item.item_type,
                quantity=item.declared_units,
                dismantle=item.dismantle,
                condition=item.condition,
                wipe_consent=item.wipe_consent_at is not None,
            )
            for item in booking.items
        ],
        village_code=booking.village_code,
        address=place["address"],
        lat=place["lat"],
        lon=place["lon"],
        coordinate_system="wgs84",
        floor=booking.floor,
        has_lift=booking.has_lift,
        note=place["note"],
        day=day,
        pickup_window=booking.pickup_window,
    )
