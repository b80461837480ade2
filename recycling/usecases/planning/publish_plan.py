"""Publish a plan (发布计划): close the day, see that it is still the one planned, tell everybody; all or nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Result, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import BookingsChanged, Conflict, NotFound
from recycling.logs import logger
from recycling.models.booking import Booking, linked_on
from recycling.models.ledger import check_facts, close_day
from recycling.models.outbox import post
from recycling.models.people import Staff
from recycling.models.plan import Plan, PublishedPlan, Route, RouteCrew, RouteStop, Unassigned
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.history import one_of_fact
from recycling.usecases.planning.day_problem import changes_since, vehicles_out_at
from recycling.usecases.planning.expected_times import expected_times
from recycling.usecases.planning.publication import dispatchers, make_current

log = logger(__name__)


def publish_plan(
    plan_id: UUID, *, replaces: UUID | None, by: Principal, district: District, session: Session, now: datetime
) -> PublishedPlan:
    """Make a plan the one that people act on; a plan that is it already stays so, and nobody is told twice.

    ``replaces`` is the plan that the caller believes to be published now, ``None`` when there is none.

    Raises
    ------
    NotFound
        When there is no such plan.
    Conflict
        When its day is over, or the vehicles are out by another plan.
    BookingsChanged
        When the day's bookings or its fleet are no longer those that the plan was made for.
    PlanReplaced
        When another plan than ``replaces`` is published.
    """
    with atomic(session):
        plan = session.get(Plan, plan_id)
        if plan is None:
            raise NotFound(f"no plan {plan_id}; list them with GET /plans?day=")
        if plan.day < service_day(now):
            raise Conflict(f"{plan.day} is over; its plan stays as it was / {plan.day} 已过，计划不再更改")
        # From here on nobody is promised anything more for this day. Promises under way hold a ledger row that we wait
        # for; what they booked is seen by the statements below, and by none above.
        state = close_day(session, plan.day, now=now)
        check_facts(state, plan.day, newest=district.day_changes.newest_on(plan.day))
        standing = session.get(PublishedPlan, plan.day, populate_existing=True)
        if standing is not None and standing.plan_id == plan.id:
            return standing
        if standing is not None and now >= vehicles_out_at(plan.day, district):
            raise Conflict(
                f"the vehicles of {plan.day} are out by the published plan; call the collectors instead of replacing it"
                f" / {plan.day} 的车辆已按已发布计划出车，请电话联系回收员"
            )
        told_before = {} if standing is None else expected_times(standing.plan_id, session)
        _refuse_changed(plan, district=district, session=session)
        make_current(plan, replaces=replaces, by=by, session=session, now=now)
        _tell_residents(plan, told_before, session=session, now=now)
        _tell_left_out(plan, session=session, now=now)
        _tell_dispatchers(plan, session=session, now=now)
        _tell_crews(plan, session=session, now=now)
        published = session.get_one(PublishedPlan, plan.day, populate_existing=True)
        day = str(plan.day)
    log.info("plan.published", plan_id=str(plan_id), day=day, by_id=str(by.id))
    return published


def _refuse_changed(plan: Plan, *, district: District, session: Session) -> None:
    changes = changes_since(plan, district=district, session=session)
    if changes is None:
        return
    zh, en = changes.words
    raise BookingsChanged(
        f"bookings changed since this plan was made ({en}); plan {plan.day} again and publish that"
        f" / 制定计划后预约有变动（{zh}），请重新排线再发布"
    )


def _tell_residents(plan: Plan, told_before: dict[UUID, int], *, session: Session, now: datetime) -> None:
    expected, linked = expected_times(plan.id, session), linked_on(session, plan.day)
    for booking in session.scalars(select(Booking).where(Booking.id.in_(_planned(plan))).order_by(Booking.id)):
        if booking.made_up or expected[booking.id] == told_before.get(booking.id):
            continue  # nobody is there, or the time they were told still holds
        post(
            session,
            dedupe_key=f"plan.window_confirmed:{plan.id}:{booking.id}",
            kind="plan.window_confirmed",
            to=("resident", booking.resident_id),
            facts={
                "booking_id": str(booking.id),
                "day": str(plan.day),
                "pickup_window": booking.pickup_window,
                "expected_s": expected[booking.id],
                **one_of_fact(linked.get(booking.part_of or booking.id, 1)),
            },
            now=now,
        )


def _tell_left_out(plan: Plan, *, session: Session, now: datetime) -> None:
    """A promise that no route keeps is told to whom it was given, before they wait in vain."""
    left = select(Unassigned.booking_id).where(Unassigned.plan_id == plan.id)
    real = select(Booking).where(Booking.id.in_(left), Booking.made_up.is_(False)).order_by(Booking.id)
    linked = linked_on(session, plan.day)
    for booking in session.scalars(real):
        post(
            session,
            dedupe_key=f"plan.left_out:{plan.id}:{booking.id}",
            kind="plan.left_out",
            to=("resident", booking.resident_id),
            facts={
                "booking_id": str(booking.id), "day": str(plan.day), "pickup_window": booking.pickup_window,
                **one_of_fact(linked.get(booking.part_of or booking.id, 1)),
            },
            now=now,
        )  # fmt: skip


def _planned(plan: Plan) -> Any:
    return (
        select(RouteStop.booking_id)
        .join(Route, Route.id == RouteStop.route_id)
        .where(Route.plan_id == plan.id, RouteStop.booking_id.is_not(None))
    )


def _tell_dispatchers(plan: Plan, *, session: Session, now: datetime) -> None:
    """Promises that no route keeps are for people to settle: dispatchers, and administrators, who may do their work."""
    left = session.scalars(
        select(Unassigned.booking_id).where(Unassigned.plan_id == plan.id).order_by(Unassigned.booking_id)
    ).all()
    if not left:
        return
    for staff_id in dispatchers(session):
        post(
            session,
            dedupe_key=f"plan.unassigned:{plan.id}:{staff_id}",
            kind="plan.unassigned",
            to=("staff", staff_id),
            facts={"plan_id": str(plan.id), "day": str(plan.day), "booking_ids": [str(one) for one in left]},
            now=now,
        )


def _tell_crews(plan: Plan, *, session: Session, now: datetime) -> None:
    for route, staff_id in _crews(plan, session):
        post(
            session,
            dedupe_key=f"route.published:{route.id}:{staff_id}",
            kind="route.published",
            to=("staff", staff_id),
            facts={
                "plan_id": str(plan.id),
                "route_id": str(route.id),
                "day": str(plan.day),
                "vehicle_key": route.vehicle_key,
            },
            now=now,
        )


def _crews(plan: Plan, session: Session) -> Result[Route, UUID]:
    """Each route with the accounts of those who ride on it."""
    return session.execute(
        select(Route, Staff.id)
        .join(RouteCrew, RouteCrew.route_id == Route.id)
        .join(Staff, Staff.collector_key == RouteCrew.collector_key)
        .where(Route.plan_id == plan.id, Staff.active.is_(True))
        .order_by(Route.vehicle_key, Staff.id)
    )
