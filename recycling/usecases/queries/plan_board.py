"""Reading a plan for the planning board: what it draws of a day, and how two versions differ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from recycling.clock import service_day
from recycling.errors import Conflict, DomainError, InvalidInput, NotFound
from recycling.models.booking import Booking
from recycling.models.healing import ReplanProposal
from recycling.models.plan import Plan, PlanEdit, PublishedPlan
from recycling.policy.district import District
from recycling.routing.problem import Problem
from recycling.routing.verdict import Judge
from recycling.usecases.planning.day_problem import Changes, changes_since, check_plannable
from recycling.usecases.planning.judge_edits import route_shown
from recycling.usecases.planning.judges import Judges
from recycling.usecases.queries.plans import plan_in_full, plan_row

LEAST_SHIFT_S = 60  # a visit that moves by less is at the same time for everybody


def plan_board(plan_id: UUID, *, judges: Judges, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """All that the board draws of a plan: places, windows and loads of its stops, vehicles, and every step.

    No name, phone or address is in it: whom a visit is for, its booking says.

    Raises
    ------
    NotFound
        When there is no such plan, or its places have been blanked.
    """
    with judges.of(plan_id, session=session) as judge:
        problem, plan = judge.problem, judge.plan
        whole = judge.verdict({})
        row = session.get_one(Plan, plan_id)
        published = session.get(PublishedPlan, row.day)
        edit = session.get(PlanEdit, plan_id)
        return {
            "id": row.id,
            "day": row.day,
            "version": row.version,
            "newest_version": session.scalar(select(func.max(Plan.version)).where(Plan.day == row.day)),
            "base_plan_id": None if edit is None else edit.base_plan_id,
            "published_plan_id": None if published is None else published.plan_id,
            "why_fixed": _why_fixed(row, district=district, session=session, now=now),
            "cost": plan.cost,
            "travel_s": whole.travel_s,
            "distance_m": whole.distance_m,
            "stations": _stations(problem, district),
            "vehicles": _vehicles(problem, district),
            "stops": _stops(judge, district=district, session=session),
            "routes": [route_shown(route) for route in plan.routes],
            "unassigned": [
                {"booking_id": left.stop, "reason": left.reason, "detail": left.detail,
                 "cheapest_fix": None if left.cheapest_fix is None else dict(left.cheapest_fix)}
                for left in plan.unassigned
            ],
        }  # fmt: skip


def plan_news(plan_id: UUID, *, session: Session) -> dict[str, Any]:
    """What became of a plan's day since: its newest version, and the one that is published.

    Raises
    ------
    NotFound
        When there is no such plan.
    """
    day = session.scalar(select(Plan.day).where(Plan.id == plan_id))
    if day is None:
        raise NotFound(f"no plan {plan_id}; list them with GET /plans?day=")
    versions = select(Plan).where(Plan.day == day).options(joinedload(Plan.published))
    newest = session.scalars(versions.order_by(Plan.version.desc()).limit(1)).one()
    published = session.scalars(versions.join(PublishedPlan, PublishedPlan.plan_id == Plan.id)).one_or_none()
    return {"newest": plan_row(newest), "published": None if published is None else plan_row(published)}


def plan_changes(plan_id: UUID, *, district: District, session: Session, now: datetime) -> Changes | None:
    """How its day differs from the one that a plan was made for, so that edits of it would be refused.

    ``None`` for the plan of a day that is over, and for one for the rest of a running day: neither is edited.

    Raises
    ------
    NotFound
        When there is no such plan.
    """
    plan = session.get(Plan, plan_id)
    if plan is None:
        raise NotFound(f"no plan {plan_id}; list them with GET /plans?day=")
    if plan.day < service_day(now) or session.get(ReplanProposal, plan_id) is not None:
        return None
    return changes_since(plan, district=district, session=session)


def _why_fixed(plan: Plan, *, district: District, session: Session, now: datetime) -> str | None:
    """Why a plan can only be looked at, in both languages; ``None`` when it can be edited."""
    try:
        check_plannable(plan.day, district=district, now=now)
        if session.get(ReplanProposal, plan.id) is not None:
            raise Conflict("this version is for the rest of a running day / 此版为当日重排")
    except DomainError as refusal:
        return refusal.message
    return None


def _stations(problem: Problem, district: District) -> list[dict[str, Any]]:
    names = district.network.stations
    return [
        {
            "key": station.key,
            "name_zh": names[station.key].name_zh if station.key in names else station.key,
            "name_en": names[station.key].name_en if station.key in names else station.key,
            "lat": problem.locations[station.location][0],
            "lon": problem.locations[station.location][1],
            "open_s": station.open_s,
        }
        for station in problem.stations
    ]


def _vehicles(problem: Problem, district: District) -> list[dict[str, Any]]:
    return [
        {
            "key": vehicle.key,
            "station_key": vehicle.start_station,
            "capacity_g": vehicle.capacity[0],
            "capacity_l": vehicle.capacity[1],
            "skills": sorted(vehicle.skills),
            "shift_s": vehicle.shift_s,
            "max_overtime_s": vehicle.max_overtime_s,
            "break_window_s": None if vehicle.break_ is None else vehicle.break_.window_s,
            "crew": [collector.key for collector in district.network_on(problem.day).crew_of(vehicle.key)],
        }
        for vehicle in problem.vehicles
    ]


def _stops(judge: Judge, *, district: District, session: Session) -> list[dict[str, Any]]:
    problem = judge.problem
    ids = [UUID(stop.key) for stop in problem.stops]
    rows = select(Booking).where(Booking.id.in_(ids)).options(selectinload(Booking.items))
    bookings = {str(booking.id): booking for booking in session.scalars(rows)}
    return [
        {
            "booking_id": stop.key,
            "lat": problem.locations[stop.location][0],
            "lon": problem.locations[stop.location][1],
            "windows_s": stop.windows_s,
            "service_s": stop.service_s,
            "load_g": stop.load[0],
            "load_l": stop.load[1],
            "skills": sorted(stop.skills),
            "items": [] if stop.key not in bookings else _items(bookings[stop.key], district),
        }
        for stop in problem.stops
    ]


def _items(booking: Booking, district: District) -> list[dict[str, Any]]:
    found = []
    for item in booking.items:
        kind = district.catalogue.item_type(item.item_type, on=booking.day)
        found.append({"zh": kind.name_zh, "en": kind.name_en, "units": item.declared_units})
    return found


def plan_differences(plan_id: UUID, other_id: UUID | None, *, session: Session) -> dict[str, Any]:
    """What another version of the same day has otherwise: visits that move, and what both come to.

    Parameters
    ----------
    plan_id, other_id
        The version looked at, and the one that it is compared with ("before"); ``None``: the one that it was edited
        from, else the version before it.

    Raises
    ------
    NotFound
        When there is no such plan.
    InvalidInput
        When they are plans of different days.
    """
    after = plan_in_full(plan_id, session=session)
    before = plan_in_full(other_id or _one_before(plan_id, session), session=session)
    if after["day"] != before["day"]:
        raise InvalidInput(
            f"the plans are of {before['day']} and {after['day']}; compare versions of one day"
            " / 只能比较同一天的两个版本"
        )
    old, new = _visits(before), _visits(after)
    visits = [
        _difference(booking_id, old.get(booking_id), new.get(booking_id))
        for booking_id in sorted(old.keys() | new.keys())
    ]
    return {
        "before": _figures(before),
        "after": _figures(after),
        "visits": [visit for visit in visits if visit["kind"] != "same"],
    }


def _one_before(plan_id: UUID, session: Session) -> UUID:
    edit, plan = session.get(PlanEdit, plan_id), session.get_one(Plan, plan_id)
    if edit is not None:
        return edit.base_plan_id
    earlier = select(Plan.id).where(Plan.day == plan.day, Plan.version < plan.version)
    found = session.scalar(earlier.order_by(Plan.version.desc()).limit(1))
    if found is None:
        raise NotFound(
            f"version {plan.version} is the first of {plan.day}; name another / 没有更早的版本，请指定 other"
        )
    return found


def _visits(plan: Mapping[str, Any]) -> dict[str, tuple[str, int] | None]:
    """Vehicle and start of each pickup, ``None`` for one left out."""
    found: dict[str, tuple[str, int] | None] = {
        str(step["booking_id"]): (route["vehicle_key"], step["start_s"])
        for route in plan["routes"]
        for step in route["steps"]
        if step["kind"] == "pickup"
    }
    return found | {str(left.booking_id): None for left in plan["unassigned"]}


def _difference(booking_id: str, old: tuple[str, int] | None, new: tuple[str, int] | None) -> dict[str, Any]:
    kind = "same"
    if old is None and new is not None:
        kind = "put_in"
    elif old is not None and new is None:
        kind = "left_out"
    elif old is not None and new is not None and old[0] != new[0]:
        kind = "moved"
    elif old is not None and new is not None and abs(old[1] - new[1]) >= LEAST_SHIFT_S:
        kind = "retimed"
    return {
        "booking_id": booking_id, "kind": kind, "vehicle_before": old and old[0], "start_before_s": old and old[1],
        "vehicle_after": new and new[0], "start_after_s": new and new[1],
    }  # fmt: skip


def _figures(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": plan["id"],
        "version": plan["version"],
        "published_at": plan["published_at"],
        "cost": plan["cost"],
        "routes": len(plan["routes"]),
        "kept": sum(step["kind"] == "pickup" for route in plan["routes"] for step in route["steps"]),
        "left_out": len(plan["unassigned"]),
        "distance_m": sum(route["distance_m"] for route in plan["routes"]),
        "travel_s": sum(route["travel_s"] for route in plan["routes"]),
    }
