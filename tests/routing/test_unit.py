"""What travels to a worker and back: the answer of an engine is read with suspicion."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from recycling.routing.day import Day
from recycling.routing.draft import Draft, complete
from recycling.routing.engines import Ask
from recycling.routing.problem import Problem
from recycling.routing.unit import Unit, improve, read_answer, read_numbers
from tests.routing.days import a_day
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle


@pytest.fixture
def two_and_two() -> Problem:
    """A day of two vehicles and two stops."""
    return a_problem(
        (0, 600, 900), (a_station("home", 0),), (a_vehicle("v1"), a_vehicle("v2")), (a_stop("a", 1), a_stop("b", 2))
    )


@pytest.mark.parametrize(
    "best",
    [None, [], [[0], [1], [2]], [[0], 1], [[0], [True]], [[0], [2]], [[-1], []], [[0, 1, 0], []], [[0.5], []], "[[]]"],
)
def test_sequences_that_are_none_are_passed_over(two_and_two: Problem, best: Any) -> None:
    assert read_answer(json.dumps({"best": best, "routes": []}), two_and_two) is None


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"7", b"\xff", b"[" * 100_000, None, 7, b'{"best": [[],[]]}'])
def test_an_answer_that_is_none_is_passed_over(two_and_two: Problem, raw: Any) -> None:
    assert read_answer(raw, two_and_two) is None


@pytest.mark.parametrize(
    "route", [None, [], [0, [0], 5], [2, [0], 5, []], [0, [], 5, []], [0, [0, 0], 5, []], [0, [0], -5, []],
              [0, [0], 5, [[1]]], [0, [0], 10**10, []], [0, ["a"], 5, []]],
)  # fmt: skip
def test_a_route_that_is_none_is_left_out_and_the_rest_is_read(two_and_two: Problem, route: Any) -> None:
    answer = read_answer(json.dumps({"best": [[1, 0], []], "routes": [route, [1, [1], 7, []]]}), two_and_two)
    assert answer is not None
    assert answer.best == ((1, 0), ())
    assert [(found.vehicle, found.stops, found.cost) for found in answer.routes] == [(1, (1,), 7)]


@pytest.mark.parametrize("memory", [None, "x", [1], [True], [float("nan")], {"a": 1}])
def test_a_memory_that_is_none_is_forgotten(two_and_two: Problem, memory: Any) -> None:
    answer = read_answer(json.dumps({"best": [[1, 0], []], "routes": [], "memory": memory}), two_and_two)
    assert answer is not None
    assert answer.memory is None


def test_penalties_that_settled_are_remembered_for_the_next_part() -> None:
    problem = a_day(1, stops=15)
    warm = complete(Draft(Day(problem)), tuple(() for _ in problem.vehicles)).sequences
    ask = Ask(problem=problem, warm=warm, seconds=20, seed=3, iterations=300)
    pyvrp = "recycling.routing.engines.pyvrp_engine:PyVrp"
    first = read_answer(improve(Unit(address=pyvrp, ask=ask)), problem)
    assert first is not None
    assert first.memory is not None
    # one penalty per load unit and one for lateness; a search that stops at once has not moved them
    again = replace(ask, iterations=1, memory=first.memory)
    second = read_answer(improve(Unit(address=pyvrp, ask=again)), problem)
    assert second is not None
    assert len(first.memory) == len(problem.load_units) + 1
    assert second.memory == first.memory


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"[0, 0]", b"[3]", b"[-1]", b"[true]", None])
def test_numbers_that_name_no_routes_are_passed_over(raw: Any) -> None:
    assert read_numbers(raw, 3) is None


def test_numbers_are_read() -> None:
    assert read_numbers(b"[2, 0]", 3) == [2, 0]


def test_a_unit_answers_with_its_best_and_with_routes_at_their_exact_cost() -> None:
    problem = a_day(1, stops=15)
    day = Day(problem)
    warm = complete(Draft(day), tuple(() for _ in problem.vehicles))
    ask = Ask(problem=problem, warm=warm.sequences, seconds=20, seed=3, iterations=40)
    answer = read_answer(improve(Unit(address="recycling.routing.engines.ruin_engine:Ruin", ask=ask)), problem)
    assert answer is not None
    assert complete(Draft(day), answer.best).cost < warm.cost
    assert answer.routes
    for route in answer.routes:
        timed = Draft(day).time(route.vehicle, route.stops)
        assert timed is not None
        assert (timed.cost, timed.intake) == (route.cost, route.intake)
