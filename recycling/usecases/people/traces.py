"""Every place where something of a person is kept, and how it is taken away there.

A table that comes to hold personal data gets a row in `TRACES`; a test reads every cell of every table after an erasure
and fails when one was forgotten.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session, undefer

from recycling.clock import service_day
from recycling.models.addresses import AddressBook, SavedAddress
from recycling.models.booking import BLANK_PLACE, Booking, BookingChange
from recycling.models.field import FieldEvent, FieldEventClash, FieldRuling
from recycling.models.healing import Disruption, ReplanProposal
from recycling.models.idempotency import IdempotencyKey
from recycling.models.ledger import DayLedger, TentativeRoute
from recycling.models.limits import LiveCount, LiveItem, NoShow, give_back_limits, settle_limits
from recycling.models.outbox import OBSOLETE, OutboxMessage
from recycling.models.people import OneTimeCode, SignIn
from recycling.models.photo import Photo, PhotoCount
from recycling.models.plan import Plan, RouteStop, Unassigned
from recycling.models.plan import Route as PlannedRoute
from recycling.models.privacy import Consent, ResidentLookup
from recycling.models.proof import DoorCode, ProofCount, ProofPart, ProofPhoto, ProofUpload
from recycling.models.rating import Rating
from recycling.models.recurring import RecurringDay, RecurringPickup
from recycling.models.transaction import rows_met
from recycling.models.waiting import WaitingDay, WaitingWish

COARSE = 2  # decimals of a degree, about a kilometre: the village is known from the booking anyway
_ROOTS = select(ReplanProposal.plan_id, ReplanProposal.root_plan_id)
# Where staff act for a resident they name: the kept answers repeat the address.
ON_BEHALF = ("POST /bookings", "POST /holds", "POST /my-addresses", "POST /resident-lookups")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is to be erased, and the pseudonym that what must stay is put under."""

    id: UUID
    phone: str
    pseudonym_id: UUID
    now: datetime


Trace = Callable[[Session, Person], int]


def blank_places(session: Session, person: Person) -> int:
    """Blank address, point and note of the bookings, which stay under the pseudonym."""
    mine = update(Booking).where(Booking.resident_id == person.id)
    return rows_met(
        session, mine.values(place=BLANK_PLACE, place_blanked_at=person.now, resident_id=person.pseudonym_id)
    )


def blank_words(session: Session, person: Person) -> int:
    """Blank what collectors wrote at the person's doors; what they counted there stays."""
    mine = select(Booking.id).where(Booking.resident_id == person.id)
    at_their_doors = select(FieldEvent.event_id).where(FieldEvent.booking_id.in_(mine))
    rows_met(session, update(Disruption).where(Disruption.booking_id.in_(mine)).values(note=None))
    theirs = or_(FieldEventClash.event_id.in_(at_their_doors), FieldEventClash.booking_id.in_(mine))
    rows_met(session, update(FieldEventClash).where(theirs).values(content={}))
    rows_met(session, update(FieldRuling).where(FieldRuling.event_id.in_(at_their_doors)).values(note=None))
    words = update(FieldEvent).where(FieldEvent.booking_id.in_(mine), FieldEvent.words.is_not(None))
    return rows_met(session, words.values(words=None))


def coarsen_plans(session: Session, person: Person) -> int:
    """Leave of the doors in planner files no more than the neighbourhood, and no travel times that lead to them."""
    mine = select(Booking.id).where(Booking.resident_id == person.id)
    planned = select(PlannedRoute.plan_id).join(RouteStop).where(RouteStop.booking_id.in_(mine))
    left_out = select(Unassigned.plan_id).where(Unassigned.booking_id.in_(mine))
    # A mid-day version has all places of the evening's one, and of a visit that was over by then no stop.
    later = select(ReplanProposal.plan_id).where(
        or_(ReplanProposal.root_plan_id.in_(planned), ReplanProposal.root_plan_id.in_(left_out))
    )
    keys = {str(booking_id) for booking_id in session.scalars(mine)}
    wanted = select(Plan).where(
        or_(Plan.id.in_(planned), Plan.id.in_(left_out), Plan.id.in_(later)), Plan.blanked_at.is_(None)
    )
    plans = session.scalars(wanted.options(undefer(Plan.problem), undefer(Plan.travel))).all()
    roots = {row.plan_id: row.root_plan_id for row in session.execute(_ROOTS.where(ReplanProposal.plan_id.in_(later)))}
    stops_of = {plan.id: plan.problem["stops"] for plan in plans}
    for plan in plans:
        problem = plan.problem
        stops = stops_of.get(roots.get(plan.id, plan.id), problem["stops"])
        at = sorted({stop["location"] for stop in stops if stop["key"] in keys})
        places = [
            [round(lat, COARSE), round(lon, COARSE)] if number in at else [lat, lon]
            for number, (lat, lon) in enumerate(problem["locations"])
        ]
        # On the table: a plan is written once for everybody else, and the statement leaves the row in hand alone.
        changed = update(Plan).where(Plan.id == plan.id)
        values = {"problem": problem | {"locations": places}, "travel": _without_ways(plan.travel, at)}
        rows_met(session, changed.values(values))
        session.expire(plan)
    return len(plans)


