"""The shared step of planning a running day again: what its published plan, its records and its disruptions come to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from itertools import groupby
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload, undefer

from recycling.clock import service_day
from recycling.errors import Conflict, NotFound
from recycling.models.booking import Booking
from recycling.models.healing import Disruption, ReplanProposal
from recycling.models.plan import Plan, PublishedPlan, Route, RouteCrew, RouteStop
from recycling.policy.district import District
from recycling.policy.field_events import FieldRecord, RouteState, route_state
from recycling.policy.fleet import TWO_PERSON_LIFT
from recycling.policy.healing import Cause
from recycling.routing import plan as planner
from recycling.routing.problem import Problem, Vehicle, problem_from_json
from recycling.routing.replan import Happened
from recycling.units import second_of_day
from recycling.usecases.field.records import records_of_day
from recycling.usecases.planning.day_facts import DayFacts, Gone
from recycling.usecases.planning.live_route import LiveRoute
from recycling.usecases.planning.road_travel import unpacked


@dataclass(frozen=True, kw_only=True)
class LiveDay:
    """A running day as it is known at an instant.

    Parameters
    ----------
    base_id, root_id
        The published version, and the one of the evening before that it goes back to.
    problem
        The whole day as it was planned the evening before; urgent stops may be served until the end of the last window.
    standing
        The published version, whole.
    happened
        What is known now, in the planner's terms.
    live
        By vehicle, what is known of it.
    crews
        By vehicle, who rides on it now.
    windows
        By stop, the windows that were promised.
    cause
        What went wrong last since the base was published.
    """

    day: date
    base_id: UUID
    root_id: UUID
    problem: Problem
    standing: planner.Plan
    happened: Happened
    live: Mapping[str, LiveRoute]
    crews: Mapping[str, tuple[str, ...]]
    windows: Mapping[str, tuple[tuple[int, int], ...]]
    disruptions: tuple[UUID, ...]
    cause: Cause

    @cached_property
    def begun(self) -> Mapping[str, str]:
        """The vehicle that has each stop in hand or is driving to it, of those without an outcome."""
        return {stop: vehicle for vehicle, one in self.live.items() for stop in sorted(one.begun)}

    def mark(self, touched: Collection[str]) -> str:
        """A digest of the events that matter to a proposal that takes the stops in ``touched`` from their vehicles.

        That vehicles go on along their routes does not matter. That one stops, that somebody has set out for a stop
        that was to be moved, and whatever a dispatcher records, does.
        """
        happened = self.happened
        what = {
            "base": str(self.base_id),
            "disruptions": sorted(str(one) for one in self.disruptions),
            "gone": sorted(happened.broken),
            "closed": sorted(happened.closed),
            "cancelled": sorted(happened.cancelled),
            "begun": sorted((key, self.begun.get(key, "")) for key in touched),
            "done": sorted(happened.done & set(touched)),
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def live_day(day: date, *, district: District, session: Session, now: datetime) -> LiveDay:
    """Read a running day; it writes nothing.

    Raises
    ------
    Conflict
        When the day is not today.
    NotFound
        When it has no published plan, or its problem has been blanked.
    """
    base = _published(day, session=session, now=now)
    proposal = session.get(ReplanProposal, base.id)
    root = base if proposal is None else _plan(proposal.root_plan_id, session)
    if root.blanked_at is not None:
        raise NotFound(f"the problem of {day} was blanked; there is nothing to plan any more / {day} 的排线输入已清除")
    asked = problem_from_json(unpacked(root))
    found = session.scalars(select(Disruption).where(Disruption.day == day).order_by(Disruption.at, Disruption.id))
    disruptions = list(found)
    crews = _crews(base, disruptions, district=district)
    problem = _as_it_is(asked, disruptions, base=base, crews=crews, district=district)
    standing = standing_plan_of(base, problem)
    read = DayFacts(
        problem=problem, standing=standing, disruptions=disruptions, crews=crews,
        states=_states(records_of_day(session, day)),
        gone=_gone(session, day, problem), now_s=second_of_day(now, day=day),
    )  # fmt: skip
    live = read.live()
    published_at = session.get_one(PublishedPlan, day).published_at
    news = [one for one in disruptions if one.at >= published_at]
    return LiveDay(
        day=day, base_id=base.id, root_id=root.id, problem=problem, standing=standing, happened=read.happened(live),
        live=live, crews=crews, windows={stop.key: stop.windows_s for stop in asked.stops},
        disruptions=tuple(one.id for one in disruptions), cause=news[-1].kind if news else "asked",
    )  # fmt: skip


def _published(day: date, *, session: Session, now: datetime) -> Plan:
    if day != service_day(now):
        raise Conflict(
            f"{day} is not today, {service_day(now)}: only a running day is planned again from where it is"
            f" / {day} 不是今天，只能对当日重排"
        )
    plan_id = session.scalar(select(PublishedPlan.plan_id).where(PublishedPlan.day == day))
    if plan_id is None:
        raise NotFound(f"{day} has no published plan; make one and publish it first / {day} 尚无已发布的计划，请先发布")
    return _plan(plan_id, session)


def _plan(plan_id: UUID, session: Session) -> Plan:
    routes = selectinload(Plan.routes)
    return session.scalars(
        select(Plan)
        .where(Plan.id == plan_id)
        .options(
            undefer(Plan.problem), undefer(Plan.travel), joinedload(Plan.published),
            routes.selectinload(Route.stops), routes.selectinload(Route.crew),
        )
    ).one()  # fmt: skip


def standing_plan_of(plan: Plan, problem: Problem) -> planner.Plan:
    """A stored version, whole, as the planner writes one; a break stands where the vehicle last was."""
    return planner.Plan(
        cost=planner.NO_COST,
        routes=tuple(
            planner.Route(vehicle=route.vehicle_key, steps=_steps(route.stops, problem)) for route in plan.routes
        ),
        unassigned=(),
        search=planner.Search(seconds=0.0),
    )


def _steps(stops: Sequence[RouteStop], problem: Problem) -> tuple[planner.Step, ...]:
    place, steps = 0, []
    for stop in stops:
        key = None if stop.booking_id is None else str(stop.booking_id)
        if key is not None:
            place = problem.stop_by_key[key].location
        elif stop.station_key is not None:
            place = problem.station_by_key[stop.station_key].location
        steps.append(
            planner.Step(
                kind=stop.kind, location=place, arrival_s=stop.arrival_s, start_s=stop.start_s, end_s=stop.end_s,
                load=(stop.load_g, stop.load_l), stop=key,
                station=None if stop.kind == "start" else stop.station_key,
            )
        )  # fmt: skip
    return tuple(steps)


def _crews(base: Plan, disruptions: Sequence[Disruption], *, district: District) -> dict[str, tuple[str, ...]]:
    """Who rides where: as published, substitutes in the place of the sick, the configured crew on a spare vehicle."""
    network = district.network_on(base.day)
    found = {key: tuple(one.key for one in network.crew_of(key)) for key in network.vehicles}
    for route in base.routes:
        found[route.vehicle_key] = tuple(_riders(route.crew, first=route.collector_key))
    for one in disruptions:
        if one.kind == "sick" and one.vehicle_key is not None and one.substitutes:
            found[one.vehicle_key] = tuple(one.substitutes)
    return found


def _riders(crew: Sequence[RouteCrew], *, first: str) -> list[str]:
    return sorted((rider.collector_key for rider in crew), key=lambda key: (key != first, key))


def _as_it_is(
    problem: Problem,
    disruptions: Sequence[Disruption],
    *,
    base: Plan,
    crews: Mapping[str, tuple[str, ...]],
    district: District,
) -> Problem:
    """The day's problem with what people agreed since: urgent stops at any hour left, other crews with their skills."""
    urgent = {str(one.booking_id) for one in disruptions if one.kind == "urgent"}
    last_s = max((closes for stop in problem.stops for _, closes in stop.windows_s), default=0)
    stops = tuple(
        replace(stop, windows_s=((min(opens for opens, _ in stop.windows_s), last_s),)) if stop.key in urgent else stop
        for stop in problem.stops
    )
    changed = {one.vehicle_key for one in disruptions if one.kind == "sick" and one.substitutes}
    vehicles = tuple(
        replace(vehicle, skills=_skills(vehicle, crews[vehicle.key], district)) if vehicle.key in changed else vehicle
        for vehicle in problem.vehicles
    )
    return replace(problem, stops=stops, vehicles=vehicles)


