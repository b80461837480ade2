"""Which stops a collector had before them, by every plan of a day that was ever published."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.models.base import table_of
from recycling.models.plan import Plan, Publication, PublishedPlan, Route, RouteCrew, RouteStop

_publication, _plan, _route = table_of(Publication), table_of(Plan), table_of(Route)
_crew, _stop, _current = table_of(RouteCrew), table_of(RouteStop), table_of(PublishedPlan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ridden:
    """A vehicle that a collector rides on by one version of a day's plan, and when that was published."""

    day: date
    version: int
    vehicle_key: str
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MyStops:
    """What a collector's records are judged by.

    ``of_day`` are their vehicles by day, ``of_booking`` by booking, each in ascending sequence of plan versions;
    ``first`` is when the first plan of a day was published; ``now_with`` the vehicle that a booking is with by the
    plan that stands, and that plan's version.
    """

    of_day: Mapping[date, list[Ridden]]
    of_booking: Mapping[UUID, list[Ridden]]
    first: Mapping[date, datetime]
    now_with: Mapping[UUID, tuple[str, int]]

    def ridden(self, booking_id: UUID | None, day: date, *, version: int) -> Ridden:
        """The vehicle of a record, by the version it names, or the newest one before that which has the stop.

        Raises
        ------
        NotFound
            When the booking, or the day, was on none of the collector's routes.
        """
        found = self.of_day.get(day, []) if booking_id is None else self.of_booking.get(booking_id, [])
        found = [one for one in found if one.day == day]
        if not found:
            raise (
                not_yours(booking_id)
                if booking_id is not None
                else NotFound(f"no route of yours on {day}; ask the dispatcher / {day} 没有分配给你的路线，请联系调度")
            )
        # Never by what was published after the version that they went by: that may not have been heard of yet.
        known = [one for one in found if one.version <= version]
        return known[-1] if known else found[0]


def not_yours(booking_id: UUID) -> NotFound:
    """The refusal of a record about a booking that is on none of the collector's routes, or nowhere at all."""
    return NotFound(f"no booking {booking_id} on your route / 该预约不在你的路线上")


def my_stops(
    session: Session, collector_key: str | None, *, days: Iterable[date], bookings: Collection[UUID]
) -> MyStops:
    """Read what a collector rode on in these days, and where these bookings are now."""
    wanted_days = sorted(set(days))
    of_day: dict[date, list[Ridden]] = {}
    by_route: dict[UUID, Ridden] = {}
    routes = (
        select(_route.c.id, _publication.c.day, _plan.c.version, _route.c.vehicle_key, _publication.c.at)
        .join(_plan, _plan.c.id == _publication.c.plan_id)
        .join(_route, _route.c.plan_id == _plan.c.id)
        .join(_crew, _crew.c.route_id == _route.c.id)
        .where(_publication.c.day.in_(wanted_days), _crew.c.collector_key == collector_key)
        .order_by(_publication.c.day, _plan.c.version)
    )
    for row in session.execute(routes):
        ridden = Ridden(day=row.day, version=row.version, vehicle_key=row.vehicle_key, published_at=row.at)
        of_day.setdefault(row.day, []).append(ridden)
        by_route[row.id] = ridden
    of_booking: dict[UUID, list[Ridden]] = {}
    if by_route and bookings:
        stops = select(_stop.c.route_id, _stop.c.booking_id).where(
            _stop.c.route_id.in_(list(by_route)), _stop.c.booking_id.in_(list(bookings))
        )
        for route_id, booking_id in session.execute(stops):
            of_booking.setdefault(booking_id, []).append(by_route[route_id])
    for ridden_list in of_booking.values():
        ridden_list.sort(key=lambda one: one.version)
    return MyStops(
        of_day=of_day,
        of_booking=of_booking,
        first={day: min(one.published_at for one in found) for day, found in of_day.items()},
        now_with=_now_with(session, bookings),
    )


def _now_with(session: Session, bookings: Collection[UUID]) -> dict[UUID, tuple[str, int]]:
    if not bookings:
        return {}
    rows = session.execute(
        select(_stop.c.booking_id, _route.c.vehicle_key, _plan.c.version)
        .join(_route, _route.c.id == _stop.c.route_id)
        .join(_current, _current.c.plan_id == _route.c.plan_id)
        .join(_plan, _plan.c.id == _route.c.plan_id)
        .where(_stop.c.booking_id.in_(list(bookings)))
    )
    return {row.booking_id: (row.vehicle_key, row.version) for row in rows}
