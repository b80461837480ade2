"""What a standing ticket alone stands on: a reading of the weighbridge, and a vehicle's trip."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import Conflict
from recycling.models.base import insert_if_absent
from recycling.models.booking import Booking
from recycling.models.intake import IntakeTicket
from recycling.models.weighbridge import WeighedReading, WeighedTrip
from recycling.usecases.intake.weighing import MOST_TRIPS, Weighing


def claim(
    session: Session, weighing: Weighing, *, ticket_id: UUID, day: date, before: IntakeTicket | None = None
) -> int | None:
    """Take the reading and the trip of a weighing for a ticket that is about to be written; which trip it is.

    Of a load from doors without a trip it is that of the ticket ``before``, of the same vehicle, or the vehicle's next.
    There is none after the last number, for a mass is not refused for that, and none where all of the doors are of
    an earlier day: the trips of ``day`` keep their numbers.

    Raises
    ------
    Conflict
        When another standing ticket has the reading or the trip; it is named.
    """
    if weighing.reading_id is not None and not insert_if_absent(
        session, WeighedReading, reading_id=weighing.reading_id, ticket_id=ticket_id
    ):
        taken = select(WeighedReading.ticket_id).where(WeighedReading.reading_id == weighing.reading_id)
        raise _taken(session, session.scalars(taken).one(), "this reading", "该地磅读数")
    vehicle_key, trip = weighing.vehicle_key, weighing.trip
    if weighing.channel != "door" or vehicle_key is None:
        return trip
    if trip is None and before is not None and before.vehicle_key == vehicle_key:
        trip = before.trip
    if trip is None and _is_of_an_earlier_day(session, weighing, day=day):
        return None
    if trip is None:
        return _next_trip(session, day=day, vehicle_key=vehicle_key, ticket_id=ticket_id)
    if not _claimed(session, day=day, vehicle_key=vehicle_key, trip=trip, ticket_id=ticket_id):
        load = (WeighedTrip.day == day, WeighedTrip.vehicle_key == vehicle_key, WeighedTrip.trip == trip)
        other_id = session.scalars(select(WeighedTrip.ticket_id).where(*load)).one()
        raise _taken(session, other_id, f"trip {trip} of {vehicle_key} on {day}", f"{vehicle_key} {day} 第 {trip} 趟")
    return trip


def _is_of_an_earlier_day(session: Session, weighing: Weighing, *, day: date) -> bool:
    bookings = {line.booking_id for line in weighing.lines if line.booking_id is not None}
    newest = session.scalar(select(func.max(Booking.day)).where(Booking.id.in_(bookings))) if bookings else None
    return newest is not None and newest < day


def _next_trip(session: Session, *, day: date, vehicle_key: str, ticket_id: UUID) -> int | None:
    newest = select(func.max(WeighedTrip.trip)).where(WeighedTrip.day == day, WeighedTrip.vehicle_key == vehicle_key)
    # Another station may weigh the same vehicle at this moment: the database says who has which number.
    for trip in range((session.scalar(newest) or 0) + 1, MOST_TRIPS + 1):
        if _claimed(session, day=day, vehicle_key=vehicle_key, trip=trip, ticket_id=ticket_id):
            return trip
    return None


def _claimed(session: Session, *, day: date, vehicle_key: str, trip: int, ticket_id: UUID) -> bool:
    return insert_if_absent(session, WeighedTrip, day=day, vehicle_key=vehicle_key, trip=trip, ticket_id=ticket_id)


def _taken(session: Session, ticket_id: UUID, what: str, zh: str) -> Conflict:
    other = session.get_one(IntakeTicket, ticket_id)
    return Conflict(
        f"{what} is on ticket {other.number} of scale {other.scale_number} at {other.station_key} ({other.id}); correct"
        f" that one, or give another / {zh}已在磅单上：{other.station_key} {other.scale_number} 号磅第"
        f" {other.number} 号，请更正该磅单或改填"
    )
