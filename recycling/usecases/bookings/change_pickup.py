"""Amend or cancel a booking until its cut-off, at the desk cancel it until it is visited.

The old place is kept until the new one is sure. All visits of a booking change together, by the id of the first; once
the routes of the day are planned each is a stop of its own, and the desk may cancel one alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, NotFound, StaleVersion, WindowClosed
from recycling.logs import logger
from recycling.models.booking import Booking, with_parts
from recycling.models.transaction import atomic
from recycling.policy.access import Principal, Role
from recycling.policy.district import District
from recycling.usecases.bookings import live_limits
from recycling.usecases.bookings.history import enter, note_change, tell_resident, visits_fact
from recycling.usecases.bookings.linked import Part, parts_of, refuse_part
from recycling.usecases.bookings.place import ForPerson, rows_of, take_places, write_rows
from recycling.usecases.bookings.promise import judge
from recycling.usecases.bookings.short_notice import refuse_long_notice
from recycling.usecases.bookings.sight import visible_to
from recycling.usecases.bookings.standing_wish import wish_of
from recycling.usecases.bookings.tentative import DayDraft, changing
from recycling.usecases.bookings.withdraw import withdraw

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
    Conflict
        When it has been visited or cancelled, or is a further visit of another booking.
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
        visits = _seen(booking_id, version=version, by=by, session=session)
        seen = visits[0]
        refuse_part(seen)
        _refuse_late(seen, by=by, district=district, now=now)
        wish = replace(wish_of(visits), **changes)
        standing = (seen.day, seen.pickup_window)
        judged = judge(wish, district=district, now=now, standing=standing)
        if wish.day != seen.day:
            refuse_long_notice(wish.day, by=by, district=district, session=session, now=now)
        # Other items, another floor: what goes apart is worked out anew.
        parts = parts_of(wish, judged, district=district)
        with changing(session, {seen.day, wish.day}, district=district, now=now) as days:
            visits = _changeable(booking_id, version=version, by=by, session=session)
            booking = visits[0]
            _refuse_late(booking, by=by, district=district, now=now)
            # The old places go first, so that the new ones may use what they held; refused, all stay as they were.
            for visit in visits:
                days[booking.day].release(str(visit.id))
            rows = _moved(
                visits,
                parts,
                draft=days[wish.day],
                anew="items" in changes,
                by=by,
                district=district,
                session=session,
                now=now,
            )
            live_limits.move(session, booking, parts=rows[1:], district=district)
            tell_resident(
                session, booking, kind="booking.amended", now=now, pickup_window=booking.pickup_window,
                **visits_fact(len(parts)),
            )  # fmt: skip
    log.info("booking.amended", booking_id=str(booking.id), version=booking.version)
    return booking


def _moved(
    visits: Sequence[Booking],
    parts: Sequence[Part],
    *,
    draft: DayDraft,
    anew: bool,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> list[Booking]:
    """Make the visits that stand those of the new parts: some move, new ones come, surplus ones end.

    Returns the rows of the parts. ``anew`` as in `_move_items`.
    """
    booking, surplus = visits[0], visits[len(parts) :]
    whom = ForPerson(resident_id=booking.resident_id, consent=booking.consent, made_up=booking.made_up)
    fresh = rows_of(parts, whom=whom, by=by, district=district, now=now)
    further = fresh[len(visits) :]
    for row in further:
        row.part_of = booking.id
    rows = [*visits[: len(parts)], *further]
    take_places(draft, parts, bookings=rows, district=district)
    _move_items(visits, parts, fresh, anew=anew, session=session)
    for visit, part in zip(visits, parts, strict=False):
        _move(visit, part)
        enter(visit, "booked", now=now)
    for visit in surplus:
        _withdraw(visit, now=now)
    session.flush()
    write_rows(session, further)
    for visit in visits:
        note_change(session, visit, kind="cancelled" if visit in surplus else "amended", by=by, now=now)
    for row in further:
        note_change(session, row, kind="booked", by=by, now=now)
    return rows


def cancel_pickup(
    booking_id: UUID, *, version: int, by: Principal, district: District, session: Session, now: datetime
) -> Booking:
    """Withdraw a booking and free its place.

    Dispatchers and administrators may do so as long as nobody has visited: on a published day too, where the plan may
    have left the booking out, and afterwards, where nobody came. Then they may also cancel one visit of several by its
    own id.

    Raises
    ------
    NotFound, Conflict, StaleVersion, WindowClosed
        As for `amend_pickup`.
    """
    with atomic(session):
        day = _seen(booking_id, version=version, by=by, session=session)[0].day
        with changing(session, [day], district=district, now=now, even_closed=by.role in DESK) as days:
            visits = _changeable(booking_id, version=version, by=by, session=session)
            booking = visits[0]
            if not days[day].state.closed:
                refuse_part(booking)
            if by.role not in DESK:
                _refuse_late(booking, by=by, district=district, now=now)
            withdraw(session, days[day], visits, by=by, now=now)
    log.info("booking.cancelled", booking_id=str(booking.id))
    return booking


def _seen(booking_id: UUID, *, version: int, by: Principal, session: Session) -> list[Booking]:
    """The visits of the booking as they are before its day is locked: which day that is."""
    wanted = select(Booking).where(with_parts(booking_id), visible_to(by), Booking.state != "held")
    return _whole(booking_id, session.scalars(wanted).all(), version=version)


def _changeable(booking_id: UUID, *, version: int, by: Principal, session: Session) -> list[Booking]:
    """The visits of the booking, locked, when it is the caller's to change, in this version, and not visited."""
    # The row lock makes two changes of one booking queue, so that each frees exactly what the row then holds.
    wanted = select(Booking).where(with_parts(booking_id), visible_to(by)).order_by(Booking.id).with_for_update()
    rows = session.scalars(wanted.execution_options(populate_existing=True)).all()
    return _whole(booking_id, rows, version=version)


