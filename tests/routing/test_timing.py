"""Exact timing of one route: where it unloads, when it rests, when it leaves; by hand and against trying everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recycling.routing.check import violations
from recycling.routing.day import Day
from recycling.routing.draft import Draft
from recycling.routing.plan import Route, Step
from recycling.routing.problem import Break, Problem, UnderWay
from recycling.routing.solve import as_plan
from recycling.routing.timing import Timed, Timing, steps
from tests.routing.days import a_tiny_day
from tests.routing.good_days import GOOD_DAYS, LUNCH
from tests.routing.good_days import Day as GoodDay
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle
from tests.routing.oracle import best_route


def timed(problem: Problem, *stops: int, vehicle: int = 0) -> Timed | None:
    return Timing(Day(problem)).time(vehicle, stops)


def drive(problem: Problem, *stops: int) -> Route:
    found = timed(problem, *stops)
    assert found is not None
    return steps(Day(problem), found)


def at(route: Route, kind: str) -> Step:
    """The one step of a kind."""
    (step,) = (step for step in route.steps if step.kind == kind)
    return step


# --- leaving ------------------------------------------------------------------------------------------------------


def test_a_vehicle_leaves_so_late_that_it_need_not_wait_at_its_first_stop() -> None:
    # given a stop 600 s away that opens at 36,000
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1"),), (a_stop("a", 1, windows_s=((36_000, 37_000),)),)
    )
    route = drive(problem, 0)
    # then it leaves at 36,000 - 600 = 35,400 and serves on arrival
    assert route.steps[0].end_s == 35_400
    assert at(route, "pickup").arrival_s == at(route, "pickup").start_s == 36_000


def test_a_route_that_cannot_be_in_time_is_none() -> None:
    # given a second stop that is reached at 28,800 + 600 + 300 + 400 = 30,100, one second after it closes
    def day(closes_s: int) -> Problem:
        return a_problem(
            (0, 600, 1_000), (a_station("home", 0),), (a_vehicle("v1"),),
            (a_stop("a", 1), a_stop("b", 2, windows_s=((28_800, closes_s),))),
        )  # fmt: skip

    assert timed(day(30_099), 0, 1) is None
    assert timed(day(30_100), 0, 1) is not None


def test_a_longest_duration_makes_the_vehicle_leave_late_and_use_a_later_window() -> None:
    # given "a" open early and late, "b" only late, and at most 3,000 s on the road
    problem = a_problem(
        (0, 600, 1_000), (a_station("home", 0),), (a_vehicle("v1", max_duration_s=3_000),),
        (
            a_stop("a", 1, windows_s=((28_800, 30_000), (39_000, 41_000))),
            a_stop("b", 2, windows_s=((40_000, 41_000),)),
        ),
    )  # fmt: skip
    route = drive(problem, 0, 1)
    # then "a" at 30,000 would mean waiting 9,300 s for "b"; its second window makes 600 + 300 + 400 + 300 + 1,000 + 100
    assert route.steps[-1].end_s - route.steps[0].end_s == 2_700
    assert at(drive(problem, 1), "pickup").start_s == 40_000


# --- unloading ----------------------------------------------------------------------------------------------------


def _two_halves() -> Problem:
    return a_problem(
        (0, 600, 1_000, 1_500),
        (a_station("home", 0), a_station("east", 2)),
        (a_vehicle("v1"),),
        (a_stop("a", 1, load=(60,)), a_stop("b", 3, load=(60,))),
    )


def test_a_full_vehicle_unloads_where_the_detour_is_cheapest() -> None:
    # given 60 + 60 for a capacity of 100, a station on the way and one at home
    problem = _two_halves()
    # then it empties at "east", on the way, at no extra travel: 1,000 + 600 + 400 + 500 + 1,500
    found = timed(problem, 0, 1)
    assert found is not None
    assert found.cost == 4_000
    assert at(drive(problem, 0, 1), "unload").station == "east"


def test_a_station_near_its_intake_limit_takes_what_still_fits() -> None:
    # given a station "east" that takes 59 today
    problem = a_problem(
        (0, 600, 1_000, 1_500),
        (a_station("home", 0), a_station("east", 2, intake_limit=(59,))),
        (a_vehicle("v1"),),
        (a_stop("a", 1, load=(60,)), a_stop("b", 3, load=(60,))),
    )
    # then the 60 of "a" go home: 600 + 600 + 1,500 + 1,500, and 1,000 for the vehicle
    found = timed(problem, 0, 1)
    assert found is not None
    assert found.cost == 5_200
    assert found.intake == ((0,),)


def test_other_routes_leave_less_room_at_a_station() -> None:
    # given one stop of 60 and only one station, which takes 60 today
    problem = a_problem(
        (0, 600), (a_station("home", 0, intake_limit=(60,)),), (a_vehicle("v1"),), (a_stop("a", 1, load=(60,)),)
    )
    timing = Timing(Day(problem))
    # then nothing fits once another route has brought one
    assert timing.time(0, (0,)) == timing.time(0, (0,), [(60,)])
    assert timing.time(0, (0,), [(60,)]) is not None
    assert timing.time(0, (0,), [(59,)]) is None


def test_nothing_unloads_at_a_station_that_closes_before_the_end_of_the_unload() -> None:
    # given that "east" could be reached at 28,800 + 600 + 300 + 400 = 30,100, and an unload takes 100 s
    def day(closes_s: int) -> Problem:
        return a_problem(
            (0, 600, 1_000, 1_500),
            (a_station("home", 0, can_unload=False), a_station("east", 2, open_s=(28_800, closes_s))),
            (a_vehicle("v1"),),
            (a_stop("a", 1, load=(60,)), a_stop("b", 3, load=(60,))),
        )

    assert timed(day(30_200), 0, 1) is not None
    assert timed(day(30_199), 0, 1) is None


def test_a_vehicle_under_way_with_too_much_on_board_unloads_before_it_picks_up() -> None:
    # given a vehicle at 600 since 30,000 with 95 of 100 on board
    problem = a_problem(
        (0, 600, 1_000), (a_station("home", 0), a_station("near", 1)),
        (a_vehicle("v1", start=UnderWay(location=1, time_s=30_000, load=(95,))),), (a_stop("a", 2),),
    )  # fmt: skip
    route = drive(problem, 0)
    assert [step.kind for step in route.steps] == ["start", "unload", "pickup", "end"]
    # 30,000 + 100 s of unload + 400 s
    assert route.steps[2].start_s == 30_500


# --- resting ------------------------------------------------------------------------------------------------------


def test_a_due_break_is_taken_while_waiting_anyway() -> None:
    # given a morning stop and one at 50,000: between them there is time enough
    problem = a_problem(
        (0, 600, 1_000), (a_station("home", 0),), (a_vehicle("v1", break_=LUNCH),),
        (a_stop("a", 1, windows_s=((28_800, 29_400),)), a_stop("b", 2, windows_s=((50_000, 51_000),))),
    )  # fmt: skip
    route = drive(problem, 0, 1)
    rest = at(route, "break")
    assert LUNCH.window_s[0] <= rest.start_s <= LUNCH.window_s[1]
    assert route.steps[-2].start_s == 50_000


def test_a_break_before_a_long_leg_is_taken_where_the_vehicle_stands() -> None:
    # given a leg of 20,000 s that can begin at 28,800 + 600 + 300 = 29,700 and then ends long after the break's window
    short = Break(window_s=(30_000, 30_500), duration_s=900)
    problem = a_problem(
        (0, 600, 20_600), (a_station("home", 0, open_s=(28_800, 90_000)),),
        (a_vehicle("v1", break_=short, shift_s=(28_800, 90_000)),),
        (a_stop("a", 1, windows_s=((28_800, 29_400),)), a_stop("b", 2, windows_s=((28_800, 90_000),))),
    )  # fmt: skip
    route = drive(problem, 0, 1)
    # then it rests at "a" from 30,000 to 30,900 and arrives at 50,900
    assert (at(route, "break").location, at(route, "break").start_s) == (1, 30_000)
    assert route.steps[3].arrival_s == 50_900


def test_a_vehicle_that_leaves_after_the_window_opens_owes_no_break() -> None:
    # given one stop late in the day: leaving at its time, after 41,400, makes the break not due
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1", break_=LUNCH),),
        (a_stop("a", 1, windows_s=((46_000, 47_000),)),),
    )  # fmt: skip
    assert [step.kind for step in drive(problem, 0).steps] == ["start", "pickup", "end"]


def test_no_room_for_the_break_is_no_route() -> None:
    # given service from 41,000 to 46,900 right across the window, and no time for the hour before it
    def day(service_s: int) -> Problem:
        return a_problem(
            (0, 600), (a_station("home", 0),), (a_vehicle("v1", break_=LUNCH),),
            (a_stop("a", 1, windows_s=((41_000, 41_000),), service_s=service_s),),
        )  # fmt: skip

    # Service until 46,800 still lets the break begin at the last second of its window, 46,800.
    assert timed(day(5_800), 0) is not None
    assert timed(day(5_801), 0) is None


# --- overtime -----------------------------------------------------------------------------------------------------


def test_overtime_is_paid_by_the_second_and_limited() -> None:
    # given a stop that cannot start before 64,000: 64,000 + 300 + 600 + 100 = 65,000, 200 s after the shift
    def day(most_s: int) -> Problem:
        return a_problem(
            (0, 600), (a_station("home", 0),),
            (a_vehicle("v1", max_overtime_s=most_s, overtime_cost_per_s=3),),
            (a_stop("a", 1, windows_s=((64_000, 64_100),)),),
        )  # fmt: skip

    found = timed(day(200), 0)
    assert found is not None
    assert found.cost == 1_000 + 1_200 + 3 * 200
    assert timed(day(199), 0) is None


# --- as a whole ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("good", GOOD_DAYS, ids=lambda day: day.__name__)
def test_no_route_worked_out_by_hand_is_cheaper_than_the_timing_of_its_sequence(good: Callable[[], GoodDay]) -> None:
    problem, plan = good()
    day = Day(problem)
    hand = plan.cost.total - plan.cost.skipped
    found = [
        Timing(day).time(day.vehicle_index[r.vehicle], [day.stop_index[s.stop] for s in r.steps if s.stop is not None])
        for r in plan.routes
    ]
    assert all(found)
    routes = [route for route in found if route is not None]
    assert sum(r.cost for r in routes) + day.preference_cost((r.vehicle, r.stops) for r in routes) <= hand


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), length=st.integers(1, 3))
def test_any_sequence_costs_exactly_what_trying_everything_finds(seed: int, length: int) -> None:
    problem = a_tiny_day(seed)
    rng = Random(seed)
    sequence = rng.sample(range(len(problem.stops)), length)
    vehicle = rng.randrange(len(problem.vehicles))
    visits = tuple(problem.stops[s] for s in sequence)
    if all(stop.skills <= problem.vehicles[vehicle].skills for stop in visits):
        found = timed(problem, *sequence, vehicle=vehicle)
        assert (None if found is None else found.cost) == best_route(problem, problem.vehicles[vehicle], visits)


def test_the_checker_agrees_with_every_step_of_a_timed_route() -> None:
    checked = 0
    for seed in range(300):
        problem = a_tiny_day(seed)
        problem = replace(problem, vehicles=tuple(replace(v, locked=()) for v in problem.vehicles))
        draft = Draft(Day(problem))
        for vehicle, stop in ((0, 0), (1, 1)):
            if draft.day.can_carry(vehicle, stop):
                draft.put(vehicle, draft.time(vehicle, (stop,)))
        checked += sum(route is not None for route in draft.routes)
        assert violations(problem, as_plan(draft)) == []
    assert checked > 100
