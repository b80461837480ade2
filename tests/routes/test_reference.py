"""Public facts over HTTP: the catalogue, the town-level units, their villages and stations."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from recycling.policy.district import District


@pytest.fixture
def get(app: Flask) -> Any:
    """Read as a stranger."""
    client = app.test_client()

    def read(path: str) -> Any:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    return read


def test_the_catalogue_shows_what_can_be_booked_today_with_the_source_of_each_weight(get: Any) -> None:
    rows = {row["key"]: row for row in get("/item-types")["item_types"]}
    fridge = rows["fridge"]
    assert (fridge["name_zh"], fridge["group"], fridge["unit_mass_g"]) == ("电冰箱", "appliance_14", 40_800)
    assert (fridge["litres"], fridge["max_per_booking"], fridge["refrigerant"]) == (800, 2, True)
    assert "UNU" in fridge["mass_source"]
    # the fourteen categories of the 2014 catalogue are all there
    assert {row["catalogue_no"] for row in rows.values() if row["group"] == "appliance_14"} == set(range(1, 15))
    assert all(row["mass_source"] for row in rows.values())


def test_ten_town_level_units_and_294_villages(get: Any) -> None:
    towns = get("/town-units")["town_units"]
    assert len(towns) == 10
    villages = get("/villages")["villages"]
    assert len(villages) == 294
    by_town = [get(f"/villages?town_key={town['key']}")["villages"] for town in towns]
    assert sum(len(part) for part in by_town) == 294
    assert all(
        village["town_key"] == town["key"] for town, part in zip(towns, by_town, strict=True) for village in part
    )


def test_an_unknown_town_is_refused_with_those_there_are(app: Flask) -> None:
    answer = app.test_client().get("/villages?town_key=atlantis")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_input")
    assert "'atlantis'" in answer.get_json()["detail"]
    assert "lincheng" in answer.get_json()["detail"]


def test_each_unit_has_a_station_that_says_how_sure_its_place_is(get: Any, district: District) -> None:
    stations = get("/stations")["stations"]
    assert len(stations) == 10
    assert {station["siting"] for station in stations} == {"indicative"}
    assert all(district.boundary.contains(station["lat"], station["lon"]) for station in stations)
