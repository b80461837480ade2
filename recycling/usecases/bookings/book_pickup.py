"""Book a pickup (预约上门回收): at once, or by a hold (占位) that keeps the place for a while."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, HoldLapsed, NotFound
from recycling.logs import logger
from recycling.models.booking import Booking, Consent
from recycling.models.transaction import atomic
from recycling.models.waiting import take_offer
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing.standing import timed_route
from recycling.usecases.bookings.history import tell_booked
from recycling.usecases.bookings.place import ForPerson, place, row_of, write_row
from recycling.usecases.bookings.promise import Wish, judge
from recycling.usecases.bookings.short_notice import refuse_long_notice
from recycling.usecases.bookings.sight import for_whom, visible_to
from recycling.usecases.bookings.tentative import Proposal, changing, drop_holds, propose, remembered

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

    Staff book for the resident they name, and note how that one agreed; residents book for themselves.

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
            row = select(Booking).where(Booking.id == hold_id).with_for_update()
            booking = session.scalar(row.execution_options(populate_existing=True))
            if booking is None:
                raise _lapsed(seen.day)
            if booking.state != "held":
                raise Conflict(f"this hold is a booking already ({booking.state}) / 该占位已确认，无需重复提交")
            board = days[booking.day].board
            vehicle = board.vehicle_of(str(booking.id))
            if vehicle is None or timed_route(
                board.frame, vehicle, board.route(vehicle).visits, room=board.room(vehicle)
            ) is None:  # fmt: skip
                log.error("hold.unproven", booking_id=str(booking.id), day=str(booking.day))
                raise _lapsed(booking.day)
            booking.state, booking.held_until = "booked", None
            booking.created_at = booking.changed_at = now
            session.flush()
            take_offer(session, booking.id, now=now)
            tell_booked(session, booking, by=by, now=now)
    log.info("booking.created", booking_id=str(booking.id), day=str(booking.day), area=booking.area)
    return booking


def drop_hold(hold_id: UUID, *, by: Principal, district: District, session: Session, now: datetime) -> None:
    """Give a hold up and free its place; one that is gone already stays gone.

    Raises
    ------
    Conflict
        When it has become a booking.
    """
    with atomic(session):
        held = session.scalar(select(Booking).where(Booking.id == hold_id, visible_to(by)))
        if held is None:
            return
        with changing(session, [held.day], district=district, now=now, even_closed=True) as days:
            row = select(Booking).where(Booking.id == hold_id).with_for_update()
            booking = session.scalar(row.execution_options(populate_existing=True))
            if booking is None:
                return
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
    """A new row with its place in a route."""
    for_id = for_whom(by, resident_id, consent, session, made_up=made_up)
    judged = judge(wish, district=district, now=now)
    refuse_long_notice(wish.day, by=by, district=district, session=session, now=now)
    whom = ForPerson(resident_id=for_id, consent=consent, made_up=made_up, held_until=held_until)
    booking = row_of(wish, judged, booking_id=uuid4(), whom=whom, by=by, district=district, now=now)
    # The search, and what nobody else can touch yet, come before the day is locked: others wait for as little as goes.
    proposal: Proposal | None = None
    if wish.day not in session.info.get("drafts", {}):
        board = remembered(session, wish.day, district=district)
        window = district.network.pickup_windows[wish.pickup_window].window_s
        proposal = None if board is None else propose(board, judged.visit(str(booking.id), window), window)
    if proposal is not None:
        _write(session, booking, by=by, now=now)
    with changing(session, [wish.day], district=district, now=now) as days:
        if proposal is None:
            _write(session, booking, by=by, now=now)
        place(session, days[wish.day], wish, judged, booking=booking, district=district, proposal=proposal)
    return booking


def _write(session: Session, booking: Booking, *, by: Principal, now: datetime) -> None:
    write_row(session, booking)
    if booking.state == "booked":
        tell_booked(session, booking, by=by, now=now)


def _lapsed(day: date) -> HoldLapsed:
    return HoldLapsed(
        f"the place on {day} was kept for a while and is free again; ask for windows again"
        f" / {day} 的占位已过期，请重新查询可约时段"
    )
