"""Delete what has served its time (日常清理)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.booking import Booking
from recycling.models.counters import AttemptCounter
from recycling.models.people import OneTimeCode, SignIn
from recycling.models.photo import Photo, PhotoCount
from recycling.models.receipt import SmsReceipt
from recycling.models.transaction import atomic, rows_met
from recycling.models.travel import CachedTravel
from recycling.policy.photos import DAYS_KEPT
from recycling.usecases.idempotency import forget_keys
from recycling.usecases.messages.receipts import fold_parked

log = logger(__name__)

CODES_KEPT = timedelta(days=1)  # past their end, for a question on the phone the day after
KEYS_KEPT = timedelta(days=31)  # at least 30 days: a collector's phone may be offline for long
COUNTERS_KEPT = timedelta(days=2)  # longer than the longest period that is counted, a day
# Who was signed in when is part of the network log: six months at least (Cybersecurity Law, art. 21), with room.
SIGN_INS_KEPT = timedelta(days=190)
RECEIPTS_KEPT = timedelta(days=190)  # who was told what and when is asked about for as long; messages stay


def clean_up(*, session: Session, now: datetime, travel_kept: timedelta = timedelta(0)) -> dict[str, int]:
    """Delete old codes, keys, attempt counters, ended sign-ins, receipts, kept ways and photos; returns how many.

    ``travel_kept`` is how long the answers of a road engine are used.

    Each kind in a transaction of its own, so that nobody waits long for a lock.
    """
    over = or_(SignIn.ended_at < now - SIGN_INS_KEPT, SignIn.expires_at < now - SIGN_INS_KEPT)
    folded = fold_parked(session=session)  # before any of them goes
    gone = {"idempotency_keys": forget_keys(before=now - KEYS_KEPT, session=session)}
    for name, rows in (
        ("one_time_codes", delete(OneTimeCode).where(OneTimeCode.expires_at < now - CODES_KEPT)),
        ("attempt_counters", delete(AttemptCounter).where(AttemptCounter.starts_at < now - COUNTERS_KEPT)),
        ("sign_ins", delete(SignIn).where(over)),
        ("sms_receipts", delete(SmsReceipt).where(SmsReceipt.received_at < now - RECEIPTS_KEPT)),
        ("cached_travel", delete(CachedTravel).where(CachedTravel.asked_at < now - travel_kept)),
    ):
        with atomic(session):
            gone[name] = rows_met(session, rows)
    with atomic(session):
        # The counters with them, or the photos that are gone would be counted for ever.
        long_past = select(Booking.id).where(Booking.day < service_day(now) - timedelta(days=DAYS_KEPT))
        gone["photos"] = rows_met(session, delete(Photo).where(Photo.booking_id.in_(long_past)))
        rows_met(session, delete(PhotoCount).where(PhotoCount.booking_id.in_(long_past)))
    log.info("housekeeping.done", **gone, receipts_folded=folded)
    return gone
