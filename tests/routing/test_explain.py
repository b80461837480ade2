"""Why stops are left out, and that the change named really lets them in."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from recycling.routing.day import Day
from recycling.routing.draft import Draft
from recycling.routing.plan import Unassigned
from recycling.routing.problem import Problem
from recycling.routing.solve import solve
from tests.routing.days import a_day
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle, with_station, with_stop, with_vehicle


def _one_stop() -> Problem:
    return a_problem((0, 600), (a_station("home", 0),), (a_vehicle("v1"),), (a_stop("a", 1),))


def left_out(problem: Problem) -> Unassigned:
    """The one stop left out."""
    (left,) = solve(problem, seconds=5, engines=()).unassigned
    return left


# --- impossible alone ---------------------------------------------------------------------------------------------


def test_a_skill_nobody_has_is_named() -> None:
    left = left_out(with_stop(_one_stop(), 0, skills=frozenset({"refrigerant"})))
    assert left.reason == "missing_skill"
    assert "refrigerant" in left.detail
    assert left.cheapest_fix is None


def test_a_load_above_every_vehicle_is_named_with_what_fits() -> None:
    left = left_out(with_stop(_one_stop(), 0, load=(101,)))
    assert left.reason == "over_capacity"
    assert "[101]" in left.detail
    assert "[100]" in left.detail


def test_a_window_before_the_shift_is_named() -> None:
    # given a window 6:00–7:00 and a shift from 8:00
    left = left_out(with_stop(_one_stop(), 0, windows_s=((21_600, 25_200),)))
    assert left.reason == "outside_windows"
    assert "06:00–07:00" in left.detail
    assert "08:00–18:00" in left.detail


def test_a_route_longer_than_allowed_is_named() -> None:
    # given 600 + 300 + 600 + 100 = 1,600 s for the stop alone
    left = left_out(with_vehicle(_one_stop(), 0, max_duration_s=1_599))
    assert left.reason == "outside_windows"
    assert "1599" in left.detail


def test_a_station_closed_all_shift_is_named() -> None:
    left = left_out(with_station(_one_stop(), 0, open_s=(64_000, 64_500)))
    assert left.reason == "outside_windows"
    assert "08:00–18:00" in left.detail


def test_a_lock_that_cannot_be_kept_is_invalid() -> None:
    # given two stops locked in the wrong sequence: "b" only in the morning, but "a" first, which opens at noon
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1", locked=("a", "b")),),
        (a_stop("a", 1, windows_s=((43_200, 46_800),)), a_stop("b", 1, windows_s=((28_800, 36_000),))),
    )  # fmt: skip
    left = left_out(problem)
    assert (left.stop, left.reason) == ("b", "invalid")
    assert "v1" in left.detail


# --- crowded out --------------------------------------------------------------------------------------------------


def test_a_stop_not_worth_its_price_says_the_price() -> None:
    # given 1,000 for the vehicle and 1,200 of travel against 5,000 for leaving it out; and against 2,000
    assert solve(_one_stop(), seconds=5, engines=()).unassigned == ()
    left = left_out(with_stop(_one_stop(), 0, skip_cost=2_000))
    assert left.cheapest_fix == {"kind": "skip_cost", "cost": 2_200}


def test_a_full_evening_names_the_shortest_overtime() -> None:
    # given two stops that start at 64,000 at the earliest; one after the other the second ends service at 64,600, and
    # 600 s home plus 100 s unload make 65,300: 500 s after the shift
    evening = ((64_000, 64_400),)
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1", max_overtime_s=200),),
        (a_stop("a", 1, windows_s=evening), a_stop("b", 1, windows_s=evening)),
    )  # fmt: skip
    left = left_out(problem)
    assert left.reason == "fleet_full"
    assert left.cheapest_fix == {"kind": "overtime", "vehicle": "v1", "seconds": 300}


def test_two_stops_at_one_instant_name_a_wider_window() -> None:
    # given two stops to be served at 40,000 exactly: with 300 s of service, the steps' first, 900 s, lets both in
    noon = ((40_000, 40_000),)
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1"),),
        (a_stop("a", 1, windows_s=noon), a_stop("b", 1, windows_s=noon)),
    )  # fmt: skip
    assert left_out(problem).cheapest_fix == {"kind": "window", "vehicle": "v1", "seconds": 900}


def test_a_day_that_nothing_small_mends_names_one_more_vehicle() -> None:
    # given two stops that take the whole shift each: 34,000 s of service
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1"),),
        (a_stop("a", 1, service_s=34_000), a_stop("b", 1, service_s=34_000)),
    )  # fmt: skip
    assert left_out(problem).cheapest_fix == {"kind": "vehicle", "station": "home", "like": "v1"}


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_overtime_named_lets_the_stop_in(seed: int) -> None:
    problem = a_day(seed, stops=25, vehicles=3)
    plan = solve(problem, seconds=5, engines=())
    day = Day(problem)
    for left in plan.unassigned:
        fix = left.cheapest_fix
        if fix is None or fix["kind"] != "overtime":
            continue
        # given the plan's routes, and the vehicle's overtime longer by what the fix says
        at = day.vehicle_index[fix["vehicle"]]
        longer = problem.vehicles[at].max_overtime_s + fix["seconds"]
        changed = Draft(Day(with_vehicle(problem, at, max_overtime_s=longer)))
        for route in plan.routes:
            row = [day.stop_index[step.stop] for step in route.steps if step.stop is not None]
            vehicle = day.vehicle_index[route.vehicle]
            changed.put(vehicle, changed.time(vehicle, row))
        row = list(changed.sequences[at])
        new = day.stop_index[left.stop]
        assert any(changed.time(at, [*row[:i], new, *row[i:]]) for i in range(len(row) + 1))


def test_reasons_keep_to_their_time_even_when_nearly_everything_is_left_out() -> None:
    # given 300 stops for one vehicle
    problem = a_day(1, stops=300, vehicles=1)
    plan = solve(problem, seconds=1, engines=())
    assert len(plan.unassigned) > 200
    assert all(left.detail for left in plan.unassigned)
    assert plan.search.seconds < 1 + 5
