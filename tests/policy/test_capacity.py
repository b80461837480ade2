"""What an area may promise follows from its fleet."""

from __future__ import annotations

from recycling.policy.capacity import area_capacity
from tests.policy.builders import H, a_network, a_shift_pattern, a_station


def test_one_truck_with_a_full_day() -> None:
    found = area_capacity(a_network(), "shagou")
    # work = 36000 - 3600 break - 2 trips x (900 unloading + 600 way) = 29400 s
    # 08-10: 7200 s x 75 % / 1500 = 3.6; all day: 29400 x 25 % / 1500 = 4.9; both rounded down
    assert found.places == {"08-10": 3, "all-day": 4}
    # 70 % of 29400 s at doors; 2 trips x 85 % of 1.5 t and 16 m3
    assert (found.service_s, found.mass_g, found.litres) == (20_580, 2_550_000, 27_200)


def test_a_late_shift_offers_less_of_the_first_window() -> None:
    # 09:00-18:00 shares one hour with 08-10: 3600 x 75 % / 1500 = 1.8
    late = a_network(shift_patterns={"day": a_shift_pattern(starts_s=9 * H)})
    assert area_capacity(late, "shagou").places["08-10"] == 1


def test_the_station_never_promises_more_than_it_takes_in() -> None:
    station = a_station(intake_limit_g=2_000_000, intake_limit_l=30_000)
    found = area_capacity(a_network(stations={"shagou": station}), "shagou")
    assert (found.mass_g, found.litres) == (2_000_000, 27_200)


def test_an_area_without_vehicles_promises_nothing() -> None:
    found = area_capacity(a_network(vehicles={}), "shagou")
    assert (found.places, found.service_s, found.mass_g) == ({"08-10": 0, "all-day": 0}, 0, 0)
