"""A month in the field as it might have gone: booked and planned for real, driven at minutes that we set."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import WindowFull
from recycling.models.booking import Booking
from recycling.models.plan import Plan, Route
from recycling.policy.access import Principal
from recycling.policy.device_clock import DeviceClock
from recycling.policy.district import District
from recycling.policy.field_events import FieldKind
from recycling.policy.handling import item_part
from recycling.policy.service_time import RULE_PARTS
from recycling.units import instant_at
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.field.record_events import record_events
from recycling.usecases.field.reports import CountedItem, FieldReport, Payload
from recycling.usecases.learning.observations import counts_of
from tests.builders import a_booking, a_resident
from tests.planned_days import a_collector, a_published_plan, with_vehicles

VEHICLES = {"lincheng-1": "c01", "xingren-1": "c04"}  # two trucks with crews of two, and who records on each
ITEMS = ("fridge", "washer-top", "tv-flat", "microwave")
NAMES = UUID(int=16)  # ids of events follow from what they say: the same month again has the same ids
NOISE_SD, WILD_SHARE = 0.12, 0.05
WILD_S = (2 * 3600, 4 * 3600)  # how much later a forgotten "collected" is tapped
PICKUPS = 8  # of a vehicle's day: with everything 40 % slower the crew is still home by night
WINDOWS = ("08-10", "13-15")  # more of them at a time than one truck can serve: both are out


Told = tuple[datetime, FieldKind, UUID | None, str | None]  # when, what, about which booking, at which station


@dataclass(slots=True)
class Truth:
    """How it really is.

    Parameters
    ----------
    seconds
        By part of a stop's time.
    travel
        Driven over estimated.
    wild
        Share of visits whose outcome is tapped hours later.
    """

    seconds: Mapping[str, int]
    travel: float = 1.3
    wild: float = WILD_SHARE


def true_values(district: District, *, off: float, travel: float, wild: float = WILD_SHARE) -> Truth:
    """Everything takes ``off`` times what is configured."""
    rule = {part: round(getattr(district.service_time, part) * off) for part in RULE_PARTS}
    items = {item_part(kind.key): round(kind.handling_s * off) for kind in district.catalogue.rows}
    return Truth(seconds=rule | items, travel=travel, wild=wild)


@dataclass(slots=True)
class Month:
    """Days of two trucks, one after the other."""

    session: Session
    district: District
    truth: Truth
    rng: random.Random = field(default_factory=lambda: random.Random(16))
    crews: dict[str, Principal] = field(default_factory=dict)
    by: Principal | None = None

    def __post_init__(self) -> None:
        self.district = with_vehicles(self.district, *VEHICLES)

    def play(self, days: Sequence[date]) -> None:
        """Book, plan, publish and drive each day."""
        for day in days:
            self.play_day(day)

    def play_day(self, day: date) -> Plan:
        """One day, from its bookings to the last record."""
        eve = instant_at(day - timedelta(days=1), 10 * 3600)
        if not self.crews:
            self.by = a_resident(self.session, now=eve)
            self.crews = {key: a_collector(self.session, crew, now=eve) for key, crew in VEHICLES.items()}
        for _ in range(PICKUPS * len(VEHICLES)):
            try:
                a_booking(self.session, district=self.district, now=eve, by=self.by, **self._wish(day))
            except WindowFull:
                continue
        plan = a_published_plan(self.session, district=self.district, now=eve + timedelta(hours=10), day=day)
        for route in plan.routes:
            self._drive(plan, route)
        return plan

    def _wish(self, day: date) -> dict[str, Any]:
        kinds = self.rng.sample(ITEMS, k=self.rng.choice((1, 1, 2)))
        return {
            "day": day,
            "pickup_window": self.rng.choice(WINDOWS),
            "items": [WishedItem(item_type=kind, quantity=1, wipe_consent=False) for kind in kinds],
            "floor": self.rng.choice((1, 1, 2, 3, 4, 5)),
            "has_lift": self.rng.random() < 0.3,
            "lat": 34.80 + self.rng.uniform(-0.02, 0.02),
            "lon": 117.26 + self.rng.uniform(-0.02, 0.02),
        }

    def _drive(self, plan: Plan, route: Route) -> None:
        """What the crew records: arrival and outcome at each door, at the minutes of the truth."""
        ids = [stop.booking_id for stop in route.stops if stop.booking_id]
        bookings = {one.id: one for one in self.session.scalars(select(Booking).where(Booking.id.in_(ids)))}
        told: list[Told] = []
        left_s = before_s = route.stops[0].end_s
        told.append((instant_at(plan.day, left_s), "shift_start", None, None))
        for stop in route.stops[1:]:
            leg_s = (stop.arrival_s - before_s) * self.truth.travel * self._noise(0.08)
            came_s = left_s + round(leg_s)
            begun_s = max(came_s, stop.start_s) if stop.start_s > stop.arrival_s else came_s
            left_s = begun_s + self._taken_s(bookings, stop.booking_id, stop.end_s - stop.start_s)
            before_s = stop.end_s
            if stop.booking_id is not None:
                late_s = self.rng.randint(*WILD_S) if self.rng.random() < self.truth.wild else 0
                told.append((instant_at(plan.day, came_s), "arrive", stop.booking_id, None))
                told.append((instant_at(plan.day, begun_s + 1), "start", stop.booking_id, None))
                told.append((instant_at(plan.day, left_s + late_s), "collected", stop.booking_id, None))
            elif stop.kind == "unload":
                told.append((instant_at(plan.day, left_s), "unload", None, stop.station_key))
            elif stop.kind == "break":
                told.append((instant_at(plan.day, begun_s), "break_start", None, None))
                told.append((instant_at(plan.day, left_s), "break_end", None, None))
        told.append((instant_at(plan.day, left_s), "shift_end", None, None))
        self._record(plan, route.vehicle_key, told, bookings)

    def _taken_s(self, bookings: Mapping[UUID, Booking], booking_id: UUID | None, planned_s: int) -> int:
        if booking_id is None:
            return planned_s
        counts, _ = counts_of(bookings[booking_id], district=self.district)
        true_s = sum(count * self.truth.seconds[name] for name, count in counts.items())
        return round(true_s * self._noise(NOISE_SD))

    def _noise(self, sd: float) -> float:
        return math.exp(self.rng.gauss(0, sd))

    def _record(
        self,
        plan: Plan,
        vehicle_key: str,
        told: Sequence[Told],
        bookings: Mapping[UUID, Booking],
    ) -> None:
        told = sorted(told, key=lambda one: one[0])
        device = uuid5(NAMES, vehicle_key)
        reports = [
            FieldReport(
                event_id=uuid5(NAMES, f"{plan.day} {vehicle_key} {number}"), device_id=device,
                plan_version=plan.version,
                device_seq=plan.day.toordinal() % 1000 * 1000 + number, booking_id=booking_id, kind=kind,
                payload=_payload(kind, bookings.get(booking_id) if booking_id else None, station_key),
                clock=DeviceClock(device_time=at),
            )
            for number, (at, kind, booking_id, station_key) in enumerate(told)
        ]  # fmt: skip
        night = max(at for at, *_ in told) + timedelta(minutes=1)
        answers = record_events(
            reports, by=self.crews[vehicle_key], district=self.district, session=self.session, now=night
        )
        wrong = [answer for answer in answers if answer.answer != "accepted"]
        assert not wrong, wrong[:3]


def _payload(kind: str, booking: Booking | None, station_key: str | None) -> Payload:
    if kind == "collected" and booking is not None:
        items = tuple(CountedItem(item_type=one.item_type, units=one.declared_units) for one in booking.items)
        return Payload(items=items)
    return Payload(station_key=station_key) if station_key else Payload()
