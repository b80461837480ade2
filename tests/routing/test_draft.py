"""Building a plan by insertion: what the first plan keeps, and what is made of other people's sequences."""

from __future__ import annotations

import time
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recycling.routing.check import violations
from recycling.routing.construction import first_draft
from recycling.routing.day import Day
from recycling.routing.draft import Draft, complete, fill, take_over
from recycling.routing.insertion import NEVER, Kernel
from recycling.routing.problem import Preference, Problem, UnderWay
from recycling.routing.solve import as_plan
from tests.routing.days import a_day, a_tiny_day
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle, with_stop, with_vehicle


def _three_in_a_row() -> Problem:
    return a_problem(
        (0, 600, 1_000, 1_500), (a_station("home", 0),), (a_vehicle("v1"), a_vehicle("v2")),
        (a_stop("a", 1), a_stop("b", 2), a_stop("c", 3)),
    )  # fmt: skip


# --- the kernel ---------------------------------------------------------------------------------------------------


def test_an_estimate_is_the_added_travel_plus_what_opening_a_vehicle_costs() -> None:
    day = Day(_three_in_a_row())
    draft = Draft(day)
    draft.put(0, draft.time(0, (0, 2)))
    # given v1 on 600 and 1,500: "b" at 1,000 lies on the way; an empty v2 drives 2 · 1,000 and costs 1,000
    assert draft.costs(0, np.array([1])).tolist() == [0]
    assert draft.costs(1, np.array([1])).tolist() == [3_000]


def test_an_estimate_counts_the_preference_of_the_stop() -> None:
    problem = with_stop(_three_in_a_row(), 1, prefer=Preference(vehicle="v2", cost=70))
    draft = Draft(Day(problem))
    assert draft.costs(0, np.array([1])).tolist() == [3_070]
    assert draft.costs(1, np.array([1])).tolist() == [3_000]


def test_no_gap_is_offered_to_a_crew_without_the_skill_or_the_capacity() -> None:
    problem = with_stop(_three_in_a_row(), 0, skills=frozenset({"refrigerant"}))
    problem = with_stop(problem, 1, load=(101,))
    draft = Draft(Day(problem))
    assert draft.costs(0, np.array([0, 1, 2])).tolist() == [NEVER, NEVER, 1_000 + 3_000]


def test_no_gap_before_or_between_locked_stops_is_offered() -> None:
    problem = with_vehicle(_three_in_a_row(), 0, locked=("b",))
    day = Day(problem)
    draft = Draft(day)
    draft.put(0, draft.time(0, (1,)))
    # given "b" at 1,000 locked: "a" at 600 fits on the way there, but may only come after it: still on the way home
    gaps = Kernel(day).gaps(0, draft.routes[0])
    assert gaps is not None
    assert gaps.position.tolist() == [1]


def test_what_the_kernel_calls_possible_in_an_empty_vehicle_nearly_always_is() -> None:
    # The kernel may promise too much (lunch, intake). Where a due lunch meets a limit on duration or a detour by a
    # shortcut it may also promise too little, to a vehicle with nothing to do in fewer than one case of a hundred.
    asked = missed = 0
    for seed in range(30):
        day = Day(a_day(seed, stops=10, vehicles=3))
        draft = Draft(day)
        for vehicle in range(3):
            if day.rigs[vehicle].begins_with != day.nothing or day.rigs[vehicle].rest is not None:
                continue
            estimates = draft.costs(vehicle, np.arange(10))
            for stop in range(10):
                if day.can_carry(vehicle, stop) and draft.time(vehicle, (stop,)) is not None:
                    asked += 1
                    missed += bool(estimates[stop] >= NEVER)
    assert asked > 100
    assert missed < asked / 100, (missed, asked)


# --- the first plan -----------------------------------------------------------------------------------------------


