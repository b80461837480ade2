"""Planned and published days, and the collectors who drive them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.people import Staff
from recycling.models.plan import Plan, PublishedPlan, Route, RouteStop
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.usecases.planning.plan_day import plan_day
from recycling.usecases.planning.publish_plan import publish_plan
from tests.builders import TOMORROW

VAN, VAN_CREW = "lincheng-2", "c03"  # one person, no two-person lift: never given a fridge
TRUCK, TRUCK_CREW = "lincheng-1", ("c01", "c02")


def generous(district: District) -> District:
    """The district without caps on live bookings: its routes are what is tried, and a few people book for hundreds."""
    rules = replace(district.booking_rules, live_per_resident=1000, live_per_address=1000)
    return replace(district, booking_rules=rules)


def with_vehicles(district: District, *keys: str) -> District:
    """The district with these vehicles only, and the people on them; without caps on live bookings."""
    network = district.network
    return replace(
        generous(district),
        network=replace(
            network,
            vehicles={key: network.vehicles[key] for key in keys},
            collectors={key: one for key, one in network.collectors.items() if one.vehicle_key in keys},
        ),
    )


def a_plan(session: Session, *, district: District, now: datetime, day: date = TOMORROW) -> Plan:
    """The next version of a day's plan, by the planner's own first draft: no engine, no waiting."""
    return plan_day(day, by=SYSTEM, district=district, session=session, now=now, seconds=10, workers=0, seed=1)


def a_published_plan(session: Session, *, district: District, now: datetime, day: date = TOMORROW) -> Plan:
    """The next version of a day's plan, published in place of the one before."""
    plan = a_plan(session, district=district, now=now, day=day)
    standing = session.get(PublishedPlan, day)
    replaces = None if standing is None else standing.plan_id
    publish_plan(plan.id, replaces=replaces, by=SYSTEM, district=district, session=session, now=now)
    return plan


def a_collector(session: Session, key: str, *, now: datetime) -> Principal:
    """The account of a collector of the network, without a password that works."""
    row = Staff(
        id=uuid4(), login=f"collector-{key}", name=key, role="collector", password_hash="none", collector_key=key,
        created_at=now,
    )  # fmt: skip
    session.add(row)
    session.commit()
    return Principal(id=row.id, role="collector", collector_key=key)


def driver_of(session: Session, booking_id: UUID) -> str:
    """The key of the collector who answers for the published route that a booking is on."""
    return session.scalars(
        select(Route.collector_key)
        .join(RouteStop, RouteStop.route_id == Route.id)
        .join(PublishedPlan, PublishedPlan.plan_id == Route.plan_id)
        .where(RouteStop.booking_id == booking_id)
    ).one()
