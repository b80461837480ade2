"""What a crew is told when its route is planned anew: the least that explains the difference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.policy.route_changes import ARRIVAL_CHANGE_S, PlannedStep, RouteChange, route_changes

EIGHT = 8 * 3600


def a_route(*keys: str, **moved_s: int) -> list[PlannedStep]:
    """Steps at eight o'clock, but for those that are said to come so many seconds later."""
    return [
        PlannedStep(key=key, position=place, arrival_s=EIGHT + moved_s.get(key, 0)) for place, key in enumerate(keys)
    ]


def told(changes: Sequence[RouteChange]) -> list[tuple[str, str]]:
    """Kind and step of each change."""
    return [(change.kind, change.key) for change in changes]


def test_the_same_route_has_no_changes() -> None:
    assert route_changes(a_route("a", "b", "c"), a_route("a", "b", "c")) == ()
    assert route_changes([], []) == ()


def test_a_stop_that_is_gone_is_told_with_where_it_was_and_moves_nobody_else() -> None:
    # given b between a and c; then c becomes the second stop only because b has gone
    (change,) = route_changes(a_route("a", "b", "c"), a_route("a", "c"))
    assert (change.kind, change.key, change.after) == ("removed", "b", None)
    assert change.before is not None
    assert change.before.position == 1


def test_a_stop_that_came_is_told_with_where_it_is_and_moves_nobody_else() -> None:
    (change,) = route_changes(a_route("a", "c"), a_route("a", "b", "c"))
    assert (change.kind, change.key, change.before) == ("added", "b", None)
    assert change.after is not None
    assert change.after.position == 1


def test_the_last_stop_put_first_is_one_move_not_four() -> None:
    assert told(route_changes(a_route("a", "b", "c", "d"), a_route("d", "a", "b", "c"))) == [("moved", "d")]


def test_two_stops_exchanged_are_one_move_past_the_other() -> None:
    assert len(route_changes(a_route("a", "b"), a_route("b", "a"))) == 1


@pytest.mark.parametrize(
    ("shift_s", "is_told"),
    [(599, False), (600, True), (-599, False), (-600, True), (3600, True)],
)
def test_an_arrival_is_told_from_ten_minutes_on_in_both_directions(shift_s: int, is_told: bool) -> None:  # noqa: FBT001
    assert ARRIVAL_CHANGE_S == 600
    changes = route_changes(a_route("a", "b"), a_route("a", "b", b=shift_s))
    assert told(changes) == ([("arrival", "b")] if is_told else [])


def test_an_unload_elsewhere_is_told_with_both_stations() -> None:
    here, there = (
        [PlannedStep(key="unload 1", position=0, arrival_s=EIGHT, station_key=station)]
        for station in ("lincheng", "xingren")
    )
    (change,) = route_changes(here, there)
    assert (change.kind, change.before, change.after) == ("station", here[0], there[0])


def test_a_step_may_differ_in_several_ways_and_what_is_gone_is_told_first() -> None:
    # given d, which comes half an hour later at the front, and a which is gone
    changes = route_changes(a_route("a", "b", "c", "d"), a_route("d", "b", "c", "e", d=1800))
    assert told(changes) == [("removed", "a"), ("moved", "d"), ("arrival", "d"), ("added", "e")]


KEYS = "abcdefg"
some_route = st.lists(st.sampled_from(KEYS), unique=True, max_size=len(KEYS))


@given(before=some_route, after=some_route)
def test_the_moves_are_the_fewest_that_explain_the_new_sequence(before: list[str], after: list[str]) -> None:
    changes = told(route_changes(a_route(*before), a_route(*after)))
    assert {key for kind, key in changes if kind == "added"} == set(after) - set(before)
    assert {key for kind, key in changes if kind == "removed"} == set(before) - set(after)
    moved = {key for kind, key in changes if kind == "moved"}
    kept_before, kept_after = ([key for key in one if key in before and key in after] for one in (before, after))
    # what did not move stands in the old sequence
    assert [key for key in kept_before if key not in moved] == [key for key in kept_after if key not in moved]
    # and by brute force no smaller set of moves leaves the rest so
    for count in range(len(moved)):
        for fewer in combinations(kept_after, count):
            left = [[key for key in one if key not in fewer] for one in (kept_before, kept_after)]
            assert left[0] != left[1]
