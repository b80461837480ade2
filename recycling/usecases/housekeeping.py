"""Nightly housekeeping: what has served its time is deleted, by the days of the privacy notice."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Delete, Update, delete, or_, select, update
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.booking import BLANK_PLACE, Booking
from recycling.models.counters import AttemptCounter
from recycling.models.day_change import DayChangeRow
from recycling.models.field import FieldEvent, FieldEventClash, FieldRuling
from recycling.models.healing import Disruption
from recycling.models.intake import IntakeTicket
from recycling.models.job_run import JobRun
from recycling.models.ledger import TentativeRoute
from recycling.models.limits import UNUSED, stale_bookings
from recycling.models.people import OneTimeCode, SignIn, UsedDeviceProof
from recycling.models.photo import Photo, PhotoCount
from recycling.models.plan import Plan
from recycling.models.position import VehiclePosition
from recycling.models.privacy import Erasure, ResidentLookup
from recycling.models.proof import DoorCode, ProofCount, ProofPart, ProofPhoto, ProofUpload, discard_upload
from recycling.models.rating import Rating
from recycling.models.receipt import SmsReceipt
from recycling.models.run_progress import RunProgress
from recycling.models.ticket_photo import TicketPhoto
from recycling.models.transaction import atomic, rows_met
from recycling.models.travel import CachedTravel
from recycling.models.waiting import WaitingWish
from recycling.policy.privacy import PrivacyNotice
from recycling.usecases.bookings import live_limits
from recycling.usecases.idempotency import forget_keys
from recycling.usecases.messages.receipts import fold_parked

log = logger(__name__)

# A pickup that nobody came for, or recorded, does not keep its resident from booking: the day after its day somebody
# may still come or send the record, the day after that it is not live any more. Its state stays, for the dispatcher.
LIVE_AFTER_DAY = timedelta(days=2)
CLOCKS_APART = timedelta(hours=1)  # how far our own servers' clocks may be from each other, with ample room
# A phone comes back after weeks without a network or in repair; what it has not gone on with by then it has lost.
ABANDONED_AFTER = timedelta(days=30)


def clean_up(
    privacy: PrivacyNotice, *, session: Session, now: datetime, travel_kept: timedelta = timedelta(0)
) -> dict[str, int]:
    """Delete old codes, keys, counters, sign-ins, proofs, audit rows, photos and ways, blank old places; how many each.

    ``travel_kept`` is how long the answers of a road engine are used.

    Each kind in a transaction of its own, so that nobody waits long for a lock.
    """
    folded = fold_parked(session=session)  # before any of them goes
    gone = {"idempotency_keys": forget_keys(before=now - privacy.kept("idempotency-keys"), session=session)}
    for name, rows in {
        **_served(privacy, now=now),
        "unused_counters": UNUSED,
        # Too old to be taken again by any of our clocks.
        "used_device_proofs": delete(UsedDeviceProof).where(UsedDeviceProof.expires_at < now - CLOCKS_APART),
        "positions": delete(VehiclePosition).where(VehiclePosition.kept_until <= now),
        "run_progress": delete(RunProgress).where(
            RunProgress.run_id.in_(select(JobRun.id).where(JobRun.finished_at < now - timedelta(days=1)))
        ),
        "cached_travel": delete(CachedTravel).where(CachedTravel.asked_at < now - travel_kept),
    }.items():
        with atomic(session):
            gone[name] = rows_met(session, rows)
    with atomic(session):
        # The counters with them, or the photos that are gone would be counted for ever.
        long_past = select(Booking.id).where(Booking.day < service_day(now) - privacy.kept("photos"))
        gone["photos"] = rows_met(session, delete(Photo).where(Photo.booking_id.in_(long_past)))
        rows_met(session, delete(PhotoCount).where(PhotoCount.booking_id.in_(long_past)))
    gone["abandoned_uploads"] = drop_abandoned(session=session, now=now)
    with atomic(session):
        long_past = select(Booking.id).where(Booking.day < service_day(now) - privacy.kept("proof-photos"))
        gone["proof_photos"] = rows_met(session, delete(ProofPhoto).where(ProofPhoto.booking_id.in_(long_past)))
        uploads = select(ProofUpload.id).where(ProofUpload.booking_id.in_(long_past))
        rows_met(session, delete(ProofPart).where(ProofPart.upload_id.in_(uploads)))
        rows_met(session, delete(ProofUpload).where(ProofUpload.booking_id.in_(long_past)))
        rows_met(session, delete(ProofCount).where(ProofCount.booking_id.in_(long_past)))
    gone["stale_limits"] = release_stale(session=session, now=now)
    log.info("housekeeping.done", **gone, receipts_folded=folded)
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
        "sms_receipts": delete(SmsReceipt).where(SmsReceipt.received_at < now - privacy.kept("sms-receipts")),
        "resident_lookups": delete(ResidentLookup).where(ResidentLookup.at < now - privacy.kept("resident-lookups")),
        "door_codes": delete(DoorCode).where(
            DoorCode.booking_id.in_(select(Booking.id).where(Booking.day < today - privacy.kept("door-codes")))
        ),
        # The ticket stays: nothing in it, nor in its mac, tells of its pictures.
        "ticket_photos": delete(TicketPhoto).where(
            TicketPhoto.ticket_id.in_(
                select(IntakeTicket.id).where(IntakeTicket.day < today - privacy.kept("ticket-photos"))
            )
        ),
        "waiting_wishes": delete(WaitingWish).where(
            WaitingWish.state.not_in(("waiting", "offered")),
            WaitingWish.changed_at < now - privacy.kept("waiting-wishes"),
        ),
        "erasures": delete(Erasure).where(Erasure.at < now - privacy.kept("erasures")),
        # Doors of days that are over; what was planned and driven stands in the day's plan.
        "tentative_routes": delete(TentativeRoute).where(TentativeRoute.day < today - privacy.kept("tentative-routes")),
        # On tables, not rows: a plan is written once for everybody else.
        "places": update(Booking)
        .where(Booking.day < today - privacy.kept("places"), Booking.place_blanked_at.is_(None))
        .values(place=BLANK_PLACE, place_blanked_at=now),
        "field_words": update(FieldEvent)
        .where(FieldEvent.day < today - privacy.kept("field-words"), FieldEvent.words.is_not(None))
        .values(words=None),
        "field_rulings": update(FieldRuling)
        .where(
            FieldRuling.note.is_not(None),
            FieldRuling.event_id.in_(
                select(FieldEvent.event_id).where(FieldEvent.day < today - privacy.kept("field-words"))
            ),
        )
        .values(note=None),
        "rating_words": update(Rating)
        .where(Rating.day < today - privacy.kept("rating-words"), Rating.words.is_not(None))
        .values(words=None),
        "absence_reasons": update(DayChangeRow)
        .where(
            DayChangeRow.kind == "collector_away",
            DayChangeRow.last_day < today - privacy.kept("absence-reasons"),
            DayChangeRow.reason != "",
        )
        .values(reason=""),
        "field_clashes": delete(FieldEventClash).where(
            FieldEventClash.event_id.in_(
                select(FieldEvent.event_id).where(FieldEvent.day < today - privacy.kept("field-words"))
            )
        ),
        "disruption_notes": update(Disruption)
        .where(Disruption.day < today - privacy.kept("field-words"), Disruption.note.is_not(None))
        .values(note=None),
        "plans": update(Plan)
        .where(Plan.day < today - privacy.kept("plans"), Plan.blanked_at.is_(None))
        .values(problem={}, travel=None, blanked_at=now),
    }


def drop_abandoned(*, session: Session, now: datetime) -> int:
    """Drop uploads of visit photos that nobody went on with, and give their places back; returns how many."""
    with atomic(session):
        left = session.scalars(select(ProofUpload.id).where(ProofUpload.changed_at < now - ABANDONED_AFTER)).all()
        for upload_id in left:
            discard_upload(session, upload_id)
    return len(left)


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
