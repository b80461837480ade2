"""The rest of a day: what is done stays done, what is under way goes on, and what can stay where it is stays there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recycling.errors import InvalidProblem
from recycling.routing.check import violations
from recycling.routing.construction import first_draft, standing_draft
from recycling.routing.day import Day
from recycling.routing.plan import Plan
from recycling.routing.problem import Break, Problem
from recycling.routing.replan import Happened, OnRoute, as_planned, changes, rest_of_day
from recycling.routing.solve import as_plan, solve
from tests.routing.days import a_day
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle

MOVING = 600


def planned(problem: Problem, warm: Plan | None = None) -> Plan:
    """The first plan, without looking for reasons."""
    day = Day(problem)
    return as_plan(first_draft(day) if warm is None else standing_draft(day, warm))


def a_line_day(**vehicle: Any) -> Problem:
    """Home at 0; stops at 600, 1,200 and 1,800 m; one vehicle that leaves at 8:00 and may be joined by another."""
    stops = tuple(
        a_stop(key, n, windows_s=((28_800, 30_000 + 1_200 * n),)) for n, key in enumerate(("a", "b", "c"), start=1)
    )
    fleet = (a_vehicle("v1", **vehicle), a_vehicle("v2", fixed_cost=2_000))
    return a_problem((0, 600, 1_200, 1_800), (a_station("home", 0),), fleet, stops)


def instants(plan: Plan) -> Iterator[int]:
    for route in plan.routes:
        for step in route.steps:
            yield from (step.arrival_s, step.start_s, step.end_s)


# --- where vehicles are -------------------------------------------------------------------------------------------


def test_a_vehicle_driving_to_a_stop_serves_it_first_and_arrives_as_planned() -> None:
    problem = a_line_day()
    plan = planned(problem)
    # half way from its first stop to its second
    pickups = [step for step in plan.routes[0].steps if step.kind == "pickup"]
    now = pickups[0].end_s + 300
    happened = as_planned(problem, plan, now)
    assert happened.done == {pickups[0].stop}
    assert happened.on_route["v1"].next_stop == pickups[1].stop
    after = planned(rest_of_day(problem, plan, happened, moving_cost=MOVING))
    first = next(step for step in after.routes[0].steps if step.kind == "pickup")
    assert (first.stop, first.arrival_s) == (pickups[1].stop, pickups[1].arrival_s)


def test_a_vehicle_in_the_middle_of_a_stop_is_free_when_it_ends() -> None:
    problem = a_line_day()
    plan = planned(problem)
    pickup = next(step for step in plan.routes[0].steps if step.kind == "pickup")
    here = as_planned(problem, plan, pickup.start_s + 10).on_route["v1"]
    assert (here.location, here.free_s, here.load, here.next_stop) == (pickup.location, pickup.end_s, (10,), None)


def test_a_vehicle_that_has_not_left_yet_may_still_do_anything_from_now_on() -> None:
    problem = a_line_day()
    now = 28_900
    rest = rest_of_day(problem, planned(problem), Happened(now_s=now), moving_cost=MOVING)
    assert rest.vehicles[0].start is None
    assert rest.vehicles[0].shift_s == (now, 64_800)
    assert len(rest.stops) == 3


def test_time_on_the_route_so_far_counts_towards_the_longest_route() -> None:
    problem = a_line_day(max_duration_s=10_000)
    here = OnRoute(begin_s=28_800, location=1, free_s=32_800, load=(10,))
    rest = rest_of_day(problem, planned(problem), Happened(now_s=32_800, on_route={"v1": here}), moving_cost=MOVING)
    # 4,000 s of the 10,000 are spent
    assert rest.vehicles[0].max_duration_s == 6_000


def test_a_break_taken_is_not_due_again_and_one_owed_still_is_after_its_window_has_opened() -> None:
    lunch = Break(window_s=(41_400, 46_800), duration_s=3_600)
    problem = a_line_day(break_=lunch)
    plan = planned(problem)
    # given a vehicle under way since 8:00 that is free at 12:00, half an hour after the window opened
    here = OnRoute(begin_s=28_800, location=1, free_s=43_200, load=(10,))
    happened = Happened(now_s=43_200, on_route={"v1": here}, done=frozenset("a"))
    late = replace(problem, stops=(*problem.stops, a_stop("d", 3, windows_s=((50_000, 60_000),))))
    owed = planned(rest_of_day(late, plan, happened, moving_cost=MOVING))
    steps = next(route.steps for route in owed.routes if route.vehicle == "v1")
    assert [step.start_s for step in steps if step.kind == "break"] >= [43_200]
    rested = replace(happened, on_route={"v1": replace(here, rested=True)})
    taken = planned(rest_of_day(late, plan, rested, moving_cost=MOVING))
    assert not [step for route in taken.routes for step in route.steps if step.kind == "break"]


def test_what_a_station_has_taken_is_no_longer_free() -> None:
    problem = a_problem(
        (0, 600), (a_station("home", 0, intake_limit=(30,)),), (a_vehicle("v1"), a_vehicle("v2")), (a_stop("a", 1),)
    )
    rest = rest_of_day(problem, planned(problem), Happened(now_s=30_000, taken={"home": (20,)}), moving_cost=MOVING)
    assert rest.stations[0].intake_limit == (10,)


# --- what went wrong ----------------------------------------------------------------------------------------------


def test_a_broken_vehicle_is_gone_and_another_serves_its_stops() -> None:
    problem = a_line_day()
    plan = planned(problem)
    assert {route.vehicle for route in plan.routes} == {"v1"}
    rest = rest_of_day(problem, plan, Happened(now_s=28_800, broken=frozenset({"v1"})), moving_cost=MOVING)
    after = planned(rest)
    assert {route.vehicle for route in after.routes} == {"v2"}
    assert after.unassigned == ()


def test_a_vehicle_whose_end_is_closed_ends_at_the_nearest_open_station() -> None:
    problem = replace(
        a_line_day(), stations=(a_station("home", 0), a_station("near", 1), a_station("far", 3)),
    )  # fmt: skip
    rest = rest_of_day(problem, planned(problem), Happened(now_s=28_800, closed=frozenset({"home"})), moving_cost=0)
    assert {vehicle.end_station for vehicle in rest.vehicles} == {"near"}
    assert [station.can_unload for station in rest.stations] == [False, True, True]


def test_an_urgent_stop_is_served_and_a_cancelled_one_is_not() -> None:
    problem = a_line_day()
    plan = planned(problem)
    happened = replace(
        as_planned(problem, plan, 28_800), urgent=(a_stop("urgent", 2, skip_cost=None),), cancelled=frozenset("c")
    )
    after = planned(rest_of_day(problem, plan, happened, moving_cost=MOVING))
    served = {step.stop for route in after.routes for step in route.steps if step.stop}
    assert served == {"a", "b", "urgent"}


def test_service_keeps_to_what_people_were_told() -> None:
    problem = a_line_day()
    told = Happened(now_s=28_800, told={"a": (29_500, 29_800), "b": (10, 20)})
    rest = rest_of_day(problem, planned(problem), told, moving_cost=MOVING)
    # a: its window 8:00–… cut to what was told; b was told an interval that is over
    assert rest.stop_by_key["a"].windows_s == ((29_500, 29_800),)
    assert rest.stop_by_key["b"].windows_s == problem.stop_by_key["b"].windows_s


# --- any day, any instant -----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), pick=st.randoms(use_true_random=False))
def test_a_day_that_went_as_planned_can_go_on_as_planned(seed: int, pick: Random) -> None:
    problem = a_day(seed, stops=14, vehicles=3)
    plan = planned(problem)
    assume(plan.routes)
    now = pick.choice(sorted(set(instants(plan)))) + pick.choice((0, 1, 100))
    happened = as_planned(problem, plan, now)
    rest = rest_of_day(problem, plan, happened, moving_cost=MOVING)
    again = planned(rest, plan)
    assert violations(rest, again) == []
    before = {step.stop for route in plan.routes for step in route.steps if step.stop} - happened.done
    after = {step.stop for route in again.routes for step in route.steps if step.stop}
    # then what was to come still comes, from the same vehicle, and nothing done comes again
    assert before <= after
    assert not after & happened.done
    assert not [c for c in changes(plan, again, done=happened.done) if c.moved and c.stop in before]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0.1, 0.9))
def test_any_replanned_day_passes_the_checker(seed: int, share: float) -> None:
    problem = a_day(seed, stops=14, vehicles=3)
    plan = planned(problem)
    assume(plan.routes)
    every = sorted(instants(plan))
    happened = as_planned(problem, plan, every[int(share * len(every))])
    broken = frozenset({plan.routes[0].vehicle})
    rest = rest_of_day(problem, plan, replace(happened, broken=broken), moving_cost=MOVING)
    after = planned(rest)
    assert violations(rest, after) == []
    assert not {step.stop for route in after.routes for step in route.steps if step.stop} & happened.done


def test_a_price_on_moving_keeps_stops_with_their_vehicles() -> None:
    moved = {0: 0, MOVING: 0}
    for seed in range(6):
        problem = a_day(seed, stops=30, vehicles=5)
        plan = planned(problem)
        happened = as_planned(problem, plan, sorted(instants(plan))[len(list(instants(plan))) // 3])
        for price in moved:
            rest = rest_of_day(problem, plan, happened, moving_cost=price)
            found = changes(plan, planned(rest), done=happened.done)
            moved[price] += sum(change.moved for change in found)
    # the control, moving for nothing, moves more
    assert moved[MOVING] < moved[0]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_day_planned_again_from_the_standing_plan_is_no_dearer(seed: int) -> None:
    problem = a_day(seed, stops=14, vehicles=3)
    standing = planned(problem)
    again = planned(problem, standing)
    assert violations(problem, again) == []
    assert again.cost.total <= standing.cost.total
    assert not [change for change in changes(standing, again) if change.moved and change.vehicle_before]


def test_a_breakdown_replanned_from_the_standing_plan_moves_few_others() -> None:
    warm = cold = 0
    for seed in range(6):
        problem = a_day(seed, stops=30, vehicles=5)
        plan = planned(problem)
        gone = plan.routes[0].vehicle
        rest = rest_of_day(problem, plan, Happened(now_s=0, broken=frozenset({gone})), moving_cost=0)
        warmly = planned(rest, plan)
        assert violations(rest, warmly) == []
        for found, is_warm in ((changes(plan, warmly), True), (changes(plan, planned(rest)), False)):
            others = sum(change.moved and change.vehicle_before not in {gone, None} for change in found)
            warm, cold = (warm + others, cold) if is_warm else (warm, cold + others)
    # a few others make room for what is new; the control, planned from nothing, moves many
    assert warm <= cold / 4


def test_engines_go_on_from_the_standing_plan() -> None:
    problem = a_day(3, stops=25)
    standing = planned(problem)
    costs: list[int] = []
    plan = solve(problem, seconds=2, workers=1, warm=standing, on_progress=lambda p: costs.append(p.best_cost))
    assert costs[0] <= standing.cost.total
    assert plan.cost.total <= costs[0]


@pytest.mark.parametrize("key", ["a", "nowhere"])
def test_an_urgent_stop_that_cannot_be_is_refused(key: str) -> None:
    problem = a_line_day()
    urgent = a_stop(key, 1 if key == "a" else 99)
    with pytest.raises(InvalidProblem, match=key):
        rest_of_day(problem, planned(problem), Happened(now_s=28_800, urgent=(urgent,)), moving_cost=MOVING)
