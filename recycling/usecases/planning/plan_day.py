"""Plan a service day (排线): the day's promises in, an immutable, checked plan version out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.logs import logger
from recycling.models.plan import Plan, Route, RouteCrew
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing import plan as planner
from recycling.routing.cost import driven
from recycling.routing.problem import Problem
from recycling.routing.solve import Progress, solve
from recycling.usecases.bookings.tentative import tentative_plan
from recycling.usecases.planning.balance import balanced, offsets_of
from recycling.usecases.planning.day_problem import (
    check_plannable,
    day_problem,
    fingerprint,
    unfinished_bookings,
)
from recycling.usecases.planning.road_travel import NO_ROADS, TravelSetting, by_road
from recycling.usecases.planning.store_plan import left_out, made_by, new_version, refuse_broken, stop_rows
from recycling.usecases.planning.travel_cache import StoredTravel, keep_ways

log = logger(__name__)


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
    made = made_by(run_id, session)
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
    refuse_broken(problem, answer)
    with atomic(session):
        facts = {
            "problem_sha256": fingerprint(asked), "travel_quality": quality.word, "travel_cells": quality.counts,
            "travel_note": quality.note,
        }  # fmt: skip
        plan, fresh = new_version(problem, answer, facts, by=by, session=session, now=now, run_id=run_id)
        if fresh:
            if answered is not None and kept:
                keep_ways(answered.points, answered.live, engine=quality.engine, session=session, now=now)
            session.add_all(_routes(plan, problem, answer, district=district))
            session.add_all(left_out(plan, answer))
        plan_id, version = str(plan.id), plan.version
    log.info(
        "plan.made", plan_id=plan_id, day=str(day), version=version, stops=len(problem.stops),
        routes=len(answer.routes), unassigned=len(answer.unassigned), cost_total=answer.cost.total,
        seconds=round(answer.search.seconds, 1), travel=quality.word, travel_engine=quality.engine,
        travel_note=quality.note, **{f"ways_{rung}": count for rung, count in quality.counts.items()},
    )  # fmt: skip
    return plan


def _routes(plan: Plan, problem: Problem, answer: planner.Plan, *, district: District) -> list[Route]:
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
