"""A point is in the district, or the likeliest mistake is named."""

from __future__ import annotations

import math

import pytest

from recycling.policy.geography import Boundary, point_refusal, to_wgs84
from recycling.units import wgs84_to_gcj02

# A square of 0.2 degrees near the real district, with a square hole of 0.02 degrees in its middle.
SQUARE = ((34.7, 117.2), (34.7, 117.4), (34.9, 117.4), (34.9, 117.2))
HOLE = ((34.79, 117.29), (34.79, 117.31), (34.81, 117.31), (34.81, 117.29))
BOUNDARY = Boundary((SQUARE,))


def test_a_point_inside_is_taken_and_one_outside_refused() -> None:
    assert BOUNDARY.contains(34.8, 117.3)
    assert not BOUNDARY.contains(34.95, 117.3)
    assert not BOUNDARY.contains(34.8, 117.1)


def test_a_concave_corner_is_outside_although_its_box_holds_it() -> None:
    # given an L: the north-east quarter of the square is cut away
    corner = Boundary(((*SQUARE[:2], (34.8, 117.4), (34.8, 117.3), (34.9, 117.3), (34.9, 117.2)),))
    assert corner.contains(34.75, 117.35)
    assert not corner.contains(34.85, 117.35)


def test_a_hole_is_outside() -> None:
    assert not Boundary((SQUARE, HOLE)).contains(34.8, 117.3)
    assert Boundary((SQUARE, HOLE)).contains(34.75, 117.3)


def test_a_closing_corner_changes_nothing() -> None:
    assert Boundary(((*SQUARE, SQUARE[0]),)).contains(34.8, 117.3)


@pytest.mark.parametrize("rings", [(), (SQUARE[:2],), ((*SQUARE, (math.nan, 117.3)),), ((*SQUARE, (117.3, 34.8, 0)),)])
def test_an_outline_that_is_none_is_refused(rings: tuple[tuple[tuple[float, float], ...], ...]) -> None:
    with pytest.raises(ValueError, match=r"ring|corner|unpack"):
        Boundary(rings)


def test_exchanged_latitude_and_longitude_are_recognised() -> None:
    refusal = point_refusal(BOUNDARY, 117.3, 34.8)
    assert refusal is not None
    assert refusal.code == "swapped_lat_lon"
    assert "lat=34.8, lon=117.3" in refusal.message_en


def test_gcj02_declared_as_wgs84_is_recognised_near_the_edge() -> None:
    # given a home 200 m inside the eastern edge; GCJ-02 draws it 528 m further east, outside
    lat, lon = wgs84_to_gcj02(34.8, 117.4 - 0.0022)
    assert lon > 117.4
    # then as WGS-84 it is refused with the hint, as GCJ-02 it is taken
    refusal = point_refusal(BOUNDARY, lat, lon)
    assert refusal is not None
    assert refusal.code == "looks_like_gcj02"
    assert point_refusal(BOUNDARY, lat, lon, system="gcj02") is None


def test_wgs84_declared_as_gcj02_is_recognised_near_the_edge() -> None:
    # given a home 200 m inside the western edge; undoing a shift that was never there moves it west, outside
    refusal = point_refusal(BOUNDARY, 34.8, 117.2022, system="gcj02")
    assert refusal is not None
    assert refusal.code == "looks_like_wgs84"


def test_a_point_far_away_is_simply_outside() -> None:
    refusal = point_refusal(BOUNDARY, 39.9, 116.4)
    assert refusal is not None
    assert refusal.code == "outside_district"
    assert "39.9" in refusal.message_zh


@pytest.mark.parametrize(
    ("lat", "lon"), [(math.nan, 117.3), (34.8, math.inf), (-math.inf, 0.0), (1e300, 1e300), (90.5, 10.0)]
)
@pytest.mark.parametrize("system", ["wgs84", "gcj02"])
def test_numbers_that_are_no_place_are_refused_by_name(lat: float, lon: float, system: str) -> None:
    refusal = point_refusal(BOUNDARY, lat, lon, system="gcj02" if system == "gcj02" else "wgs84")
    assert refusal is not None
    assert refusal.code == "not_on_earth"


def test_gcj02_is_converted_once() -> None:
    # 34.80, 117.26 in WGS-84 and its GCJ-02 image are the same place
    assert to_wgs84(*wgs84_to_gcj02(34.80, 117.26), system="gcj02") == pytest.approx((34.80, 117.26), abs=1e-9)
    assert to_wgs84(34.80, 117.26, system="wgs84") == (34.80, 117.26)
