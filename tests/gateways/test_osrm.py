"""OSRM: the real server on a made-up net, and every way in which an answer can be wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recycling.gateways.json_client import JsonClient
from recycling.gateways.osrm import OsrmEngine
from recycling.gateways.travel_matrix import UNKNOWN, Gap, Point, TravelMatrix
from tests.roads.engines import TABLE_LIMIT, RoadServer, serving_osrm
from tests.roads.scripted import Table, scripted_server
from tests.roads.streets import ISLAND, crossing

A, B, C = crossing(6, 6), crossing(6, 12), crossing(12, 12)  # on main roads


def asked(address: str, points: Sequence[Point], *, limit: int = TABLE_LIMIT, seconds: float = 30) -> TravelMatrix:
    """What the engine at an address says of the ways between points."""
    engine = OsrmEngine(JsonClient(address, timeout_s=5), profile="driving", table_limit=limit)
    return engine.matrix(points, until=time.monotonic() + seconds)


# --- the real one ---


@pytest.mark.osrm
def test_seconds_and_metres_are_those_of_the_streets(osrm: RoadServer) -> None:
    found = asked(osrm.address, [A, B, C])
    # six crossings east: 6 · 0.01° · cos 34.68° · 111.2 km/° = 5.48 km; six north: 6 · 0.01° · 111.2 km/° = 6.67 km
    assert found.distance_m[0, 1] == pytest.approx(5_480, rel=0.01)
    assert found.distance_m[1, 2] == pytest.approx(6_670, rel=0.01)
    # main roads at 60 km/h, of which the car profile drives four fifths: 48 km/h
    assert found.travel_s[0, 1] == pytest.approx(5_480 / (48 / 3.6), rel=0.1)
    assert np.diagonal(found.travel_s).tolist() == [0, 0, 0]
    assert not found.gap.any()
    assert found.snap_m.max() < 1


@pytest.mark.osrm
def test_a_one_way_street_makes_the_way_back_another(osrm: RoadServer) -> None:
    # given two places on a street that is driven eastwards only
    west, east = crossing(4, 8), crossing(4, 9)
    found = asked(osrm.address, [west, east])
    assert found.distance_m[1, 0] > found.distance_m[0, 1] * 2


@pytest.mark.osrm
def test_a_matrix_in_blocks_is_the_matrix_in_one(osrm: RoadServer) -> None:
    points = [crossing(row, column) for row in range(1, 10, 2) for column in range(1, 19, 2)]  # 45
    whole = asked(osrm.address, points)
    parts = asked(osrm.address, points, limit=14)
    assert np.array_equal(whole.travel_s, parts.travel_s)
    assert np.array_equal(whole.distance_m, parts.distance_m)
    assert not parts.gap.any()


@pytest.mark.osrm
def test_more_points_than_the_table_limit_are_asked_in_parts(osrm: RoadServer) -> None:
    points = [crossing(row, column) for row in range(12) for column in range(12)]  # 144, above the server's 100
    assert not asked(osrm.address, points).gap.any()
    # control: in one request the server refuses them all
    assert (asked(osrm.address, points, limit=144).gap[0, 1:] == Gap.REFUSED).all()


@pytest.mark.osrm
def test_a_place_on_an_island_is_put_on_a_far_road_and_the_distance_tells(osrm: RoadServer) -> None:
    # given a street that no other leads to: OSRM takes the nearest road of the net that is large enough instead
    found = asked(osrm.address, [A, ISLAND[0], B])
    # the net's north-eastern corner is at 34.95, 117.51: 0.15° · 111.2 km = 16.7 km south, 0.09° · 91 km = 8.2 km west
    assert found.snap_m[1] == pytest.approx(18_600, rel=0.01)
    assert found.snap_m[[0, 2]].max() < 1


@pytest.mark.osrm
def test_how_far_a_place_lies_from_its_road_is_known(osrm: RoadServer) -> None:
    # given a place 0.3 of a step of 0.01° south of a street, between two others: 334 m
    lat, lon = crossing(6, 6)
    found = asked(osrm.address, [A, (lat - 0.003, lon + 0.005), C])
    assert found.snap_m[1] == pytest.approx(334, abs=5)


@pytest.mark.osrm
def test_points_with_their_coordinates_exchanged_are_refused_in_words(osrm: RoadServer) -> None:
    found = asked(osrm.address, [(A[1], A[0]), (B[1], B[0])])
    assert found.gap[0, 1] == Gap.REFUSED  # 117° is no latitude


@pytest.mark.osrm
def test_a_killed_server_leaves_what_it_had_answered(osrm_net: Path) -> None:
    points = [crossing(row, column) for row in range(10) for column in range(10)]
    with serving_osrm(osrm_net) as server:

        class Killing(JsonClient):
            """Kills the server after ten answers."""

            answers = 0

            def ask(self, path: str, *, until: float, body: Any = None) -> Any:
                """Ask, unless it is the eleventh time: then with the server dead."""
                if self.answers == 10:
                    server.kill()
                self.answers += 1
                return super().ask(path, until=until, body=body)

        engine = OsrmEngine(Killing(server.address, timeout_s=5), profile="driving", table_limit=20)
        begun = time.monotonic()
        found = engine.matrix(points, until=begun + 30)
        assert time.monotonic() - begun < 20
    # ten blocks of 10 × 10: the first 10 rows, without their diagonal
    assert int((found.travel_s != UNKNOWN).sum()) == 1_000 + 90  # and the 90 places' ways to themselves
    assert set(np.unique(found.gap)) == {Gap.NONE, Gap.NO_ANSWER}


# --- one that answers wrongly ---


def changed(**parts: Any) -> Callable[[Table], Table]:
    """A right answer but for some of its parts."""
    return lambda table: table | {name: part(table[name]) if callable(part) else part for name, part in parts.items()}


def first_row_null(rows: list[list[float | None]]) -> list[list[float | None]]:
    """The same with nothing known from the first point."""
    return [[None] * len(rows[0]), *rows[1:]]


@pytest.mark.parametrize(
    ("wrong", "gap"),
    [
        pytest.param(changed(durations=[[0.0, 1.0]]), Gap.REFUSED, id="too few rows"),
        pytest.param(changed(durations=[[0.0, 1.0], [1.0]]), Gap.REFUSED, id="ragged"),
        pytest.param(changed(durations="soon"), Gap.REFUSED, id="a word"),
        pytest.param(changed(durations=[[0.0, "soon"], [1.0, 0.0]]), Gap.REFUSED, id="a word in a cell"),
        pytest.param(changed(durations=None), Gap.REFUSED, id="no durations"),
        pytest.param(changed(distances=None), Gap.REFUSED, id="no distances"),
        pytest.param(changed(code="TooBig"), Gap.REFUSED, id="code"),
        pytest.param(lambda _: (400, {"code": "InvalidUrl"}), Gap.REFUSED, id="status 400"),
        pytest.param(lambda _: (404, b"<html>"), Gap.NO_ANSWER, id="status 404, no JSON"),
        pytest.param(changed(durations=[[0.0, -5.0], [-5.0, 0.0]]), Gap.IMPLAUSIBLE, id="negative"),
        pytest.param(changed(durations=[[0.0, 1e300], [1e300, 0.0]]), Gap.IMPLAUSIBLE, id="huge"),
        pytest.param(lambda t: (200, b'{"code":"Ok","durations":[[0,1e999],[1e999,0]],"distances":[[0,9],[9,0]]}'),
                     Gap.IMPLAUSIBLE, id="infinite"),
        pytest.param(lambda t: (200, b'{"code":"Ok","durations":[[0,NaN],[9,0]],"distances":[[0,9],[9,0]]}'),
                     Gap.NO_ANSWER, id="not a number"),
        pytest.param(changed(durations=[[0.0, None], [None, 0.0]]), Gap.NO_ROAD, id="null"),
        pytest.param(lambda _: (400, {"code": "NoSegment"}), Gap.NO_ROAD, id="no segment"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_no_answer_and_says_which(wrong: Callable[[Table], Any], gap: Gap) -> None:
    with scripted_server(wrong) as (address, _):
        found = asked(address, [A, B])
    assert found.travel_s.tolist() == found.distance_m.tolist() == [[0, UNKNOWN], [UNKNOWN, 0]]
    assert found.gap[0, 1] == gap


def test_a_null_cell_costs_no_other_cell() -> None:
    with scripted_server(changed(durations=first_row_null)) as (address, _):
        found = asked(address, [A, B, C])
    assert (found.gap == Gap.NO_ROAD).tolist() == [[False, True, True], [False, False, False], [False, False, False]]


def test_longitude_comes_first_and_each_block_asks_for_its_own() -> None:
    with scripted_server() as (address, script):
        asked(address, [A, B, C], limit=2)
    assert script.asked[0].split("?")[0] == f"/table/v1/driving/{A[1]:.6f},{A[0]:.6f}"
    assert script.asked[1].split("?")[0] == f"/table/v1/driving/{A[1]:.6f},{A[0]:.6f};{B[1]:.6f},{B[0]:.6f}"
    assert script.asked[1].endswith("&sources=0&destinations=1")
    assert len(script.asked) == 9


def test_a_point_without_a_road_is_found_and_left_out_of_the_rest() -> None:
    # given a server that refuses every block with point B in it
    def without_b(table: Table) -> Any:
        places = [tuple(one["location"]) for one in table["sources"] + table["destinations"]]
        return (400, {"code": "NoSegment"}) if (B[1], B[0]) in places else table

    with scripted_server(without_b) as (address, script):
        found = asked(address, [A, B, C])
    assert (found.gap == Gap.NO_ROAD).tolist() == [[False, True, False], [True, False, True], [False, True, False]]
    # one block refused, three points tried alone, and the block again without the one
    assert len(script.asked) == 5


def test_an_engine_that_is_gone_is_not_asked_for_every_block() -> None:
    points = [crossing(row, column) for row in range(6) for column in range(6)]
    with scripted_server("error") as (address, script):
        found = asked(address, points, limit=8)
    assert (found.gap[0, 1:] == Gap.NO_ANSWER).all()
    assert len(script.asked) == 2 * 3  # two blocks of 81, three tries each


def test_one_lost_block_costs_no_other() -> None:
    points = [crossing(row, column) for row in range(6) for column in range(6)]
    with scripted_server("well", "error", "error", "error", "well") as (address, _):
        found = asked(address, points, limit=24)
    # 36 points in pieces of 12: of nine blocks the second is lost
    assert int((found.travel_s == UNKNOWN).sum()) == 12 * 12
    assert (found.gap[:12, 12:24] == Gap.NO_ANSWER).all()


def test_cells_are_rounded_once_to_the_nearest_halves_to_the_even() -> None:
    with scripted_server(changed(durations=[[0.0, 10.5], [11.5, 0.0]], distances=[[0.0, 99.4], [99.6, 0.0]])) as (
        address,
        _,
    ):
        found = asked(address, [A, B])
    assert found.travel_s.tolist() == [[0, 10], [12, 0]]
    assert found.distance_m.tolist() == [[0, 99], [100, 0]]


def test_a_diagonal_is_zero_whatever_is_answered() -> None:
    with scripted_server(changed(durations=[[7.0, 10.0], [10.0, 7.0]])) as (address, _):
        found = asked(address, [A, B])
    assert np.diagonal(found.travel_s).tolist() == [0, 0]


def test_the_whole_matrix_ends_at_its_time() -> None:
    points = [crossing(row, column) for row in range(6) for column in range(6)]
    begun = time.monotonic()
    with scripted_server("well", "hang") as (address, _):
        found = asked(address, points, limit=8, seconds=2)
    assert time.monotonic() - begun < 5
    assert (found.gap[:4, :4] == Gap.NONE).all()  # what had come stays
    assert found.gap[0, 35] == Gap.NO_ANSWER


def test_no_point_is_asked_for_an_empty_list() -> None:
    with scripted_server() as (address, script):
        found = asked(address, [])
    assert (found.travel_s.shape, script.asked) == ((0, 0), [])
