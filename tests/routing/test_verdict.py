"""A dispatcher's moves judged: the verdict is the full checker's, whatever is moved where."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recycling.errors import InvalidInput
from recycling.routing.check import violations
from recycling.routing.check_walk import Violation
from recycling.routing.construction import first_draft
from recycling.routing.cost import evaluate
from recycling.routing.day import Day
from recycling.routing.plan import Plan, Route
from recycling.routing.problem import Break, Problem
from recycling.routing.recheck import Found, Recheck
from recycling.routing.solve import checked_plan
from recycling.routing.verdict import Judge, Verdict
from tests.routing.days import a_day
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle

Sequences = dict[str, list[str]]


def planned(problem: Problem) -> Plan:
    """The planner's first plan of a day."""
    return checked_plan(first_draft(Day(problem)))


def sequences_of(plan: Plan) -> Sequences:
    return {route.vehicle: [step.stop for step in route.steps if step.stop is not None] for route in plan.routes}


def random_moves(problem: Problem, plan: Plan, rng: Random, moves: int) -> Sequences:
    """Move random stops anywhere, also off every route and from the list of those left out; the routes changed."""
    now, left = sequences_of(plan), [one.stop for one in plan.unassigned]
    changed: Sequences = {}
    for _ in range(moves):
        stop = rng.choice(problem.stops).key
        for vehicle, stops in now.items():
            if stop in stops:
                stops.remove(stop)
                changed[vehicle] = stops
        if stop in left:
            left.remove(stop)
        if rng.random() < 0.1:
            left.append(stop)
            continue
        vehicle = rng.choice(problem.vehicles).key
        stops = now.setdefault(vehicle, [])
        stops.insert(rng.randrange(len(stops) + 1), stop)
        changed[vehicle] = stops
    return changed


def differs(problem: Problem, verdict: Verdict) -> bool:
    """Whether the full checker, or its evaluation, says something else of the plan than the verdict."""
    whole = Counter(violations(problem, verdict.plan))
    return whole != Counter(verdict.violations) or evaluate(problem, verdict.plan) != verdict.plan.cost


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 10**6), rounds=st.integers(1, 4))
def test_a_verdict_is_what_the_full_checker_says_of_the_whole_plan(seed: int, rounds: int) -> None:
    # given a random day with locks, breaks, limits and vehicles under way, and its plan
    problem, rng = a_day(seed, stops=18), Random(seed)
    plan = planned(problem)
    judge = Judge(problem, plan)
    for _ in range(rounds):
        # when random stops are moved, one wish after the other before the same judge
        wish = random_moves(problem, plan, rng, rng.randint(1, 4))
        verdict = judge.verdict(wish)
        # then recomputing everything says the same, word for word and part by part of the cost
        assert not differs(problem, verdict)
        # and the routes are the ones wished for
        assert sequences_of(verdict.plan) == {v: stops for v, stops in (sequences_of(plan) | wish).items() if stops}


def test_a_checker_that_takes_a_changed_route_for_the_old_one_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # given a checker that remembers routes by their vehicle, so that it does not see a change
    def by_vehicle(self: Any, route: Route) -> Found:
        if route.vehicle not in self._found:
            self._found[route.vehicle] = self._judged(route)
        found: Found = self._found[route.vehicle]
        return found

    monkeypatch.setattr(Recheck, "_of", by_vehicle)
    # when the same random moves are judged
    wrong = 0
    for seed in range(20):
        problem, rng = a_day(seed, stops=18), Random(seed)
        plan = planned(problem)
        verdict = Judge(problem, plan).verdict(random_moves(problem, plan, rng, 2))
        wrong += differs(problem, verdict)
    # then the comparison above says so
    assert wrong > 10


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_place_offered_breaks_nothing_and_costs_what_it_says(seed: int) -> None:
    # given a stop of a plan; no station has an intake limit, which routes take from each other in their sequence
    problem, rng = a_day(seed, stops=18), Random(seed)
    problem = replace(problem, stations=tuple(replace(station, intake_limit=None) for station in problem.stations))
    plan, stop = planned(problem), rng.choice(problem.stops).key
    judge, now = Judge(problem, plan), sequences_of(plan)
    without: Sequences = {v: [s for s in stops if s != stop] for v, stops in now.items() if stop in stops}
    bare = judge.verdict(without)
    if bare.violations:
        return  # a lock that is broken, or a way that is longer without a stop: nothing to compare with
    # when its places are asked for
    for place in judge.places(stop, {}):
        wish = without | {place.vehicle: list((now | without).get(place.vehicle, []))}
        wish[place.vehicle].insert(place.position, stop)
        verdict = judge.verdict(wish)
        # then each can be taken, at the instant and for the cost it names; skipping the stop is no longer paid for
        assert verdict.violations == ()
        (start_s,) = (s.start_s for route in verdict.changed for s in route.steps if s.stop == stop)
        assert start_s == place.start_s
        driving = verdict.plan.cost.total - verdict.plan.cost.skipped
        assert driving - (bare.plan.cost.total - bare.plan.cost.skipped) == place.added_cost


