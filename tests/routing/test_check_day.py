"""The checker over the whole day, rule by rule: stops and vehicles, intake, locks, cost.

The last value that is allowed, and the first that is not, with the size of the breach. Every case takes a valid day
from `good_days.py`, where the numbers it starts from are derived.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from recycling.routing.check import Violation, violations
from recycling.routing.cost import evaluate
from recycling.routing.problem import Break, Problem
from tests.routing.damage import row
from tests.routing.good_days import (
    left_out_with_an_impossible_lock,
    nothing_to_do,
    one_stop_with_two_windows,
    overtime_at_a_price,
    shared_station_filled_to_its_limit,
    two_units_skills_and_preferences,
    under_way_with_locks,
)
from tests.routing.hand import a_station, a_stop, judged, with_station, with_step, with_stop, with_vehicle

# --- stops and vehicles -----------------------------------------------------------------------------------------------


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


# --- intake -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("station", "limit", "excess"), [(0, 45, 0), (0, 44, 1), (0, 0, 45), (1, 0, 0)])
def test_a_station_takes_no_more_than_its_limit_over_all_vehicles(station: int, limit: int, excess: int) -> None:
    # given 10 on the way, 10 at the end, and 25 by the vehicle that brought 5
    problem, plan = shared_station_filled_to_its_limit()
    found = violations(with_station(problem, station, intake_limit=(limit,)), plan)
    assert [(one.cause, one.excess) for one in found] == ([("over_intake", excess)] if excess else [])


# --- locks ------------------------------------------------------------------------------------------------------------


def locks_judged(problem: Problem) -> list[tuple[str | None, str | None, int]]:
    """Vehicle, stop and excess of every broken lock in the plan that leaves the first locked stop out."""
    plan = left_out_with_an_impossible_lock()[1]
    found = violations(problem, plan)
    return [(one.vehicle, one.stop, one.excess) for one in found if one.cause == "lock_broken"]


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
    assert judged(_possible(), plan) == [("lock_broken", "v1", "heavy", 1)]


def _possible() -> Problem:
    """The day whose lock was impossible, with a light stop in place of the heavy one.

    Leaving at 28,800 the vehicle serves both at 29,400 and 29,700, is home at 30,600 and empty at 30,700: 1,900 s.
    """
    problem = with_stop(left_out_with_an_impossible_lock()[0], 0, load=(10,))
    others = (
        a_station("late", 0, open_s=(64_801, 68_400)),
        a_station("early", 0, open_s=(28_800, 30_699)),
        a_station("night", 0, open_s=(20_000, 28_799)),
        a_station("dawn", 0, open_s=(20_000, 28_800)),
    )
    return replace(problem, stations=(*problem.stations, *others))


@pytest.mark.parametrize(
    "problem",
    [
        with_stop(_possible(), 0, skills=frozenset({"lift"})),
        with_stop(_possible(), 0, windows_s=((20_000, 29_399),)),
        with_stop(_possible(), 0, load=(91,)),
        with_vehicle(_possible(), 0, max_duration_s=1_899),
        with_vehicle(_possible(), 0, shift_s=(28_800, 30_600), max_overtime_s=99),
        with_vehicle(_possible(), 0, break_=Break(window_s=(28_801, 30_699), duration_s=60)),
        with_vehicle(_possible(), 0, end_station="early"),
        with_vehicle(_possible(), 0, start_station="late"),
        with_vehicle(_possible(), 0, start_station="night"),
        with_station(_possible(), 0, intake_limit=(1_000,)),
    ],
    ids=[
        "skill",
        "window",
        "capacity",
        "duration",
        "shift",
        "break due",
        "end closed",
        "start not open yet",
        "start closed",
        "a limit that others may use up",
    ],
)
def test_a_lock_that_may_be_impossible_is_left_out_at_a_cost(problem: Problem) -> None:
    assert locks_judged(problem) == []


@pytest.mark.parametrize(
    "problem",
    [
        with_stop(_possible(), 0, windows_s=((20_000, 28_000), (29_400, 29_400))),
        with_stop(_possible(), 0, load=(90,)),
        with_vehicle(
            with_stop(_possible(), 0, windows_s=((29_400, 29_400), (50_000, 60_000))), 0, max_duration_s=1_900
        ),
        with_vehicle(_possible(), 0, start_station="dawn"),
        with_vehicle(_possible(), 0, shift_s=(28_800, 30_600), max_overtime_s=100),
        with_vehicle(_possible(), 0, break_=Break(window_s=(28_800, 30_699), duration_s=60)),
        with_vehicle(_possible(), 0, break_=Break(window_s=(28_801, 30_700), duration_s=60)),
    ],
    ids=["window", "capacity", "duration", "start", "shift", "break not due at its start", "break not due at its end"],
)
def test_a_lock_at_the_edge_of_the_possible_is_kept(problem: Problem) -> None:
    assert locks_judged(problem) == [("v1", "heavy", 1)]


def test_the_lock_of_a_vehicle_under_way_is_possible_from_where_and_when_it_is() -> None:
    # given a vehicle at place 2 at 39,000 that may leave at 40,400 and has to be back by 41,900:
    # b until 40,700, then 400 s, a until 41,400, then 600 s, home and empty at 42,100
    problem, plan = under_way_with_locks()
    plan = replace(plan, routes=(), unassigned=(row("a"), row("b"), row("c")))
    for home_by_s, broken in ((42_099, False), (42_100, True)):
        judged_day = with_vehicle(problem, 0, shift_s=(40_400, home_by_s), max_duration_s=3_100)
        assert judged(judged_day, plan) == ([("lock_broken", "v1", "b", 2)] if broken else [])
    # and it has been on its way since 39,000: 3,100 s
    too_long = with_vehicle(problem, 0, shift_s=(40_400, 42_100), max_duration_s=3_099)
    assert judged(too_long, plan) == []


# --- cost -------------------------------------------------------------------------------------------------------------


def test_each_part_of_the_cost_and_the_total_is_compared() -> None:
    # given the price of overtime forgotten: 3,000 are missing there and in the total
    problem, plan = overtime_at_a_price()
    plan = replace(plan, cost=replace(plan.cost, overtime=0, total=plan.cost.total - 3_000))
    assert violations(problem, plan) == [
        Violation(cause="wrong_cost", excess=3_000, text="cost.total is stated 4600, it is 7600"),
        Violation(cause="wrong_cost", excess=3_000, text="cost.overtime is stated 0, it is 3000"),
    ]
