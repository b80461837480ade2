"""The pool remembers routes; set partitioning chooses the cheapest of them that keep every rule together."""

from __future__ import annotations

from typing import Any

import pytest

from recycling.routing import pool as pool_module
from recycling.routing.day import Day
from recycling.routing.draft import Draft
from recycling.routing.engines.recombine import best_choice
from recycling.routing.pool import Choice, Pooled, RoutePool
from recycling.routing.problem import Preference, Problem
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle, with_stop, with_vehicle


@pytest.fixture
def both_ways() -> Problem:
    """Home in the middle, a and b to the west, c and d to the east, three vehicles alike."""
    stops = tuple(a_stop(key, n) for n, key in enumerate("abcd", start=1))
    fleet = tuple(a_vehicle(f"v{n}") for n in range(3))
    return a_problem((0, -600, -900, 600, 900), (a_station("home", 0),), fleet, stops)


def _draft(day: Day, *rows: tuple[int, ...]) -> Draft:
    draft = Draft(day)
    for vehicle, row in enumerate(rows):
        draft.put(vehicle, draft.time(vehicle, row))
    return draft


def _costs(day: Day, pool: RoutePool, *rows: tuple[int, ...]) -> None:
    pool.add_timed(_draft(day, *rows).routes)


# --- the pool -----------------------------------------------------------------------------------------------------


def test_vehicles_alike_are_one_kind_and_one_that_a_stop_prefers_is_its_own(both_ways: Problem) -> None:
    assert RoutePool(Day(both_ways)).members == ((0, 1, 2),)
    wide = with_vehicle(both_ways, 1, capacity=(200,))
    assert RoutePool(Day(wide)).members == ((0, 2), (1,))
    fond = with_stop(both_ways, 0, prefer=Preference(vehicle="v2", cost=70))
    assert RoutePool(Day(fond)).members == ((0, 1), (2,))


def test_of_one_set_of_stops_the_cheapest_sequence_is_remembered(both_ways: Problem) -> None:
    day = Day(both_ways)
    pool = RoutePool(day)
    # c, d, a goes 900 east, back, and 600 west: 1,000 + 900 + 900 + 600 + 600; a, c, d the same; c, a, d is longer
    _costs(day, pool, (2, 0, 3))
    _costs(day, pool, (2, 3, 0))
    _costs(day, pool, (2, 0, 3))
    assert [(route.stops, route.cost) for route in pool.within({0}, {0, 1, 2, 3})] == [((2, 3, 0), 4_000)]
    assert (len(pool), pool.added) == (1, 1)


def test_a_preference_broken_is_part_of_a_routes_cost(both_ways: Problem) -> None:
    day = Day(with_stop(both_ways, 0, prefer=Preference(vehicle="v2", cost=70)))
    pool = RoutePool(day)
    for vehicle in (0, 2):
        timed = Draft(day).time(vehicle, (0,))
        assert timed is not None
        pool.add_timed([timed])
    assert sorted(route.cost for route in pool.within({0, 1, 2}, {0})) == [2_200, 2_270]


def test_routes_come_from_the_vehicles_and_stops_asked_for(both_ways: Problem) -> None:
    day = Day(with_vehicle(both_ways, 1, capacity=(200,)))
    pool = RoutePool(day)
    _costs(day, pool, (0, 1), (2,), (3,))
    assert [route.stops for route in pool.within({0}, {0, 1, 3})] == [(0, 1), (3,)]
    assert [route.stops for route in pool.within({1}, {0, 1, 2, 3})] == [(2,)]
    assert pool.within({0, 1, 2}, {0}) == []


def test_a_full_pool_forgets_what_it_has_not_heard_of_for_longest(
    both_ways: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "MOST_ROUTES", 4)
    pool = RoutePool(Day(both_ways))
    for stops in ((0,), (1,), (2,), (3,), (0,), (0, 1)):
        pool.add(0, stops, 10, ())
    # (1,) is the oldest: (0,) was found once more
    assert [route.stops for route in pool.within({0}, {0, 1, 2, 3})] == [(2,), (3,), (0,), (0, 1)]


def test_nothing_is_chosen_from_when_only_the_standing_routes_are_known(both_ways: Problem) -> None:
    day = Day(both_ways)
    pool, draft = RoutePool(day), _draft(day, (0, 1), (2, 3))
    pool.add_timed(draft.routes)
    assert pool.choice(draft, {0, 1, 2}, {0, 1, 2, 3}) is None


