"""Where a vehicle is: by what was recorded, and since then by its plan; nobody else's stop, no lost one."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from recycling.policy.field_events import FieldKind, FieldRecord, RouteState, route_state
from recycling.routing.plan import Route
from recycling.routing.problem import Break, Problem
from recycling.routing.replan import OnRoute
from recycling.units import instant_at
from recycling.usecases.planning.live_route import SILENT_S, LiveRoute, live_route
from tests.routing.hand import DAY, a_problem, a_station, a_step, a_stop, a_vehicle

A, B, C = (UUID(int=n) for n in (1, 2, 3))
EIGHT = 28_800
NONE: frozenset[str] = frozenset()

# Home at 0, doors at 600, 1,200 and 1,800 m; 600 s from each to the next, 300 s at each door. Left at 8:00.
ARRIVALS = {A: EIGHT + 600, B: EIGHT + 1_500, C: EIGHT + 2_400}


def a_day() -> Problem:
    """One vehicle and three doors on a line."""
    stops = tuple(a_stop(str(key), n) for n, key in enumerate((A, B, C), start=1))
    return a_problem((0, 600, 1_200, 1_800), (a_station("home", 0),), (a_vehicle("v1"),), stops)


def planned() -> Route:
    """Its route: a, b, c and home, each as early as it goes."""
    steps = [a_step("start", 0, (EIGHT, EIGHT, EIGHT), (0,))]
    for n, (key, at_s) in enumerate(ARRIVALS.items(), start=1):
        steps.append(a_step("pickup", n, (at_s, at_s, at_s + 300), (10 * n,), str(key)))
    home_s = ARRIVALS[C] + 300 + 1_800
    steps.append(a_step("end", 0, (home_s, home_s, home_s + 100), (0,), "home"))
    return Route(vehicle="v1", steps=tuple(steps))


def said(*told: tuple[FieldKind, int, UUID | None]) -> RouteState:
    """The fold of a device's records: kind, second of the day, booking."""
    return route_state(
        FieldRecord(
            event_id=UUID(int=100 + n), device_id=UUID(int=9), device_seq=n, kind=kind,
            made_at=instant_at(DAY, second), vehicle_key="v1", booking_id=booking,
            station_key="home" if kind == "unload" else None,
        )
        for n, (kind, second, booking) in enumerate(told)
    )  # fmt: skip


def where(
    state: RouteState, now_s: int, *, over: frozenset[str] = NONE, problem: Problem | None = None, **more: int
) -> LiveRoute:
    """What is known of the vehicle."""
    problem = problem or a_day()
    vehicle = problem.vehicles[0]
    return live_route(problem, vehicle, planned(), state, over=over, elsewhere=NONE, now_s=now_s, **more)


def on_route(found: LiveRoute) -> OnRoute:
    """Where it goes on from."""
    assert found.here is not None
    return found.here


def test_before_it_leaves_nothing_has_happened() -> None:
    assert where(said(), EIGHT - 1) == LiveRoute()


def test_in_the_middle_of_a_visit_it_is_free_when_that_ends() -> None:
    # at a's door since 8:10, ten minutes and a hundred seconds after leaving
    found = where(said(("start", EIGHT + 600, A)), EIGHT + 700)
    here = on_route(found)
    assert (here.location, here.free_s, here.load, here.next_stop) == (1, EIGHT + 900, (10,), None)
    assert found.in_hand == {str(A)}


def test_one_that_was_an_hour_late_stays_an_hour_late() -> None:
    # given a's visit over at 9:15 instead of 8:15; b is ten minutes further
    state, late = said(("collected", EIGHT + 900 + 3_600, A)), 3_600
    found = where(state, EIGHT + 1_000 + late, over=frozenset({str(A)}))
    # then five minutes before b it is still driving there, and b is its own
    here = on_route(found)
    assert (here.location, here.free_s, here.next_stop) == (1, EIGHT + 900 + late, str(B))
    assert found.begun == {str(B)}
    assert found.in_hand == NONE


def test_what_it_has_set_out_for_is_its_own_in_whatever_sequence() -> None:
    # given a crew that goes to c first
    found = where(said(("collected", EIGHT + 900, A), ("on_the_way", EIGHT + 900, C)), EIGHT + 1_000,
                  over=frozenset({str(A)}))  # fmt: skip
    assert on_route(found).next_stop == str(C)
    # and b, which they passed by, waits for whoever comes
    assert str(B) not in found.begun


def test_a_silent_phone_is_taken_to_go_on_by_the_plan() -> None:
    # given nothing recorded after a's visit, and a clock by which b is over and c has begun
    now_s = ARRIVALS[C] + 100
    found = where(said(("collected", EIGHT + 900, A)), now_s, over=frozenset({str(A)}))
    here = on_route(found)
    assert (here.location, here.free_s, here.load) == (3, ARRIVALS[C] + 300, (30,))
    # b and c are nobody else's
    assert found.in_hand == {str(B), str(C)}
    assert [step.stop for step in found.past if step.stop] == [str(A), str(B), str(C)]


