"""Tiny days that an oracle plans by trying everything: never beaten, and reached with enough search."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recycling.routing import few
from recycling.routing.construction import first_draft
from recycling.routing.day import Day
from recycling.routing.solve import solve
from tests.routing.days import a_tiny_day
from tests.routing.oracle import best_plan


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_the_first_plan_never_costs_less_than_the_best_one(seed: int) -> None:
    problem = a_tiny_day(seed, stops=3)
    assert first_draft(Day(problem)).cost >= best_plan(problem)


# Days on which the first plan is not the best one, so that the search has something to find.
@pytest.mark.parametrize("seed", [106, 121, 140])
def test_ruin_and_recreate_finds_the_best_plan(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a planner that leaves even few stops to its engines
    monkeypatch.setattr(few, "FEW", 0)
    problem = a_tiny_day(seed)
    best = best_plan(problem)
    assert first_draft(Day(problem)).cost > best
    assert solve(problem, seconds=20, workers=1, engines=("ruin",), iterations=250).cost.total == best


@pytest.mark.parametrize("seed", [106, 121, 140])
def test_few_stops_are_planned_best_without_any_engine(seed: int) -> None:
    problem = a_tiny_day(seed)
    draft = few.best_of_few(first_draft(Day(problem)), until=math.inf)
    assert draft is not None
    assert draft.cost == best_plan(problem)
    assert few.best_of_few(draft, until=0) is None
