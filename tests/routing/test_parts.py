"""Parts of a day: disjoint, all of it in turn, each a problem of its own whose routes cost what they cost there."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from benchmarks.district import district_day
from recycling.routing.check import violations
from recycling.routing.construction import first_draft
from recycling.routing.day import Day
from recycling.routing.draft import Draft, complete
from recycling.routing.parts import NEAR_WAITING, SPARE_VEHICLES, Neighbourhoods, cut, plane, split
from recycling.routing.problem import Preference, Problem
from recycling.routing.solve import as_plan
from recycling.routing.travel import table
from tests.routing.days import a_day
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle, with_stop, with_vehicle


@pytest.fixture(scope="module")
def planned() -> Draft:
    """The first plan of a district day of 300 stops."""
    return first_draft(Day(district_day(300, 7)))


@pytest.fixture
def four_on_a_line() -> Problem:
    """Two vehicles, one station with a limit, stops at 600, 900, 1,200 and 1,500."""
    stops = tuple(a_stop(key, n) for n, key in enumerate("abcd", start=1))
    station = a_station("home", 0, intake_limit=(1000,))
    return a_problem((0, 600, 900, 1_200, 1_500), (station,), (a_vehicle("v1"), a_vehicle("v2")), stops)


def _draft(problem: Problem, *rows: tuple[int, ...]) -> Draft:
    draft = Draft(Day(problem))
    for vehicle, row in enumerate(rows):
        draft.put(vehicle, draft.time(vehicle, row))
    return draft


# --- cutting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_routes_cost_in_a_part_what_they_cost_in_the_day(seed: int) -> None:
    # given a day with every rule of the contract, and half of its vehicles with their stops as a part
    whole = first_draft(Day(a_day(seed, stops=30, vehicles=6)))
    vehicles = {0, 2, 4}
    stops = {s for v in vehicles for s in whole.sequences[v]}
    part = cut(whole, vehicles, stops, whole.room_for(vehicles))
    # when its warm routes are timed in the part's own problem
    inside = complete(Draft(Day(part.problem)), part.warm)
    # then they cost the same there, and lead back to the same routes
    costs = [0 if timed is None else timed.cost for timed in inside.routes]
    assert costs == [0 if timed is None else timed.cost for timed in (whole.routes[v] for v in part.vehicles)]
    assert part.outside(part.warm) == {v: whole.sequences[v] for v in sorted(vehicles)}


def test_a_part_holds_the_cells_of_its_places_only(four_on_a_line: Problem) -> None:
    draft = _draft(four_on_a_line, (0, 1), (2, 3))
    part = cut(draft, {1}, {2, 3}, draft.room_for({1}))
    # home, 1,200 and 1,500
    assert table(Day(part.problem).travel_s, range(3)).tolist() == [[0, 1_200, 1_500], [1_200, 0, 300], [1_500, 300, 0]]
    assert [stop.key for stop in part.problem.stops] == ["c", "d"]
    assert part.warm == ((0, 1),)


def test_a_locked_stop_goes_where_its_vehicle_goes(four_on_a_line: Problem) -> None:
    # given "d" locked to v2, but on no route, and "a" locked to v1
    problem = with_vehicle(with_vehicle(four_on_a_line, 0, locked=("a",)), 1, locked=("d",))
    draft = _draft(problem, (0, 1), ())
    # when parts are cut that ask for the wrong ones
    first, second = (cut(draft, {v}, {0, 1, 2, 3}, draft.room_for({v})) for v in (0, 1))
    # then each takes its own locked stop along and leaves the other's alone
    assert [stop.key for stop in first.problem.stops] == ["a", "b", "c"]
    assert [stop.key for stop in cut(draft, {1}, {1}, draft.room_for({1})).problem.stops] == ["b", "d"]
    assert [stop.key for stop in second.problem.stops] == ["b", "c", "d"]


def test_a_preference_for_a_vehicle_outside_the_part_costs_the_same_whatever_it_does(four_on_a_line: Problem) -> None:
    problem = with_stop(four_on_a_line, 0, prefer=Preference(vehicle="v1", cost=50))
    problem = with_stop(problem, 1, prefer=Preference(vehicle="v2", cost=50))
    draft = _draft(problem, (0, 1), (2, 3))
    part = cut(draft, {0}, {0, 1}, draft.room_for({0}))
    assert [stop.prefer for stop in part.problem.stops] == [Preference(vehicle="v1", cost=50), None]


def test_a_part_may_bring_to_a_station_what_the_others_leave(four_on_a_line: Problem) -> None:
    # given 1,000 at most, 20 of which the other route brings
    draft = _draft(four_on_a_line, (0, 1), (2, 3))
    assert cut(draft, {0}, {0, 1}, draft.room_for({0})).problem.stations[0].intake_limit == (980,)
    # then what two parts bring and what they leave adds up to the limit
    assert draft.intake_of({0}) == draft.intake_of({1}) == ((20,),)
    assert draft.room_for({0, 1}) == ((1000,),)


# --- choosing -----------------------------------------------------------------------------------------------------


def test_parts_in_work_at_once_are_disjoint_and_together_everything(planned: Draft) -> None:
    # given a day; when part after part is taken while all before are busy
    near = Neighbourhoods(planned.day, Random(1))
    busy: set[int] = set()
    busy_stops: set[int] = set()
    while (group := near.next(planned, 60, busy=busy, busy_stops=busy_stops)) is not None:
        vehicles, stops = group
        assert not vehicles & busy
        assert not stops & busy_stops
        assert {s for v in vehicles for s in planned.sequences[v]} <= stops
        busy |= vehicles
        busy_stops |= stops
    # then every route was in one of them
    assert {v for v, row in enumerate(planned.sequences) if row} <= busy
    assert {s for row in planned.sequences for s in row} <= busy_stops


def test_every_route_has_its_turn_before_any_has_too_many(planned: Draft) -> None:
    near, used = Neighbourhoods(planned.day, Random(1)), {v for v, row in enumerate(planned.sequences) if row}
    tried = dict.fromkeys(used, 0)
    for _ in range(len(used)):
        vehicles, _ = near.next(planned, 60) or (set(), set())
        for v in vehicles & used:
            tried[v] += 1
    assert min(tried.values()) >= 1


def test_a_part_is_of_the_size_asked_for_and_of_routes_near_each_other(planned: Draft) -> None:
    near, points = Neighbourhoods(planned.day, Random(1)), plane(planned.day.problem)
    place = planned.day.place

    def spread(stops: set[int]) -> float:
        here = points[[place[s] for s in stops]]
        return float(np.hypot(*(here - here.mean(axis=0)).T).mean())

    whole = spread({s for row in planned.sequences for s in row})
    spreads = []
    for _ in range(10):
        vehicles, stops = near.next(planned, 80) or (set(), set())
        served = {s for v in vehicles for s in planned.sequences[v]}
        assert len(served) <= 80 * 1.15
        assert len(stops - served) <= NEAR_WAITING
        assert sum(not planned.sequences[v] for v in vehicles) <= SPARE_VEHICLES
        spreads.append(spread(served))
    # the routes of a part lie closer together than those of the day
    assert np.mean(spreads) < 0.8 * whole


def test_waiting_stops_are_looked_at_when_no_route_is_free(four_on_a_line: Problem) -> None:
    near, draft = Neighbourhoods(Day(four_on_a_line), Random(1)), _draft(four_on_a_line, (), ())
    assert near.next(draft, 3) == ({0, 1}, {0, 1, 2})
    assert near.next(draft, 3, busy={0, 1}) is None
    assert near.next(_draft(four_on_a_line, (0, 1, 2, 3), ()), 3, busy={0}) is None


# --- splitting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [30, 90, 1000])
def test_a_split_holds_every_stop_and_every_usable_vehicle_once(size: int) -> None:
    problem = district_day(300, 7)
    groups = split(Day(problem), size)
    assert sorted(s for _, stops in groups for s in stops) == list(range(300))
    assert sorted(v for vehicles, _ in groups for v in vehicles) == list(range(len(problem.vehicles)))
    assert all(len(stops) <= size or len(vehicles) == 1 for vehicles, stops in groups)


def test_a_vehicle_that_cannot_start_gets_no_stops() -> None:
    problem = with_vehicle(district_day(100, 7), 0, shift_s=(70_000, 80_000))
    assert all(0 not in vehicles for vehicles, _ in split(Day(problem), 30))


def test_longitudes_shrink_with_the_latitude_only_on_the_globe() -> None:
    day = district_day(20, 7)
    globe, flat = plane(day), plane(a_problem((0, 600), (a_station("home", 0),), (), ()))
    # at 34.8° a degree of longitude is 0.82 of one of latitude
    assert globe[0, 1] == pytest.approx(day.locations[0][1] * 0.821, abs=0.2)
    assert flat.tolist() == [[0, 0], [600, 0]]


def test_a_part_improved_alone_leaves_the_rest_of_the_plan_valid() -> None:
    # given a day with limits whose part is planned anew from nothing within the room it was given
    whole = first_draft(Day(replace(a_day(12, stops=40, vehicles=6))))
    vehicles = {0, 1, 2}
    stops = {s for v in vehicles for s in whole.sequences[v]} | set(whole.waiting)
    part = cut(whole, vehicles, stops, whole.room_for(vehicles))
    fresh = complete(Draft(Day(part.problem)), tuple(rig.locked for rig in Day(part.problem).rigs))
    # when its routes are put in place of the old ones
    for v in vehicles:
        whole.put(v, None)
    for v, row in part.outside(fresh.sequences).items():
        whole.put(v, whole.time(v, row) if row else None)
    # then the day is still one that the checker passes
    assert violations(whole.day.problem, as_plan(whole)) == []
