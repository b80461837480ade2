"""A verdict on a move by hand: what the whole checker says of the whole plan, in a fraction of the time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from benchmarks.district import district_day
from recycling.routing.check import violations
from recycling.routing.construction import first_draft, standing_draft
from recycling.routing.cost import evaluate
from recycling.routing.day import Day
from recycling.routing.plan import Plan, Route
from recycling.routing.problem import Problem
from recycling.routing.recheck import Found, Recheck
from recycling.routing.solve import checked_plan
from recycling.routing.verdict import Judge, Verdict
from tests.proof.harness import Proof, Size

AT_ONCE_MS = 150  # what a person who drags takes for at once


def moves(plan: Plan, rng: Random, many: int) -> Iterator[dict[str, list[str]]]:
    """Random moves of one stop from one route to any place of another."""
    rows = {route.vehicle: [step.stop for step in route.steps if step.stop is not None] for route in plan.routes}
    for _ in range(many):
        one, other = rng.sample(sorted(rows), 2)
        stop = rng.choice(rows[one])
        longer = list(rows[other])
        longer.insert(rng.randrange(len(longer) + 1), stop)
        yield {one: [s for s in rows[one] if s != stop], other: longer}


def differs(problem: Problem, verdict: Verdict) -> bool:
    whole = Counter(violations(problem, verdict.plan))
    return whole != Counter(verdict.violations) or evaluate(problem, verdict.plan) != verdict.plan.cost


def ms(times: list[float], share: float) -> float:
    return 1000 * sorted(times)[int(share * (len(times) - 1))]


def test_a_verdict_is_the_whole_checkers_and_comes_at_once(
    size: Size, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a day and its first plan
    stops, many, compared = (200, 60, 20) if size == "small" else (1000, 200, 50)
    problem = district_day(stops, 7, "full")
    day = Day(problem)
    plan = checked_plan(first_draft(day))
    judge, took, wrong, whole = Judge(problem, plan), list[float](), 0, list[float]()
    for number, wish in enumerate(moves(plan, Random(7), many)):
        # when stops are moved at random
        began = time.perf_counter()
        verdict = judge.verdict(wish)
        took.append(time.perf_counter() - began)
        if number < compared:
            # then each verdict is compared with judging the whole plan
            wrong += differs(problem, verdict)
        if number < 5:
            began = time.perf_counter()
            standing_draft(day, verdict.plan)
            violations(problem, verdict.plan)
            whole.append(time.perf_counter() - began)

    # and a checker that takes a changed route for the one before is found wrong by the same comparison
    def by_vehicle(self: Any, route: Route) -> Found:
        found: Found = self._found.setdefault(route.vehicle, None) or self._judged(route)
        self._found[route.vehicle] = found
        return found

    monkeypatch.setattr(Recheck, "_of", by_vehicle)
    careless = Judge(problem, plan)
    caught = sum(differs(problem, careless.verdict(wish)) for wish in moves(plan, Random(7), compared))
    proof.record(
        figure=f"{ms(took, 0.5):.0f} ms, 95 % within {ms(took, 0.95):.0f} at {stops} stops, {wrong}/{compared} wrong",
        target=f"{AT_ONCE_MS} ms, none wrong",
        control=f"timing and checking everything takes {ms(whole, 0.5):.0f} ms; a careless checker: {caught} wrong",
        ok=wrong == 0 and ms(took, 0.5) <= AT_ONCE_MS and caught > compared // 2,
    )
