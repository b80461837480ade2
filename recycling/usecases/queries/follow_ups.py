"""What follows a visit that was not done (后续处理): by its reason, or because nobody recorded it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.booking import Booking
from recycling.policy.failed_visits import FOLLOW_UP_WORDS, FollowUp, follow_up_of
from recycling.policy.field_events import visit_of
from recycling.usecases.bookings.owed_visit import owed_since
from recycling.usecases.field.records import records_of_bookings


def follow_up(booking: Booking, *, session: Session, now: datetime) -> dict[str, Any]:
    """What follows for a booking, as the field ``follow_up`` of it; ``None`` where nothing is left to do."""
    missed = booking.state == "booked" and booking.day < service_day(now)
    if not missed and booking.state not in ("failed", "partly_collected"):
        return {"follow_up": None}
    records = records_of_bookings(session, [booking.id]).get(booking.id, [])
    reason = None if missed else visit_of(records).reason
    code: FollowUp = "free_rebooking" if missed else follow_up_of(reason)
    zh, en = FOLLOW_UP_WORDS[code]
    owed = code == "free_rebooking" and owed_since(booking.resident_id, session=session, now=now) is not None
    return {"follow_up": {"code": code, "reason": reason, "zh": zh, "en": en, "priority": owed}}
