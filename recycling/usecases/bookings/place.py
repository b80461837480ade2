"""The shared step of everything that promises: a judged wish gets rows, and places in a locked day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.models.base import insert_rows
from recycling.models.booking import Booking, Consent
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings import live_limits
from recycling.usecases.bookings.linked import Part
from recycling.usecases.bookings.promise import Judged, Wish, booked_items
from recycling.usecases.bookings.proposals import Proposal
from recycling.usecases.bookings.tentative import DayDraft


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
    parts: Sequence[Part],
    *,
    bookings: Sequence[Booking],
    district: District,
    proposals: Sequence[Proposal] | None = None,
) -> Booking:
    """Take the places and the limits that a booking, or hold, needs in a locked day; its rows must be written.

    Parameters
    ----------
    parts, bookings
        Its visits, and the row of each; the first stands for the booking.

    Raises
    ------
    WindowFull
        When no route of the day can serve one of them.
    LimitReached
        When its resident or its door has as many live bookings as it may.
    """
    take_places(draft, parts, bookings=bookings, district=district, proposals=proposals)
    live_limits.take(session, bookings[0], parts=bookings[1:], district=district)
    return bookings[0]


def take_places(
    draft: DayDraft,
    parts: Sequence[Part],
    *,
    bookings: Sequence[Booking],
    district: District,
    proposals: Sequence[Proposal] | None = None,
) -> None:
    """Give each visit of a booking its place, one after the other.

    Raises
    ------
    WindowFull
        When no route of the day can serve one of them.
    """
    window = district.network.pickup_windows[parts[0].wish.pickup_window].window_s
    for n, (part, booking) in enumerate(zip(parts, bookings, strict=True)):
        proposal = None if proposals is None else proposals[n]
        draft.take(part.judged.visit(str(booking.id), window), window, proposal=proposal)


def rows_of(
    parts: Sequence[Part],
    *,
    whom: ForPerson,
    by: Principal,
    district: District,
    now: datetime,
    ids: Sequence[UUID] | None = None,
) -> list[Booking]:
    """The rows of a booking's visits, not inserted yet, with their items; the further ones are part of the first."""
    rows: list[Booking] = []
    for part, booking_id in zip(parts, ids or [uuid4() for _ in parts], strict=True):
        row = row_of(part.wish, part.judged, booking_id=booking_id, whom=whom, by=by, district=district, now=now)
        row.part_of = rows[0].id if rows else None
        rows.append(row)
    return rows


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


def write_rows(session: Session, bookings: Sequence[Booking]) -> Sequence[Booking]:
    """Insert the visits of a booking and their items."""
    insert_rows(session, [*bookings, *(item for booking in bookings for item in booking.items)])
    return bookings
