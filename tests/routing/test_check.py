"""The checker as a whole: silent on good plans, never on damaged ones, never raising, never leaning on the search."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recycling.routing import check
from recycling.routing.check import RULES, Violation, violations
from recycling.routing.plan import Plan, Route, Search, Step, StepKind, Unassigned
from tests.routing.damage import DAMAGES, Damage, causes_of
from tests.routing.good_days import GOOD_DAYS, Day, under_way_with_locks
from tests.routing.hand import a_cost

ROUTING = Path(check.__file__).parent


@pytest.mark.parametrize("day", GOOD_DAYS, ids=lambda day: day.__name__)
def test_a_valid_plan_has_no_violation(day: Callable[[], Day]) -> None:
    problem, plan = day()
    assert violations(problem, plan) == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_a_damage_is_found_by_its_name_on_every_plan_it_fits(damage: Damage) -> None:
    # given every valid plan by hand and three draws of where to strike
    damaged = [damage.harm(*day(), Random(seed)) for day in GOOD_DAYS for seed in range(3)]
    judged = [pair for pair in damaged if pair is not None]
    # then the damage was done at least once, and each time its own rules report it
    assert judged
    for problem, plan in judged:
        assert damage.causes <= {found.cause for found in violations(problem, plan)}


def test_every_cause_a_rule_announces_belongs_to_a_damage_and_the_other_way_round() -> None:
    announced = [causes_of(rule) for rule in RULES]
    assert all(announced)
    assert set().union(*announced) == {cause for damage in DAMAGES for cause in damage.causes}


def test_every_rule_is_one_function_that_says_its_rule() -> None:
    assert len({rule.__name__ for rule in RULES}) == len(RULES)
    assert all((rule.__doc__ or "").startswith("Rule: ") for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_without_a_rule_some_damage_passes_unnoticed(rule: object, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a checker with this one rule switched off
    monkeypatch.setattr(check, "RULES", tuple(other for other in RULES if other is not rule))
    # when every plan is damaged in every way
    damaged = (damage.harm(*day(), Random(0)) for damage in DAMAGES for day in GOOD_DAYS)
    # then at least one of them looks valid: the rule is not a repetition of the others
    assert any(pair is not None and not violations(*pair) for pair in damaged)


def test_the_checker_imports_the_problem_the_plan_and_itself_only() -> None:
    own = {"check", "check_route", "check_walk", "cost"}
    allowed = {f"recycling.routing.{name}" for name in own | {"problem", "plan"}}
    for name in own:
        tree = ast.parse((ROUTING / f"{name}.py").read_text())
        found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {module for module in found if module.startswith("recycling")} <= allowed


def test_a_plan_of_another_day_is_reported_and_never_raised() -> None:
    for mine, other in product(GOOD_DAYS, repeat=2):
        assert isinstance(violations(mine()[0], other()[1]), list)


# Few keys and small numbers, so that chance also hits upon things that exist.
_keys = st.sampled_from(["home", "v1", "v2", "a", "b", "c", "no such key"])
_counts = st.one_of(st.integers(-2, 4), st.integers(28_000, 50_000), st.integers(-(10**12), 10**12))
_steps = st.builds(
    Step,
    kind=st.sampled_from(get_args(StepKind)),
    location=_counts,
    arrival_s=_counts,
    start_s=_counts,
    end_s=_counts,
    load=st.lists(_counts, max_size=3).map(tuple),
    stop=st.none() | _keys,
    station=st.none() | _keys,
)
_routes = st.builds(Route, vehicle=_keys, steps=st.lists(_steps, max_size=6).map(tuple))
_plans = st.builds(
    Plan,
    cost=st.builds(a_cost, fixed=_counts, skipped=_counts),
    routes=st.lists(_routes, max_size=3).map(tuple),
    unassigned=st.lists(
        st.builds(Unassigned, stop=_keys, reason=st.just("invalid"), detail=st.just("")), max_size=3
    ).map(tuple),
    search=st.just(Search(seconds=0.0)),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(day=st.sampled_from(GOOD_DAYS), plan=_plans)
def test_whatever_a_plan_holds_is_reported_and_never_raised(day: Callable[[], Day], plan: Plan) -> None:
    found = violations(day()[0], plan)
    assert all(one.excess >= 0 and one.text for one in found)


@settings(max_examples=200, deadline=None)
@given(day=st.sampled_from(GOOD_DAYS), at=st.randoms(use_true_random=False), step=_steps)
def test_a_valid_plan_with_any_step_written_over_is_reported_and_never_raised(
    day: Callable[[], Day], at: Random, step: Step
) -> None:
    problem, plan = day()
    routes = list(plan.routes)
    if routes:
        r = at.randrange(len(routes))
        steps = list(routes[r].steps)
        steps[at.randrange(len(steps))] = step
        routes[r] = replace(routes[r], steps=tuple(steps))
    assert isinstance(violations(problem, replace(plan, routes=tuple(routes))), list)


def test_one_sentence_holds_the_values() -> None:
    # given a vehicle under way that is said to be there ten seconds late
    problem, plan = under_way_with_locks()
    first = replace(plan.routes[0].steps[0], arrival_s=39_010, start_s=39_010)
    late = replace(plan, routes=(replace(plan.routes[0], steps=(first, *plan.routes[0].steps[1:])),))
    # then the report names cause, vehicle, size and both instants
    assert violations(problem, late) == [
        Violation(
            cause="wrong_start_time",
            vehicle="v1",
            excess=10,
            text="the first step arrives at 39010, but the vehicle is there at 39000",
        )
    ]
