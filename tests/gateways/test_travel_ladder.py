"""The ladder: live, else kept, else estimated, each way by itself, and what it came to said truly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from recycling.gateways.json_client import JsonClient
from recycling.gateways.osrm import OsrmEngine
from recycling.gateways.travel_ladder import Climbed, NullCache, TravelCache, climb
from recycling.gateways.travel_matrix import UNKNOWN, Cells, Gap, NullEngine, Point, RoadEngine, TravelMatrix
from tests.roads.engines import RoadServer
from tests.roads.scripted import Table, scripted_server
from tests.roads.streets import ISLAND, crossing

A, B, C = crossing(6, 6), crossing(6, 12), crossing(12, 12)
FACTOR, SPEED_M_PER_S = 1.3, 30 / 3.6


def estimate(places: Sequence[Point]) -> tuple[Cells, Cells]:
    """The lowest rung, from straight lines in the plane."""
    metres = np.array([[FACTOR * straight_m(a, b) for b in places] for a in places]).reshape(len(places), len(places))
    return np.rint(metres / SPEED_M_PER_S).astype(np.int32), np.rint(metres).astype(np.int32)


def straight_m(a: Point, b: Point) -> float:
    """Metres between two points."""
    return 111_195 * math.hypot(b[0] - a[0], (b[1] - a[1]) * math.cos(math.radians(a[0])))


class Known:
    """An engine that says of each way what it was given, with a distance to the road for each point."""

    name = "osrm/driving"

    def __init__(self, travel_s: Any, distance_m: Any, snap_m: Sequence[float] = (0, 0, 0)) -> None:
        self.travel_s, self.distance_m = np.array(travel_s, np.int32), np.array(distance_m, np.int32)
        self.snap_m = np.array(snap_m, dtype=np.float64)

    def matrix(self, points: Sequence[Point], *, until: float) -> TravelMatrix:
        """Answer."""
        gap = np.where(self.travel_s == UNKNOWN, Gap.NO_ROAD, Gap.NONE).astype(np.int8)
        return TravelMatrix(travel_s=self.travel_s, distance_m=self.distance_m, gap=gap, snap_m=self.snap_m)


class Kept:
    """A cache that holds given ways and notes whether it was looked at."""

    def __init__(self, travel_s: Any, distance_m: Any) -> None:
        self.cells, self.looked_at = (np.array(travel_s, np.int32), np.array(distance_m, np.int32)), False

    def find(self, points: Sequence[Point], *, engine: str) -> tuple[Cells, Cells]:
        """Find them."""
        self.looked_at = True
        return self.cells


def climbed(
    engine: RoadEngine, *, places: Sequence[Point] = (A, B, C), cache: TravelCache | None = None, snap_m: float = 1000
) -> Climbed:
    """Find the ways between places."""
    return climb(
        places, estimate=estimate(places), factor=FACTOR, engine=engine, cache=cache or NullCache(),
        most_snap_m=snap_m, seconds=30,
    )  # fmt: skip


def osrm_at(address: str) -> OsrmEngine:
    """A client of an OSRM."""
    return OsrmEngine(JsonClient(address, timeout_s=5), profile="driving", table_limit=100)


# A to B 5.5 km, B to C 6.7 km, A to C 8.6 km in a straight line; by road at about 45 km/h
GOOD_S = [[0, 450, 1000], [460, 0, 550], [1010, 560, 0]]
GOOD_M = [[0, 5600, 12400], [5700, 0, 6800], [12500, 6900, 0]]


def test_what_is_live_is_taken_as_it_is_and_nothing_else_is_looked_at() -> None:
    cache = Kept(GOOD_S, GOOD_M)
    found = climbed(Known(GOOD_S, GOOD_M), cache=cache)
    assert (found.travel_s.tolist(), found.distance_m.tolist()) == (GOOD_S, GOOD_M)
    assert (found.quality.word, found.quality.counts) == ("live", {"live": 6, "cached": 0, "great_circle": 0})
    assert found.quality.note is None
    assert not cache.looked_at


def test_each_way_falls_by_itself_to_the_next_rung_that_has_it() -> None:
    # given an engine without the ways A to B and A to C, and a cache that has A to B
    live_s, live_m = np.array(GOOD_S), np.array(GOOD_M)
    live_s[0, 1:] = live_m[0, 1:] = UNKNOWN
    kept = np.full((3, 3), UNKNOWN)
    kept[0, 1] = 444
    found = climbed(Known(live_s, live_m), cache=Kept(kept, kept))
    # then A to B is the kept one, A to C estimated, the rest live
    guess = estimate((A, B, C))
    assert found.travel_s.tolist() == [[0, 444, guess[0][0, 2]], *GOOD_S[1:]]
    assert found.distance_m.tolist() == [[0, 444, guess[1][0, 2]], *GOOD_M[1:]]
    assert (found.quality.word, found.quality.counts) == ("mixed", {"live": 4, "cached": 1, "great_circle": 1})
    assert found.quality.note == "no_road"


def test_without_an_engine_what_is_kept_is_used_and_then_the_straight_line() -> None:
    whole = climbed(NullEngine(), cache=Kept(GOOD_S, GOOD_M))
    assert (whole.quality.word, whole.travel_s.tolist()) == ("cached", GOOD_S)
    nothing = climbed(NullEngine())
    assert (nothing.quality.word, nothing.quality.note) == ("great_circle", "no_engine")
    assert nothing.travel_s.tolist() == estimate((A, B, C))[0].tolist()


@pytest.mark.parametrize(
    "zeros", [("durations",), ("distances",), ("durations", "distances")], ids=["seconds", "metres", "both"]
)
def test_a_matrix_of_zeros_is_refused_whole(zeros: tuple[str, ...]) -> None:
    def nothing(table: Table) -> Table:
        return table | {name: [[0.0] * len(row) for row in table[name]] for name in zeros}

    with scripted_server(nothing) as (address, _):
        found = climbed(osrm_at(address))
    assert (found.quality.word, found.quality.note) == ("great_circle", "implausible")
    assert found.travel_s.tolist() == estimate((A, B, C))[0].tolist()


@pytest.mark.parametrize(
    ("seconds", "metres"),
    [
        pytest.param(450, 4_000, id="shorter than the straight line"),
        pytest.param(450, 0, id="no metres"),
        pytest.param(0, 5_600, id="no seconds"),
        pytest.param(80, 5_600, id="252 km/h"),
        pytest.param(90_000, 5_600, id="25 hours"),
    ],
)
def test_a_way_that_cannot_be_true_is_not_believed_and_the_others_are(seconds: int, metres: int) -> None:
    live_s, live_m = np.array(GOOD_S), np.array(GOOD_M)
    live_s[0, 1], live_m[0, 1] = seconds, metres
    found = climbed(Known(live_s, live_m))
    assert (found.quality.counts, found.quality.note) == (
        {"live": 5, "cached": 0, "great_circle": 1}, "implausible"
    )  # fmt: skip
    assert found.travel_s[0, 1] == estimate((A, B, C))[0][0, 1]


def test_a_place_far_from_any_road_is_not_believed_to_lie_by_it() -> None:
    found = climbed(Known(GOOD_S, GOOD_M, snap_m=(0, 1001, 1000)))
    assert (found.quality.counts, found.quality.note) == (
        {"live": 2, "cached": 0, "great_circle": 4}, "far_from_road"
    )  # fmt: skip
    # control: with the distance allowed, all six ways are the engine's
    assert climbed(Known(GOOD_S, GOOD_M, snap_m=(0, 1001, 1000)), snap_m=2000).quality.live == 6


def test_places_at_one_door_are_asked_for_once_and_have_no_way_between_them() -> None:
    # given 300 pickups at one door beside two others
    places = [A, *[B] * 300, C]
    with scripted_server() as (address, script):
        found = climbed(osrm_at(address), places=places)
    assert len(script.asked) == 1
    assert script.asked[0].count(";") == 2
    assert not found.travel_s[1:301, 1:301].any()
    assert len(set(found.travel_s[0, 1:301].tolist())) == 1
    # ways between different places: 3 · 2
    assert found.quality.counts == {"live": 6, "cached": 0, "great_circle": 0}


@pytest.mark.parametrize("fault", ["error", "garbage", "cut", "moved"])
def test_an_engine_out_of_order_leaves_a_whole_matrix(fault: str) -> None:
    with scripted_server(fault) as (address, _):
        found = climbed(osrm_at(address))
    assert (found.quality.word, found.quality.note) == ("great_circle", "no_answer")
    assert (found.travel_s >= 0).all()


def test_no_places_and_one_place_need_nobody() -> None:
    assert climbed(NullEngine(), places=()).quality.counts == {"live": 0, "cached": 0, "great_circle": 0}
    assert climbed(NullEngine(), places=(A,)).travel_s.tolist() == [[0]]


def test_no_point_is_written_to_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    # given every way to fail, also with a server that is gone
    for fault in ("error", "garbage", "moved"):
        with scripted_server(fault) as (address, _):
            gone = osrm_at(address)
            climbed(gone)
    climbed(gone)
    written = "".join(capsys.readouterr())
    assert "travel.not_all_live" in written
    for point in (A, B, C):
        assert f"{point[0]:.2f}" not in written
        assert f"{point[1]:.2f}" not in written


@pytest.mark.osrm
def test_a_real_engine_lifts_what_it_knows_and_an_island_stays_estimated(osrm: RoadServer) -> None:
    places = [A, B, C, ISLAND[0]]
    found = climbed(osrm_at(osrm.address), places=places)
    # three places on the net: 3 · 2 ways live; the island's 2 · 3 estimated, since it was put on a road 18 km off
    assert (found.quality.word, found.quality.counts) == ("mixed", {"live": 6, "cached": 0, "great_circle": 6})
    assert found.quality.note == "far_from_road"
