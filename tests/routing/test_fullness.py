"""Why a day is full, in one sentence."""

from __future__ import annotations

from recycling.routing.fullness import why_full
from recycling.routing.problem import Problem, Stop
from recycling.routing.solve import solve
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle, with_station, with_stop, with_vehicle


def why(problem: Problem) -> str:
    return why_full(problem, solve(problem, seconds=60, engines=())) or ""


def a_long_day(*, stops: int = 4, **changes: object) -> Problem:
    """Stops of 8,000 s for one vehicle with a shift of 36,000 s: with the way, four fit."""
    visits: tuple[Stop, ...] = tuple(a_stop(f"b{i}", 1, service_s=8_000, **changes) for i in range(stops))
    return a_problem((0, 600), (a_station("home", 0),), (a_vehicle("v1"),), visits)


def test_a_day_that_leaves_nothing_out_is_not_full() -> None:
    assert why(a_long_day()) == ""


def test_a_fleet_out_all_day_is_short_of_time() -> None:
    # given 4 × 8,000 + 2 × 600 + 100 = 33,300 of 36,000 s, and a fifth stop
    said = why(a_long_day(stops=5))
    assert said.startswith("1 个停靠点排不下：工时 92%，装载(g) 40%；最紧的是工时 / 1 stops are crowded out: time 92%")
    assert said.endswith("what binds: time")


def test_a_vehicle_that_can_unload_nowhere_on_the_way_is_short_of_load() -> None:
    # given ten units of load a stop, a vehicle for twenty and no unload on the way
    problem = with_vehicle(with_station(a_long_day(stops=3), 0, can_unload=False), 0, capacity=(20,))
    assert why(problem).endswith("what binds: load (g)")


def test_a_station_that_takes_no_more_is_short_of_intake() -> None:
    problem = with_station(a_long_day(stops=3), 0, intake_limit=(20,))
    assert why(problem).endswith("what binds: station intake")


def test_stops_that_all_want_the_same_instant_run_into_their_windows() -> None:
    assert why(a_long_day(stops=3, windows_s=((40_000, 40_000),))).endswith("what binds: windows")


def test_a_skill_only_the_busiest_vehicle_has_is_named() -> None:
    # given four stops for the one vehicle of three that has a lift, which serves three of them
    problem = a_problem(
        (0, 600), (a_station("home", 0),),
        (a_vehicle("v1", skills=frozenset({"lift"})), a_vehicle("v2"), a_vehicle("v3")),
        tuple(a_stop(f"b{i}", 1, service_s=10_000, skills=frozenset({"lift"})) for i in range(4)),
    )  # fmt: skip
    assert why(problem).endswith("what binds: skills (lift)")
    # control: when all have it, the day is not full
    everybody = problem
    for index in range(3):
        everybody = with_vehicle(everybody, index, skills=frozenset({"lift"}))
    assert why(everybody) == ""


def test_a_stop_impossible_alone_does_not_make_a_day_full() -> None:
    assert why(with_stop(a_long_day(), 0, load=(101,))) == ""