def found(verdict: Verdict) -> list[tuple[str, str | None, int, str | None]]:
    return [(v.cause, v.stop, v.excess, v.unit) for v in verdict.violations]


def a_morning_and_an_afternoon() -> Problem:
    """Two vans beside each other; "b" is for the morning, "c" for the afternoon, and no van takes all three."""
    return a_problem(
        (0, 600, 1_000, 1_500),
        (a_station("home", 0),),
        (a_vehicle("v1", break_=Break(window_s=(41_400, 46_800), duration_s=3_600)), a_vehicle("v2")),
        (
            a_stop("a", 1, load=(60,)),
            a_stop("b", 2, load=(30,), windows_s=((28_800, 36_000),)),
            a_stop("c", 3, load=(30,), windows_s=((50_400, 57_600),)),
        ),
    )


def test_a_stop_dragged_behind_the_afternoon_is_late_by_what_the_clock_says() -> None:
    problem = a_morning_and_an_afternoon()
    judge = Judge(problem, planned(problem))
    # when the morning's stop is to be served after the afternoon's
    verdict = judge.verdict({"v1": [], "v2": ["c", "b", "a"]})
    # then service at "c" begins at 50,400 and takes 300 s, the way to "b" 500 s: 51,200 is 15,200 s past 36,000
    assert found(verdict) == [("outside_window", "b", 15_200, None)]
    # and undone, nothing breaks
    assert found(judge.verdict({"v1": [], "v2": ["b", "a", "c"]})) == []


def test_what_is_taken_off_is_named_and_priced() -> None:
    problem = a_morning_and_an_afternoon()
    plan = planned(problem)
    verdict = Judge(problem, plan).verdict(
        {vehicle: [s for s in stops if s != "a"] for vehicle, stops in sequences_of(plan).items()}
    )
    assert verdict.left_out == ("a",)
    assert verdict.plan.cost.skipped == problem.stop_by_key["a"].skip_cost
    assert verdict.violations == ()


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        ({"nobody": ["a"]}, "nobody"),
        ({"v1": ["x"]}, "x"),
        ({"v1": ["a", "a"]}, "two routes"),
        ({"v1": ["a"], "v2": ["a"]}, "two routes"),
    ],
)
def test_a_wish_that_is_no_plan_is_refused(wish: Sequences, named: str) -> None:
    problem = a_morning_and_an_afternoon()
    with pytest.raises(InvalidInput, match=named):
        Judge(problem, planned(problem)).verdict(wish)


def test_the_unit_of_an_overload_is_told() -> None:
    # given no station that takes unloads on the way
    problem = a_problem(
        (0, 600, 1_000), (a_station("home", 0, can_unload=False),), (a_vehicle("v1"), a_vehicle("v2")),
        (a_stop("a", 1, load=(60,)), a_stop("b", 2, load=(60,))),
    )  # fmt: skip
    verdict = Judge(problem, planned(problem)).verdict({"v1": ["a", "b"], "v2": []})
    # then the second stop makes 120 of 100
    assert found(verdict) == [("over_capacity", "b", 20, problem.load_units[0])]
    assert all(isinstance(one, Violation) for one in verdict.violations)