def delete_photos(session: Session, person: Person) -> int:
    """Delete the photos of their things, and the counts."""
    mine = select(Booking.id).where(Booking.resident_id == person.id)
    gone = rows_met(session, delete(Photo).where(Photo.booking_id.in_(mine)))
    rows_met(session, delete(PhotoCount).where(PhotoCount.booking_id.in_(mine)))
    return gone


def delete_proofs(session: Session, person: Person) -> int:
    """Delete the photos taken at their door, what has arrived of others, the counts, and the codes for the door."""
    mine = select(Booking.id).where(Booking.resident_id == person.id)
    gone = rows_met(session, delete(ProofPhoto).where(ProofPhoto.booking_id.in_(mine)))
    uploads = select(ProofUpload.id).where(ProofUpload.booking_id.in_(mine))
    rows_met(session, delete(ProofPart).where(ProofPart.upload_id.in_(uploads)))
    for table in (ProofUpload, ProofCount, DoorCode):
        rows_met(session, delete(table).where(table.booking_id.in_(mine)))
    return gone


def delete_routes(session: Session, person: Person) -> int:
    """Delete the tentative routes of days they booked whose plan stands: nobody needs these any more.

    On other days nothing of theirs is on a route: who has a pickup to come is not erased.
    """
    planned = select(DayLedger.day).where(DayLedger.closed)
    over = or_(TentativeRoute.day.in_(planned), TentativeRoute.day < service_day(person.now))
    mine = select(Booking.day).where(Booking.resident_id == person.id)
    return rows_met(session, delete(TentativeRoute).where(TentativeRoute.day.in_(mine), over))


def end_limits(session: Session, person: Person) -> int:
    """Give back what yesterday's bookings without an outcome still count; no-shows go under the pseudonym."""
    counted = select(LiveItem.booking_id).join(Booking, Booking.id == LiveItem.booking_id).distinct()
    for booking_id in session.scalars(counted.where(Booking.resident_id == person.id)).all():
        give_back_limits(session, booking_id, resident_id=person.id)
    settle_limits(session)
    rows_met(session, delete(LiveCount).where(LiveCount.scope == f"resident:{person.id}"))
    mine = update(NoShow).where(NoShow.resident_id == person.id)
    return rows_met(session, mine.values(resident_id=person.pseudonym_id))


def delete_waiting(session: Session, person: Person) -> int:
    """Delete their waiting wishes, and the agreements about pickups that would go on."""
    mine = select(WaitingWish.id).where(WaitingWish.resident_id == person.id)
    rows_met(session, delete(WaitingDay).where(WaitingDay.wish_id.in_(mine)))
    gone = rows_met(session, delete(WaitingWish).where(WaitingWish.resident_id == person.id))
    agreed = select(RecurringPickup.id).where(RecurringPickup.resident_id == person.id)
    rows_met(session, delete(RecurringDay).where(RecurringDay.recurring_id.in_(agreed)))
    return gone + rows_met(session, delete(RecurringPickup).where(RecurringPickup.resident_id == person.id))


def blank_ratings(session: Session, person: Person) -> int:
    """Blank what they wrote about visits; the stars stay with the bookings, which are the pseudonym's by now."""
    theirs = select(Booking.id).where(Booking.resident_id == person.pseudonym_id)
    return rows_met(
        session, update(Rating).where(Rating.booking_id.in_(theirs), Rating.words.is_not(None)).values(words=None)
    )


