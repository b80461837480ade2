"""What a plan costs: each part of the contract's formula, and each kind of travel, by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.routing.cost import evaluate, haversine_m, leg
from recycling.routing.problem import Euclidean, GreatCircle, Problem
from tests.routing.damage import row
from tests.routing.good_days import (
    GOOD_DAYS,
    Day,
    break_after_arriving,
    break_before_leaving,
    left_out_with_an_impossible_lock,
    nothing_to_do,
    one_way_streets,
    overtime_at_a_price,
    two_units_skills_and_preferences,
)
from tests.routing.hand import a_cost, a_problem, with_step, with_vehicle


@pytest.mark.parametrize("day", GOOD_DAYS, ids=lambda day: day.__name__)
def test_a_valid_plan_costs_what_was_worked_out_by_hand(day: Callable[[], Day]) -> None:
    problem, plan = day()
    assert evaluate(problem, plan) == plan.cost


def test_what_a_plan_states_about_its_cost_is_not_read() -> None:
    problem, plan = overtime_at_a_price()
    assert evaluate(problem, replace(plan, cost=a_cost(fixed=1))) == plan.cost


def test_travel_follows_the_stops_and_not_the_locations_stated() -> None:
    problem, plan = overtime_at_a_price()
    assert evaluate(problem, with_step(plan, 0, 1, location=0)) == plan.cost


def test_a_break_costs_the_same_before_and_after_its_leg() -> None:
    assert evaluate(*break_before_leaving()).travel == evaluate(*break_after_arriving()).travel == 2_000


def test_rates_multiply_seconds_metres_and_overtime() -> None:
    # given 1,200 s, 1,200 m and 1,000 s of overtime
    problem, plan = overtime_at_a_price()
    problem = with_vehicle(problem, 0, cost_per_travel_s=5, cost_per_m=7, overtime_cost_per_s=11, fixed_cost=13)
    assert evaluate(problem, plan) == a_cost(fixed=13, travel=6_000, distance=8_400, overtime=11_000)


def test_a_route_home_before_the_shift_is_over_earns_nothing_back() -> None:
    problem, plan = overtime_at_a_price()
    assert evaluate(with_vehicle(problem, 0, shift_s=(28_800, 60_000)), plan).overtime == 0


def test_a_route_without_pickups_costs_nothing() -> None:
    problem, plan = two_units_skills_and_preferences()
    second = plan.routes[1]
    driven = replace(plan, routes=(plan.routes[0], replace(second, steps=(second.steps[0], second.steps[2]))))
    # Left are one vehicle's 1,000 + 1,200, its broken preference of 600, and 5,000 for the stop nobody serves.
    assert evaluate(problem, driven) == a_cost(fixed=1_000, travel=1_200, preferences=600, skipped=5_000)


def test_left_out_is_what_no_route_serves_whatever_the_list_says() -> None:
    problem, plan = left_out_with_an_impossible_lock()
    silent = replace(plan, unassigned=())
    talkative = replace(plan, unassigned=(*plan.unassigned, row("a"), row("no such stop")))
    assert evaluate(problem, silent) == evaluate(problem, talkative) == plan.cost


def test_a_route_of_an_unknown_vehicle_costs_nothing_but_serves() -> None:
    problem, plan = overtime_at_a_price()
    assert evaluate(problem, replace(plan, routes=(replace(plan.routes[0], vehicle="v9"),))) == a_cost()


def test_an_empty_plan_costs_nothing() -> None:
    assert evaluate(*nothing_to_do()) == a_cost()


# --- travel -------------------------------------------------------------------------------------------------------


def _between(a: tuple[float, float], b: tuple[float, float], travel: GreatCircle | Euclidean) -> tuple[int, int]:
    problem: Problem = a_problem((), (), (), (), locations=(a, b), travel=travel)
    return leg(problem, 0, 1)


@pytest.mark.parametrize(("rounding", "want"), [("floor", 14), ("round", 14), ("ceil", 15)])
def test_planar_travel_is_the_scaled_distance_rounded(rounding: Literal["floor", "round", "ceil"], want: int) -> None:
    # given the diagonal of a unit square at scale 10: 14.142
    assert _between((0, 0), (1, 1), Euclidean(scale=10, rounding=rounding)) == (want, want)


@pytest.mark.parametrize("rounding", ["floor", "round", "ceil"])
def test_planar_travel_is_exact_where_the_distance_is(rounding: Literal["floor", "round", "ceil"]) -> None:
    # given a triangle of 3, 4 and 5
    assert _between((1, 1), (4, 5), Euclidean(scale=10, rounding=rounding)) == (50, 50)


def test_a_quarter_of_the_earth_is_a_quarter_of_its_circumference() -> None:
    quarter = math.pi / 2 * 6_371_008.8
    assert haversine_m((0, 0), (0, 90)) == pytest.approx(quarter, abs=1e-6)
    assert haversine_m((0, 0), (90, 0)) == pytest.approx(quarter, abs=1e-6)
    # and the other side of the world, where rounding could push the sine above one
    assert haversine_m((0.3, 0), (-0.3, 180)) == pytest.approx(2 * quarter, abs=1)


def test_great_circle_seconds_come_from_rounded_metres() -> None:
    # given 1,111.9508 m on the sphere times 1.3 = 1,445.536 m, rounded 1,446 m; at 30 km/h 173.52 s, rounded 174 s
    # (from unrounded metres 173.46 s would have made 173 s)
    assert _between((34.80, 117.25), (34.81, 117.25), GreatCircle(factor=1.3, speed_kmh=30)) == (174, 1_446)


def test_half_a_second_is_rounded_to_the_even_one() -> None:
    # given a hundred-thousandth of a degree = 1.11195 m; times 22.4831 = 25.0001 m, rounded 25 m; at 36 km/h 2.5 s
    assert _between((0, 0), (0.00001, 0), GreatCircle(factor=22.4831, speed_kmh=36)) == (2, 25)
    # and 35 m are 3.5 s: 35 / 1.11195 = 31.4763
    assert _between((0, 0), (0.00001, 0), GreatCircle(factor=31.4763, speed_kmh=36)) == (4, 35)


def test_a_matrix_is_read_from_row_to_column() -> None:
    problem, _ = one_way_streets()
    assert (leg(problem, 0, 1), leg(problem, 1, 0), leg(problem, 1, 1)) == ((500, 4_000), (900, 7_000), (0, 0))


_point = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(a=_point, b=_point)
def test_great_circle_travel_is_symmetric_and_nothing_from_a_place_to_itself(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    sphere = GreatCircle(factor=1.3, speed_kmh=30)
    assert _between(a, b, sphere) == _between(b, a, sphere)
    assert _between(a, a, sphere) == (0, 0)
