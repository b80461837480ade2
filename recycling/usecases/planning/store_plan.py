"""The shared step of keeping a plan: its row as the next version of its day, and what it leaves out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import PlanRejected
from recycling.logs import logger
from recycling.models.base import insert_into
from recycling.models.plan import Plan, Route, RouteCrew, RouteStop, Unassigned
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing import plan as planner
from recycling.routing.check import violations
from recycling.routing.cost import driven
from recycling.routing.problem import Problem
from recycling.usecases.planning.day_problem import booking_of
from recycling.usecases.planning.road_travel import packed

log = logger(__name__)

LONGEST_DETAIL = 500  # characters of a reason, as wide as its column
SHOWN_VIOLATIONS = 3  # in the message; all of them stand in the log


def refuse_broken(problem: Problem, answer: planner.Plan) -> None:
    """See that an answer keeps the planner's contract, whoever made it.

    Raises
    ------
    PlanRejected
        When it does not; nothing of it may be kept.
    """
    broken = violations(problem, answer)
    if not broken:
        return
    log.error("plan.rejected", day=str(problem.day), causes=[f"{one.cause}: {one.text}" for one in broken])
    shown = "; ".join(one.text for one in broken[:SHOWN_VIOLATIONS])
    raise PlanRejected(
        f"the plan for {problem.day} breaks {len(broken)} rules ({shown}); nothing was kept. Run it again with another"
        " seed, and report it"
    )


def made_by(run_id: UUID | None, session: Session) -> Plan | None:
    """The version that a job run has made already."""
    if run_id is None:
        return None
    return session.scalar(select(Plan).where(Plan.made_by_run_id == run_id))


def new_version(
    problem: Problem,
    answer: planner.Plan,
    facts: dict[str, Any],
    *,
    by: Principal,
    session: Session,
    now: datetime,
    run_id: UUID | None,
) -> tuple[Plan, bool]:
    """The row of the next version, and whether it is new or what the same job run has stored in the meantime."""
    while True:
        newest = session.scalar(select(func.max(Plan.version)).where(Plan.day == problem.day)) or 0
        plan = _insert_version(newest + 1, problem, answer, facts, by=by, session=session, now=now, run_id=run_id)
        if plan is not None:
            return plan, True
        # Somebody else stored a version while we looked: the same run, or another one, whose number we now count on.
        made = made_by(run_id, session)
        if made is not None:
            return made, False


def version_after(
    newest: int,
    problem: Problem,
    answer: planner.Plan,
    facts: dict[str, Any],
    *,
    by: Principal,
    session: Session,
    now: datetime,
) -> Plan | None:
    """The row of the version after ``newest``; ``None`` when that is not the day's newest any more."""
    found = session.scalar(select(func.max(Plan.version)).where(Plan.day == problem.day))
    if found != newest:
        return None
    # Of two who come here at once, the day's unique version lets one through.
    return _insert_version(newest + 1, problem, answer, facts, by=by, session=session, now=now)


def _insert_version(
    version: int,
    problem: Problem,
    answer: planner.Plan,
    facts: dict[str, Any],
    *,
    by: Principal,
    session: Session,
    now: datetime,
    run_id: UUID | None = None,
) -> Plan | None:
    """The row of this version of a day, ``None`` when somebody else has written it."""
    stored, matrix = packed(problem)
    values = facts | {
        "day": problem.day, "version": version, "problem": stored, "travel": matrix,
        "answer": planner.plan_to_json(answer), "cost_total": answer.cost.total,
        "search": planner.plan_to_json(answer)["search"], "made_at": now, "made_by_id": by.id, "made_by_run_id": run_id,
    }  # fmt: skip
    row = insert_into(session, Plan).values(id=uuid4(), **values)
    made_id = session.scalar(row.on_conflict_do_nothing().returning(Plan.id))
    return None if made_id is None else session.get_one(Plan, made_id)


def route_rows(plan: Plan, problem: Problem, answer: planner.Plan, *, district: District) -> list[Route]:
    """The routes of an answer as rows, each with the crew that the district puts on its vehicle."""
    found = []
    for route in answer.routes:
        vehicle = problem.vehicle_by_key[route.vehicle]
        travel_s, distance_m = driven(problem, vehicle, route)
        crew = [collector.key for collector in district.network_on(plan.day).crew_of(route.vehicle)]
        found.append(
            Route(
                id=uuid4(),
                plan_id=plan.id,
                vehicle_key=route.vehicle,
                collector_key=crew[0],  # the first of the crew in the configuration answers for the route
                distance_m=distance_m,
                travel_s=travel_s,
                crew=[RouteCrew(collector_key=key) for key in crew],
                stops=stop_rows(route, start_station=vehicle.start_station),
            )
        )
    return found


def stop_rows(route: planner.Route, *, start_station: str) -> list[RouteStop]:
    """The steps of a route as rows."""
    return [
        RouteStop(
            position=position,
            kind=step.kind,
            booking_id=None if step.stop is None else booking_of(step.stop),
            station_key=start_station if step.kind == "start" else step.station,
            arrival_s=step.arrival_s,
            start_s=step.start_s,
            end_s=step.end_s,
            load_g=step.load[0],
            load_l=step.load[1],
        )
        for position, step in enumerate(route.steps)
    ]


def left_out(plan: Plan, answer: planner.Plan) -> list[Unassigned]:
    """The stops that an answer leaves out, as rows."""
    return [
        Unassigned(
            plan_id=plan.id,
            booking_id=booking_of(left.stop),
            reason=left.reason,
            detail=left.detail[:LONGEST_DETAIL],
            cheapest_fix=None if left.cheapest_fix is None else dict(left.cheapest_fix),
        )
        for left in answer.unassigned
    ]
