"""The first plan: locked stops always, everything else by regret, a large day in parts, as long as there is time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.district import district_day
from recycling.routing import construction
from recycling.routing.check import violations
from recycling.routing.construction import first_draft
from recycling.routing.day import Day
from recycling.routing.draft import Draft, complete
from recycling.routing.problem import Problem
from recycling.routing.solve import as_plan
from tests.routing.days import a_day
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle

LONG_AGO = 0.0  # an instant of `time.monotonic` that has passed


@pytest.fixture
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut a day from 20 stops on."""
    monkeypatch.setattr(construction, "AT_ONCE", 20)


def _locked_district(stops: int) -> Problem:
    """A district day whose first three vehicles have two stops each that they must serve first."""
    problem = district_day(stops, 7)
    fleet = list(problem.vehicles)
    able = [s.key for s in problem.stops if not s.skills and s.windows_s == ((28_800, 61_200),)]
    for n in range(3):
        fleet[n] = replace(fleet[n], locked=(able[2 * n], able[2 * n + 1]))
    return replace(problem, vehicles=tuple(fleet))


@pytest.mark.usefixtures("in_small_parts")
@pytest.mark.parametrize("seed", range(6))
def test_a_day_built_in_parts_is_valid_and_holds_every_stop_once(seed: int) -> None:
    draft = first_draft(Day(a_day(seed, stops=70, vehicles=8)))
    assert violations(draft.day.problem, as_plan(draft)) == []
    on_routes = [s for row in draft.sequences for s in row]
    assert sorted(on_routes + draft.waiting) == list(range(70))


@pytest.mark.usefixtures("in_small_parts")
def test_locked_stops_come_first_in_whatever_part_their_vehicle_is() -> None:
    # given locked stops anywhere in the district, most of them far from the part that their vehicle falls into
    day = Day(_locked_district(120))
    rows = first_draft(day).sequences
    assert all(rows[rig.index][: len(rig.locked)] == rig.locked for rig in day.rigs)
    assert sum(len(rig.locked) for rig in day.rigs) == 6


def test_locked_stops_are_planned_even_when_the_time_is_over() -> None:
    day = Day(_locked_district(120))
    assert first_draft(day, until=LONG_AGO).sequences == tuple(rig.locked for rig in day.rigs)


def test_parts_cost_little_against_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    # given district days; when they are built at once, and in parts of about 50
    costs = {}
    for size in (1000, 50):
        monkeypatch.setattr(construction, "AT_ONCE", size)
        costs[size] = sum(first_draft(Day(district_day(150, seed))).cost for seed in range(4))
    # then the parts cost at most a quarter more: neighbours over the border are all that they miss
    assert costs[50] <= 1.25 * costs[1000]


@pytest.mark.usefixtures("in_small_parts")
def test_what_a_part_has_no_room_for_goes_to_another() -> None:
    # given all stops in the west, half of the vehicles in the east, and a vehicle takes ten of the forty
    places = (0.0, 9_000.0, *(float(-100 * n) for n in range(1, 41)))
    stations = (a_station("west", 0), a_station("east", 1))
    fleet = tuple(a_vehicle(f"{home}-{n}", home, capacity=(100,)) for home in ("west", "east") for n in range(2))
    no_unloads = tuple(replace(station, can_unload=False) for station in stations)
    stops = tuple(a_stop(f"b{n}", n + 1, skip_cost=100_000) for n in range(1, 41))
    draft = first_draft(Day(a_problem(places, no_unloads, fleet, stops)))
    # then every vehicle is full
    assert [len(row) for row in draft.sequences] == [10, 10, 10, 10]


def test_a_route_with_one_stop_that_comes_late_loses_only_that_one() -> None:
    # given a route of 600 stops along a road, all locked, the 400th of which is already closed
    stops = 600
    places = tuple(float(n) for n in range(stops + 1))
    visits = [a_stop(f"b{n}", n, service_s=5, load=(0,)) for n in range(1, stops + 1)]
    visits[399] = replace(visits[399], windows_s=((28_800, 28_801),))
    van = a_vehicle("van", locked=tuple(stop.key for stop in visits))
    day = Day(a_problem(places, (a_station("home", 0),), (van,), tuple(visits)))
    draft = complete(Draft(day), (day.rigs[0].locked,))
    assert draft.sequences == (tuple(n for n in range(stops) if n != 399),)


def test_no_stops_and_no_vehicles_make_an_empty_plan() -> None:
    stations = (a_station("home", 0),)
    assert first_draft(Day(a_problem((0,), stations, (a_vehicle("v1"),), ()))).sequences == ((),)
    assert first_draft(Day(a_problem((0, 600), stations, (), (a_stop("a", 1),)))).waiting == [0]