def _whole(booking_id: UUID, rows: Sequence[Booking], *, version: int) -> list[Booking]:
    """The row that stands for the booking, and after it those of its further visits that are still to come."""
    booking = next((row for row in rows if row.id == booking_id), None)
    if booking is None:
        raise NotFound(f"no booking {booking_id} of yours / 未找到该预约")
    _check_changeable(booking, version)
    return [booking, *(row for row in rows if row is not booking and row.state == "booked")]


def _move(visit: Booking, part: Part) -> None:
    """Write what a visit is now, its items apart."""
    wish, judged = part.wish, part.judged
    visit.day, visit.area, visit.pickup_window = wish.day, judged.area, wish.pickup_window
    visit.village_code, visit.place = wish.village_code, judged.place
    visit.floor, visit.has_lift = wish.floor, wish.has_lift
    visit.service_s, visit.declared_g, visit.declared_l = judged.need.service_s, judged.need.mass_g, judged.need.litres


def _move_items(
    visits: Sequence[Booking], parts: Sequence[Part], fresh: Sequence[Booking], *, anew: bool, session: Session
) -> None:
    """Give the visits that stand the items of their parts; the rows in ``fresh``, not written, hold them.

    Unless the items were named ``anew``, what somebody agreed to about their data stays as it was said.
    """
    said = {item.item_type: item for visit in visits for item in visit.items}
    agreed = {key: (one.wipe_terms, one.wipe_consent_at, one.wipe_consent_by) for key, one in said.items()}
    if not anew:
        for item in (item for row in fresh for item in row.items):
            item.wipe_terms, item.wipe_consent_at, item.wipe_consent_by = agreed[item.item_type]
    standing = list(zip(visits, parts, fresh, strict=False))
    changed = [(visit, row) for visit, part, row in standing if anew or _counted(visit) != _wished(part)]
    for visit in [*(visit for visit, _ in changed), *visits[len(parts) :]]:
        visit.items.clear()
    session.flush()
    for visit, row in changed:
        items, row.items = list(row.items), []
        for item in items:
            item.booking_id = visit.id
        visit.items.extend(items)


def _counted(visit: Booking) -> set[tuple[str, int, bool]]:
    return {(item.item_type, item.declared_units, item.dismantle) for item in visit.items}


def _wished(part: Part) -> set[tuple[str, int, bool]]:
    return {(item.item_type, item.quantity, item.dismantle) for item in part.wish.items}


def _withdraw(visit: Booking, *, now: datetime) -> None:
    """End a visit that is needed no more: its items go with another."""
    visit.service_s = visit.declared_g = visit.declared_l = 0
    enter(visit, "cancelled", now=now)


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
