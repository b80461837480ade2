"""Plan a service day (排线): the day's promises in, an immutable, checked plan version out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import PlanRejected
from recycling.logs import logger
from recycling.models.base import insert_into
from recycling.models.plan import Plan, Route, RouteCrew, RouteStop, Unassigned
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing import plan as planner
from recycling.routing.check import violations
from recycling.routing.cost import driven
from recycling.routing.problem import Problem
from recycling.routing.solve import Progress, solve
from recycling.usecases.bookings.tentative import tentative_plan
from recycling.usecases.planning.balance import balanced, offsets_of
from recycling.usecases.planning.day_problem import (
    booking_of,
    check_plannable,
    day_problem,
    fingerprint,
    unfinished_bookings,
)
from recycling.usecases.planning.road_travel import NO_ROADS, TravelSetting, by_road, packed
from recycling.usecases.planning.travel_cache import StoredTravel, keep_ways

log = logger(__name__)

LONGEST_DETAIL = 500  # characters of a reason, as wide as its column
SHOWN_VIOLATIONS = 3  # in the message; all of them stand in the log


class Solver(Protocol):
    """Anything that answers a problem within its seconds; `recycling.routing.solve.solve` is the one in use."""

    def __call__(
        self,
        problem: Problem,
        *,
        seconds: float,
        workers: int,
        seed: int,
        warm: planner.Plan | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> planner.Plan:
        """Answer with a plan."""


def plan_day(
    day: date,
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    seconds: float,
    workers: int,
    seed: int,
    travel: TravelSetting = NO_ROADS,
    solve: Solver = solve,
    on_progress: Callable[[Progress], None] | None = None,
    run_id: UUID | None = None,
) -> Plan:
    """Make the next version of a day's plan. Call it outside any transaction: none is open while the planner works.

    ``travel`` says who knows the roads; whatever that one does not answer is taken from what it answered before, or
    estimated, and the plan says how much of it. ``seconds`` are the planner's alone.

    The same ``run_id`` again answers with the plan that this job run has made already.

    Raises
    ------
    InvalidInput, Conflict
        As for `check_plannable`.
    PlanRejected
        When the answer breaks a rule of the planner's contract; nothing of it is kept.
    """
    session.rollback()
    made = _made_by(run_id, session)
    if made is not None:
        return made
    check_plannable(day, district=district, now=now)
    asked = day_problem(day, unfinished_bookings(session, day), district=district)
    offsets = offsets_of(day, district=district, session=session)
    # The promises were proven in tentative routes; the planner starts from these, so that it never does worse.
    warm = tentative_plan(session, day, district=district)
    session.rollback()
    kept = timedelta(days=travel.kept_days)
    # A read transaction, should it come to a look at what is kept, is over before the planner begins.
    problem, quality, answered = by_road(asked, travel, cache=StoredTravel(session, now=now, kept=kept))
    session.rollback()
    # As with the ways by road: what the plan is compared with later is the day as it was asked for.
    problem = balanced(problem, offsets)
    answer = solve(problem, seconds=seconds, workers=workers, seed=seed, warm=warm, on_progress=on_progress)
    _refuse_broken(problem, answer)
    with atomic(session):
        facts = {
            "problem_sha256": fingerprint(asked), "travel_quality": quality.word, "travel_cells": quality.counts,
            "travel_note": quality.note,
        }  # fmt: skip
        plan, fresh = _new_version(problem, answer, facts, by=by, session=session, now=now, run_id=run_id)
        if fresh:
            if answered is not None and kept:
                keep_ways(answered.points, answered.live, engine=quality.engine, session=session, now=now)
            session.add_all(_routes(plan, problem, answer, district=district))
            session.add_all(_left_out(plan, answer))
        plan_id, version = str(plan.id), plan.version
    log.info(
        "plan.made", plan_id=plan_id, day=str(day), version=version, stops=len(problem.stops),
        routes=len(answer.routes), unassigned=len(answer.unassigned), cost_total=answer.cost.total,
        seconds=round(answer.search.seconds, 1), travel=quality.word, travel_engine=quality.engine,
        travel_note=quality.note, **{f"ways_{rung}": count for rung, count in quality.counts.items()},
    )  # fmt: skip
    return plan


def _made_by(run_id: UUID | None, session: Session) -> Plan | None:
    if run_id is None:
        return None
    return session.scalar(select(Plan).where(Plan.made_by_run_id == run_id))


def _refuse_broken(problem: Problem, answer: planner.Plan) -> None:
    broken = violations(problem, answer)
    if not broken:
        return
    log.error("plan.rejected", day=str(problem.day), causes=[f"{one.cause}: {one.text}" for one in broken])
    shown = "; ".join(one.text for one in broken[:SHOWN_VIOLATIONS])
    raise PlanRejected(
        f"the plan for {problem.day} breaks {len(broken)} rules ({shown}); nothing was kept. Run it again with another"
        " seed, and report it"
    )


def _new_version(
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
    stored, matrix = packed(problem)
    values = facts | {
        "day": problem.day, "problem": stored, "travel": matrix, "answer": planner.plan_to_json(answer),
        "cost_total": answer.cost.total, "search": planner.plan_to_json(answer)["search"], "made_at": now,
        "made_by_id": by.id, "made_by_run_id": run_id,
    }  # fmt: skip
    while True:
        newest = session.scalar(select(func.max(Plan.version)).where(Plan.day == problem.day)) or 0
        row = insert_into(session, Plan).values(id=uuid4(), version=newest + 1, **values)
        made_id = session.scalar(row.on_conflict_do_nothing().returning(Plan.id))
        if made_id is not None:
            return session.get_one(Plan, made_id), True
        # Somebody else stored a version while we looked: the same run, or another one, whose number we now count on.
        made = _made_by(run_id, session)
        if made is not None:
            return made, False


def _routes(plan: Plan, problem: Problem, answer: planner.Plan, *, district: District) -> list[Route]:
    found = []
    for route in answer.routes:
        vehicle = problem.vehicle_by_key[route.vehicle]
        travel_s, distance_m = driven(problem, vehicle, route)
        crew = [collector.key for collector in district.network.crew_of(route.vehicle)]
        found.append(
            Route(
                id=uuid4(),
                plan_id=plan.id,
                vehicle_key=route.vehicle,
                collector_key=crew[0],  # the first of the crew in the configuration answers for the route
                distance_m=distance_m,
                travel_s=travel_s,
                crew=[RouteCrew(collector_key=key) for key in crew],
                stops=[
                    RouteStop(
                        position=position,
                        kind=step.kind,
                        booking_id=None if step.stop is None else booking_of(step.stop),
                        station_key=vehicle.start_station if step.kind == "start" else step.station,
                        arrival_s=step.arrival_s,
                        start_s=step.start_s,
                        end_s=step.end_s,
                        load_g=step.load[0],
                        load_l=step.load[1],
                    )
                    for position, step in enumerate(route.steps)
                ],
            )
        )
    return found


def _left_out(plan: Plan, answer: planner.Plan) -> list[Unassigned]:
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
