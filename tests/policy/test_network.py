"""Crews, hours and places belong together."""

from __future__ import annotations

from typing import Any

import pytest

from recycling.policy.network import PickupWindow, TravelEstimate, Village
from tests.policy.builders import H, a_collector, a_network, a_shift_pattern, a_station


def test_a_shift_joins_the_vehicle_and_its_crew() -> None:
    # given a truck that carries fridges standing and a crew of two, one of whom dismantles
    crew = {"c1": a_collector("c1"), "c2": a_collector("c2", skills=("two-person-lift", "dismantling"))}
    shift = a_network(collectors=crew).shift_of("shagou-1")
    assert shift.skills == ("dismantling", "two-person-lift", "upright")
    assert shift.shift_s == (8 * H, 18 * H)
    assert shift.break_window_s == (41_400, 46_800)
    assert shift.break_duration_s == H
    assert shift.vehicle_class.capacity == (1_500_000, 16_000)


@pytest.mark.parametrize(
    "crew", [{"c1": a_collector("c1")}, {"c1": a_collector("c1"), "c2": a_collector("c2", skills=())}]
)
def test_a_two_person_lift_takes_two_people_who_can(crew: dict[str, Any]) -> None:
    assert "two-person-lift" not in a_network(collectors=crew).shift_of("shagou-1").skills


def test_a_vehicle_without_a_crew_or_with_two_kinds_of_hours_has_no_shift() -> None:
    with pytest.raises(ValueError, match="no crew"):
        a_network(collectors={}).shift_of("shagou-1")
    patterns = {"day": a_shift_pattern(), "late": a_shift_pattern(key="late", starts_s=9 * H)}
    crew = {"c1": a_collector("c1"), "c2": a_collector("c2", shift_key="late")}
    with pytest.raises(ValueError, match="day, late"):
        a_network(shift_patterns=patterns, collectors=crew).shift_of("shagou-1")


def test_a_town_unit_finds_its_villages_and_vehicles() -> None:
    network = a_network()
    assert [village.name_zh for village in network.villages_of("shagou")] == ["一村"]
    assert [vehicle.key for vehicle in network.vehicles_of("shagou")] == ["shagou-1"]
    assert [shift.vehicle.key for shift in network.shifts()] == ["shagou-1"]


def test_an_intake_limit_has_both_units_or_none() -> None:
    assert a_station().intake_limit is None
    assert a_station(intake_limit_g=5, intake_limit_l=6).intake_limit == (5, 6)
    with pytest.raises(ValueError, match="together"):
        a_station(intake_limit_g=5)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"siting": "guess"}, "siting = 'guess'"),
        ({"tier": "palace"}, "tier = 'palace'"),
        ({"closes_s": 7 * H}, "closes"),
        ({"unload_s": -1}, "unload_s = -1"),
        ({"intake_limit_g": -1, "intake_limit_l": 0}, "intake_limit_g = -1"),
    ],
)
def test_a_station_outside_its_ranges_is_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        a_station(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"ends_s": 8 * H}, {"break_closes_s": 11 * H}, {"break_opens_s": 7 * H}, {"break_s": 6 * H}]
)
def test_a_break_lies_inside_its_shift(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"shift|break"):
        a_shift_pattern(**wrong)


def test_a_window_opens_before_it_closes() -> None:
    with pytest.raises(ValueError, match="closes"):
        PickupWindow(key="x", name_zh="x", name_en="x", opens_s=36_000, closes_s=28_800)


@pytest.mark.parametrize(("factor", "speed_kmh"), [(0.0, 30.0), (1.3, 0.0), (1.3, 1e9), (float("nan"), 30.0)])
def test_a_travel_estimate_moves(factor: float, speed_kmh: float) -> None:
    with pytest.raises(ValueError, match=r"factor|speed_kmh"):
        TravelEstimate(factor=factor, speed_kmh=speed_kmh)


def test_a_village_is_rural_where_villagers_govern_it() -> None:
    names = {"清泉社区居委会": False, "大吕巷村委会": True, "东小庄村民委员会": True, "村东社区居民委员会": False}
    found = {name: Village(code="370403001001", name_zh=name, town_key="lincheng").is_rural for name in names}
    assert found == names
