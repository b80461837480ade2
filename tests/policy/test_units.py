"""Conversions keep every millimetre, gram and second."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.units import (
    clock_text,
    gcj02_to_wgs84,
    instant_at,
    kg_text,
    percent_text,
    second_of_day,
    wgs84_to_gcj02,
)

# One degree of latitude on a sphere of 6 371 008.8 m; longitudes are shorter, so this bounds both.
M_PER_DEGREE = 111_195.1


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        # Published test vectors of googollee/eviltransform.
        ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
        ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
        ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
    ],
)
def test_gcj02_agrees_with_the_published_points(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    assert wgs84_to_gcj02(*wgs84) == pytest.approx(gcj02, abs=1e-9)
    assert gcj02_to_wgs84(*gcj02) == pytest.approx(wgs84, abs=1e-9)


@given(lat=st.floats(34.5, 35.1), lon=st.floats(117.0, 117.6))
def test_a_round_trip_through_gcj02_loses_less_than_a_tenth_of_a_millimetre(lat: float, lon: float) -> None:
    back_lat, back_lon = gcj02_to_wgs84(*wgs84_to_gcj02(lat, lon))
    assert abs(back_lat - lat) * M_PER_DEGREE < 0.0001
    assert abs(back_lon - lon) * M_PER_DEGREE < 0.0001


def test_gcj02_lies_half_a_kilometre_east_here() -> None:
    # 528 m east and 99 m south at the seat of 临城: a pickup moves by a street block when the two are mixed.
    lat, lon = wgs84_to_gcj02(34.80, 117.26)
    assert (lat - 34.80) * M_PER_DEGREE == pytest.approx(-99, abs=1)
    assert (lon - 117.26) * M_PER_DEGREE * 0.8211 == pytest.approx(528, abs=1)  # cos 34.8 deg = 0.8211


@pytest.mark.parametrize("point", [(90.0, 117.0), (-90.0, 0.0), (51.5, -0.1)])
def test_outside_china_nothing_is_shifted(point: tuple[float, float]) -> None:
    assert gcj02_to_wgs84(*point) == point


@pytest.mark.parametrize(
    ("mass_g", "text"), [(41_300, "41.3 kg"), (5, "0.005 kg"), (0, "0 kg"), (2_000, "2 kg"), (-1_500, "-1.5 kg")]
)
def test_kilograms_show_every_gram(mass_g: int, text: str) -> None:
    assert kg_text(mass_g) == text


@pytest.mark.parametrize(("share_bp", "text"), [(8_250, "82.5 %"), (10_000, "100 %"), (7, "0.07 %"), (-750, "-7.5 %")])
def test_percentages_show_every_basis_point(share_bp: int, text: str) -> None:
    assert percent_text(share_bp) == text


def test_seconds_of_a_service_day_are_instants_in_shanghai_time() -> None:
    # 08:00 in Shanghai (UTC+8, no summer time) is midnight in UTC
    day = date(2026, 11, 24)
    assert instant_at(day, 28_800) == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert second_of_day(datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC), day=day) == 28_801
    # half a second before midnight belongs to the second before it
    assert second_of_day(instant_at(day, 0) - timedelta(milliseconds=500), day=day) == -1


@given(second=st.integers(-86_400, 172_800))
def test_second_and_instant_undo_each_other(second: int) -> None:
    day = date(2026, 2, 28)
    assert second_of_day(instant_at(day, second), day=day) == second


@pytest.mark.parametrize(("second", "text"), [(0, "00:00"), (30_120, "08:22"), (86_399, "23:59"), (87_000, "24:10")])
def test_clock_text_counts_past_midnight(second: int, text: str) -> None:
    assert clock_text(second) == text
