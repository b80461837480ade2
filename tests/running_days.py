"""Running days: published plans that crews drive and record, event by event, as their devices would have."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.booking import Booking, BookingState
from recycling.models.field import FieldEvent
from recycling.models.healing import BrokenPromise, Disruption, ReplanProposal
from recycling.models.people import Staff
from recycling.models.plan import Plan, PublishedPlan, Route, RouteStop
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.policy.field_events import FieldKind
from recycling.routing.solve import solve
from recycling.units import instant_at
from recycling.usecases.bookings import live_limits
from recycling.usecases.bookings.history import enter, note_change
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.planning.replan_day import replan_day
from tests.builders import TOMORROW, a_booking
from tests.planned_days import a_collector, a_published_plan

HOUR = 3600
TEN = 10 * HOUR
FLEET = ("lincheng-1", "lincheng-2", "xingren-1")
WINDOWS = ("08-10", "10-12", "13-15", "15-17")
STATE_OF: dict[str, BookingState] = {"collected": "collected", "failed": "failed"}
_numbers = itertools.count(1)


def some_bookings(
    session: Session, *, district: District, now: datetime, per_window: int | Sequence[int] = 3
) -> list[Booking]:
    """Three fans each, which any crew takes, on a sixth floor, spread over some kilometres; so many in each window."""
    made, fans = [], [WishedItem(item_type="fan", quantity=3)]
    counts = [per_window] * len(WINDOWS) if isinstance(per_window, int) else per_window
    for n, window in enumerate(WINDOWS):
        for m in range(counts[n]):
            lat, lon = 34.79 + 0.006 * ((3 * n + 2 * m) % 7), 117.25 + 0.007 * ((2 * n + 3 * m) % 5)
            made.append(
                a_booking(
                    session, district=district, now=now, items=fans, pickup_window=window, lat=lat, lon=lon, floor=6
                )
            )
    return made


def at(second: int, *, day: date = TOMORROW) -> datetime:
    """An instant of the day."""
    return instant_at(day, second)


def crew_account(session: Session, collector_key: str, *, now: datetime) -> UUID:
    """The account of a collector, made when there is none."""
    known = session.scalar(select(Staff.id).where(Staff.collector_key == collector_key))
    return known if known is not None else a_collector(session, collector_key, now=now).id


def record(
    session: Session,
    vehicle_key: str,
    kind: FieldKind,
    when: datetime,
    *,
    booking_id: UUID | None = None,
    day: date = TOMORROW,
    **payload: Any,
) -> UUID:
    """Store one event of a vehicle's device, and what an outcome makes of its booking."""
    published = session.get_one(PublishedPlan, day)
    version = session.get_one(Plan, published.plan_id).version
    route = session.scalars(select(Route).where(Route.vehicle_key == vehicle_key).limit(1)).one()
    account = crew_account(session, route.collector_key, now=when)
    booking = None if booking_id is None else session.get_one(Booking, booking_id)
    items = []
    if booking is not None and kind == "collected":
        items = [{"item_type": one.item_type, "units": one.declared_units} for one in booking.items]
    event_id, number = uuid4(), next(_numbers)
    with atomic(session):
        session.add(
            FieldEvent(
                event_id=event_id, day=day, vehicle_key=vehicle_key, plan_version=version, booking_id=booking_id,
                collector_id=account, device_id=account, device_seq=number, kind=kind,
                reason="nobody_home" if kind == "failed" else None, items=items, payload=payload or None,
                device_time=when, made_at=when, skew_s=0, counts_on=day, received_at=when, fingerprint=bytes(32),
            )
        )  # fmt: skip
        if booking_id is not None and kind in STATE_OF:
            _outcome(session, booking_id, STATE_OF[kind], when)
    return event_id


def _outcome(session: Session, booking_id: UUID, state: BookingState, when: datetime) -> None:
    booking = session.get_one(Booking, booking_id)
    for item in booking.items:
        item.collected_units = item.declared_units if state == "collected" else 0
    enter(booking, state, now=when)
    session.flush()
    live_limits.end(session, booking.id, resident_id=booking.resident_id)
    note_change(session, booking, kind=state, by=SYSTEM, now=when)


def steps_of(session: Session, vehicle_key: str, *, day: date = TOMORROW) -> list[RouteStop]:
    """The published steps of a vehicle, none when it has no route."""
    wanted = (
        select(RouteStop)
        .join(Route, Route.id == RouteStop.route_id)
        .join(PublishedPlan, PublishedPlan.plan_id == Route.plan_id)
        .where(PublishedPlan.day == day, Route.vehicle_key == vehicle_key)
        .order_by(RouteStop.position)
    )
    return list(session.scalars(wanted))


