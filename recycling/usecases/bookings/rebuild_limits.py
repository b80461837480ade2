"""Work out limits and no-shows anew from bookings and records: after the migration, or when an invariant is broken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.booking import PROMISED, Booking
from recycling.models.ledger import locked_day
from recycling.models.limits import NoShow, count_anew, ended_bookings, give_back_limits, move_limits, note_no_show
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.policy.failed_visits import is_no_show
from recycling.policy.field_events import visit_of
from recycling.usecases.field.records import records_of_bookings

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What was worked out: live bookings, clashes (the same item twice at one door and day), counters put right."""

    live: int
    clashes: tuple[UUID, ...]
    counters: int


def rebuild_limits(*, district: District, session: Session, now: datetime) -> Rebuilt:
    """Give every live booking its limits and no other, every no-show its row, and count anew.

    Day by day under the day's lock, so that residents book meanwhile. Whoever has more bookings than the cap keeps
    them. Of two live bookings of one item at one door and day the later one stays without a row; somebody must call.
    """
    session.rollback()
    live = select(Booking.day).where(Booking.state.in_(PROMISED), Booking.day >= service_day(now)).distinct()
    days = sorted(session.scalars(live))
    ended = ended_bookings(session)
    failed = session.scalars(select(Booking.id).where(Booking.state == "failed")).all()
    noted = session.scalars(select(NoShow.booking_id)).all()
    found, clashes = 0, []
    for day in days:
        with atomic(session):
            locked_day(session, day, now=now, even_closed=True)
            standing = select(Booking).where(Booking.day == day, Booking.state.in_(PROMISED))
            visits = session.scalars(standing.order_by(Booking.created_at, Booking.id).with_for_update()).all()
            for booking in visits:
                if booking.part_of is not None:
                    continue  # the booking that it is part of has its limits
                found += 1
                parts = [visit for visit in visits if visit.part_of == booking.id]
                if move_limits(session, booking, per_resident=1, per_address=1, parts=parts) is not None:
                    clashes.append(booking.id)
            session.info.pop("limits", None)  # the counters are written at the end, all at once
    for booking_id in sorted({*ended, *failed, *noted}):
        with atomic(session):
            booking = session.get_one(Booking, booking_id, with_for_update=True)
            if booking.state not in PROMISED:
                give_back_limits(session, booking.id, resident_id=booking.resident_id)
                session.info.pop("limits", None)
            visit = visit_of(records_of_bookings(session, [booking_id]).get(booking_id, ()))
            counts = visit.outcome == "failed" and is_no_show(visit.reason)
            note_no_show(session, booking, counts=counts)
    rules = district.booking_rules
    with atomic(session):
        wrong = count_anew(session, per_resident=rules.live_per_resident, per_address=rules.live_per_address)
    log.info("limits.rebuilt", live=found, clashes=len(clashes), counters=wrong)
    return Rebuilt(live=found, clashes=tuple(clashes), counters=wrong)
