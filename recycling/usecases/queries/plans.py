"""Reading plans: which versions a day has, one in full, and the planner's own files of it."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload, undefer

from recycling.clock import service_day
from recycling.errors import NotFound
from recycling.models.healing import ReplanProposal
from recycling.models.plan import Plan, PublishedPlan, Route, RouteStop
from recycling.policy.district import District
from recycling.units import clock_text
from recycling.usecases.planning.day_problem import Changes, changes_since
from recycling.usecases.planning.road_travel import unpacked
from recycling.usecases.queries.cursors import read_cursor, whole, write_cursor


def list_plans(*, session: Session, limit: int, day: date | None = None, cursor: str | None = None) -> dict[str, Any]:
    """A page of plan versions, latest day and version first; ``next_cursor`` leads to the next, ``None`` at the end."""
    wanted = select(Plan).options(joinedload(Plan.published)).order_by(Plan.day.desc(), Plan.version.desc())
    if day is not None:
        wanted = wanted.where(Plan.day == day)
    if cursor is not None:
        wanted = wanted.where(tuple_(Plan.day, Plan.version) < read_cursor(cursor, date.fromisoformat, whole))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {
        "plans": [plan_row(plan) for plan in shown],
        "next_cursor": write_cursor(shown[-1].day, shown[-1].version) if len(rows) > limit else None,
    }


def plan_in_full(plan_id: UUID, *, session: Session) -> dict[str, Any]:
    """One plan: its routes step by step, what it leaves out and why, and what it costs.

    Raises
    ------
    NotFound
        When there is none of that id.
    """
    routes = selectinload(Plan.routes)
    plan = _find(
        plan_id,
        session,
        undefer(Plan.answer),
        joinedload(Plan.published),
        routes.selectinload(Route.stops),
        routes.selectinload(Route.crew),
        selectinload(Plan.unassigned),
    )
    return plan_row(plan) | {
        "cost": plan.answer["cost"],
        "routes": [
            {
                "vehicle_key": route.vehicle_key,
                "collector_key": route.collector_key,
                "crew": [rider.collector_key for rider in route.crew],
                "distance_m": route.distance_m,
                "travel_s": route.travel_s,
                "steps": [_step(stop) for stop in route.stops],
            }
            for route in plan.routes
        ],
        "unassigned": plan.unassigned,
    }


def route_figures(route: dict[str, Any]) -> dict[str, Any]:
    """What a route of `plan_in_full` amounts to, in one line: visits, hours, what it carries and how far it drives."""
    steps = route["steps"]
    kinds = [step["kind"] for step in steps]
    return {
        "pickups": kinds.count("pickup"),
        "unloads": kinds.count("unload"),
        "start_s": steps[0]["start_s"],
        "end_s": steps[-1]["end_s"],
        # What leaves the vehicle at a station is what it carried when it came there.
        "carried_g": sum(before["load_g"] for before, step in pairwise(steps) if step["kind"] in ("unload", "end")),
        "fullest_l": max(step["load_l"] for step in steps),
        "distance_m": route["distance_m"],
        "travel_s": route["travel_s"],
    }


def overtaken_by(plan_id: UUID, *, district: District, session: Session, now: datetime) -> Changes | None:
    """Why a plan is no longer the plan of its day, in the words with which publishing it would be refused.

    A published plan is being carried out, so that pickups leave it one by one: only a promise beside it is news.
    """
    plan = _find(plan_id, session, undefer(Plan.problem), joinedload(Plan.published))
    if plan.day < service_day(now) or session.get(ReplanProposal, plan_id) is not None:
        return None  # a mid-day version is judged by what happens, not by the promises of the evening
    changes = changes_since(plan, district=district, session=session)
    if changes is not None and plan.published is not None and not changes.added:
        return None
    return changes


def planner_file(plan_id: UUID, part: Literal["problem", "answer"], *, session: Session) -> dict[str, Any]:
    """What the planner was given or answered, as its command line reads it.

    Raises
    ------
    NotFound
        When there is no plan of that id, or its problem has been blanked since.
    """
    if part == "answer":
        return _find(plan_id, session, undefer(Plan.answer)).answer
    plan = _find(plan_id, session, undefer(Plan.problem), undefer(Plan.travel))
    if plan.blanked_at is not None:
        raise NotFound(
            f"the problem of plan {plan_id} held people's places and was blanked when its time was over; read it"
            f" without them in GET /plans/{plan_id} / 计划文件含个人位置，已到期清除"
        )
    return unpacked(plan)


def plan_of_day(day: date, *, session: Session) -> UUID:
    """The published plan of a day, or its newest version when none is published.

    Raises
    ------
    NotFound
        When the day has no plan.
    """
    plan_id = session.scalar(select(PublishedPlan.plan_id).where(PublishedPlan.day == day)) or session.scalar(
        select(Plan.id).where(Plan.day == day).order_by(Plan.version.desc()).limit(1)
    )
    if plan_id is None:
        raise NotFound(
            f'{day} has no plan yet; make one with POST /job-runs {{"job": "plan_day", "day": "{day}"}}, or on the'
            f" server: flask plan make {day} / {day} 尚未排线，可用接口 POST /job-runs（任务 plan_day）排线"
        )
    return plan_id


def _find(plan_id: UUID, session: Session, *options: Any) -> Plan:
    plan = session.scalar(select(Plan).where(Plan.id == plan_id).options(*options))
    if plan is None:
        raise NotFound(f"no plan {plan_id}; list them with GET /plans?day=")
    return plan


def plan_row(plan: Plan) -> dict[str, Any]:
    """One plan version in a list."""
    fields = ("id", "day", "version", "cost_total", "travel_quality", "travel_cells", "travel_note", "made_at")
    return {name: getattr(plan, name) for name in fields} | {
        "published_at": None if plan.published is None else plan.published.published_at
    }


def _step(stop: RouteStop) -> dict[str, Any]:
    fields = ("position", "kind", "booking_id", "station_key", "arrival_s", "start_s", "end_s", "load_g", "load_l")
    return {name: getattr(stop, name) for name in fields} | {"start": clock_text(stop.start_s)}
