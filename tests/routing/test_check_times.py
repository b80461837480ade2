"""The checker against hours and limits of one route, rule by rule: shift, break, stations.

The last value that is allowed, and the first that is not, with the size of the breach. Every case takes a valid day
from `good_days.py`, where the numbers it starts from are derived.
"""

from __future__ import annotations

import pytest

from recycling.routing.problem import Break
from tests.routing.damage import pushed
from tests.routing.good_days import (
    break_after_arriving,
    break_before_leaving,
    break_not_due,
    one_way_streets,
    overtime_at_a_price,
    standing_still_everywhere,
    under_way_with_locks,
    unload_on_the_way,
)
from tests.routing.hand import a_step, judged, with_station, with_step, with_steps, with_vehicle

# --- shift ------------------------------------------------------------------------------------------------------------


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


# --- break ------------------------------------------------------------------------------------------------------------


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


# --- stations ---------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("open_s", "excess"), [((28_800, 30_000), 0), ((28_850, 30_000), 50), ((28_800, 29_990), 10)])
def test_a_vehicle_that_stands_at_its_start_does_so_while_the_station_is_open(
    open_s: tuple[int, int], excess: int
) -> None:
    # given a vehicle that stands at its station from 28,800 and leaves at 30,000
    problem, plan = standing_still_everywhere()
    found = judged(with_station(problem, 0, open_s=open_s), plan)
    assert found == ([("station_closed", "v1", None, excess)] if excess else [])


def test_a_vehicle_under_way_starts_at_no_station() -> None:
    # given a station that opens only after the vehicle was given its place
    problem, plan = under_way_with_locks()
    assert judged(with_station(problem, 0, open_s=(42_300, 42_400)), plan) == []
