"""The shared step of everything that promises: a judged wish gets its row, and its place in a locked day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.models.base import insert_rows
from recycling.models.booking import Booking, Consent
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings import live_limits
from recycling.usecases.bookings.promise import Judged, Wish, booked_items
from recycling.usecases.bookings.tentative import DayDraft, Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class ForPerson:
    """Whom a place is for, how that one agreed, and until when it is only kept."""

    resident_id: UUID
    consent: Consent | None = None
    made_up: bool = False
    held_until: datetime | None = None


def place(
    session: Session,
    draft: DayDraft,
    wish: Wish,
    judged: Judged,
    *,
    booking: Booking,
    district: District,
    proposal: Proposal | None = None,
) -> Booking:
    """Take the place and the limits that a booking, or hold, needs in a locked day; its row must be written.

    Raises
    ------
    WindowFull
        When no route of the day can serve it.
    LimitReached
        When its resident or its door has as many live bookings as it may.
    """
    window = district.network.pickup_windows[wish.pickup_window].window_s
    draft.take(judged.visit(str(booking.id), window), window, proposal=proposal)
    live_limits.take(session, booking, district=district)
    return booking


def row_of(
    wish: Wish, judged: Judged, *, booking_id: UUID, whom: ForPerson, by: Principal, district: District, now: datetime
) -> Booking:
    """The row of a wish, not inserted yet, with its items."""
    items = booked_items(wish.items, day=wish.day, by=by, district=district, now=now)
    for item in items:
        item.booking_id = booking_id
    return Booking(
        id=booking_id, resident_id=whom.resident_id, day=wish.day, area=judged.area, pickup_window=wish.pickup_window,
        village_code=wish.village_code, place=judged.place, floor=wish.floor, has_lift=wish.has_lift,
        state="booked" if whom.held_until is None else "held", held_until=whom.held_until, consent=whom.consent,
        service_s=judged.need.service_s, declared_g=judged.need.mass_g, declared_l=judged.need.litres,
        made_up=whom.made_up, version=1, created_at=now, changed_at=now, items=items,
    )  # fmt: skip


def write_row(session: Session, booking: Booking) -> Booking:
    """Insert a booking and its items."""
    insert_rows(session, [booking, *booking.items])
    return booking