def test_the_first_plan_of_a_simple_day_is_the_best_one() -> None:
    # given three stops in a row: one vehicle, out and back, 1,000 + 2 · 1,500
    draft = first_draft(Day(_three_in_a_row()))
    assert draft.cost == 4_000
    assert draft.waiting == []


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9), tiny=st.booleans())
def test_the_first_plan_of_any_day_passes_the_checker_and_costs_what_it_says(*, seed: int, tiny: bool) -> None:
    problem = a_tiny_day(seed, stops=8, vehicles=3) if tiny else a_day(seed, stops=25)
    draft = first_draft(Day(problem))
    plan = as_plan(draft)
    assert violations(problem, plan) == []
    assert plan.cost.total == draft.cost


def test_a_stop_dearer_to_serve_than_to_skip_is_left_out() -> None:
    # given "c", 500 s past the last stop: 1,000 there and back, as much as skipping it costs
    assert first_draft(Day(with_stop(_three_in_a_row(), 2, skip_cost=1_000))).waiting == [2]
    assert first_draft(Day(with_stop(_three_in_a_row(), 2, skip_cost=1_001))).waiting == []


def test_a_mandatory_stop_is_served_whatever_it_costs() -> None:
    assert first_draft(Day(with_stop(_three_in_a_row(), 2, skip_cost=None))).waiting == []


def test_time_over_means_no_more_insertions() -> None:
    draft = first_draft(Day(_three_in_a_row()), until=time.monotonic() - 1)
    assert draft.waiting == [0, 1, 2]


def test_locked_stops_come_first_even_when_that_is_a_detour() -> None:
    draft = first_draft(Day(with_vehicle(_three_in_a_row(), 1, locked=("c", "a"))))
    assert draft.sequences[1][:2] == (2, 0)


def test_a_vehicle_under_way_goes_on_from_where_it_is() -> None:
    # given v1 at 1,500 since 30,000; "c" is there, "b" and "a" lie on its way home: 1,000 + 1,500
    start = UnderWay(location=3, time_s=30_000, load=(0,))
    draft = first_draft(Day(with_vehicle(_three_in_a_row(), 0, start=start)))
    assert draft.sequences == ((2, 1, 0), ())
    assert draft.cost == 2_500


# --- other people's sequences -------------------------------------------------------------------------------------


def test_sequences_that_keep_the_rules_are_taken_over_as_they_are() -> None:
    draft = complete(Draft(Day(_three_in_a_row())), ((0, 1), (2,)))
    assert draft.sequences == ((0, 1), (2,))


def test_only_vehicles_named_may_take_stops() -> None:
    draft = Draft(Day(_three_in_a_row()))
    fill(draft, [0, 1, 2], vehicles=[1])
    assert draft.sequences[0] == ()
    assert draft.waiting == []


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_nonsense_becomes_a_valid_plan(seed: int) -> None:
    # given stops dealt out at random, some twice, some never, whatever skills and windows say
    problem = a_tiny_day(seed, stops=8, vehicles=3)
    rng = Random(seed)
    rows = tuple(tuple(rng.randrange(8) for _ in range(rng.randrange(6))) for _ in range(3))
    draft = complete(Draft(Day(problem)), rows)
    assert violations(problem, as_plan(draft)) == []


def test_routes_that_compete_for_a_stations_intake_find_who_must_go_elsewhere() -> None:
    # given a day on which the first route's cheapest unload takes what only the second can use
    day = Day(a_tiny_day(155))
    rows = ((2, 3), (1, 0))
    # then one after the other the second route loses a stop, the other way round nothing is lost
    assert take_over(Draft(day), rows, [0, 1]) == [1]
    assert take_over(Draft(day), rows, [1, 0]) == []
    assert complete(Draft(day), rows).sequences == rows


def test_a_copy_changes_by_itself() -> None:
    draft = first_draft(Day(_three_in_a_row()))
    twin = draft.copy()
    twin.put(0, None)
    twin.put(1, None)
    assert twin.waiting == [0, 1, 2]
    assert draft.waiting == []
