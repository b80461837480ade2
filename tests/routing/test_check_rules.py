"""The checker rule by rule: the last value that is allowed, and the first that is not, with the size of the breach.

Every case takes a valid day from `hand.py`, where the numbers it starts from are derived.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from recycling.routing.check import Violation, violations
from recycling.routing.cost import evaluate
from recycling.routing.plan import Plan, Route
from recycling.routing.problem import Break, Problem, UnderWay
from tests.routing.damage import pushed, row
from tests.routing.hand import (
    a_cost,
    a_plan,
    a_problem,
    a_route,
    a_station,
    a_step,
    a_stop,
    a_vehicle,
    break_after_arriving,
    break_before_leaving,
    break_not_due,
    left_out_with_an_impossible_lock,
    nothing_to_do,
    on_the_sphere,
    one_stop_with_two_windows,
    one_way_streets,
    overtime_at_a_price,
    shared_station_filled_to_its_limit,
    standing_still_everywhere,
    two_units_skills_and_preferences,
    under_way_with_locks,
    unload_on_the_way,
    with_station,
    with_step,
    with_steps,
    with_stop,
    with_vehicle,
)

Found = list[tuple[str, str | None, str | None, int]]


def judged(problem: Problem, plan: Plan) -> Found:
    """Cause, vehicle, stop and excess of every violation, the cost stated as it is."""
    found = violations(problem, replace(plan, cost=evaluate(problem, plan)))
    return [(one.cause, one.vehicle, one.stop, one.excess) for one in found]


# --- stops and vehicles -------------------------------------------------------------------------------------------


def test_a_stop_is_served_or_listed_never_neither() -> None:
    # given one stop left out of the list; the other, a broken lock, is listed still
    problem, plan = left_out_with_an_impossible_lock()
    plan = replace(plan, unassigned=plan.unassigned[:1])
    assert judged(problem, plan) == [("stop_missing", None, "b", 1)]


def test_a_stop_is_never_both_served_and_listed() -> None:
    problem, plan = one_stop_with_two_windows()
    plan = replace(plan, unassigned=(row("a"),))
    assert judged(problem, plan) == [("served_and_listed", None, "a", 1)]


def test_a_stop_is_listed_once() -> None:
    # given three rows for a stop, two too many
    problem, plan = left_out_with_an_impossible_lock()
    plan = replace(plan, unassigned=(*plan.unassigned, row("b"), row("b")))
    assert judged(problem, plan) == [("stop_listed_twice", None, "b", 2)]


def test_a_stop_is_served_once_over_all_routes() -> None:
    # given a second crew that also serves "b", in the place of "c"
    problem, plan = two_units_skills_and_preferences()
    plan = with_step(plan, 1, 1, stop="b", load=(60, 0))
    plan = with_step(plan, 1, 2, end_s=31_600)
    assert judged(problem, plan) == [("stop_twice", None, "b", 1), ("stop_missing", None, "c", 1)]


def test_an_unknown_stop_is_named() -> None:
    problem, plan = nothing_to_do()
    assert judged(problem, replace(plan, unassigned=(row("x"),))) == [("unknown_stop", None, "x", 1)]


def test_an_unknown_vehicle_is_named_and_what_it_serves_still_counts_as_served() -> None:
    problem, plan = one_stop_with_two_windows()
    plan = replace(plan, routes=(replace(plan.routes[0], vehicle="v9"),))
    assert judged(problem, plan) == [("unknown_vehicle", "v9", None, 1)]


def test_a_vehicle_has_one_route() -> None:
    # given two vehicles of the same kind, one of them sent out twice
    problem, plan = two_units_skills_and_preferences()
    plan = replace(plan, routes=(plan.routes[0], replace(plan.routes[1], vehicle="v1")))
    assert judged(problem, plan) == [("vehicle_twice", "v1", None, 1)]


def test_a_mandatory_stop_left_out_is_a_cost_and_no_violation() -> None:
    problem, plan = nothing_to_do()
    problem = replace(problem, locations=((0.0, 0.0), (600.0, 0.0)), stops=(a_stop("a", 1, skip_cost=None),))
    plan = replace(plan, unassigned=(row("a"),))
    assert judged(problem, plan) == []
    assert evaluate(problem, plan).skipped == 10**9


# --- form ---------------------------------------------------------------------------------------------------------


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


# --- clock --------------------------------------------------------------------------------------------------------


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


# --- load ---------------------------------------------------------------------------------------------------------


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


def test_a_crew_has_every_skill_of_its_stops() -> None:
    problem, plan = two_units_skills_and_preferences()
    problem = with_stop(problem, 0, skills=frozenset({"lift", "gas", "licence"}))
    assert judged(problem, plan) == [("missing_skill", "v1", "a", 2)]


# --- shift --------------------------------------------------------------------------------------------------------


def test_a_route_ends_inside_the_shift_and_its_overtime() -> None:
    # given a route that ends at 37,000 = 36,000 + 1,000 of overtime
    problem, plan = overtime_at_a_price()
    assert judged(with_vehicle(problem, 0, max_overtime_s=940), plan) == [("outside_shift", "v1", None, 60)]


def test_a_route_begins_inside_the_shift_and_not_in_the_overtime() -> None:
    # given a start at 35,400; then a shift that begins a minute later, and one that was over a minute before
    problem, plan = overtime_at_a_price()
    late = with_vehicle(problem, 0, shift_s=(35_460, 36_000))
    over = with_vehicle(problem, 0, shift_s=(28_800, 35_340), max_overtime_s=5_000)
    assert judged(late, plan) == [("outside_shift", "v1", None, 60)]
    assert judged(over, plan) == [("outside_shift", "v1", None, 60)]
    # and the last second of the shift is early enough to leave, while standing there since 35,000 does not help
    assert judged(with_vehicle(problem, 0, shift_s=(28_800, 35_400), max_overtime_s=5_000), plan) == []
    stood = with_step(plan, 0, 0, arrival_s=35_000, start_s=35_000)
    assert judged(over, stood) == [("outside_shift", "v1", None, 60)]


def test_standing_at_the_start_counts_from_arrival_for_the_shift() -> None:
    # given a vehicle that stands at the station from 28,800 on and leaves at 30,000
    problem, plan = standing_still_everywhere()
    assert judged(with_vehicle(problem, 0, shift_s=(28_900, 64_800)), plan) == [("outside_shift", "v1", None, 100)]


def test_a_vehicle_under_way_before_its_shift_only_waits_for_it() -> None:
    # given a vehicle there at 39,000 that leaves at 40,400
    problem, plan = under_way_with_locks()
    assert judged(with_vehicle(problem, 0, shift_s=(40_400, 64_800)), plan) == []
    assert judged(with_vehicle(problem, 0, shift_s=(40_401, 64_800)), plan) == [("outside_shift", "v1", None, 1)]


def test_a_route_lasts_no_longer_than_allowed_from_leaving_the_start() -> None:
    # given 1,800 s out, service, back and unload, after any time at the start
    problem, plan = one_way_streets()
    stood = with_step(plan, 0, 0, arrival_s=29_000, start_s=29_000)
    assert judged(problem, stood) == []
    assert judged(with_vehicle(problem, 0, max_duration_s=1_799), plan) == [("too_long", "v1", None, 1)]


def test_a_vehicle_under_way_has_been_on_its_route_since_the_given_instant() -> None:
    # given 39,000 to 42,400, 1,400 s of them standing still before leaving
    problem, plan = under_way_with_locks()
    assert judged(with_vehicle(problem, 0, max_duration_s=3_399), plan) == [("too_long", "v1", None, 1)]


# --- break --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window_s", "due"),
    [
        # The route lasts from 40,000 to 47,400: it must begin before the window opens and end after it closes.
        ((40_001, 47_399), True),
        ((40_000, 47_399), False),
        ((40_001, 47_400), False),
    ],
)
def test_a_break_is_due_when_the_route_lasts_over_its_whole_window(window_s: tuple[int, int], *, due: bool) -> None:
    problem, plan = break_before_leaving()
    problem = with_vehicle(problem, 0, break_=Break(window_s=window_s, duration_s=3_600))
    start, first, _, second, end = plan.routes[0].steps
    plan = with_steps(plan, 0, start, first, second, end)
    assert judged(problem, plan) == ([("break_missed", "v1", None, 3_600)] if due else [])


@pytest.mark.parametrize(("start_s", "excess"), [(41_400, 0), (41_399, 1), (40_900, 500)])
def test_a_due_break_starts_inside_its_window(start_s: int, excess: int) -> None:
    problem, plan = break_before_leaving()
    plan = with_step(plan, 0, 2, start_s=start_s, end_s=start_s + 3_600)
    assert judged(problem, plan) == ([("break_outside_window", "v1", None, excess)] if excess else [])


def test_a_break_outside_the_window_beside_the_due_one_is_standing_still() -> None:
    # given a second rest of an hour after the last pickup, at 46,300, home 3,600 s later
    problem, plan = break_after_arriving()
    start, first, rest, second, end = plan.routes[0].steps
    again = a_step("break", 2, (46_300, 46_900, 50_500), (20,))
    plan = with_steps(plan, 0, start, first, rest, second, again, *pushed((end,), 0, 4_200))
    assert judged(problem, plan) == []


@pytest.mark.parametrize("seconds", [-1, 1, -3_600])
def test_a_break_lasts_its_duration_due_or_not(seconds: int) -> None:
    for problem, plan in (break_before_leaving(), break_not_due()):
        changed = with_step(plan, 0, 2, end_s=plan.routes[0].steps[2].end_s + seconds)
        changed = with_steps(changed, 0, *pushed(changed.routes[0].steps, 3, max(0, seconds)))
        assert judged(problem, changed) == [("wrong_duration", "v1", None, abs(seconds))]


def test_a_break_is_taken_here_or_at_the_next_place_and_the_leg_is_driven_once() -> None:
    # given a break at the depot, neither here nor next
    problem, plan = break_before_leaving()
    assert judged(problem, with_step(plan, 0, 2, location=0)) == [("wrong_location", "v1", None, 1)]
    problem, plan = break_after_arriving()
    # given a break at the next place, begun before the 400 s there are driven
    early = with_step(plan, 0, 2, arrival_s=40_900)
    assert judged(problem, early) == [("too_early", "v1", None, 400)]
    # given a break here, and then service at the next place without driving there
    here = with_step(plan, 0, 2, location=1)
    assert judged(problem, here) == [("too_early", "v1", "b", 400)]


def test_nobody_drives_back_for_a_second_break() -> None:
    # given a rest at the next place, then one at the place before
    problem, plan = break_after_arriving()
    steps = plan.routes[0].steps
    back = a_step("break", 1, (45_000, 45_000, 48_600), (10,))
    plan = with_steps(plan, 0, *steps[:3], back, *pushed(steps[3:], 0, 3_600))
    assert judged(problem, plan) == [("wrong_location", "v1", None, 1)]


def test_only_a_crew_with_a_break_takes_one() -> None:
    problem, plan = break_not_due()
    assert judged(with_vehicle(problem, 0, break_=None), plan) == [("unknown_break", "v1", None, 1)]


# --- stations -----------------------------------------------------------------------------------------------------


def test_unloads_on_the_way_need_a_station_that_takes_them_and_the_end_does_not() -> None:
    # given the vehicle's own end station that takes none, which is no violation, and then the other one as well
    problem, plan = unload_on_the_way()
    assert judged(with_station(problem, 1, can_unload=False), plan) == [("cannot_unload", "v1", None, 1)]


@pytest.mark.parametrize(
    ("station", "open_s", "excess"),
    [
        # The unload in the east lasts from 31,300 to 31,400.
        (1, (31_300, 31_400), 0),
        (1, (31_301, 40_000), 1),
        (1, (28_800, 31_350), 50),
        # At home the vehicle starts at 30,000 and ends, unload included, at 33,800.
        (0, (30_000, 33_800), 0),
        (0, (30_010, 33_800), 10),
        (0, (30_000, 33_799), 1),
    ],
)
def test_stations_are_open_from_first_to_last_second(station: int, open_s: tuple[int, int], excess: int) -> None:
    problem, plan = unload_on_the_way()
    found = judged(with_station(problem, station, open_s=open_s), plan)
    assert found == ([("station_closed", "v1", None, excess)] if excess else [])


def test_a_vehicle_under_way_starts_at_no_station() -> None:
    # given a station that opens only after the vehicle was given its place
    problem, plan = under_way_with_locks()
    assert judged(with_station(problem, 0, open_s=(42_300, 42_400)), plan) == []


@pytest.mark.parametrize(("station", "limit", "excess"), [(0, 45, 0), (0, 44, 1), (0, 0, 45), (1, 0, 0)])
def test_a_station_takes_no_more_than_its_limit_over_all_vehicles(station: int, limit: int, excess: int) -> None:
    # given 10 on the way, 10 at the end, and 25 by the vehicle that brought 5
    problem, plan = shared_station_filled_to_its_limit()
    found = violations(with_station(problem, station, intake_limit=(limit,)), plan)
    assert [(one.cause, one.excess) for one in found] == ([("over_intake", excess)] if excess else [])


# --- locks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locked", "missed"),
    [((), None), (("b",), None), (("b", "a", "c"), None), (("a", "b"), "a"), (("b", "c"), "c"), (("c",), "c")],
)
def test_locked_stops_are_the_first_pickups_in_their_sequence(locked: tuple[str, ...], missed: str | None) -> None:
    # given a route that serves b, a, c
    problem, plan = under_way_with_locks()
    found = judged(with_vehicle(problem, 0, locked=locked), plan)
    assert found == ([("lock_broken", "v1", missed, 1)] if missed else [])


def test_a_locked_stop_is_not_served_by_another_vehicle() -> None:
    problem, plan = two_units_skills_and_preferences()
    assert judged(with_vehicle(problem, 1, locked=("a",)), plan) == [("lock_broken", "v2", "a", 1)]


def test_a_lock_that_can_be_kept_is_not_left_out() -> None:
    # given a light stop in place of the impossible one: both locked stops fit, so leaving one out is no necessity
    problem, plan = left_out_with_an_impossible_lock()
    assert judged(problem, plan) == []
    assert judged(with_stop(problem, 0, load=(10,)), plan) == [("lock_broken", "v1", "heavy", 1)]


@pytest.mark.parametrize(
    "problem",
    [
        with_stop(left_out_with_an_impossible_lock()[0], 0, load=(10,), skills=frozenset({"lift"})),
        with_stop(left_out_with_an_impossible_lock()[0], 0, load=(10,), windows_s=((20_000, 20_000),)),
        # 30,400 − 28,800 = 1,600 s are too few for 600 + 300 + 300 + 600 + 100.
        with_vehicle(
            with_stop(left_out_with_an_impossible_lock()[0], 0, load=(10,)), 0, max_duration_s=1_600
        ),
        with_station(
            with_stop(left_out_with_an_impossible_lock()[0], 0, load=(10,)), 0, intake_limit=(1_000,)
        ),
    ],
    ids=["skill", "window", "duration", "a limit others may use up"],
)  # fmt: skip
def test_a_lock_that_may_be_impossible_is_left_out_at_a_cost(problem: Problem) -> None:
    assert judged(problem, left_out_with_an_impossible_lock()[1]) == []


# --- cost ---------------------------------------------------------------------------------------------------------


def test_each_part_of_the_cost_and_the_total_is_compared() -> None:
    # given the price of overtime forgotten: 3,000 are missing there and in the total
    problem, plan = overtime_at_a_price()
    plan = replace(plan, cost=replace(plan.cost, overtime=0, total=plan.cost.total - 3_000))
    assert violations(problem, plan) == [
        Violation(cause="wrong_cost", excess=3_000, text="cost.total is stated 4600, it is 7600"),
        Violation(cause="wrong_cost", excess=3_000, text="cost.overtime is stated 0, it is 3000"),
    ]
