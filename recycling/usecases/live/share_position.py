"""A collector's phone says where the van is (途中位置): kept only while somebody waits for it, and only the last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import InvalidInput
from recycling.logs import logger
from recycling.models.booking import Booking
from recycling.models.position import VehiclePosition, forget_positions, keep_position
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.field_events import route_state
from recycling.usecases.field.my_stops import my_stops
from recycling.usecases.field.records import records_of_day

log = logger(__name__)

KEPT_FOR = timedelta(minutes=10)  # a place older than that misleads whoever looks out of the window for the van
MOST_AHEAD = timedelta(minutes=2)  # of a phone's clock
DECIMALS = 4  # of a degree, some ten metres: a street, not a doorstep


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a phone is: WGS-84, with its own guess of how far off that may be."""

    lat: float
    lon: float
    accuracy_m: int
    at: datetime


def share_position(position: Position, *, by: Principal, session: Session, now: datetime) -> bool:
    """Keep the place of the caller's vehicle if it is on its way to a booking; whether it was kept.

    In any other case nothing is kept, and what there was is deleted: no trail can come of it.

    Raises
    ------
    InvalidInput
        When the phone's clock is ahead of ours.
    """
    if position.at > now + MOST_AHEAD:
        raise InvalidInput(
            f"at = {position.at.isoformat()} lies in the future; set the phone's clock / 手机时间超前，请校准后重试"
        )
    day = service_day(now)
    with atomic(session):
        vehicle_key = _vehicle_of(by, session=session, now=now)
        if vehicle_key is None:
            return False
        heading_to = _heading_to(vehicle_key, session=session, now=now)
        # The row of the booking first: a record of having arrived waits for us, or we for it and then read it.
        if heading_to is not None:
            wanted = select(Booking.state).where(Booking.id == heading_to, Booking.day == day)
            state = session.scalar(wanted.with_for_update(read=True))
            again = _heading_to(vehicle_key, session=session, now=now)
            heading_to = heading_to if state == "booked" and again == heading_to else None
        if heading_to is None or position.at <= now - KEPT_FOR:
            forget_positions(session, vehicles=(vehicle_key,))
            return False
        keep_position(
            session, vehicle_key, booking_id=heading_to, made_at=position.at, kept_until=position.at + KEPT_FOR,
            point={
                "lat": round(position.lat, DECIMALS), "lon": round(position.lon, DECIMALS),
                "accuracy_m": position.accuracy_m,
            },
        )  # fmt: skip
    return True


def position_towards(booking_id: UUID, *, session: Session, now: datetime) -> VehiclePosition | None:
    """The place of the vehicle that is on its way to a booking, while it is fresh."""
    wanted = select(VehiclePosition).where(VehiclePosition.booking_id == booking_id, VehiclePosition.kept_until > now)
    return session.scalar(wanted)


def positions_on_the_way(session: Session, *, now: datetime) -> dict[str, VehiclePosition]:
    """By vehicle, the fresh places of those that are on their way to a booking, for the dispatcher's map."""
    found = session.scalars(select(VehiclePosition).where(VehiclePosition.kept_until > now))
    return {row.vehicle_key: row for row in found}


def _vehicle_of(by: Principal, *, session: Session, now: datetime) -> str | None:
    day = service_day(now)
    ridden = my_stops(session, by.collector_key, days=[day], bookings=()).of_day.get(day)
    return None if not ridden else ridden[-1].vehicle_key


def _heading_to(vehicle_key: str, *, session: Session, now: datetime) -> UUID | None:
    state = route_state(records_of_day(session, service_day(now), vehicle_key=vehicle_key))
    return state.heading_to if state.doing == "driving" and state.drives else None