def delete_addresses(session: Session, person: Person) -> int:
    """Delete the saved addresses and their count."""
    gone = rows_met(session, delete(SavedAddress).where(SavedAddress.resident_id == person.id))
    rows_met(session, delete(AddressBook).where(AddressBook.resident_id == person.id))
    return gone


def delete_codes(session: Session, person: Person) -> int:
    """Delete the codes sent to the phone; of a day at the most, so each is read."""
    codes = session.execute(select(OneTimeCode.id, OneTimeCode.phone)).all()
    sent = [code_id for code_id, phone in codes if phone == person.phone]
    return rows_met(session, delete(OneTimeCode).where(OneTimeCode.id.in_(sent)))


def delete_answers(session: Session, person: Person) -> int:
    """Delete the answers kept for their requests, and for those of staff on their behalf."""
    gone = rows_met(session, delete(IdempotencyKey).where(IdempotencyKey.caller_id == person.id))
    for row in session.scalars(select(IdempotencyKey).where(IdempotencyKey.endpoint.in_(ON_BEHALF))).all():
        if str(person.id) in str(row.answer):
            session.delete(row)
            gone += 1
    session.flush()
    return gone


def end_sign_ins(session: Session, person: Person) -> int:
    """End every sign-in; the times stay in the network log, under the pseudonym."""
    mine = update(SignIn).where(SignIn.resident_id == person.id)
    rows_met(session, mine.where(SignIn.ended_at.is_(None)).values(ended_at=person.now))
    return rows_met(session, mine.values(resident_id=person.pseudonym_id))


def withdraw_messages(session: Session, person: Person) -> int:
    """Let nothing more be sent; the record of what was sent goes under the pseudonym."""
    mine = update(OutboxMessage).where(OutboxMessage.recipient_id == person.id)
    # One that a sender holds right now finds nobody any more under the old id, or is marked by its token.
    unsent = OutboxMessage.sent_at.is_(None), OutboxMessage.dead_at.is_(None), OutboxMessage.token.is_(None)
    waiting = mine.where(*unsent)
    rows_met(session, waiting.values(dead_at=person.now, last_error=f"{OBSOLETE}the resident was erased"))
    return rows_met(session, mine.values(recipient_id=person.pseudonym_id))


def rename_history(session: Session, person: Person) -> int:
    """Put the lines of history that they wrote under the pseudonym."""
    mine = update(BookingChange).where(BookingChange.by_id == person.id)
    return rows_met(session, mine.values(by_id=person.pseudonym_id))


def rename_consents(session: Session, person: Person) -> int:
    """Keep that there was a consent, under the pseudonym."""
    return rows_met(
        session,
        update(Consent).where(Consent.resident_id == person.id).values(resident_id=person.pseudonym_id),
    )


def rename_lookups(session: Session, person: Person) -> int:
    """Keep that staff looked somebody up, under the pseudonym."""
    mine = update(ResidentLookup).where(ResidentLookup.resident_id == person.id)
    return rows_met(session, mine.values(resident_id=person.pseudonym_id))


# First what is found through the bookings' resident.
TRACES: dict[str, Trace] = {
    "plans": coarsen_plans,
    "photos": delete_photos,
    "field_words": blank_words,
    "proofs": delete_proofs,
    "limits": end_limits,
    "waiting": delete_waiting,
    "tentative_routes": delete_routes,
    "bookings": blank_places,
    # After the bookings, whose locks end a rating that is under way.
    "ratings": blank_ratings,
    "saved_addresses": delete_addresses,
    "one_time_codes": delete_codes,
    "idempotency_keys": delete_answers,
    "sign_ins": end_sign_ins,
    "messages": withdraw_messages,
    "history": rename_history,
    "consents": rename_consents,
    "lookups": rename_lookups,
}


def _without_ways(travel: bytes | None, at: list[int]) -> bytes | None:
    """A plan's matrix with nothing in it that leads to these places or from them."""
    if travel is None:
        return None
    with np.load(io.BytesIO(travel), allow_pickle=False) as arrays:
        cells: dict[str, Any] = {name: arrays[name].copy() for name in arrays.files}
    for matrix in cells.values():
        matrix[at, :] = matrix[:, at] = 0
    file = io.BytesIO()
    np.savez_compressed(file, **cells)
    return file.getvalue()