def test_a_route_that_stands_keeps_its_vehicle_and_new_ones_go_to_any_of_their_kind(both_ways: Problem) -> None:
    pool = RoutePool(Day(both_ways))
    chosen = [_route((2, 3), 9), _route((1,), 9), _route((0,), 9)]
    assert pool.dealt(chosen, {0: (0, 1), 1: (2, 3), 2: ()}) == {1: (2, 3), 0: (0,), 2: (1,)}
    assert pool.dealt([], {0: (0, 1), 1: ()}) == {0: (), 1: ()}


# --- the choice ---------------------------------------------------------------------------------------------------


def test_two_plans_each_good_in_one_half_are_joined(both_ways: Problem) -> None:
    # given one plan that is good in the west, and one that is good in the east
    day = Day(both_ways)
    pool, west, east = RoutePool(day), _draft(day, (0, 1), (2,), (3,)), _draft(day, (0,), (1,), (2, 3))
    pool.add_timed([*west.routes, *east.routes])
    choice = pool.choice(west, {0, 1, 2}, {0, 1, 2, 3})
    assert choice is not None
    # when the best choice is made
    chosen = [choice.routes[n] for n in best_choice(choice, seconds=30, seed=1)]
    rows = pool.dealt(chosen, dict(enumerate(west.sequences)))
    # then it is the good half of each: two vehicles, twice 1,000 + 2 · 900
    joined = _draft(day, *(rows[v] for v in range(3)))
    assert sorted(joined.sequences) == [(), (0, 1), (2, 3)]
    assert (west.cost, east.cost, joined.cost) == (7_800, 7_800, 5_600)


def test_no_more_routes_are_chosen_than_there_are_vehicles_of_the_kind() -> None:
    # given two cheap routes of a kind with one vehicle: one is driven, and the dear one of the other kind
    routes = (_route((0,), 10), _route((1,), 10), _route((0,), 90, kind=1), _route((1,), 80, kind=1))
    assert _chosen(routes, kinds=(1, 1)) == {0, 3}
    assert _chosen(routes, kinds=(2, 0)) == {0, 1}


def test_what_the_chosen_routes_bring_stays_within_a_stations_room() -> None:
    # given two routes that bring 60 each; one that leads elsewhere is dearer
    routes = (_route((0,), 10, intake=60), _route((1,), 10, intake=60), _route((1,), 30))
    assert _chosen(routes, kinds=(2,), room=120) == {0, 1}
    assert _chosen(routes, kinds=(2,), room=119) == {0, 2}
    assert _chosen(routes, kinds=(2,), room=59) == {2}


def test_a_stop_is_left_out_where_that_is_cheaper_and_never_driven_to_twice() -> None:
    routes = (_route((0, 1), 100), _route((1, 2), 110), _route((1,), 70))
    # given leaving out costs 50 a stop: no route is worth it but none of the first two excludes the other
    assert _chosen(routes, kinds=(3,), skip=60) == {0}
    assert _chosen(routes, kinds=(3,), skip=1000) == {0}
    assert _chosen(routes, kinds=(3,), skip=40) == set()


def test_the_same_choice_and_seed_give_the_same_answer() -> None:
    routes = tuple(_route((a, b), 100) for a in range(12) for b in range(a + 1, 12))
    one, other = (best_choice(_choice(routes, kinds=(6,)), seconds=60, seed=3, effort=2.0) for _ in range(2))
    assert one == other
    assert sorted(stop for n in one for stop in routes[n].stops) == list(range(12))


def _route(stops: tuple[int, ...], cost: int, *, kind: int = 0, intake: int = 0) -> Pooled:
    return Pooled(kind=kind, stops=stops, cost=cost, intake=((intake,),))


def _choice(routes: tuple[Pooled, ...], *, skip: int = 1000, room: int = 1000, **parts: Any) -> Choice:
    stops = {stop for route in routes for stop in route.stops}
    return Choice(routes=routes, skip_costs=dict.fromkeys(sorted(stops), skip), room=((room,),), chosen=0, **parts)


def _chosen(routes: tuple[Pooled, ...], **parts: Any) -> set[int]:
    return set(best_choice(_choice(routes, **parts), seconds=30, seed=1))
