"""Small reference facts for tests: each builder gives a valid one, and takes what the test is about."""

from __future__ import annotations

from datetime import date
from typing import Any

from recycling.policy.catalogue import ItemType
from recycling.policy.fleet import Collector, ShiftPattern, Vehicle, VehicleClass
from recycling.policy.network import (
    Network,
    PickupWindow,
    Station,
    TownUnit,
    TravelEstimate,
    Village,
)
from recycling.policy.scope import Baseline, Goal, Scope
from recycling.policy.service_time import ServiceTimeRule

H = 3600


def an_item_type(**overrides: Any) -> ItemType:
    """A fridge: 40.8 kg, 800 l, 12 minutes, two people, standing."""
    facts: dict[str, Any] = {
        "key": "fridge",
        "name_zh": "电冰箱",
        "name_en": "Refrigerator",
        "group": "appliance_14",
        "catalogue_no": 1,
        "unit_mass_g": 40_800,
        "mass_source": "UNU key average",
        "litres": 800,
        "handling_s": 720,
        "crew": 2,
        "upright": True,
        "max_per_booking": 2,
        "valid_from": date(2023, 1, 1),
    }
    return ItemType(**facts | overrides)


def a_piece_of_furniture(**overrides: Any) -> ItemType:
    """A chair: 5 kg, 200 l, 1 minute, one person."""
    facts: dict[str, Any] = {
        "key": "chair",
        "group": "furniture",
        "catalogue_no": None,
        "unit_mass_g": 5_000,
        "mass_source": "estimate",
        "litres": 200,
        "handling_s": 60,
        "crew": 1,
        "upright": False,
        "max_per_booking": 12,
    }
    return an_item_type(**facts | overrides)


def a_service_time_rule() -> ServiceTimeRule:
    """5 min a stop; a storey 1.5 min heavy, 0.7 min light, from 25 kg; 2 min a load by lift; two people from 40 kg."""
    return ServiceTimeRule(
        base_s=300,
        heavy_above_g=25_000,
        stairs_heavy_s=90,
        stairs_light_s=42,
        lift_load_s=120,
        two_person_from_g=40_000,
        two_person_stairs_from_g=25_000,
        two_person_stairs_floor=3,
    )


def a_station(**overrides: Any) -> Station:
    """A station open 07:30 to 19:00, 15 minutes an unloading, no intake limit."""
    facts: dict[str, Any] = {
        "key": "shagou",
        "name_zh": "沙沟镇回收站点",
        "name_en": "Shagou station",
        "lat": 34.74,
        "lon": 117.33,
        "siting": "indicative",
        "tier": "collection_point",
        "opens_s": 7 * H + 1800,
        "closes_s": 19 * H,
        "unload_s": 900,
        "can_unload": True,
    }
    return Station(**facts | overrides)


def a_shift_pattern(**overrides: Any) -> ShiftPattern:
    """08:00 to 18:00 with an hour of lunch beginning between 11:30 and 13:00."""
    facts: dict[str, Any] = {
        "key": "day",
        "starts_s": 8 * H,
        "ends_s": 18 * H,
        "break_opens_s": 11 * H + 1800,
        "break_closes_s": 13 * H,
        "break_s": H,
    }
    return ShiftPattern(**facts | overrides)


def a_collector(key: str, **overrides: Any) -> Collector:
    """Somebody on the truck who can lift in a pair."""
    facts: dict[str, Any] = {
        "key": key,
        "name_zh": f"演示员{key}",
        "name_en": f"Demo {key}",
        "skills": ("two-person-lift",),
        "shift_key": "day",
        "vehicle_key": "shagou-1",
    }
    return Collector(**facts | overrides)


def a_network(**overrides: Any) -> Network:
    """One town with one village, one station and one truck (1.5 t, 16 m3) with a crew of two."""
    truck = VehicleClass(
        key="truck",
        name_zh="厢式货车",
        name_en="Truck",
        capacity_g=1_500_000,
        capacity_l=16_000,
        skills=("upright",),
        fixed_cost=5400,
        cost_per_travel_s=1,
        cost_per_m=0,
        max_overtime_s=0,
        overtime_cost_per_s=3,
    )
    windows = (
        PickupWindow(key="08-10", name_zh="上午", name_en="Morning", opens_s=8 * H, closes_s=10 * H),
        PickupWindow(key="all-day", name_zh="全天", name_en="All day", opens_s=8 * H, closes_s=17 * H, all_day=True),
    )
    town = TownUnit(
        key="shagou", code="370403101", name_zh="沙沟镇", name_en="Shagou Town", seat_lat=34.74, seat_lon=117.33
    )
    facts: dict[str, Any] = {
        "towns": {"shagou": town},
        "villages": {"370403101001": Village(code="370403101001", name_zh="一村", town_key="shagou")},
        "stations": {"shagou": a_station()},
        "vehicle_classes": {"truck": truck},
        "vehicles": {"shagou-1": Vehicle(key="shagou-1", class_key="truck", station_key="shagou")},
        "shift_patterns": {"day": a_shift_pattern()},
        "collectors": {key: a_collector(key) for key in ("c1", "c2")},
        "pickup_windows": {window.key: window for window in windows},
        "travel": TravelEstimate(factor=1.3, speed_kmh=30),
    }
    return Network(**facts | overrides)


def a_scope(**overrides: Any) -> Scope:
    """Household appliances, weighed or estimated, counted at the station."""
    facts: dict[str, Any] = {
        "key": "household-appliances",
        "version": 1,
        "name_zh": "废旧家电",
        "name_en": "Household appliances",
        "groups": ("appliance_14", "appliance_other"),
        "givers": ("household",),
        "channels": ("door",),
        "counting_event": "station_weigh_in",
        "area": ("shagou",),
        "unit": "units",
        "period": "calendar year",
        "stripped_items": "counted",
        "provenance": ("weighed", "station_class_average", "type_table", "national_mean"),
        "note_zh": "注",
        "note_en": "note",
    }
    return Scope(**facts | overrides)


def a_goal(**overrides: Any) -> Goal:
    """+15 % in 2025 against 2023."""
    facts: dict[str, Any] = {
        "key": "2025",
        "scope_key": "household-appliances",
        "year": 2025,
        "baseline_year": 2023,
        "increase_bp": 1500,
        "kind": "policy",
        "source": "薛政发〔2024〕5号",
    }
    return Goal(**facts | overrides)


def a_confirmed_baseline(**overrides: Any) -> Baseline:
    """1,000 pieces and 20 t in 2023, confirmed."""
    facts: dict[str, Any] = {
        "scope_key": "household-appliances",
        "scope_version": 1,
        "year": 2023,
        "version": 1,
        "state": "confirmed",
        "units": 1_000,
        "mass_g": 20_000_000,
        "source_document": "test letter 1",
        "confirmed_by": "a test",
        "confirmed_on": date(2024, 9, 1),
    }
    return Baseline(**facts | overrides)
