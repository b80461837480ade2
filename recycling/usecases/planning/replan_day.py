"""Plan the rest of a running day (当日重排): an immutable version of the whole day, and what it changes for whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.logs import logger
from recycling.models.healing import ReplanProposal
from recycling.models.plan import Plan, Route, RouteCrew
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing import plan as planner
from recycling.routing.cost import driven
from recycling.routing.problem import Problem
from recycling.routing.solve import solve
from recycling.usecases.planning.day_problem import fingerprint
from recycling.usecases.planning.live_day import LiveDay, live_day
from recycling.usecases.planning.mend import Mended, difference, mended
from recycling.usecases.planning.plan_day import Solver
from recycling.usecases.planning.store_plan import left_out, made_by, new_version, refuse_broken, stop_rows

log = logger(__name__)

TOLD_S = 900  # a visit that moves by no more is where people were told it would be


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A proposal as it was stored, and the planner's answer, for a search that goes on from it."""

    plan_id: UUID
    answer: planner.Plan


def replan_day(
    day: date,
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    seconds: float,
    workers: int,
    seed: int,
    solve: Solver = solve,
    warm: planner.Plan | None = None,
    run_id: UUID | None = None,
) -> Proposed:
    """Make a proposal for the rest of today. Call it outside any transaction: none is open while the planner works.

    Nobody goes by it before it is published. The same ``run_id`` again answers with what this job run has made.

    Raises
    ------
    Conflict, NotFound
        As for `live_day.live_day`.
    PlanRejected
        When the answer breaks a rule of the planner's contract; nothing of it is kept.
    """
    session.rollback()
    made = made_by(run_id, session)
    if made is not None:
        return Proposed(plan_id=made.id, answer=planner.plan_from_json(made.answer))
    live = live_day(day, district=district, session=session, now=now)
    session.rollback()
    result = mended(live, solve=solve, seconds=seconds, workers=workers, seed=seed, warm=warm)
    refuse_broken(result.problem, result.answer)
    found = difference(live, result)
    with atomic(session):
        base = session.get_one(Plan, live.root_id)
        facts = {
            "problem_sha256": fingerprint(result.problem), "travel_quality": base.travel_quality,
            "travel_cells": base.travel_cells, "travel_note": base.travel_note,
        }  # fmt: skip
        plan, fresh = new_version(
            result.problem, result.answer, facts, by=by, session=session, now=now, run_id=run_id
        )  # fmt: skip
        if fresh:
            session.add_all(_routes(plan, live, result))
            session.add_all(left_out(plan, result.answer))
            session.flush()
            session.add(_proposal(plan, live, result, found, now=now))
        plan_id, version = plan.id, plan.version
    figures = counts(live, result, found)
    log.info("replan.made", plan_id=str(plan_id), day=str(day), version=version, cause=live.cause, **figures)
    return Proposed(plan_id=plan_id, answer=result.answer)


def counts(live: LiveDay, result: Mended, found: list[dict[str, Any]]) -> dict[str, int]:
    """How much a proposal changes; ``eased`` of the ``moved`` were with a vehicle that drives no more."""
    moved = [one for one in found if one["vehicle_after"] not in (None, one["vehicle_before"])]
    moved = [one for one in moved if one["vehicle_before"] is not None]
    return {
        "open_stops": len(result.problem.stops),
        "moved": len(moved),
        "eased": sum(one["vehicle_before"] in live.happened.broken for one in moved),
        "broken": sum(breaks(one) for one in found),
        "left_out": len(result.answer.unassigned),
    }


def breaks(change: dict[str, Any]) -> bool:
    """Whether a change breaks a promise anew: the window is lost, or a late visit comes at another time or never."""
    before, after = change["start_before_s"], change["start_after_s"]
    if change["kept"] or before is None:
        return False
    return change["kept_before"] or after is None or abs(after - before) > TOLD_S


def touched(changes: list[dict[str, Any]]) -> set[str]:
    """The stops that leave the vehicle they are with."""
    return {
        one["booking_id"]
        for one in changes
        if one["vehicle_before"] is not None and one["vehicle_after"] != one["vehicle_before"]
    }


def _proposal(
    plan: Plan, live: LiveDay, result: Mended, found: list[dict[str, Any]], *, now: datetime
) -> ReplanProposal:
    return ReplanProposal(
        plan_id=plan.id, base_plan_id=live.base_id, root_plan_id=live.root_id, day=live.day,
        now_s=live.happened.now_s, cause=live.cause, seen=live.mark(touched(found)), changes=found, made_at=now,
        **counts(live, result, found),
    )  # fmt: skip


def _routes(plan: Plan, live: LiveDay, result: Mended) -> list[Route]:
    found = []
    for route in result.whole.routes:
        vehicle = live.problem.vehicle_by_key[route.vehicle]
        travel_s, distance_m = _driven(live.problem, result.problem, route)
        crew = live.crews[route.vehicle]
        found.append(
            Route(
                id=uuid4(), plan_id=plan.id, vehicle_key=route.vehicle, collector_key=crew[0], distance_m=distance_m,
                travel_s=travel_s, crew=[RouteCrew(collector_key=key) for key in crew],
                stops=stop_rows(route, start_station=vehicle.start_station),
            )
        )  # fmt: skip
    return found


def _driven(day: Problem, rest: Problem, route: planner.Route) -> tuple[int, int]:
    """Seconds and metres of a whole route; it ends where the rest of the day says."""
    vehicle, now = day.vehicle_by_key[route.vehicle], rest.vehicle_by_key.get(route.vehicle)
    return driven(day, vehicle if now is None else replace(vehicle, end_station=now.end_station), route)
