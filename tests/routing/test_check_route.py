"""The checker along one route, rule by rule: its form, its clock, its load, and the sentences that report them.

The last value that is allowed, and the first that is not, with the size of the breach. Every case takes a valid day
from `good_days.py`, where the numbers it starts from are derived.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from recycling.routing.check import violations
from recycling.routing.plan import Route
from recycling.routing.problem import UnderWay
from tests.routing.damage import pushed
from tests.routing.good_days import (
    nothing_to_do,
    on_the_sphere,
    one_stop_with_two_windows,
    one_way_streets,
    standing_still_everywhere,
    two_units_skills_and_preferences,
    under_way_with_locks,
    unload_on_the_way,
)
from tests.routing.hand import (
    a_cost,
    a_plan,
    a_problem,
    a_route,
    a_station,
    a_step,
    a_stop,
    a_vehicle,
    judged,
    with_station,
    with_step,
    with_steps,
    with_stop,
    with_vehicle,
)

# --- form -------------------------------------------------------------------------------------------------------------


def test_a_route_has_steps() -> None:
    problem, plan = nothing_to_do()
    assert judged(problem, replace(plan, routes=(Route(vehicle="v1", steps=()),))) == [("route_form", "v1", None, 1)]


def test_a_route_serves_something_even_when_its_vehicle_is_under_way() -> None:
    # given a vehicle that only drives home: 1,000 s, no load, no unload
    problem = a_problem(
        (0, 1_000),
        (a_station("home", 0),),
        (a_vehicle("v1", start=UnderWay(location=1, time_s=39_000, load=(0,))),),
        (),
    )
    home = a_step("end", 0, (40_000, 40_000, 40_000), (0,), "home")
    route = a_route("v1", a_step("start", 1, (39_000, 39_000, 39_000), (0,)), home)
    assert judged(problem, a_plan(a_cost(), route)) == [("empty_route", "v1", None, 1)]


@pytest.mark.parametrize("kind", ["start", "end"])
def test_start_and_end_do_not_stand_in_the_middle(kind: str) -> None:
    problem, plan = one_stop_with_two_windows()
    start, pickup, end = plan.routes[0].steps
    extra = {"start": start, "end": a_step("end", 0, (30_000, 30_000, 30_000), (0,), "home")}[kind]
    plan = with_steps(plan, 0, start, extra, pickup, end)
    assert judged(problem, plan) == [("route_form", "v1", None, 1)]


def test_a_step_happens_where_its_stop_is_and_the_leg_is_driven_from_there() -> None:
    # given a pickup said to happen at the depot, 600 s closer: the clock still counts the leg to the stop itself
    problem, plan = one_stop_with_two_windows()
    assert judged(problem, with_step(plan, 0, 1, location=0)) == [("wrong_location", "v1", "a", 1)]


@pytest.mark.parametrize("location", [2, -1, 10**9])
def test_an_unknown_stop_at_a_location_that_does_not_exist_is_reported(location: int) -> None:
    # given a step whose stop and place are both unknown, after the one that is served
    problem, plan = one_stop_with_two_windows()
    start, pickup, end = plan.routes[0].steps
    nowhere = a_step("pickup", location, (36_300, 36_300, 36_300), (10,), "x")
    plan = with_steps(plan, 0, start, pickup, nowhere, end)
    assert judged(problem, plan) == [("unknown_stop", None, "x", 1), ("wrong_location", "v1", "x", 1)]


@pytest.mark.parametrize("location", [2, -1, 10**9])
def test_a_location_that_does_not_exist_is_reported(location: int) -> None:
    problem, plan = one_stop_with_two_windows()
    assert judged(problem, with_step(plan, 0, 1, location=location)) == [("wrong_location", "v1", "a", 1)]


def test_an_unload_names_a_station_that_exists() -> None:
    # given an unload of 100 s at a name nobody knows, at the right place
    problem, plan = unload_on_the_way()
    assert judged(problem, with_step(plan, 0, 2, station="west")) == [("unknown_station", "v1", None, 1)]


def test_a_route_ends_at_the_vehicles_own_station() -> None:
    # given another station at the same place, so that only the name is wrong
    problem, plan = standing_still_everywhere()
    assert judged(problem, with_step(plan, 0, 2, station="home")) == [("wrong_end", "v1", None, 1)]


def test_a_vehicle_under_way_is_where_and_when_the_problem_says() -> None:
    problem, plan = under_way_with_locks()
    # then half an hour earlier is wrong, and so is a minute later, though it may leave later
    assert judged(problem, with_step(plan, 0, 0, arrival_s=37_200)) == [("wrong_start_time", "v1", None, 1_800)]
    later = with_step(plan, 0, 0, arrival_s=39_060, start_s=39_060)
    assert judged(problem, later) == [("wrong_start_time", "v1", None, 60)]
    # and it starts with what it has on board
    assert judged(problem, with_step(plan, 0, 0, load=(0,))) == [("wrong_load", "v1", None, 50)]


# --- clock ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arrival_s", "excess"), [(30_600, 0), (30_599, 1), (30_000, 600)])
def test_nobody_arrives_before_the_leg_is_driven(arrival_s: int, excess: int) -> None:
    # given a leg of 600 s left at 30,000
    problem, plan = one_stop_with_two_windows()
    found = judged(problem, with_step(plan, 0, 1, arrival_s=arrival_s))
    assert found == ([("too_early", "v1", "a", excess)] if excess else [])


def test_a_leg_takes_the_direction_it_is_driven_in() -> None:
    # given streets of 500 s there and 900 s back: coming home after 500 s is 400 s too early
    problem, plan = one_way_streets()
    plan = with_step(plan, 0, 2, arrival_s=31_300)
    assert judged(problem, plan) == [("too_early", "v1", None, 400)]


def test_distances_on_the_sphere_are_rounded_before_they_become_seconds() -> None:
    # given 1,445.536 m: rounded 1,446 m take 145 s at 10 m/s, half a second more than 144.55
    problem, plan = on_the_sphere()
    assert judged(problem, with_step(plan, 0, 1, arrival_s=30_144)) == [("too_early", "v1", "a", 1)]


def test_nothing_starts_before_arrival() -> None:
    # given an arrival 30 s after service began
    problem, plan = one_stop_with_two_windows()
    assert judged(problem, with_step(plan, 0, 1, arrival_s=36_030)) == [("start_before_arrival", "v1", "a", 30)]


def test_a_start_step_does_not_run_backwards() -> None:
    # given a start at 29,000 that ends at 28,900
    problem, plan = standing_still_everywhere()
    assert judged(problem, with_step(plan, 0, 0, end_s=28_900)) == [("start_before_arrival", "v1", None, 100)]


@pytest.mark.parametrize("seconds", [-300, -1, 1])
def test_a_pickup_takes_exactly_its_service_time(seconds: int) -> None:
    problem, plan = one_stop_with_two_windows()
    plan = with_step(plan, 0, 1, end_s=36_300 + seconds)
    plan = with_steps(plan, 0, *pushed(plan.routes[0].steps, 2, max(0, seconds)))
    assert judged(problem, plan) == [("wrong_duration", "v1", "a", abs(seconds))]


def test_an_end_with_load_on_board_includes_the_unload_and_one_without_does_not() -> None:
    # given 100 s of unloading at home
    problem, plan = one_stop_with_two_windows()
    assert judged(problem, with_step(plan, 0, 2, end_s=36_900)) == [("wrong_duration", "v1", None, 100)]
    problem, plan = two_units_skills_and_preferences()
    assert judged(problem, with_step(plan, 1, 2, end_s=31_600)) == [("wrong_duration", "v2", None, 100)]


@pytest.mark.parametrize(
    ("start_s", "excess"),
    [(36_000, 0), (40_000, 0), (35_999, 1), (40_001, 1), (31_000, 2_000), (34_000, 2_000), (29_000, 0), (28_799, 1)],
)
def test_service_starts_inside_a_window_both_ends_included(start_s: int, excess: int) -> None:
    # given the windows 28,800–29,000 and 36,000–40,000, a leg of 600 s, and a crew that may set out at 28,000
    problem, plan = one_stop_with_two_windows()
    problem = with_vehicle(with_station(problem, 0, open_s=(0, 68_400)), 0, shift_s=(28_000, 64_800))
    steps = plan.routes[0].steps
    plan = with_steps(
        plan,
        0,
        a_step("start", 0, (28_000, 28_000, 28_000), (0,)),
        replace(steps[1], arrival_s=28_600, start_s=start_s, end_s=start_s + 300),
        a_step("end", 0, (start_s + 900, start_s + 900, start_s + 1_000), (0,), "home"),
    )
    assert judged(problem, plan) == ([("outside_window", "v1", "a", excess)] if excess else [])


# --- load -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "capacity"), [(0, (99, 50)), (1, (100, 49))])
def test_every_unit_has_its_own_capacity(unit: int, capacity: tuple[int, int]) -> None:
    # given 100 g and 50 l on board after the second pickup, 50 l already after the first
    problem, plan = two_units_skills_and_preferences()
    found = judged(with_vehicle(problem, 0, capacity=capacity), plan)
    assert found == [("over_capacity", "v1", key, 1) for key in ("b" if unit == 0 else "ab")]


def test_capacity_is_judged_by_own_sums_whatever_the_steps_state() -> None:
    # given two stops of 60 without the unload between them, the loads stated as if it had happened
    problem, plan = unload_on_the_way()
    steps = plan.routes[0].steps
    plan = with_steps(plan, 0, *steps[:2], *steps[3:])
    # then 120 are on board where 100 fit, 60 more than stated
    assert judged(problem, plan) == [("over_capacity", "v1", "b", 20), ("wrong_load", "v1", "b", 60)]


def test_a_vehicle_under_way_above_its_capacity_may_unload_but_not_pick_up() -> None:
    # given a vehicle with 150 on board where 100 fit, at its station
    problem = a_problem(
        (0,),
        (a_station("home", 0),),
        (a_vehicle("v1", start=UnderWay(location=0, time_s=30_000, load=(150,))),),
        (a_stop("a", 0),),
    )
    start = a_step("start", 0, (30_000, 30_000, 30_000), (150,))
    emptied = a_route(
        "v1",
        start,
        a_step("unload", 0, (30_000, 30_000, 30_100), (0,), "home"),
        a_step("pickup", 0, (30_100, 30_100, 30_400), (10,), "a"),
        a_step("end", 0, (30_400, 30_400, 30_500), (0,), "home"),
    )
    fuller = a_route(
        "v1",
        start,
        a_step("pickup", 0, (30_000, 30_000, 30_300), (160,), "a"),
        a_step("end", 0, (30_300, 30_300, 30_400), (0,), "home"),
    )
    assert judged(problem, a_plan(a_cost(), emptied)) == []
    assert judged(problem, a_plan(a_cost(), fuller)) == [("over_capacity", "v1", "a", 60)]


@pytest.mark.parametrize(("load", "excess"), [((70,), 10), ((0,), 60), ((60, 0), 1), ((), 1)])
def test_each_step_states_the_load_on_board(load: tuple[int, ...], excess: int) -> None:
    problem, plan = unload_on_the_way()
    assert judged(problem, with_step(plan, 0, 1, load=load)) == [("wrong_load", "v1", "a", excess)]


def test_the_excess_of_a_wrong_load_is_that_of_the_worst_unit() -> None:
    # given 40 g and 50 l on board: stated 3 g too many and 20 l too few
    problem, plan = two_units_skills_and_preferences()
    assert judged(problem, with_step(plan, 0, 1, load=(43, 30))) == [("wrong_load", "v1", "a", 20)]


def test_a_crew_has_every_skill_of_its_stops() -> None:
    problem, plan = two_units_skills_and_preferences()
    problem = with_stop(problem, 0, skills=frozenset({"lift", "gas", "licence"}))
    assert judged(problem, plan) == [("missing_skill", "v1", "a", 2)]


# --- sentences --------------------------------------------------------------------------------------------------------


def test_sentences_hold_the_values_that_clash() -> None:
    problem, plan = one_stop_with_two_windows()
    steps = plan.routes[0].steps
    early = with_step(plan, 0, 1, arrival_s=30_590)
    backwards = with_step(plan, 0, 1, arrival_s=36_030)
    missed = with_step(plan, 0, 1, start_s=35_990, end_s=36_290)
    wrong = with_step(plan, 0, 1, load=(11,))
    closed = with_station(problem, 0, open_s=(28_800, 36_950))
    lasting = with_steps(plan, 0, *steps[:2], replace(steps[2], start_s=36_910, end_s=37_010))
    for day, broken, text in (
        (problem, early, "the pickup 'a' is reached at 30590, but the start ends at 30000 and the way takes 600 s"),
        (problem, backwards, "the pickup 'a' runs backwards: arrival 36030, start 36000, end 36300"),
        (problem, missed, "service at 'a' starts at 35990, outside 28800–29000, 36000–40000"),
        (problem, wrong, "the pickup 'a' states load [11], it is [10]"),
        (closed, lasting, "the end lasts 36910–37010, 'home' is open 28800–36950"),
    ):
        assert [one.text for one in violations(day, broken)] == [text]
