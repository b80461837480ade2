"""Judge a dispatcher's edits (判定调整): what breaks, what it costs, where a stop fits best. Writes nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.routing.breach_words import said
from recycling.routing.plan import COST_PARTS, Route, Step
from recycling.routing.verdict import Judge, Verdict, Wish
from recycling.usecases.planning.judges import Judges


def judge_edits(plan_id: UUID, wish: Wish, *, judges: Judges, session: Session) -> dict[str, Any]:
    """What the checker says of a plan with some routes changed.

    Raises
    ------
    NotFound
        As for `Judges.of`.
    InvalidInput
        When a vehicle or booking is not the plan's, or a booking would be on two routes.
    """
    with judges.of(plan_id, session=session) as judge:
        before, after = judge.verdict({}), judge.verdict(wish)
        return verdict_in_words(judge, before, after)


def find_places(plan_id: UUID, booking_id: UUID, wish: Wish, *, judges: Judges, session: Session) -> dict[str, Any]:
    """The best place for a booking on each vehicle that can take it, cheapest first; fails as `judge_edits`."""
    with judges.of(plan_id, session=session) as judge:
        found = judge.places(str(booking_id), wish)
    return {
        "places": [
            {"vehicle_key": one.vehicle, "position": one.position, "start_s": one.start_s, "added_cost": one.added_cost}
            for one in found
        ]
    }


def verdict_in_words(judge: Judge, before: Verdict, after: Verdict) -> dict[str, Any]:
    """A verdict as it goes out, compared with the plan as it is."""
    cost = {part: getattr(after.plan.cost, part) for part in COST_PARTS}
    return {
        "keeps_the_rules": not after.violations and not after.left_out,
        "violations": [
            {"cause": one.cause, "vehicle_key": one.vehicle, "booking_id": one.stop, "excess": one.excess}
            | dict(zip(("zh", "en"), said(one), strict=True))
            for one in after.violations
        ],
        "left_out": list(after.left_out),
        "cost": cost,
        "added_cost": _driving(after) - _driving(before),
        "added_travel_s": after.travel_s - before.travel_s,
        "added_distance_m": after.distance_m - before.distance_m,
        "routes": [route_shown(route) for route in after.changed],
    }


def _driving(verdict: Verdict) -> int:
    """What the routes cost; the price of a promise left out is no money."""
    return verdict.plan.cost.total - verdict.plan.cost.skipped


def route_shown(route: Route) -> dict[str, Any]:
    """A route as the board draws it."""
    return {"vehicle_key": route.vehicle, "steps": [_step(step) for step in route.steps]}


def _step(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind, "booking_id": step.stop, "station_key": step.station,
        "arrival_s": step.arrival_s, "start_s": step.start_s, "end_s": step.end_s, "load_g": step.load[0],
        "load_l": step.load[1],
    }  # fmt: skip
