"""Book a pickup (预约上门回收): at once, or by a hold (占位) that keeps the place for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from recycling.errors import Conflict, HoldLapsed, NotFound
from recycling.logs import logger
from recycling.models.booking import Booking, Consent, with_parts
from recycling.models.transaction import atomic
from recycling.models.waiting import take_offer
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing.board import Board
from recycling.routing.standing import timed_route
from recycling.usecases.bookings.history import tell_booked
from recycling.usecases.bookings.linked import parts_of, refuse_part
from recycling.usecases.bookings.place import ForPerson, place, rows_of, write_rows
from recycling.usecases.bookings.promise import Wish, judge
from recycling.usecases.bookings.proposals import Proposal, propose_together
from recycling.usecases.bookings.short_notice import refuse_long_notice
from recycling.usecases.bookings.sight import for_whom, visible_to
from recycling.usecases.bookings.tentative import changing, drop_holds, remembered, sealed

log = logger(__name__)

HOLD = timedelta(minutes=10)


def book_pickup(
    wish: Wish,
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    resident_id: UUID | None = None,
    consent: Consent | None = None,
    made_up: bool = False,
) -> Booking:
    """Turn a wish into a promise: booking, place in a route, log line and message in one transaction.

    Staff book for the resident they name, and note how that one agreed; residents book for themselves. What no
    single crew can do becomes several visits in the window, of which the one returned stands for the booking.

    Raises
    ------
    InvalidInput
        When the wish breaks a rule of the catalogue or the district, or books for somebody else than it may.
    WindowClosed, WindowFull
        When the day takes no more bookings, or no route can serve the wish in its window.
    LimitReached
        When the resident or the address has as many live bookings as it may, or this item on that day already.
    ShortNoticeOnly
        When no-shows have left the resident only nearer days.
    """
    with atomic(session):
        booking = _placed(
            wish, by=by, district=district, session=session, now=now, resident_id=resident_id, consent=consent,
            made_up=made_up, held_until=None,
        )  # fmt: skip
    log.info("booking.created", booking_id=str(booking.id), day=str(booking.day), area=booking.area)
    return booking


def hold_pickup(
    wish: Wish,
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    resident_id: UUID | None = None,
    consent: Consent | None = None,
) -> Booking:
    """Keep a place for ten minutes; `confirm_hold` makes it a booking of the same id.

    Raises
    ------
    InvalidInput, WindowClosed, WindowFull, LimitReached, ShortNoticeOnly
        As for `book_pickup`.
    """
    with atomic(session):
        booking = _placed(
            wish, by=by, district=district, session=session, now=now, resident_id=resident_id, consent=consent,
            made_up=False, held_until=now + HOLD,
        )  # fmt: skip
    log.info("hold.created", booking_id=str(booking.id), day=str(booking.day), area=booking.area)
    return booking


def confirm_hold(hold_id: UUID, *, by: Principal, district: District, session: Session, now: datetime) -> Booking:
    """Make a hold a booking, its place proven once more.

    Raises
    ------
    NotFound
        When the caller has no such hold; one that lapsed a while ago is gone.
    HoldLapsed
        When its time is over.
    WindowClosed
        When the day's plan was published meanwhile.
    """
    with atomic(session):
        seen = session.execute(
            select(Booking.day, Booking.state, Booking.held_until).where(Booking.id == hold_id, visible_to(by))
        ).first()
        if seen is None:
            raise NotFound(f"no hold {hold_id} of yours; it may have lapsed, ask for windows again / 未找到该占位")
        if seen.state == "held" and seen.held_until <= now:
            raise _lapsed(seen.day)
        with changing(session, [seen.day], district=district, now=now) as days:
            # Locked after its day, as everywhere, and read again: a sweeper or another confirmation may have been here.
            visits = _locked(hold_id, session=session)
            if not visits:
                raise _lapsed(seen.day)
            booking = visits[0]
            refuse_part(booking)
            set_committed_value(booking, "parts", visits[1:])
            if booking.state != "held":
                raise Conflict(f"this hold is a booking already ({booking.state}) / 该占位已确认，无需重复提交")
            if not all(_proven(days[booking.day].board, visit) for visit in visits):
                log.error("hold.unproven", booking_id=str(booking.id), day=str(booking.day))
                raise _lapsed(booking.day)
            for visit in visits:
                visit.state, visit.held_until = "booked", None
                visit.created_at = visit.changed_at = now
            session.flush()
            take_offer(session, booking.id, now=now)
            tell_booked(session, booking, by=by, now=now, parts=visits[1:])
    log.info("booking.created", booking_id=str(booking.id), day=str(booking.day), area=booking.area)
    return booking


def drop_hold(hold_id: UUID, *, by: Principal, district: District, session: Session, now: datetime) -> None:
    """Give a hold up and free its place; one that is gone already stays gone.

    Raises
    ------
    Conflict
        When it has become a booking, or is a further visit of one.
    """
    with atomic(session):
        held = session.scalar(select(Booking).where(Booking.id == hold_id, visible_to(by)))
        if held is None:
            return
        with changing(session, [held.day], district=district, now=now, even_closed=True) as days:
            visits = _locked(hold_id, session=session)
            if not visits:
                return
            booking = visits[0]
            refuse_part(booking)
            if booking.state != "held":
                raise Conflict("this hold is a booking already; cancel the booking / 该占位已成为预约，请取消预约")
            drop_holds(session, days[booking.day], {booking.id: booking.resident_id}, now=now)


def _placed(
    wish: Wish,
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    resident_id: UUID | None,
    consent: Consent | None,
    made_up: bool,
    held_until: datetime | None,
) -> Booking:
    """A new row with its place in a route, or several; the first is returned."""
    for_id = for_whom(by, resident_id, consent, session, made_up=made_up)
    judged = judge(wish, district=district, now=now)
    refuse_long_notice(wish.day, by=by, district=district, session=session, now=now)
    whom = ForPerson(resident_id=for_id, consent=consent, made_up=made_up, held_until=held_until)
    parts = parts_of(wish, judged, district=district)
    rows = rows_of(parts, whom=whom, by=by, district=district, now=now)
    # The search, and what nobody else can touch yet, come before the day is locked: others wait for as little as goes.
    proposals: Sequence[Proposal] | None = None
    if wish.day not in session.info.get("drafts", {}):
        board = remembered(session, wish.day, district=district)
        window = district.network.pickup_windows[wish.pickup_window].window_s
        if board is not None:
            asked = [part.judged.visit(str(row.id), window) for part, row in zip(parts, rows, strict=True)]
            found = propose_together(board, asked, window)
            proposals = found and [replace(one, stored=sealed(board, one.route)) for one in found]
    if proposals is not None:
        _write(session, rows, by=by, now=now)
    with changing(session, [wish.day], district=district, now=now) as days:
        if proposals is None:
            _write(session, rows, by=by, now=now)
        return place(session, days[wish.day], parts, bookings=rows, district=district, proposals=proposals)


def _write(session: Session, rows: Sequence[Booking], *, by: Principal, now: datetime) -> None:
    write_rows(session, rows)
    # Known already, and need not be asked for; in the sequence in which they would be read.
    set_committed_value(rows[0], "parts", sorted(rows[1:], key=lambda row: row.id))
    if rows[0].state == "booked":
        tell_booked(session, rows[0], by=by, now=now, parts=rows[1:])


def _locked(hold_id: UUID, *, session: Session) -> list[Booking]:
    """The visits of a hold, or booking, as they are now, locked; the one that stands for it first."""
    rows = select(Booking).where(with_parts(hold_id)).order_by(Booking.id).with_for_update()
    found = session.scalars(rows.execution_options(populate_existing=True)).all()
    return sorted(found, key=lambda row: row.id != hold_id)


def _proven(board: Board, visit: Booking) -> bool:
    """Whether a visit has a place in a route that keeps every rule."""
    vehicle = board.vehicle_of(str(visit.id))
    if vehicle is None:
        return False
    return timed_route(board.frame, vehicle, board.route(vehicle).visits, room=board.room(vehicle)) is not None


def _lapsed(day: date) -> HoldLapsed:
    return HoldLapsed(
        f"the place on {day} was kept for a while and is free again; ask for windows again"
        f" / {day} 的占位已过期，请重新查询可约时段"
    )
