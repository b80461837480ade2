"""The front door: a checked plan in time, whatever the day and whatever the engines do."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recycling.errors import InvalidInput
from recycling.routing import few
from recycling.routing.check import violations
from recycling.routing.engines import ENGINES
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem
from recycling.routing.search import RECOMBINE
from recycling.routing.solve import Progress, solve
from tests.routing import hostile
from tests.routing.days import a_day, a_tiny_day
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle


def _until_better(problem: Problem, **how: Any) -> tuple[Plan, int]:
    """The plan of a search that ends once an engine has made it cheaper, however busy the machine; the first cost."""
    costs: list[int] = []
    plan = solve(
        problem, seconds=120, on_progress=lambda found: costs.append(found.best_cost),
        should_stop=lambda: costs[-1] < costs[0], **how,
    )  # fmt: skip
    return plan, costs[0]


# --- the answer ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("seed", range(2))
def test_every_engine_ends_in_a_checked_plan_no_dearer_than_the_first(engine: str, seed: int) -> None:
    problem = a_day(seed, stops=25)
    first = solve(problem, seconds=1, engines=())
    plan = solve(problem, seconds=2.5, workers=1, engines=(engine,))
    assert violations(problem, plan) == []
    assert plan.cost.total <= first.cost.total
    assert set(plan.search.engines) <= {engine, RECOMBINE}


def test_engines_improve_a_day_that_insertion_alone_leaves_dear() -> None:
    problem = a_day(1, stops=40, vehicles=6)
    plan, first_cost = _until_better(problem, workers=2, engines=("pyvrp", "ortools"))
    assert plan.cost.total < first_cost
    assert sum(plan.search.engines.values()) > 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_any_day_gets_a_checked_plan_with_a_reason_beside_every_stop_left_out(seed: int) -> None:
    problem = a_tiny_day(seed, stops=6, vehicles=2)
    plan = solve(problem, seconds=1, engines=())
    assert violations(problem, plan) == []
    assert all(left.detail for left in plan.unassigned)


def test_the_same_seed_and_iterations_give_the_same_cost() -> None:
    problem = a_day(4, stops=20)
    for engine in ENGINES:
        runs = [
            solve(problem, seconds=300, workers=1, seed=7, engines=(engine,), iterations=20).cost.total
            for _ in range(2)
        ]
        assert runs[0] == runs[1]


def test_no_stops_no_vehicles_and_nothing_at_all_are_answered_too() -> None:
    stations = (a_station("home", 0),)
    nothing = a_problem((0,), stations, (a_vehicle("v1"),), ())
    assert solve(nothing, seconds=1).routes == ()
    nobody = a_problem((0, 600), stations, (), (a_stop("a", 1),))
    plan = solve(nobody, seconds=1)
    assert [left.reason for left in plan.unassigned] == ["fleet_full"]
    assert violations(nobody, plan) == []
    assert solve(a_problem((), (), (), ()), seconds=1).cost.total == 0


def test_a_day_without_load_units_is_planned() -> None:
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1", capacity=()),), (a_stop("a", 1, load=()),), load_units=()
    )
    plan = solve(problem, seconds=3, workers=1)
    assert violations(problem, plan) == []
    assert plan.cost.total == 2_200


@pytest.mark.parametrize("engine", list(ENGINES))
def test_numbers_as_large_as_the_format_takes_are_planned(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few, "FEW", 0)
    huge = 10**12
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1", fixed_cost=huge, capacity=(huge,), cost_per_m=huge),),
        (a_stop("a", 1, load=(huge,), skip_cost=None), a_stop("b", 1, service_s=huge), a_stop("c", 1, skip_cost=huge)),
    )  # fmt: skip
    plan = solve(problem, seconds=2, workers=1, engines=(engine,))
    assert violations(problem, plan) == []


# --- time ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", hostile.MISCHIEF, ids=lambda engine: engine.__name__)
def test_a_hostile_engine_costs_nothing_but_its_share_of_the_time(engine: type) -> None:
    problem = a_day(2, stops=20)
    first = solve(problem, seconds=1, engines=())
    began = time.monotonic()
    plan = solve(problem, seconds=1.5, workers=1, engines=(hostile.address(engine),))
    # then the answer comes by the limit + 5 s, valid, and as good as without the engine
    assert time.monotonic() - began < 1.5 + 5
    assert violations(problem, plan) == []
    assert plan.cost.total <= first.cost.total


def test_a_good_engine_beside_a_hostile_one_still_counts() -> None:
    problem = a_day(1, stops=30)
    plan, first_cost = _until_better(problem, workers=2, engines=(hostile.address(hostile.Crashes), "ruin"))
    assert plan.cost.total < first_cost
    assert violations(problem, plan) == []


def test_the_limit_holds_when_the_first_plan_alone_takes_longer() -> None:
    problem = a_day(3, stops=400, vehicles=20)
    began = time.monotonic()
    plan = solve(problem, seconds=0.2)
    assert time.monotonic() - began < 0.2 + 5
    assert violations(problem, plan) == []


def test_a_caller_who_says_stop_gets_the_best_plan_so_far_at_once() -> None:
    began = time.monotonic()
    plan = solve(a_day(2, stops=20), seconds=60, workers=1, engines=("ruin",), should_stop=lambda: True)
    assert time.monotonic() - began < 10
    assert plan.cost.total > 0


def test_progress_goes_on_in_time_and_only_down_in_cost() -> None:
    seen: list[Progress] = []
    problem = a_day(1, stops=30)
    plan = solve(problem, seconds=3, workers=1, engines=("ruin",), on_progress=seen.append)
    assert [p.elapsed_s for p in seen] == sorted(p.elapsed_s for p in seen)
    assert [p.best_cost for p in seen] == sorted((p.best_cost for p in seen), reverse=True)
    assert seen[-1].best_cost == plan.cost.total
    assert seen[-1].stops_planned == 30 - len(plan.unassigned)
    assert seen[-1].stops_total == 30


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(InvalidInput, match="seconds"):
        solve(a_tiny_day(1), seconds=seconds)


def test_fewer_than_no_workers_are_refused() -> None:
    with pytest.raises(InvalidInput, match="workers"):
        solve(a_tiny_day(1), seconds=1, workers=-1)


def test_an_unknown_engine_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidInput, match=r"'vroom'.*ortools"):
        solve(a_tiny_day(1), seconds=1, engines=("vroom",))


def test_skills_nobody_has_do_not_keep_the_rest_of_the_day_from_being_planned() -> None:
    problem = a_day(1, stops=10)
    poisoned = replace(problem, stops=(replace(problem.stops[0], skills=frozenset({"flying"})), *problem.stops[1:]))
    plan = solve(poisoned, seconds=1, engines=())
    assert ("missing_skill", poisoned.stops[0].key) in {(left.reason, left.stop) for left in plan.unassigned}
    assert sum(len(route.steps) for route in plan.routes) > 0