def _skills(vehicle: Vehicle, crew: Sequence[str], district: District) -> frozenset[str]:
    """What a vehicle can do with another crew; two people for what two must lift, as in `Network.shift_of`."""
    network = district.network
    known = network.vehicles.get(vehicle.key)
    own = set() if known is None else set(network.vehicle_classes[known.class_key].skills)
    riders = [network.collectors[key] for key in crew if key in network.collectors]
    skills = own.union(*(rider.skills for rider in riders))
    if sum(TWO_PERSON_LIFT in rider.skills for rider in riders) < 2:
        skills.discard(TWO_PERSON_LIFT)
    return frozenset(skills)


def _states(records: Sequence[FieldRecord]) -> dict[str, RouteState]:
    ordered = sorted(records, key=lambda record: record.vehicle_key)
    return {key: route_state(list(own)) for key, own in groupby(ordered, key=lambda record: record.vehicle_key)}


def _gone(session: Session, day: date, problem: Problem) -> Gone:
    ids = [UUID(key) for key in problem.stop_by_key]
    rows = session.execute(select(Booking.id, Booking.state, Booking.day).where(Booking.id.in_(ids))).all()
    standing = {str(row.id) for row in rows if row.state != "cancelled" and row.day == day}
    done = {str(row.id) for row in rows if row.state not in ("booked", "cancelled")}
    return Gone(done=frozenset(done), cancelled=frozenset(problem.stop_by_key.keys() - standing))
