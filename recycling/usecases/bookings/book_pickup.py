"""Book a pickup (预约上门回收)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.logs import logger
from recycling.models.base import insert_rows
from recycling.models.booking import Booking
from recycling.models.ledger import move
from recycling.models.people import Resident
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.history import note_change, tell_resident
from recycling.usecases.bookings.promise import Wish, booked_items, judge

log = logger(__name__)


def book_pickup(
    wish: Wish,
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    resident_id: UUID | None = None,
    made_up: bool = False,
) -> Booking:
    """Turn a wish into a promise: booking, place in the day's ledger, log line and message in one transaction.

    Staff book for the resident they name; residents book for themselves.

    Raises
    ------
    InvalidInput
        When the wish breaks a rule of the catalogue or the district, or books for somebody else than it may.
    WindowClosed, WindowFull
        When the day or window takes no more bookings.
    """
    if by.role == "resident" and resident_id not in (None, by.id):
        raise InvalidInput(f"resident_id {resident_id} is not you; leave it out to book for yourself")
    for_id = by.id if by.role == "resident" else resident_id
    promise, need, place = judge(wish, district=district, now=now)
    with atomic(session):
        # A resident who is signed in exists; only staff can name somebody who does not.
        if for_id is None or (by.role != "resident" and session.get(Resident, for_id) is None):
            raise InvalidInput(f"resident_id is {for_id}: name the resident this booking is for")
        move(session, give_up=None, take_up=promise, capacity=district.capacities[promise.area])
        booking = Booking(
            id=uuid4(), resident_id=for_id, day=promise.day, area=promise.area, pickup_window=promise.pickup_window,
            village_code=wish.village_code, place=place, floor=wish.floor, has_lift=wish.has_lift, state="booked",
            service_s=need.service_s, declared_g=need.mass_g, declared_l=need.litres, made_up=made_up, version=1,
            created_at=now, changed_at=now,
            items=booked_items(wish.items, day=wish.day, by=by, district=district, now=now),
        )  # fmt: skip
        for item in booking.items:
            item.booking_id = booking.id
        insert_rows(session, [booking, *booking.items])
        note_change(session, booking, kind="booked", by=by, now=now)
        tell_resident(session, booking, kind="booking.confirmed", now=now, pickup_window=booking.pickup_window)
    log.info("booking.created", booking_id=str(booking.id), day=str(booking.day), area=booking.area)
    return booking
