"""Days of two crews written straight into the database: what is tried is the field, not how a day was planned."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.models.booking import BookedItem, Booking, BookingChange
from recycling.models.plan import Plan, Publication, PublishedPlan, Route, RouteCrew, RouteStop
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from tests.builders import TOMORROW, VILLAGE
from tests.planned_days import a_collector

TRUCKS = ("lincheng-1", "xingren-1")
_doors = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoCrews:
    """A day whose bookings were on one truck by the first plan and on another by the second."""

    plans: tuple[UUID, UUID]
    routes: tuple[UUID, UUID]
    crews: tuple[Sequence[Principal], Sequence[Principal]]
    resident_id: UUID


def two_crews(session: Session, resident: Principal, *, district: District, now: datetime) -> TwoCrews:
    """Publish both plans, without a stop yet; two accounts on each truck."""
    plans, routes, crews = (uuid4(), uuid4()), (uuid4(), uuid4()), []
    for number, vehicle in enumerate(TRUCKS):
        keys = [one.key for one in district.network.crew_of(vehicle)]
        crews.append([a_collector(session, key, now=now) for key in keys])
        plan = Plan(
            id=plans[number], day=TOMORROW, version=number + 1, problem={}, answer={}, problem_sha256="", cost_total=0,
            travel_quality="great_circle", search={}, made_at=now, made_by_id=SYSTEM.id,
        )  # fmt: skip
        route = Route(
            id=routes[number], plan_id=plan.id, vehicle_key=vehicle, collector_key=keys[0], distance_m=0, travel_s=0
        )
        log = Publication(plan_id=plan.id, day=TOMORROW, at=now, by_id=SYSTEM.id)
        for rows in ([plan], [route, log], [RouteCrew(route_id=route.id, collector_key=key) for key in keys]):
            session.add_all(rows)
            session.flush()
    session.add(PublishedPlan(day=TOMORROW, plan_id=plans[1], published_at=now, published_by_id=SYSTEM.id))
    session.commit()
    return TwoCrews(plans=plans, routes=routes, crews=(crews[0], crews[1]), resident_id=resident.id)


def bookings_of(session: Session, day: TwoCrews, ids: Sequence[UUID], *, now: datetime, first_position: int) -> None:
    """Bookings of two microwaves each, at doors of their own, as stops of both routes."""
    for position, booking_id in enumerate(ids, start=first_position):
        place = {"address": f"历史路 {next(_doors)} 号", "lat": 34.8, "lon": 117.26, "note": ""}
        booking = Booking(
            id=booking_id, resident_id=day.resident_id, day=TOMORROW, area="lincheng", pickup_window="08-10",
            village_code=VILLAGE, place=place, floor=1, has_lift=False, state="booked", service_s=600,
            declared_g=24_000, declared_l=120, version=1, created_at=now, changed_at=now,
            items=[BookedItem(item_type="microwave", declared_units=2, collected_units=0, weighed_units=0)],
        )  # fmt: skip
        change = BookingChange(
            booking_id=booking_id, at=now, by_id=day.resident_id, by_role="resident", kind="booked", state="booked",
            version=1,
        )  # fmt: skip
        session.add(booking)
        session.flush()
        session.add(change)
        for route_id in day.routes:
            session.add(
                RouteStop(
                    route_id=route_id, position=position, kind="pickup", booking_id=booking_id, arrival_s=30_000,
                    start_s=30_000, end_s=30_600, load_g=0, load_l=0,
                )
            )  # fmt: skip
    session.commit()
