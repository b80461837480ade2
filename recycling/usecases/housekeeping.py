"""Delete or blank what has served its time (日常清理); how long that is, the privacy notice says."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Delete, Update, delete, or_, update
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.booking import BLANK_PLACE, Booking
from recycling.models.counters import AttemptCounter
from recycling.models.people import OneTimeCode, SignIn
from recycling.models.plan import Plan
from recycling.models.privacy import Erasure, ResidentLookup
from recycling.models.transaction import atomic, rows_met
from recycling.models.travel import CachedTravel
from recycling.policy.privacy import PrivacyNotice
from recycling.usecases.idempotency import forget_keys

log = logger(__name__)


def clean_up(
    privacy: PrivacyNotice, *, session: Session, now: datetime, travel_kept: timedelta = timedelta(0)
) -> dict[str, int]:
    """Delete old codes, keys, counters, sign-ins, audit rows and kept ways, blank old places; how many of each.

    ``travel_kept`` is how long the answers of a road engine are used.

    Each kind in a transaction of its own, so that nobody waits long for a lock.
    """
    gone = {"idempotency_keys": forget_keys(before=now - privacy.kept("idempotency-keys"), session=session)}
    for name, rows in {
        **_served(privacy, now=now),
        "cached_travel": delete(CachedTravel).where(CachedTravel.asked_at < now - travel_kept),
    }.items():
        with atomic(session):
            gone[name] = rows_met(session, rows)
    log.info("housekeeping.done", **gone)
    return gone


def _served(privacy: PrivacyNotice, *, now: datetime) -> dict[str, Delete | Update]:
    """What takes the rows of each kind away, or the personal part of them."""
    signed_in_before = now - privacy.kept("sign-ins")
    today = service_day(now)
    return {
        "one_time_codes": delete(OneTimeCode).where(OneTimeCode.expires_at < now - privacy.kept("one-time-codes")),
        "attempt_counters": delete(AttemptCounter).where(
            AttemptCounter.starts_at < now - privacy.kept("attempt-counters")
        ),
        "sign_ins": delete(SignIn).where(or_(SignIn.ended_at < signed_in_before, SignIn.expires_at < signed_in_before)),
        "resident_lookups": delete(ResidentLookup).where(ResidentLookup.at < now - privacy.kept("resident-lookups")),
        "erasures": delete(Erasure).where(Erasure.at < now - privacy.kept("erasures")),
        # On tables, not rows: a plan is written once for everybody else.
        "places": update(Booking)
        .where(Booking.day < today - privacy.kept("places"), Booking.place_blanked_at.is_(None))
        .values(place=BLANK_PLACE, place_blanked_at=now),
        "plans": update(Plan)
        .where(Plan.day < today - privacy.kept("plans"), Plan.blanked_at.is_(None))
        .values(problem={}, travel=None, blanked_at=now),
    }
