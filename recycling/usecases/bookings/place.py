"""The shared step of everything that promises: a judged wish gets its place in a locked day, and its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.models.base import insert_rows
from recycling.models.booking import BookedItem, Booking, Consent
from recycling.policy.district import District
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
    booking_id: UUID,
    whom: ForPerson,
    district: District,
    now: datetime,
    proposal: Proposal | None = None,
) -> Booking:
    """Take the place that a wish needs and insert its booking, or hold.

    Raises
    ------
    WindowFull
        When no route of the day can serve it.
    """
    window = district.network.pickup_windows[wish.pickup_window].window_s
    draft.take(judged.visit(str(booking_id), window), window, proposal=proposal)
    booking = row_of(wish, judged, booking_id=booking_id, whom=whom, now=now)
    insert_rows(session, [booking, *booking.items])
    return booking


def row_of(wish: Wish, judged: Judged, *, booking_id: UUID, whom: ForPerson, now: datetime) -> Booking:
    """The row of a placed wish, not inserted yet, with its items."""
    items: list[BookedItem] = booked_items(wish.items)
    for item in items:
        item.booking_id = booking_id
    return Booking(
        id=booking_id, resident_id=whom.resident_id, day=wish.day, area=judged.area, pickup_window=wish.pickup_window,
        village_code=wish.village_code, place=judged.place, floor=wish.floor, has_lift=wish.has_lift,
        state="booked" if whom.held_until is None else "held", held_until=whom.held_until, consent=whom.consent,
        service_s=judged.need.service_s, declared_g=judged.need.mass_g, declared_l=judged.need.litres,
        made_up=whom.made_up, version=1, created_at=now, changed_at=now, items=items,
    )  # fmt: skip
