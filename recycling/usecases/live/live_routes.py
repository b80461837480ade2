"""The shared step of everything about the running day: published routes with their records and estimates (当日路线)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.base import table_of
from recycling.models.booking import Booking, BookingState
from recycling.models.plan import PublishedPlan, Route, RouteStop
from recycling.policy.arrival_estimates import PlannedStep, RouteEstimate, estimate_route
from recycling.policy.district import District
from recycling.policy.field_events import RouteState, route_state
from recycling.routing.problem import GreatCircle
from recycling.routing.travel import ways
from recycling.usecases.field.records import records_of_day

# Read as rows: a board shows a whole day, and looks again every minute.
_route, _stop, _booking = table_of(Route), table_of(RouteStop), table_of(Booking)
_published = table_of(PublishedPlan)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBooking:
    """What the running day has to know of a booking; nothing of its resident but who it is."""

    id: UUID
    resident_id: UUID
    part_of: UUID | None
    state: BookingState
    pickup_window: str
    village_code: str
    made_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningRoute:
    """One vehicle's published route as it stands now."""

    day: date
    vehicle_key: str
    plan_id: UUID
    steps: tuple[PlannedStep, ...]
    bookings: Mapping[UUID, LiveBooking]
    state: RouteState
    estimate: RouteEstimate


def live_routes(
    session: Session,
    day: date,
    *,
    district: District,
    now: datetime,
    vehicle_key: str | None = None,
    booking_id: UUID | None = None,
) -> list[RunningRoute]:
    """The published routes of a day with what was recorded and what is still expected, ascending by vehicle.

    Of one vehicle, or of the one that a booking is on, when that is named; none when nothing is published.
    """
    routes = _routes(session, day, vehicle_key=vehicle_key, booking_id=booking_id)
    stops = _stops(session, [row.id for row in routes])
    bookings = _bookings(session, {row.booking_id for rows in stops.values() for row in rows if row.booking_id})
    records: dict[str, list[Any]] = {row.vehicle_key: [] for row in routes}
    only = routes[0].vehicle_key if len(routes) == 1 else None
    for record in records_of_day(session, day, vehicle_key=only) if routes else ():
        records.setdefault(record.vehicle_key, []).append(record)
    travel = _Travel(session, day, district)
    found = []
    for row in routes:
        own = {stop.booking_id: bookings[stop.booking_id] for stop in stops[row.id] if stop.booking_id is not None}
        steps = tuple(_step(stop, own, district) for stop in stops[row.id])
        state = route_state(records[row.vehicle_key])
        estimate = estimate_route(
            steps, state, day=day, now=now, travel=travel.seconds,
            gone={booking.id for booking in own.values() if booking.state != "booked"},
        )  # fmt: skip
        found.append(
            RunningRoute(
                day=day, vehicle_key=row.vehicle_key, plan_id=row.plan_id, steps=steps, bookings=own, state=state,
                estimate=estimate,
            )
        )  # fmt: skip
    return found


def live_route_of(
    session: Session, booking_id: UUID, day: date, *, district: District, now: datetime
) -> RunningRoute | None:
    """The route that a booking is on by the published plan of its day; ``None`` when it is on none."""
    return next(iter(live_routes(session, day, district=district, now=now, booking_id=booking_id)), None)


def _routes(session: Session, day: date, *, vehicle_key: str | None, booking_id: UUID | None) -> list[Any]:
    wanted = (
        select(_route.c.id, _route.c.vehicle_key, _route.c.plan_id)
        .join(_published, _published.c.plan_id == _route.c.plan_id)
        .where(_published.c.day == day)
        .order_by(_route.c.vehicle_key)
    )
    if vehicle_key is not None:
        wanted = wanted.where(_route.c.vehicle_key == vehicle_key)
    if booking_id is not None:
        wanted = wanted.join(_stop, _stop.c.route_id == _route.c.id).where(_stop.c.booking_id == booking_id)
    return list(session.execute(wanted).all())


def _stops(session: Session, routes: Iterable[UUID]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {route_id: [] for route_id in routes}
    wanted = select(_stop).where(_stop.c.route_id.in_(list(found))).order_by(_stop.c.route_id, _stop.c.position)
    for row in session.execute(wanted) if found else ():
        found[row.route_id].append(row)
    return found


def _bookings(session: Session, ids: set[UUID]) -> dict[UUID, LiveBooking]:
    columns = (
        _booking.c.id, _booking.c.resident_id, _booking.c.part_of, _booking.c.state, _booking.c.pickup_window,
        _booking.c.village_code, _booking.c.made_up,
    )  # fmt: skip
    rows = session.execute(select(*columns).where(_booking.c.id.in_(list(ids)))) if ids else ()
    return {row.id: LiveBooking(**row._mapping) for row in rows}


def _step(stop: Any, bookings: Mapping[UUID, LiveBooking], district: District) -> PlannedStep:
    booking = None if stop.booking_id is None else bookings[stop.booking_id]
    window = None if booking is None else district.network.pickup_window(booking.pickup_window).window_s
    return PlannedStep(
        kind=stop.kind, arrival_s=stop.arrival_s, start_s=stop.start_s, end_s=stop.end_s, booking_id=stop.booking_id,
        place=stop.station_key if booking is None else str(booking.id), window_s=window,
    )  # fmt: skip


class _Travel:
    """Estimated travel between doors and stations; a place is read only when a vehicle leaves its planned sequence."""

    def __init__(self, session: Session, day: date, district: District) -> None:
        travel = district.travel_on(day)
        self._session, self._stations = session, district.network.stations
        self._between, _ = ways(GreatCircle(factor=travel.factor, speed_kmh=travel.speed_kmh))
        self._known: dict[str, tuple[float, float] | None] = {}

    def seconds(self, origin: str, goal: str) -> int | None:
        """Seconds from one place to another; ``None`` when one of them is unknown."""
        points = [self._point(key) for key in (origin, goal)]
        if points[0] is None or points[1] is None:
            return None
        here, there = np.radians(points[0]), np.radians(points[1])
        return int(self._between(here, there))

    def _point(self, key: str) -> tuple[float, float] | None:
        if key not in self._known:
            self._known[key] = self._read(key)
        return self._known[key]

    def _read(self, key: str) -> tuple[float, float] | None:
        station = self._stations.get(key)
        if station is not None:
            return station.lat, station.lon
        try:
            place = self._session.scalar(select(Booking.place).where(Booking.id == UUID(key)))
        except ValueError:
            return None
        return None if place is None or place["lat"] is None else (place["lat"], place["lon"])