def test_a_visit_long_over_by_the_clock_and_never_recorded_counts_as_not_done() -> None:
    # given b, which by the clock ended SILENT_S and one second ago, without a record
    ended_s = ARRIVALS[B] + 300
    state, over = said(("collected", EIGHT + 900, A)), frozenset({str(A)})
    found = where(state, ended_s + SILENT_S + 1, over=over)
    # then it waits for a vehicle again; a second earlier it did not
    assert str(B) not in found.in_hand
    assert str(B) in where(state, ended_s + SILENT_S, over=over).in_hand
    # and the vehicle is taken to be home, empty
    assert (on_route(found).location, on_route(found).load) == (0, (0,))


def test_what_was_unloaded_is_on_board_no_more() -> None:
    state = said(("collected", EIGHT + 900, A), ("unload", EIGHT + 1_600, None), ("collected", EIGHT + 3_000, B))
    found = where(state, EIGHT + 3_001, over=frozenset({str(A), str(B)}))
    # a's 10 went out at home, b's 10 are on board
    assert found.unloaded == (("home", (10,)),)
    assert on_route(found).load == (10,)


def test_a_planned_unload_that_nobody_recorded_counts_as_made_once_the_crew_went_on() -> None:
    # given a route that unloads at home between a and b
    route = planned()
    unload = a_step("unload", 0, (EIGHT + 1_500, EIGHT + 1_500, EIGHT + 1_600), (0,), "home")
    route = replace(route, steps=(*route.steps[:2], unload, *route.steps[2:]))
    problem, over = a_day(), frozenset({str(A), str(B)})
    told: list[tuple[FieldKind, int, UUID | None]] = [("collected", EIGHT + 900, A), ("collected", EIGHT + 3_000, B)]

    def found(state: RouteState) -> LiveRoute:
        return live_route(
            problem, problem.vehicles[0], route, state, over=over, elsewhere=NONE, now_s=EIGHT + 3_001
        )  # fmt: skip

    # then b's 10 alone are on board, and a's were brought home; recorded or not, once
    for state in (said(*told), said(told[0], ("unload", EIGHT + 1_600, None), told[1])):
        assert on_route(found(state)).load == (10,)
        assert found(state).unloaded == (("home", (10,)),)


def test_nothing_is_on_board_of_a_visit_that_failed() -> None:
    found = where(said(("failed", EIGHT + 900, A)), EIGHT + 901, over=frozenset({str(A)}))
    assert on_route(found).load == (0,)


def test_a_vehicle_that_stopped_keeps_the_visit_it_is_at_and_nothing_else() -> None:
    # at a's door when it broke down
    at_door = where(said(("start", EIGHT + 600, A)), EIGHT + 700, stopped_s=EIGHT + 650)
    assert at_door.here is None
    assert at_door.in_hand == {str(A)}
    # on its way to b
    driving = where(
        said(("collected", EIGHT + 900, A), ("on_the_way", EIGHT + 900, B)), EIGHT + 1_200,
        over=frozenset({str(A)}), stopped_s=EIGHT + 1_100,
    )  # fmt: skip
    assert (driving.here, driving.begun) == (None, NONE)


def test_a_shift_that_is_over_takes_no_more() -> None:
    found = where(said(("collected", EIGHT + 900, A), ("shift_end", EIGHT + 1_000, None)), EIGHT + 1_100,
                  over=frozenset({str(A)}))  # fmt: skip
    assert found.here is None


def test_a_late_one_stands_still_until_it_was_said_to_go_on() -> None:
    found = where(said(("collected", EIGHT + 900, A)), EIGHT + 1_000, over=frozenset({str(A)}),
                  held_until_s=EIGHT + 5_000)  # fmt: skip
    assert on_route(found).free_s == EIGHT + 5_000
    # one that has not left either
    waiting = where(said(), EIGHT - 100, held_until_s=EIGHT + 5_000)
    assert (on_route(waiting).location, on_route(waiting).free_s) == (0, EIGHT + 5_000)


def test_a_visit_it_reaches_too_late_is_said_to_be_late() -> None:
    # given b, promised until 8:20, and a visit at a that ended at 8:15: it arrives at 8:25
    problem = a_day()
    stops = tuple(
        replace(stop, windows_s=((EIGHT, EIGHT + 1_200),)) if stop.key == str(B) else stop for stop in problem.stops
    )
    state, over = said(("collected", EIGHT + 900, A)), frozenset({str(A)})
    found = where(state, EIGHT + 1_000, over=over, problem=replace(problem, stops=stops))
    assert found.late_s == EIGHT + 1_500
    assert where(state, EIGHT + 1_000, over=over).late_s is None


@pytest.mark.parametrize("recorded", [True, False])
def test_a_break_is_taken_once(*, recorded: bool) -> None:
    # given a break due between 8:10 and 9:00, and a vehicle at a until 8:15
    problem = a_day()
    rest = Break(window_s=(EIGHT + 600, EIGHT + 3_600), duration_s=1_800)
    problem = replace(problem, vehicles=(replace(problem.vehicles[0], break_=rest),))
    told: list[tuple[FieldKind, int, UUID | None]] = [("collected", EIGHT + 900, A)]
    if recorded:
        told.append(("break_start", EIGHT + 900, None))
    found = where(said(*told), EIGHT + 1_000, over=frozenset({str(A)}), problem=problem)
    # then it rests until 8:45, or drives on with its break before it
    assert on_route(found).rested is recorded
    assert on_route(found).free_s == (EIGHT + 2_700 if recorded else EIGHT + 900)