def vehicles_out(session: Session, *, day: date = TOMORROW) -> list[str]:
    """The vehicles with a published route."""
    wanted = select(Route.vehicle_key).join(PublishedPlan, PublishedPlan.plan_id == Route.plan_id)
    return sorted(session.scalars(wanted.where(PublishedPlan.day == day)))


def served_by(session: Session, *, day: date = TOMORROW) -> dict[UUID, tuple[str, int]]:
    """By booking, the vehicle and the second of its visit in the published plan."""
    return {
        step.booking_id: (vehicle, step.start_s)
        for vehicle in vehicles_out(session, day=day)
        for step in steps_of(session, vehicle, day=day)
        if step.booking_id is not None
    }


def drive(session: Session, until_s: int, *, vehicles: Iterable[str] | None = None, day: date = TOMORROW) -> None:
    """Record everything that vehicles do by their plan until a second of the day."""
    for vehicle in vehicles_out(session, day=day) if vehicles is None else vehicles:
        left_s = 0
        for step in steps_of(session, vehicle, day=day):
            records: Sequence[tuple[FieldKind, int]] = ()
            if step.kind == "pickup":
                records = (("on_the_way", left_s), ("start", step.start_s), ("collected", step.end_s))
            elif step.kind == "break":
                records = (("break_start", step.start_s), ("break_end", step.end_s))
            elif step.kind == "unload":
                records = (("unload", step.end_s),)
            place = {"station_key": step.station_key} if step.kind == "unload" else {}
            for kind, second in records:
                if second <= until_s:
                    record(session, vehicle, kind, at(second, day=day), booking_id=step.booking_id, day=day, **place)
            left_s = step.end_s


def broken_down(session: Session, vehicle_key: str, when: datetime, *, day: date = TOMORROW) -> None:
    """Store that a vehicle drives no more, as a dispatcher heard it."""
    with atomic(session):
        session.add(
            Disruption(
                id=uuid4(), day=day, kind="breakdown", vehicle_key=vehicle_key, substitutes=[], note=None, at=when,
                by_id=SYSTEM.id,
            )
        )  # fmt: skip


def a_running_day(session: Session, *, district: District, now: datetime, per_window: int | Sequence[int] = 3) -> Plan:
    """A published plan of tomorrow with some bookings in each window."""
    some_bookings(session, district=district, now=now, per_window=per_window)
    plan = a_published_plan(session, district=district, now=now)
    session.rollback()
    return plan


def a_proposal(
    session: Session, when: datetime, *, district: District, by: Principal = SYSTEM, day: date = TOMORROW
) -> UUID:
    """A proposal by insertion, as the first one of a request is made."""
    made = replan_day(
        day, by=by, district=district, session=session, now=when, seconds=4, workers=0, seed=1, solve=solve
    )
    return made.plan_id


def a_broken_promise(session: Session, booking_id: UUID, *, now: datetime) -> UUID:
    """A promise that a mid-day version broke, written by hand; the same window two days later is offered instead."""
    booking = session.get_one(Booking, booking_id)
    ids, day, window = [uuid4(), uuid4()], booking.day, booking.pickup_window
    facts: dict[str, Any] = {
        "problem": {}, "answer": {}, "problem_sha256": "", "cost_total": 0, "travel_quality": "great_circle",
        "search": {}, "made_at": now, "made_by_id": SYSTEM.id,
    }  # fmt: skip
    promise_id = uuid4()
    with atomic(session):
        for n, plan_id in enumerate(ids, start=1):
            session.add(Plan(id=plan_id, day=day, version=n, **facts))
        session.flush()
        session.add(
            ReplanProposal(
                plan_id=ids[1], base_plan_id=ids[0], root_plan_id=ids[0], day=day, now_s=TEN, cause="breakdown",
                seen="", changes=[], open_stops=1, moved=0, eased=0, broken=1, left_out=1, made_at=now,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            BrokenPromise(
                id=promise_id, plan_id=ids[1], booking_id=booking_id, day=day, pickup_window=window,
                expected_before_s=TEN, expected_after_s=None, reason="fleet_full", at=now, message_id=uuid4(),
                alternatives=[{"day": str(day + timedelta(days=2)), "pickup_window": window}],
            )
        )  # fmt: skip
    session.rollback()
    return promise_id


LATER = timedelta(minutes=2)  # between a proposal and its publication
