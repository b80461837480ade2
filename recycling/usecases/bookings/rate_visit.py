"""Rate a visit (评价): once for a booking, by its resident, changeable for some days; the last word is what counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, NotFound, WindowClosed
from recycling.logs import logger
from recycling.models.booking import Booking, BookingState, with_parts
from recycling.models.field import FieldEvent
from recycling.models.people import Staff
from recycling.models.rating import Rating
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.ratings import RATING_REASONS, RatingReason, rated_until
from recycling.usecases.bookings.linked import refuse_part

log = logger(__name__)

VISITED: tuple[BookingState, ...] = ("collected", "partly_collected", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a resident says: stars from 1 to 5, reasons by code, words or none."""

    stars: int
    reasons: Sequence[RatingReason]
    words: str


def rate_visit(
    booking_id: UUID, said: Verdict, *, by: Principal, district: District, session: Session, now: datetime
) -> Rating:
    """Keep what a resident says of the visit to a booking of theirs, in place of what they said before.

    Raises
    ------
    NotFound
        When the caller has no booking of that id.
    Conflict
        When it was not visited, or is a further visit of another booking.
    WindowClosed
        When its time for that is over.
    """
    with atomic(session):
        # The row lock makes two tabs queue, and whoever is erased meanwhile has no booking any more.
        wanted = select(Booking).where(Booking.id == booking_id, Booking.resident_id == by.id).with_for_update()
        booking = session.scalar(wanted)
        if booking is None:
            raise NotFound(f"no booking {booking_id} of yours / 未找到该预约")
        refuse_part(booking)
        if booking.state not in VISITED:
            raise Conflict(
                f"the booking is {booking.state}; rate it once somebody has been there / 尚未上门，上门后方可评价"
            )
        if service_day(now) > rated_until(booking.day):
            raise WindowClosed(
                f"a visit of {booking.day} could be rated until {rated_until(booking.day)}; call the dispatcher with"
                f" what is left to say / 评价已于 {rated_until(booking.day)} 截止，如有意见请致电调度"
            )
        rating = session.get(Rating, booking_id)
        if rating is None:
            collector_key, station_key = _who_came(booking_id, district=district, session=session)
            rating = Rating(
                booking_id=booking_id, day=booking.day, collector_key=collector_key, station_key=station_key,
                rated_at=now,
            )  # fmt: skip
            session.add(rating)
        rating.stars, rating.words, rating.changed_at = said.stars, said.words or None, now
        rating.reasons = [reason for reason in RATING_REASONS if reason in said.reasons]
    # Neither the collector nor the words: a log is read by more people than a figure.
    log.info("booking.rated", booking_id=str(booking_id), stars=rating.stars)
    return rating


def _who_came(booking_id: UUID, *, district: District, session: Session) -> tuple[str | None, str | None]:
    """The collector who recorded the newest outcome of the booking's visits, and the home of their vehicle."""
    visits = select(Booking.id).where(with_parts(booking_id))
    outcomes = (
        select(Staff.collector_key, FieldEvent.vehicle_key)
        .join(FieldEvent, FieldEvent.collector_id == Staff.id)
        .where(FieldEvent.booking_id.in_(visits), FieldEvent.kind.in_(VISITED))
        .order_by(FieldEvent.made_at.desc(), FieldEvent.device_seq.desc())
        .limit(1)
    )
    found = session.execute(outcomes).one_or_none()
    if found is None:
        return None, None
    vehicle = district.network.vehicles.get(found.vehicle_key)
    return found.collector_key, None if vehicle is None else vehicle.station_key
