"""Why stops are left out, and that the change named really lets them in."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recycling.errors import InvalidInput
from recycling.routing.construction import first_draft
from recycling.routing.crowded import WINDOW_STEP_S
from recycling.routing.day import Day
from recycling.routing.draft import Draft
from recycling.routing.explain import Explained, explained
from recycling.routing.fixes import Fix, apply_fix, rank
from recycling.routing.plan import Unassigned
from recycling.routing.problem import Problem
from recycling.routing.solve import solve
from tests.routing.days import a_day, a_tiny_day
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle, with_station, with_stop, with_vehicle
from tests.routing.letting_in import lets_in, possible, unchanged


def _one_stop() -> Problem:
    return a_problem((0, 600), (a_station("home", 0),), (a_vehicle("v1"),), (a_stop("a", 1),))


def left_out(problem: Problem) -> Unassigned:
    """The one stop left out."""
    (left,) = solve(problem, seconds=60, engines=()).unassigned
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


def test_a_load_no_station_takes_is_named_with_the_limit() -> None:
    left = left_out(with_station(_one_stop(), 0, intake_limit=(9,)))
    assert left.reason == "over_capacity"
    assert "intake_limit of 'home' is [9]" in left.detail


def test_a_stop_out_of_reach_is_named_with_the_way() -> None:
    # given a way of 20,000 s each way in a shift of 36,000 s
    left = left_out(replace(_one_stop(), locations=((0.0, 0.0), (20_000.0, 0.0))))
    assert left.reason == "outside_windows"
    assert "the way there and back 40000 s" in left.detail


# --- crowded out --------------------------------------------------------------------------------------------------


def test_a_stop_not_worth_its_price_says_the_price() -> None:
    # given 1,000 for the vehicle and 1,200 of travel against 5,000 for leaving it out; and against 2,000
    assert solve(_one_stop(), seconds=5, engines=()).unassigned == ()
    left = left_out(with_stop(_one_stop(), 0, skip_cost=2_000))
    assert left.cheapest_fix == {"kind": "skip_cost", "cost": 2_200}
    assert "放弃代价 2000" in left.detail
    assert "leaving it out costs 2000" in left.detail


def an_evening(**changes: Any) -> Problem:
    """Two stops that start at 64,000 at the earliest; one after the other the second ends service at 64,600, and 600 s
    home plus 100 s unload make 65,300: 500 s after the shift."""
    evening = ((64_000, 64_400),)
    return a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1", max_overtime_s=200, **changes),),
        (a_stop("a", 1, windows_s=evening), a_stop("b", 1, windows_s=evening)),
    )  # fmt: skip


def test_a_full_evening_names_the_shortest_overtime() -> None:
    left = left_out(an_evening())
    assert left.reason == "fleet_full"
    assert left.cheapest_fix == {"kind": "overtime", "vehicle": "v1", "seconds": 300}
    assert "v1 加班 5 分钟即可" in left.detail
    assert "5 min of overtime of v1 would do" in left.detail


def test_overtime_dearer_than_leaving_the_stop_out_has_its_price_beside_it() -> None:
    # given 500 s of overtime at 20 a second, 200 s of it for "a" alone: 300 × 20 = 6,000 more, against 5,000; the shift
    # begins too late for an earlier window
    left = left_out(with_stop(an_evening(overtime_cost_per_s=20, shift_s=(63_400, 64_800)), 0, skip_cost=10_000))
    assert left.cheapest_fix == {"kind": "overtime", "vehicle": "v1", "seconds": 300, "cost": 6_000}
    assert "would add 6000, leaving it out costs 5000" in left.detail


def test_a_route_as_long_as_it_may_be_names_how_much_longer() -> None:
    # given 600 + 300 + 600 + 100 = 1,600 s for one stop, and 300 s more for the other
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1", max_duration_s=1_700),), (a_stop("a", 1), a_stop("b", 1))
    )
    assert left_out(problem).cheapest_fix == {"kind": "duration", "vehicle": "v1", "seconds": 200}


def test_two_stops_at_one_instant_name_the_window_that_would_do() -> None:
    # given two stops to be served at 40,000 exactly, 300 s of service each: one of them 300 s later or earlier
    noon = ((40_000, 40_000),)
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1"),),
        (a_stop("a", 1, windows_s=noon), a_stop("b", 1, windows_s=noon)),
    )  # fmt: skip
    left = left_out(problem)
    fix = left.cheapest_fix
    assert fix is not None
    assert fix["kind"] == "window"
    assert 300 <= fix["seconds"] <= 300 + WINDOW_STEP_S
    assert fix["window_s"] in ([40_000 - fix["seconds"], 40_000], [40_000, 40_000 + fix["seconds"]])


def test_a_station_that_takes_no_more_names_one_more_trip_and_how_much() -> None:
    # given stops of 60 for a vehicle of 100, and a station that takes 100 of them on the day
    problem = a_problem(
        (0, 600), (a_station("home", 0, intake_limit=(100,)),), (a_vehicle("v1"),),
        (a_stop("a", 1, load=(60,)), a_stop("b", 1, load=(60,))),
    )  # fmt: skip
    left = left_out(problem)
    assert left.cheapest_fix == {"kind": "trip", "vehicle": "v1", "station": "home", "more": [20]}
    assert "one more trip of v1" in left.detail


def test_a_day_that_nothing_small_mends_names_one_more_vehicle() -> None:
    # given two stops that take the whole shift each: 34,000 s of service
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1"),),
        (a_stop("a", 1, service_s=34_000), a_stop("b", 1, service_s=34_000)),
    )  # fmt: skip
    assert left_out(problem).cheapest_fix == {"kind": "vehicle", "station": "home", "like": "v1"}


def test_a_place_found_while_looking_for_a_reason_is_taken() -> None:
    # given "late", which could go out last, on the road first, so that "early" finds no place
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1"), a_vehicle("v2", shift_s=(50_000, 64_800))),
        (a_stop("early", 1, windows_s=((30_000, 30_000),)), a_stop("late", 1, windows_s=((30_000, 55_000),)),
         a_stop("rest", 1, windows_s=((30_500, 30_500),), service_s=19_000)),
    )  # fmt: skip
    draft = Draft(Day(problem))
    draft.put(0, draft.time(0, (1, 2)))
    assert draft.waiting == [0]
    told = explained(draft, until=time.monotonic() + 60)
    assert told.rows == ()
    assert told.draft.cost < draft.cost


# --- the changes, made --------------------------------------------------------------------------------------------


def crowded(seed: int, *, stops: int = 9) -> tuple[Draft, Explained]:
    """A random day with too much for its vehicles, planned by insertion, and what is said of the stops left out."""
    draft = first_draft(Day(a_tiny_day(seed, stops=stops)))
    told = explained(draft, until=time.monotonic() + 600)
    return told.draft, told


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_change_named_lets_its_stop_in_when_the_changed_day_is_planned_again(seed: int) -> None:
    draft, told = crowded(seed)
    for left in told.rows:
        if left.cheapest_fix is not None:
            assert lets_in(draft, left.stop, apply_fix(draft.day.problem, left.stop, left.cheapest_fix)), left


def test_without_the_change_no_plan_at_all_lets_the_stop_in() -> None:
    # given the control, judged by trying every plan: the stop made mandatory, and no rule changed
    tried = possible_anyway = 0
    for seed in range(12):
        draft, told = crowded(seed, stops=6)
        for left in told.rows:
            fix = left.cheapest_fix
            if fix is not None and fix["kind"] != "skip_cost":
                tried += 1
                assert possible(draft, left.stop, apply_fix(draft.day.problem, left.stop, fix))
                possible_anyway += possible(draft, left.stop, unchanged(draft, left.stop))
    assert tried > 4
    assert possible_anyway <= tried / 5  # at a price, and with more stops moved than the explainer tries


def test_the_same_draft_is_explained_alike() -> None:
    assert crowded(5)[1].rows == crowded(5)[1].rows


def test_a_fix_that_does_not_fit_the_day_is_refused_with_itself() -> None:
    problem = an_evening()
    for fix in (
        {"kind": "magic"}, {}, {"kind": "overtime", "vehicle": "v9", "seconds": 1}, {"kind": "overtime"},
        {"kind": "window", "window_s": [1]}, {"kind": "trip", "station": "nowhere", "more": [1]},
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match="does not fit"):
            apply_fix(problem, "a", fix)
    with pytest.raises(InvalidInput, match="'x'"):
        apply_fix(problem, "x", {"kind": "skip_cost", "cost": 1})


def test_sizes_rank_changes_across_kinds() -> None:
    fixes: list[Fix] = [
        {"kind": "skip_cost", "cost": 10**9},
        {"kind": "overtime", "vehicle": "v", "seconds": 600},
        {"kind": "window", "vehicle": "v", "seconds": 600, "window_s": [0, 600]},
        {"kind": "trip", "vehicle": "v", "station": "s", "more": [1]},
        {"kind": "overtime", "vehicle": "v", "seconds": 3 * 3600},
        {"kind": "vehicle", "station": "s", "like": "v"},
        {"kind": "overtime", "vehicle": "v", "seconds": 60, "cost": 9_000},
    ]
    assert sorted(fixes[3:] + fixes[:3], key=rank) == fixes


# --- in time ------------------------------------------------------------------------------------------------------


def test_reasons_keep_to_their_time_when_nearly_everything_is_left_out() -> None:
    # given 1,000 stops for one vehicle, nearly all of them left out
    problem = a_day(1, stops=1000, vehicles=1)
    draft = first_draft(Day(problem), until=time.monotonic() + 5)
    began = time.process_time()
    told = explained(draft, until=time.monotonic() + 2)
    took_s = time.process_time() - began
    # then each has a sentence, within the time and what the quick answers take
    assert len(told.rows) > 900
    assert all(left.detail for left in told.rows)
    assert took_s < 2 + 2


def test_no_time_at_all_still_gives_every_stop_a_sentence() -> None:
    draft = first_draft(Day(a_day(3, stops=60, vehicles=1)))
    told = explained(draft, until=0.0)
    assert len(told.rows) == len(draft.waiting) > 20
    assert all(left.detail for left in told.rows)
    assert told.draft is draft
