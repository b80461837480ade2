"""The shared step of everything that changes what is recorded of bookings: fold their records anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.booking import Booking
from recycling.models.position import forget_positions
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.field_events import visit_of
from recycling.usecases.field.bring_up_to_date import bring_up_to_date
from recycling.usecases.field.flags import Flag, keep_folded
from recycling.usecases.field.records import records_of_bookings


def locked_bookings(session: Session, bookings: Collection[UUID]) -> dict[UUID, Booking]:
    """Lock bookings until the transaction ends, in ascending sequence, so that two of us queue and never cross."""
    if not bookings:
        return {}
    # The row lock makes two records of one booking queue, so that each fold sees the other's row or is seen by it. This
    # kind lets a ticket line name the booking meanwhile: a weigh-in comes from the items to the booking, we come the
    # other way round.
    wanted = select(Booking).where(Booking.id.in_(list(bookings))).order_by(Booking.id)
    found = session.scalars(wanted.with_for_update(key_share=True).execution_options(populate_existing=True))
    return {booking.id: booking for booking in found}


def fold_bookings(
    bookings: Sequence[Booking],
    *,
    recorded: Collection[UUID] = (),
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> set[Flag]:
    """Bring locked bookings up to date with their records, and their flags with them; the flags that now stand.

    ``recorded`` are the events that have just come.
    """
    records = records_of_bookings(session, [booking.id for booking in bookings])
    flags: set[Flag] = set()
    for booking in sorted(bookings, key=lambda one: one.id):
        own = records.get(booking.id, [])
        before = visit_of(record for record in own if record.event_id not in recorded)
        flags |= bring_up_to_date(
            booking, own, before=before, by=by, district=district, session=session, now=now
        )  # fmt: skip
    # Whoever had set out for one of them has been there now: where the van is concerns nobody any more.
    forget_positions(session, bookings=[booking.id for booking in bookings])
    keep_folded(session, [booking.id for booking in bookings], flags, now=now)
    return flags
