"""A visit that we owe (欠访优先): whom we failed keeps the rank of the booking that we did not keep."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.base import table_of
from recycling.models.booking import Booking
from recycling.policy.failed_visits import is_our_fault
from recycling.policy.field_events import visit_of
from recycling.units import instant_at
from recycling.usecases.field.records import records_of_bookings

OWED_DAYS = 60  # whoever has not booked again by then has found another way

_booking = table_of(Booking)


def owed_since(resident_id: UUID, *, session: Session, now: datetime) -> datetime | None:
    """When a resident first asked for a visit that we owe them; ``None`` when we owe none.

    A visit is owed when it failed, in whole or in part, for a reason of ours, or when nobody has recorded it by the day
    after. Whoever has booked again since its day is owed nothing any more.
    """
    today = service_day(now)
    rows = session.execute(
        select(_booking.c.id, _booking.c.day, _booking.c.state, _booking.c.created_at)
        .where(
            _booking.c.resident_id == resident_id,
            _booking.c.day >= today - timedelta(days=OWED_DAYS),
            or_(
                and_(_booking.c.state == "booked", _booking.c.day < today),
                _booking.c.state.in_(("failed", "partly_collected")),
            ),
            _booking.c.made_up.is_(False),
        )
        .order_by(_booking.c.created_at)
    ).all()
    doubtful = [row.id for row in rows if row.state != "booked"]
    reasons = {key: visit_of(own).reason for key, own in records_of_bookings(session, doubtful).items()}
    owed = [row for row in rows if row.state == "booked" or is_our_fault(reasons.get(row.id))]
    if not owed or _booked_again(resident_id, since=max(row.day for row in owed), session=session):
        return None
    first: datetime = owed[0].created_at
    return first


def _booked_again(resident_id: UUID, *, since: date, session: Session) -> bool:
    later = select(_booking.c.id).where(
        _booking.c.resident_id == resident_id,
        _booking.c.created_at >= instant_at(since, 0),
        _booking.c.state.in_(("booked", "collected", "partly_collected")),
    )
    return session.execute(later.limit(1)).first() is not None
