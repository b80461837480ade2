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
from recycling.models.plan import Plan, RouteStop, Unassigned
from recycling.policy.access import Principal
from recycling.routing import plan as planner
from recycling.routing.check import violations
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
        made = made_by(run_id, session)
        if made is not None:
            return made, False


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
