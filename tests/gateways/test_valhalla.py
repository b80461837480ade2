"""Valhalla: the real server on the same net, and what can be wrong with its answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from recycling.gateways.json_client import JsonClient
from recycling.gateways.travel_matrix import UNKNOWN, Gap, Point, TravelMatrix
from recycling.gateways.valhalla import ValhallaEngine
from tests.roads.engines import RoadServer
from tests.roads.scripted import scripted_server
from tests.roads.streets import ISLAND, crossing

A, B, C = crossing(6, 6), crossing(6, 12), crossing(12, 12)
FAR = (36.5, 119.0)  # no road of the net within 200 km


def asked(address: str, points: Sequence[Point], *, limit: int = 2500) -> TravelMatrix:
    """What the engine at an address says of the ways between points."""
    engine = ValhallaEngine(JsonClient(address, timeout_s=20), profile="auto", pairs_limit=limit)
    return engine.matrix(points, until=time.monotonic() + 60)


# --- the real one ---


@pytest.mark.valhalla
def test_seconds_and_metres_are_those_of_the_streets(valhalla: RoadServer) -> None:
    found = asked(valhalla.address, [A, B, C])
    # six crossings east: 5.48 km, six north: 6.67 km, on main roads that may be driven at 60 km/h
    assert found.distance_m[0, 1] == pytest.approx(5_480, rel=0.01)
    assert found.distance_m[1, 2] == pytest.approx(6_670, rel=0.01)
    assert 5_480 / (60 / 3.6) * 0.9 < found.travel_s[0, 1] < 5_480 / (60 / 3.6) * 2
    assert not found.gap.any()
    assert found.snap_m.max() < 1


@pytest.mark.valhalla
def test_a_matrix_in_blocks_is_the_matrix_in_one(valhalla: RoadServer) -> None:
    points = [crossing(row, column) for row in range(1, 10, 2) for column in range(1, 8, 2)]  # 20
    whole, parts = asked(valhalla.address, points), asked(valhalla.address, points, limit=36)
    assert np.array_equal(whole.distance_m, parts.distance_m)
    assert not whole.gap.any()
    assert not parts.gap.any()


@pytest.mark.valhalla
def test_a_place_without_a_road_costs_no_other_its_way(valhalla: RoadServer) -> None:
    # given a place far from every road, for which Valhalla refuses the whole block, and an island, put on a far road
    found = asked(valhalla.address, [A, FAR, B, ISLAND[0]])
    assert np.flatnonzero(found.gap[0]).tolist() == np.flatnonzero(found.gap[:, 0]).tolist() == [1]
    assert (found.gap[1, [0, 2, 3]] == Gap.NO_ROAD).all()
    assert found.snap_m[3] == pytest.approx(18_600, rel=0.01)  # as OSRM does
    assert found.distance_m[0, 2] == pytest.approx(5_480, rel=0.01)


@pytest.mark.valhalla
def test_more_pairs_than_its_limit_are_refused_by_the_server_and_never_asked_for(valhalla: RoadServer) -> None:
    points = [crossing(row, column) for row in range(6) for column in range(9)]  # 54² = 2,916 pairs
    assert not asked(valhalla.address, points).gap.any()
    # control: in one request the server refuses them
    assert (asked(valhalla.address, points, limit=3_000).gap[0, 1:] == Gap.REFUSED).all()


@pytest.mark.valhalla
def test_how_far_a_place_lies_from_its_road_is_known(valhalla: RoadServer) -> None:
    lat, lon = crossing(6, 6)
    found = asked(valhalla.address, [A, (lat - 0.003, lon + 0.005), C])
    assert found.snap_m[1] == pytest.approx(334, abs=10)  # 0.003° · 111.2 km


# --- one that answers wrongly, in shapes as Valhalla 3.9.1 gave them ---


def cell(time_s: Any, km: Any) -> dict[str, Any]:
    """One cell of its table."""
    return {"from_index": 0, "to_index": 0, "time": time_s, "distance": km, "cost": 1.0}


def table(*rows: Sequence[dict[str, Any]]) -> Callable[[Any], Any]:
    """Its answer with these cells, in the form that does not tell where it put the points."""
    return lambda _: {"sources_to_targets": rows, "units": "kilometers", "algorithm": "costmatrix"}


def test_kilometres_become_metres_and_nulls_stay_unknown() -> None:
    with scripted_server(table([cell(0, 0.0), cell(304, 2.942)], [cell(None, None), cell(0, 0.0)])) as (address, _):
        found = asked(address, [A, B])
    assert (found.travel_s[0, 1], found.distance_m[0, 1]) == (304, 2942)
    assert (found.travel_s[1, 0], found.gap[1, 0]) == (UNKNOWN, Gap.NO_ROAD)
    assert not found.snap_m.any()


def test_latitude_and_longitude_go_under_their_names() -> None:
    with scripted_server(table([cell(0, 0.0)])) as (address, script):
        asked(address, [A])
    assert script.asked == ["/sources_to_targets"]
    assert script.bodies[0]["sources"] == script.bodies[0]["targets"] == [{"lat": A[0], "lon": A[1]}]


@pytest.mark.parametrize(
    ("wrong", "gap"),
    [
        pytest.param(lambda _: {"sources_to_targets": None}, Gap.REFUSED, id="no table"),
        pytest.param(lambda _: {"sources_to_targets": [[1, 2], [3, 4]]}, Gap.REFUSED, id="no cells"),
        pytest.param(lambda _: {"sources_to_targets": {"durations": [[0]]}}, Gap.REFUSED, id="short form"),
        pytest.param(table([cell(0, 0.0)]), Gap.REFUSED, id="wrong size"),
        pytest.param(lambda _: (400, {"error_code": 150, "error": "Exceeded max locations"}), Gap.REFUSED, id="150"),
        pytest.param(lambda _: (400, {"error_code": 171, "error": "No suitable edges"}), Gap.NO_ROAD, id="171"),
        pytest.param(lambda _: (503, {}), Gap.NO_ANSWER, id="503"),
    ],
)
def test_a_wrong_answer_is_no_answer_and_says_which(wrong: Callable[[Any], Any], gap: Gap) -> None:
    with scripted_server(wrong) as (address, _):
        found = asked(address, [A, B])
    assert found.travel_s.tolist() == [[0, UNKNOWN], [UNKNOWN, 0]]
    assert found.gap[0, 1] == gap
