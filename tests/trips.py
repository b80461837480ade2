"""A crew's day of several trips, recorded as its device would have, for the scale to be compared with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.balance import TripBalance
from recycling.models.booking import Booking
from recycling.models.intake import IntakeTicket
from recycling.policy.access import Principal
from recycling.policy.device_clock import DeviceClock
from recycling.policy.district import District
from recycling.policy.field_events import FieldKind
from recycling.units import instant_at
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.field.record_events import record_events
from recycling.usecases.field.reports import CountedItem, FieldReport, Payload, PriceChange
from recycling.usecases.intake.mass_balance import Balanced, balance_trips
from recycling.usecases.intake.weigh_in import weigh_in
from tests.builders import TOMORROW, a_booking
from tests.loads import a_keeper, a_line, a_weighing, publish_route

DEVICE = UUID(int=77)
MORNING_AFTER = instant_at(TOMORROW + timedelta(days=1), 8 * 3600 + 50 * 60)


@dataclass(slots=True, kw_only=True)
class CrewDay:
    """The truck lincheng-1 of 临城 on a published route, tomorrow; what is recorded and weighed is what a test says."""

    session: Session
    district: District
    crew: Principal
    keeper: Principal
    numbers: itertools.count[int]

    def at(self, hour: float) -> datetime:
        """An instant of the day."""
        return instant_at(TOMORROW, round(hour * 3600))

    def visit(
        self, booking: Booking | UUID, hour: float, units: Mapping[str, int], *, stripped_price: bool = False,
        **counted: Any,
    ) -> None:  # fmt: skip
        """Take goods on board; ``counted`` is more of each item, such as ``doorstep_g``."""
        booking_id = booking if isinstance(booking, UUID) else booking.id
        change = PriceChange(reason="missing_parts", fen=-100, agreed=True) if stripped_price else None
        items = [CountedItem(item_type=key, units=count, **counted) for key, count in units.items()]
        self.report("collected", hour, booking_id, Payload(items=items, price_change=change))

    def unload(self, hour: float, station_key: str = "lincheng") -> None:
        """Record that the truck was emptied."""
        self.report("unload", hour, None, Payload(station_key=station_key))

    def report(self, kind: FieldKind, hour: float, booking_id: UUID | None, payload: Payload) -> UUID:
        """Send one record at once."""
        one = FieldReport(
            event_id=uuid4(), device_id=DEVICE, device_seq=next(self.numbers), plan_version=1, booking_id=booking_id,
            kind=kind, payload=payload, clock=DeviceClock(device_time=self.at(hour)),
        )  # fmt: skip
        (answer,) = record_events([one], by=self.crew, district=self.district, session=self.session, now=self.at(hour))
        assert answer.answer == "accepted", answer
        return one.event_id

    def weigh(
        self, units: Mapping[UUID, Mapping[str, int]], net_g: int, hour: float = 12, *, missing: int = 0, **fields: Any
    ) -> IntakeTicket:
        """Weigh goods in at 临城."""
        lines = [
            a_line(key, count, booking_id=booking_id, missing_parts=missing)
            for booking_id, own in units.items()
            for key, count in own.items()
        ]
        return weigh_in(
            a_weighing(*lines, net_g=net_g, **fields), scale_number="1", by=self.keeper, district=self.district,
            session=self.session, now=self.at(hour),
        )  # fmt: skip

    def balance(self, now: datetime = MORNING_AFTER, day: date = TOMORROW) -> Balanced:
        """Run the check, the morning after unless a test says otherwise."""
        return balance_trips(day, district=self.district, session=self.session, now=now)

    def trips(self) -> list[TripBalance]:
        """The day's balances."""
        self.session.rollback()
        wanted = select(TripBalance).order_by(TripBalance.day, TripBalance.vehicle_key, TripBalance.trip)
        return list(self.session.scalars(wanted))


def a_crew_day(
    session: Session, *, district: District, now: datetime, wishes: Sequence[Mapping[str, int]]
) -> tuple[CrewDay, list[UUID]]:
    """A route over one booking for each wish, units by item type; nothing of it is recorded yet."""
    bookings = [
        a_booking(
            session, district=district, now=now,
            items=[WishedItem(item_type=key, quantity=count) for key, count in wish.items()],
        )
        for wish in wishes
    ]  # fmt: skip
    ids = [booking.id for booking in bookings]
    crew = publish_route(session, bookings, district=district, now=now)
    day = CrewDay(session=session, district=district, crew=crew, keeper=a_keeper(), numbers=itertools.count(1))
    return day, ids


def a_held_trip(session: Session, *, now: datetime, station_key: str = "lincheng") -> UUID:
    """A trip of yesterday that came to no ticket, written straight into the database."""
    day = service_day(now) - timedelta(days=1)
    trip = TripBalance(
        id=uuid4(), day=day, vehicle_key=f"{station_key}-1", trip=1, station_key=station_key, doors=1, units=1,
        doorstep_g=0, class_average_g=0, type_table_g=40_800, station_g=0, tolerance_g=14_280, tickets=[],
        differing=[], causes=["not_weighed"], state="held", version=1, computed_at=now,
    )  # fmt: skip
    trip_id = trip.id
    session.add(trip)
    session.commit()
    return trip_id
