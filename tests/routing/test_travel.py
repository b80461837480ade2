"""Travel as the planner computes it: every kind by hand, and cell by cell what the checker computes for itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.routing.cost import leg
from recycling.routing.problem import Euclidean, GreatCircle, Matrix, Problem, Travel
from recycling.routing.travel import Cells, Computed, travel_matrices
from tests.routing.hand import a_problem, a_station


def between(travel: Travel, *places: tuple[float, float]) -> Problem:
    """A day with nothing but places and a way of travelling."""
    return replace(a_problem((), (), (), ()), locations=places, travel=travel)


def whole(cells: Cells) -> list[list[int]]:
    """The whole table, where there is one."""
    assert isinstance(cells, np.ndarray)
    table: list[list[int]] = cells.tolist()
    return table


def test_a_degree_of_latitude_is_a_360th_of_the_circumference_times_the_factor() -> None:
    # given two places one degree apart on a meridian, roads 1.3 times as long, 30 km/h
    problem = between(GreatCircle(factor=1.3, speed_kmh=30), (34.0, 117.0), (35.0, 117.0))
    travel_s, distance_m = travel_matrices(problem)
    # then 2π · 6,371,008.8 m / 360 = 111,195.08 m; · 1.3 = 144,553.6 m; / (30 / 3.6) m/s = 17,346.5 s from 144,554 m
    assert whole(distance_m) == [[0, 144_554], [144_554, 0]]
    assert whole(travel_s) == [[0, 17_346], [17_346, 0]]


@pytest.mark.parametrize(("rounding", "want"), [("floor", 14), ("round", 14), ("ceil", 15)])
def test_the_plane_rounds_the_scaled_distance_as_asked(rounding: str, want: int) -> None:
    # given one diagonal step, √2 = 1.4142…, in tenths: 14.142…
    problem = between(Euclidean(scale=10, rounding=rounding), (0, 0), (1, 1))  # type: ignore[arg-type]  # one of three
    travel_s, distance_m = travel_matrices(problem)
    assert travel_s[0, 1] == distance_m[0, 1] == want


def test_a_matrix_is_taken_as_it_stands_also_when_lopsided() -> None:
    there, metres = np.array([[0, 5], [9, 0]]), np.array([[0, 50], [60, 0]])
    travel_s, distance_m = travel_matrices(between(Matrix(travel_s=there, distance_m=metres), (0, 0), (0, 0)))
    assert (whole(travel_s), whole(distance_m)) == (there.tolist(), metres.tolist())


def test_a_crawl_is_as_far_as_numbers_go_and_not_negative() -> None:
    # given a speed at which the way takes 10^22 seconds, more than 64 bits hold
    problem = between(GreatCircle(factor=1.3, speed_kmh=1e-15), (34.0, 117.0), (35.0, 117.0))
    travel_s, _ = travel_matrices(problem)
    assert travel_s[0, 1] == 2**59


def test_no_places_make_empty_matrices() -> None:
    travel_s, _ = travel_matrices(between(GreatCircle(factor=1, speed_kmh=30)))
    assert whole(travel_s) == []


# A few hundred kilometres: near the other side of the globe the last bit of a sine is worth decimetres.
coordinates = st.tuples(st.floats(33, 36), st.floats(115, 119))
roundings = st.sampled_from(["floor", "round", "ceil"])
ways = st.one_of(
    st.builds(GreatCircle, factor=st.floats(0.5, 3), speed_kmh=st.sampled_from([5, 30, 36, 54.5])),
    st.builds(Euclidean, scale=st.sampled_from([0.1, 1, 10, 1000]), rounding=roundings),
)


@given(travel=ways, places=st.lists(coordinates, min_size=2, max_size=6))
def test_every_cell_is_what_the_checker_computes(travel: Travel, places: list[tuple[float, float]]) -> None:
    problem = between(travel, *places)
    travel_s, distance_m = travel_matrices(problem)
    for a in range(len(places)):
        for b in range(len(places)):
            if a != b:
                assert (travel_s[a, b], distance_m[a, b]) == leg(problem, a, b)


@given(travel=ways, places=st.lists(coordinates, min_size=2, max_size=6))
def test_a_day_too_large_for_a_table_computes_the_same_cells(travel: Travel, places: list[tuple[float, float]]) -> None:
    problem = between(travel, *places)
    tables = travel_matrices(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recycling.routing.travel.MOST_TABLED", 1)
        computed = travel_matrices(problem)
    every = np.arange(len(places))
    for table, cells in zip(tables, computed, strict=True):
        assert isinstance(cells, Computed)
        assert cells[np.ix_(every, every)].tolist() == whole(table)
        assert [[cells[a, b] for b in range(len(places))] for a in range(len(places))] == whole(table)


@given(places=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=6))
def test_whole_distances_stay_whole_under_a_floor(places: list[tuple[int, int]]) -> None:
    # Tenths such as (0.3, 0.4) are 0.5 apart: a floor of 10 · 0.5 must be 5 in the search as in the checker.
    problem = between(Euclidean(scale=10, rounding="floor"), *((x / 10, y / 10) for x, y in places))
    travel_s, _ = travel_matrices(problem)
    assert all(travel_s[a, b] == leg(problem, a, b)[0] for a in range(len(places)) for b in range(len(places)))


def test_more_places_than_one_pass_holds_are_all_computed() -> None:
    # given 300 places on a line, more than the 256 rows of one pass
    line = tuple((float(x), 0.0) for x in range(300))
    travel_s, _ = travel_matrices(between(Euclidean(scale=1, rounding="round"), *line))
    assert travel_s[299, np.arange(300)].tolist() == list(range(299, -1, -1))


def test_stations_play_no_part_in_travel() -> None:
    problem = a_problem((0, 600), (a_station("home", 0),), (), ())
    assert whole(travel_matrices(problem)[0]) == [[0, 600], [600, 0]]
