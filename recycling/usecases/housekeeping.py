"""Delete what has served its time (日常清理)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.booking import Booking
from recycling.models.counters import AttemptCounter
from recycling.models.limits import UNUSED, stale_bookings
from recycling.models.people import OneTimeCode, SignIn
from recycling.models.transaction import atomic, rows_met
from recycling.models.travel import CachedTravel
from recycling.usecases.bookings import live_limits
from recycling.usecases.idempotency import forget_keys

log = logger(__name__)

CODES_KEPT = timedelta(days=1)  # past their end, for a question on the phone the day after
KEYS_KEPT = timedelta(days=31)  # at least 30 days: a collector's phone may be offline for long
COUNTERS_KEPT = timedelta(days=2)  # longer than the longest period that is counted, a day
# Who was signed in when is part of the network log: six months at least (Cybersecurity Law, art. 21), with room.
SIGN_INS_KEPT = timedelta(days=190)

# A pickup that nobody came for, or recorded, does not keep its resident from booking: the day after its day somebody
# may still come or send the record, the day after that it is not live any more. Its state stays, for the dispatcher.
LIVE_AFTER_DAY = timedelta(days=2)


def clean_up(*, session: Session, now: datetime, travel_kept: timedelta = timedelta(0)) -> dict[str, int]:
    """Delete old codes, idempotency keys, attempt counters, ended sign-ins and kept ways; returns how many of each.

    ``travel_kept`` is how long the answers of a road engine are used.

    Each kind in a transaction of its own, so that nobody waits long for a lock.
    """
    over = or_(SignIn.ended_at < now - SIGN_INS_KEPT, SignIn.expires_at < now - SIGN_INS_KEPT)
    gone = {"idempotency_keys": forget_keys(before=now - KEYS_KEPT, session=session)}
    for name, rows in (
        ("one_time_codes", delete(OneTimeCode).where(OneTimeCode.expires_at < now - CODES_KEPT)),
        ("attempt_counters", delete(AttemptCounter).where(AttemptCounter.starts_at < now - COUNTERS_KEPT)),
        ("sign_ins", delete(SignIn).where(over)),
        ("unused_counters", UNUSED),
        ("cached_travel", delete(CachedTravel).where(CachedTravel.asked_at < now - travel_kept)),
    ):
        with atomic(session):
            gone[name] = rows_met(session, rows)
    gone["stale_limits"] = release_stale(session=session, now=now)
    log.info("housekeeping.done", **gone)
    return gone


def release_stale(*, session: Session, now: datetime) -> int:
    """Give back the limits of bookings whose day is over by two days without an outcome; returns of how many."""
    session.rollback()
    stale = stale_bookings(session, before=service_day(now) - LIVE_AFTER_DAY)
    session.rollback()
    for booking_id in stale:
        with atomic(session):
            # The row lock first, as at the door and in a cancellation.
            booking = session.get(Booking, booking_id, with_for_update=True)
            if booking is not None:
                live_limits.end(session, booking.id, resident_id=booking.resident_id)
    return len(stale)
