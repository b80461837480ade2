"""Turn by turn (轮流出车): the planner's problem with fixed costs changed by what crews worked in the weeks before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy.orm import Session

from recycling.policy.balance import cost_offsets
from recycling.policy.district import District
from recycling.routing.problem import Problem
from recycling.usecases.queries.fairness import vehicle_days, worked_by_vehicle


def offsets_of(day: date, *, district: District, session: Session) -> dict[str, int]:
    """How much dearer or cheaper each vehicle is to use on a day; nothing is read while the rule has no weight."""
    rule = district.balance
    if not rule.weight:
        return {}
    monday = day - timedelta(days=day.weekday())
    first = monday - timedelta(weeks=rule.weeks)
    days = vehicle_days(first, district=district, session=session, days=7 * rule.weeks)
    worked_s = worked_by_vehicle(days, district=district)
    return cost_offsets({key: seconds // rule.weeks for key, seconds in worked_s.items()}, rule=rule)


def balanced(problem: Problem, offsets: Mapping[str, int]) -> Problem:
    """The problem with these changes of fixed costs; the same object when there are none.

    Leaving a pickup out stays dearer than any saving: its price rises by all that vehicles may cost more.
    """
    if not any(offsets.values()):
        return problem
    dearer = sum(max(offset, 0) for offset in offsets.values())
    return replace(
        problem,
        vehicles=tuple(
            replace(one, fixed_cost=max(one.fixed_cost + offsets.get(one.key, 0), 0)) for one in problem.vehicles
        ),
        stops=tuple(
            replace(stop, skip_cost=None if stop.skip_cost is None else stop.skip_cost + dearer)
            for stop in problem.stops
        ),
    )
