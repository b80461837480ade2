"""Whether a changed day lets a stop in: the day is planned again, from the standing plan and from nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from recycling.routing.admit import plan_of, rows_of
from recycling.routing.check import violations
from recycling.routing.day import Day
from recycling.routing.draft import Draft, complete
from recycling.routing.fixes import apply_fix
from recycling.routing.problem import MANDATORY_SKIP_COST, Problem
from recycling.routing.solve import solve
from tests.routing.exhaustive import best_cost

TRIES, STEPS = 3, 60
PATIENT = {"tries": 8, "steps": 300}  # where a claim stands or falls with what is found


def beside_the_rest(draft: Draft, stop: str, changed: Problem) -> Problem:
    """A changed day with the stop and everything that the standing plan serves, all of it mandatory.

    Other stops left out do not count: one of them must not take the place that was made for this one.
    """
    wanted = {key for row in rows_of(draft).values() for key in row} | {stop}
    return replace(
        changed,
        stops=tuple(replace(s, skip_cost=None) for s in changed.stops if s.key in wanted),
        vehicles=tuple(replace(v, locked=tuple(k for k in v.locked if k in wanted)) for v in changed.vehicles),
    )


def possible(draft: Draft, stop: str, changed: Problem) -> bool:
    """Whether any plan at all of a tiny day serves the stop and all that the standing plan serves."""
    return best_cost(beside_the_rest(draft, stop, changed)) < MANDATORY_SKIP_COST


def lets_in(draft: Draft, stop: str, changed: Problem) -> bool:
    """Whether a plan of the changed day is found that serves the stop and all that the standing plan serves.

    First the standing plan is completed; where that is not enough, an engine plans those stops from nothing.
    """
    rows, only = rows_of(draft), beside_the_rest(draft, stop, changed)
    day = Day(only)
    again = complete(Draft(day), tuple(_numbers(day, rows.get(v.key, ())) for v in only.vehicles))
    if not again.waiting:
        assert violations(only, plan_of(again)) == []
        return True
    return planned_from_nothing(draft, stop, changed, **PATIENT)


def planned_from_nothing(draft: Draft, stop: str, changed: Problem, *, tries: int = TRIES, steps: int = STEPS) -> bool:
    """The same, by an engine alone that does not know the standing plan."""
    only = beside_the_rest(draft, stop, changed)
    for seed in range(tries):
        plan = solve(only, seconds=120, workers=1, engines=("ruin",), iterations=steps, seed=seed)
        if not plan.unassigned:
            assert violations(only, plan) == []
            return True
    return False


def unchanged(draft: Draft, stop: str) -> Problem:
    """The control: the day with the stop made mandatory, and no rule changed."""
    return apply_fix(draft.day.problem, stop, {"kind": "skip_cost", "cost": 0})


def _numbers(day: Day, keys: Iterable[str]) -> tuple[int, ...]:
    return tuple(day.stop_index[key] for key in keys)
