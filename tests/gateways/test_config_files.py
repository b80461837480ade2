"""The shipped configuration holds what the sources say, and any mistake in it is one clear refusal."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recycling.errors import ConfigError
from recycling.gateways.config_files import read_district
from recycling.policy.district import District

CONFIG = Path(__file__).parents[2] / "config"
TODAY = date(2026, 11, 24)
FILES = (
    "catalogue.toml",
    "district/boundary.geojson",
    "district/network.toml",
    "district/processors.toml",
    "district/service_calendar.csv",
    "district/towns.csv",
    "district/villages.csv",
    "policy/balance.toml",
    "policy/balance_of_mass.toml",
    "policy/gear.toml",
    "policy/goals.toml",
    "policy/healing.toml",
    "policy/intake.toml",
    "policy/preparation.toml",
    "policy/prices.toml",
    "policy/privacy.toml",
    "policy/no_shows.toml",
    "policy/devices.toml",
    "policy/proof.toml",
    "policy/lateness.toml",
    "policy/pace.toml",
    "policy/service_time.toml",
    "policy/stock.toml",
)


@pytest.fixture(scope="module")
def district() -> District:
    return read_district(CONFIG)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped configuration that a test may break."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CONFIG / name, tmp_path / name)
    return tmp_path


def test_ten_units_hold_294_villages_and_one_indicative_station_each(district: District) -> None:
    network = district.network
    assert len(network.towns) == 10
    assert list(network.stations) == list(network.towns)
    assert {station.siting for station in network.stations.values()} == {"indicative"}
    # 27+20+19+17+49+21+35+37+33+36, the national list of 2023
    assert [len(network.villages_of(key)) for key in network.towns] == [27, 20, 19, 17, 49, 21, 35, 37, 33, 36]
    # the three units run by the high-tech zone wait for the bureau's word
    assert {key for key, town in network.towns.items() if town.in_remit is None} == {"xingren", "xingcheng", "zhangfan"}


def test_every_area_can_send_two_people_and_the_district_can_serve_240_pickups(district: District) -> None:
    network = district.network
    assert 16 <= len(network.vehicles) <= 20
    for key in network.stations:
        shifts = [network.shift_of(vehicle.key) for vehicle in network.vehicles_of(key)]
        assert any("two-person-lift" in shift.skills for shift in shifts)
    # 240 pickups of about 20 minutes at the door in 70 % of the working time; that its routes really hold so many
    # bookings is what the demo day shows
    crews = [network.shift_of(key) for key in network.vehicles]
    working_s = sum(shift.shift_s[1] - shift.shift_s[0] - shift.break_duration_s for shift in crews)
    assert working_s * 70 // 100 >= 240 * 1200


def test_pickup_windows_are_starts_of_service(district: District) -> None:
    windows = {key: window.window_s for key, window in district.network.pickup_windows.items()}
    assert windows == {
        "08-10": (28_800, 36_000),
        "10-12": (36_000, 43_200),
        "13-15": (46_800, 54_000),
        "15-17": (54_000, 61_200),
        "all-day": (28_800, 61_200),
    }


def test_the_catalogue_covers_the_14_categories(district: District) -> None:
    rows = district.catalogue.valid_on(TODAY)
    assert {row.catalogue_no for row in rows if row.group == "appliance_14"} == set(range(1, 15))
    assert {row.group for row in rows} == {"appliance_14", "appliance_other", "furniture"}


def test_no_washing_machine_weighs_like_a_european_one(district: District) -> None:
    for key in ("washer-top", "washer-drum"):
        assert district.catalogue.item_type(key, on=TODAY).unit_mass_g <= 60_000


def test_office_machines_bear_data_as_phones_do(district: District) -> None:
    bearing = {row.key for row in district.catalogue.valid_on(TODAY) if row.data_bearing}
    assert bearing == {"printer", "copier", "fax", "computer-desktop", "computer-portable", "phone-mobile"}


def test_everything_that_can_be_booked_fits_a_vehicle(district: District) -> None:
    largest_l = max(kind.capacity_l for kind in district.network.vehicle_classes.values())
    largest_g = max(kind.capacity_g for kind in district.network.vehicle_classes.values())
    for row in district.catalogue.valid_on(TODAY):
        assert row.litres * row.max_per_booking <= largest_l, row.key
        assert row.unit_mass_g * row.max_per_booking <= largest_g, row.key


def test_goals_are_those_of_the_notice_and_cover_appliances_only(district: District) -> None:
    goals = {goal.year: (goal.increase_bp, goal.kind) for goal in district.goals.goals}
    assert goals == {
        2024: (750, "interpolation"),
        2025: (1500, "policy"),
        2026: (2250, "interpolation"),
        2027: (3000, "policy"),
    }
    assert {goal.scope_key for goal in district.goals.goals} == {"household-appliances"}
    appliances = next(scope for scope in district.goals.current_scopes() if scope.key == "household-appliances")
    assert not appliances.covers("furniture")
    assert {goal.source for goal in district.goals.goals if goal.kind == "policy"} == {
        "薛政发〔2024〕5号 一、十三",
        "薛政发〔2024〕5号 一",
    }


def test_every_group_counts_in_exactly_one_scope_beside_that_of_both(district: District) -> None:
    both = "appliances-and-furniture"
    scopes = [scope for scope in district.goals.current_scopes() if scope.key != both]
    for group in ("appliance_14", "appliance_other", "furniture"):
        assert sum(scope.covers(group) for scope in scopes) == 1


def test_the_shipped_baseline_is_a_visible_fake(district: District) -> None:
    (baseline,) = district.goals.baselines
    assert not baseline.confirmed
    assert "虚构" in baseline.marker
    assert "MADE-UP" in baseline.marker


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=r"cannot be read \(No such file") as refused:
        read_district(folder)
    assert str(folder / name) in str(refused.value)


@pytest.mark.parametrize("name", FILES)
def test_bytes_that_are_no_text_are_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes() + b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8") as refused:
        read_district(folder)
    assert str(folder / name) in str(refused.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        # malformed
        ("catalogue.toml", 'key = "fridge"', 'key = "fridge', ["not valid TOML", "line"]),
        ("district/boundary.geojson", '{"type"', '{"type', ["not valid JSON"]),
        ("district/boundary.geojson", '"MultiPolygon"', '"Point"', ["FeatureCollection", "Point"]),
        ("district/boundary.geojson", "[117.404835, 34.624323]", "[117.404835]", ["FeatureCollection"]),
        ("district/boundary.geojson", "[117.404835, 34.624323]", "[34.624323, 117.404835]", ["lat 117.404835"]),
        ("district/boundary.geojson", '"WGS-84"', '"GCJ-02"', ["'GCJ-02'", "must be 'WGS-84'"]),
        ("district/towns.csv", "town_code,key", "key,town_code", ["line 1", "expected 'town_code,key"]),
        ("district/towns.csv", "34.8,117.26", "34.8", ["line 2", "7 values for 8 columns"]),
        ("district/towns.csv", "370403001,", '"370403001"x,', ["not valid CSV"]),
        # unknown, missing, of the wrong type
        ("catalogue.toml", "unit_mass_g = 40_800", "unit_mas_g = 40_800", ["'fridge'", "did you mean 'unit_mass_g'?"]),
        ("catalogue.toml", "unit_mass_g = 40_800\n", "", ["row 1 ('fridge')", "'unit_mass_g' is missing"]),
        ("catalogue.toml", "unit_mass_g = 40_800", 'unit_mass_g = "40_800"', ["unit_mass_g", "a whole number"]),
        ("catalogue.toml", "unit_mass_g = 40_800", "unit_mass_g = 40.8", ["unit_mass_g", "40.8", "a whole number"]),
        ("catalogue.toml", "unit_mass_g = 40_800", "unit_mass_g = true", ["unit_mass_g", "True"]),
        ("catalogue.toml", "unit_mass_g = 40_800", "unit_mass_g = 99999999999999999999", ["unit_mass_g", "at most"]),
        ("catalogue.toml", "refrigerant = true", "refrigerant = 1", ["refrigerant", "true or false"]),
        ("catalogue.toml", 'name_zh = "电冰箱"', 'name_zh = " "', ["name_zh", "not empty"]),
        ("catalogue.toml", 'hazards = ["grease"]', 'hazards = "grease"', ["hazards", "a list of words"]),
        ("catalogue.toml", 'hazards = ["grease"]', 'hazards = ["grease", "grease"]', ["hazards", "twice"]),
        ("catalogue.toml", "valid_from = 2023-01-01", 'valid_from = "2023-01-01"', ["valid_from", "without quotes"]),
        ("catalogue.toml", "valid_from = 2023-01-01", "valid_from = 2023-01-01T00:00:00", ["valid_from", "a date"]),
        ("district/network.toml", "opens = 07:30:00", 'opens = "07:30"', ["'lincheng'", "opens", "08:00:00"]),
        ("district/network.toml", "opens = 07:30:00", "opens = 07:30:00.5", ["opens", "08:00:00"]),
        ("district/network.toml", "factor = 1.3", "factor = nan", ["travel, factor", "a finite number"]),
        ("district/network.toml", "[travel]", "[travle]", ["unknown key 'travle'", "did you mean 'travel'?"]),
        ("district/network.toml", "[travel]", "[[travel]]", ["travel", "must be a table"]),
        ("district/towns.csv", ",yes", ",maybe", ["line 2", "'maybe'", "yes, no or empty"]),
        ("district/towns.csv", "34.8,117.26", "north,117.26", ["'north'", "a number of degrees"]),
        ("district/villages.csv", "370403001001", "37040300100", ["line 2", "12 digits"]),
        # out of range
        ("district/network.toml", "horizon_days = 14", "horizon_days = 0", ["booking", "horizon_days = 0"]),
        ("district/network.toml", "cancel_cutoff = 20:00:00", "cancel_cutoff = 20:00:01", ["follow each other"]),
        ("district/network.toml", 'siting = "indicative"', 'siting = "sure"', ["siting = 'sure'", "registered"]),
        ("district/network.toml", "lat = 34.80", "lat = 35.80", ["'lincheng'", "35.8", "outside the district"]),
        ("policy/service_time.toml", "base_s = 300", "base_s = -1", ["base_s = -1", "between 0 and 3600"]),
        ("policy/goals.toml", "increase_bp = 1500", "increase_bp = -1", ["'2025'", "increase_bp = -1"]),
        ("policy/goals.toml", '"provisional"', '"confirmed"', ["source_document, confirmed_by and confirmed_on"]),
        ("policy/prices.toml", "high_fen = 20_000", "high_fen = 20", ["prices row 1", "low_fen = 8000 must be"]),
        ("policy/prices.toml", 'condition = "working"', 'condition = "fine"', ["condition = 'fine'", "repairable"]),
        ("policy/prices.toml", 'kind = "stairs"', 'kind = "tip"', ["fees row 2", "kind = 'tip'", "dismantling"]),
        (
            "policy/prices.toml",
            "-12_000\nhigh_fen = -3_000",
            "-12_000\nhigh_fen = 3_000",
            ["high_fen = 3000", "between"],
        ),
        ("policy/preparation.toml", 'key = "battery"', 'key = "fire"', ["'fire' is unknown", "battery"]),
        # twice
        ("policy/prices.toml", 'condition = "repairable"', 'condition = "working"', ["fridge working has two rows"]),
        ("policy/preparation.toml", 'key = "gas"', 'key = "battery"', ["'battery' appears twice"]),
        ("catalogue.toml", 'key = "freezer"', 'key = "fridge"', ["'fridge'", "two rows in force"]),
        ("district/network.toml", 'key = "c02"', 'key = "c01"', ["'c01'", "twice"]),
        ("district/towns.csv", "370403002", "370403001", ["'370403001'", "twice"]),
        ("district/villages.csv", "370403001003", "370403001001", ["'370403001001'", "twice"]),
        ("policy/lateness.toml", "[900, 2700]", "[2700, 900]", ["past_window_s = [2700, 900]", "must ascend"]),
        ("policy/lateness.toml", "[2700, 5400]", "[0]", ["past_told_s = 0", "between 60 and"]),
        ("district/processors.toml", 'kind = "reuse"', 'kind = "burn"', ["second-hand-demo", "burn", "refurbish"]),
        ("district/processors.toml", "4, 5, 6, 7", "4, 5, 6, 17", ["catalogue_numbers = 17", "1 and 14"]),
        ("district/processors.toml", '"stove", ', '"stoves", ', ["'stoves' points to nothing", "'stove'"]),
        ("district/processors.toml", 'key = "wood-demo"', 'key = "dismantler-demo"', ["two licences in force"]),
        ("district/network.toml", "storage_limit_g = 20_000_000", "storage_limit_g = 0", ["storage_limit_g = 0"]),
        ("policy/stock.toml", "alarm_bp = 9_000", "alarm_bp = 10_001", ["alarm_bp = 10001", "10000"]),
        ("policy/pace.toml", "[5000, 2000]", "[2000, 5000]", ["below_probability_bp = [2000, 5000]", "must descend"]),
        ("policy/pace.toml", "[9500, 8500]", "[9500]", ["one value for each level"]),
        ("policy/healing.toml", "most_moved_bp = 500", "most_moved_bp = 10001", ["most_moved_bp = 10001", "10000"]),
        ("policy/balance_of_mass.toml", "_bp = 2_000", "_bp = 200", ["trip_tolerance", "must not fall"]),
        ("policy/balance_of_mass.toml", "division_g = 5_000", "division_g = -1", ["division_g = -1", "0 and 100000"]),
        ("policy/intake.toml", "= 2_000", "= 20_000", ["most_alone_bp = 20000", "between 0 and 10000"]),
        ("policy/no_shows.toml", "free = 1 ", "free = -1 ", ["free = -1", "between 0 and 100"]),
        (
            "policy/devices.toml",
            "most_per_collector = 2",
            "most_per_collector = 0",
            ["most_per_collector = 0", "1 and"],
        ),
        ("policy/proof.toml", 'key = "high-value-code"', 'key = "high-value"', ["2026-01-01", "'high-value'", "twice"]),
        ("policy/proof.toml", '["seal"]', '["wax"]', ["any_of = 'wax' is unknown", "signature"]),
        (
            "policy/proof.toml",
            "data_bearing = true",
            'item_types = ["pc"]',
            ["'data-sealed'", "'pc' points to nothing"],
        ),
        ("policy/goals.toml", 'key = "2024"', 'key = "2025"', ["'2025'", "twice"]),
        # pointing to nothing
        ("district/network.toml", 'class_key = "truck"', 'class_key = "trick"', ["class_key", "did you mean 'truck'?"]),
        ("district/network.toml", 'station_key = "lincheng"', 'station_key = "x"', ["'x'", "choose from lincheng"]),
        ("district/network.toml", 'shift_key = "day"', 'shift_key = "night"', ["'c01'", "'night' points to nothing"]),
        ("district/network.toml", "all_day = true", "all_day = false", ["pickup_windows", "exactly one"]),
        ("district/network.toml", 'key = "c01"', 'key = "C 01"', ["'C 01'", "a-z, 0-9"]),
        ("district/villages.csv", "370403001,临城街道", "370403009,临城街道", ["'370403009' points to nothing"]),
        ("district/villages.csv", "370403001,临城街道", "370403001,兴仁街道", ["'兴仁街道' is not '临城街道'"]),
        ("district/towns.csv", "临城街道,27", "临城街道,28", ["villages", "'28' stated, villages.csv has 27"]),
        ("policy/prices.toml", 'item_type = "fridge"', 'item_type = "fridges"', ["row 1", "did you mean 'fridge'?"]),
        ("policy/preparation.toml", '["fridge", ', '["frigde", ', ["steps 'empty-and-unplug-cold'", "mean 'fridge'?"]),
        ("policy/goals.toml", 'area = ["lincheng"', 'area = ["linchang"', ["did you mean 'lincheng'?"]),
        ("policy/goals.toml", "scope_version = 2", "scope_version = 3", ["'household-appliances/3'", "not defined"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_value(
    folder: Path, name: str, old: str, new: str, words: list[str]
) -> None:
    # given one edit at the first place that reads so
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    # then the start is refused with the file, the value and the next step
    with pytest.raises(ConfigError) as refused:
        read_district(folder)
    message = str(refused.value)
    assert str(folder / name) in message
    assert message.endswith("Correct the file and start again.")
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('vehicle_key = "xingcheng-2"', 'vehicle_key = "xingcheng-1"', ["'xingcheng-2'", "no crew"]),
        ('key = "zhangfan"\n', 'key = "zhangfen"\n', ["'zhangfen' points to nothing", "did you mean 'zhangfan'?"]),
        (
            '"gas-fitting"',
            '"dismantling"',
            ["catalogue.toml", "'water-heater-gas'", "'gas-fitting' is held by no crew"],
        ),
    ],
)
def test_what_others_rely_on_cannot_vanish_from_the_network(folder: Path, old: str, new: str, words: list[str]) -> None:
    # given an edit at every place that reads so
    path = folder / "district/network.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_district(folder)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2026-02-30,no,停收,a test", ["line 2", "'2026-02-30'"]),
        ("2026-02-17,closed,停收,a test", ["line 2", "'closed'", "yes or no"]),
        ("2026-02-17,no,,a test", ["line 2", "note", "not empty"]),
        ("2026-02-17,no,停收,a test\n2026-02-17,yes,开,a test", ["line 3", "2026-02-17 appears twice"]),
    ],
)
def test_a_mistake_in_the_calendar_is_named(folder: Path, row: str, words: list[str]) -> None:
    path = folder / "district/service_calendar.csv"
    path.write_text(path.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_district(folder)
    for word in [str(path), *words]:
        assert word in str(refused.value)


def test_a_row_of_the_calendar_closes_a_day_even_when_excel_saved_it(folder: Path) -> None:
    # given a byte order mark and Windows line ends
    path = folder / "district/service_calendar.csv"
    path.write_bytes("\ufeffdate,is_working,note,source\r\n2026-11-25,no,停收,通知\r\n".encode())
    assert not read_district(folder).calendar.is_service_day(date(2026, 11, 25))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), share=st.floats(0, 1), junk=st.binary(max_size=8))
def test_a_damaged_file_is_refused_or_still_good_but_never_a_crash(
    folder: Path, name: str, share: float, junk: bytes
) -> None:
    # given a file cut anywhere with junk in place of the rest
    whole = (CONFIG / name).read_bytes()
    (folder / name).write_bytes(whole[: int(len(whole) * share)] + junk)
    # then the reader answers or refuses; any other exception fails the test
    with suppress(ConfigError):
        read_district(folder)
    (folder / name).write_bytes(whole)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("kept_days = 365", "kept_days = 7"), "kept_days = 7 must be 30 to 3650"),
        (("kept_days = 190", "kept_days = 189"), "must be 190 to 3650"),
        (('key = "places"', 'key = "doors"'), "housekeeping removes exactly"),
        (("version = 4\n", "version = 0\n"), "must be at least 1"),
        (('kept_zh = "自服务日起"\n', ""), "is missing"),
    ],
    ids=["too few days", "fewer than the law asks for", "a kind nobody removes", "no version", "a text is missing"],
)
def test_a_notice_that_housekeeping_does_not_keep_stops_the_start(
    folder: Path, change: tuple[str, str], problem: str
) -> None:
    path = folder / "policy/privacy.toml"
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        read_district(folder)


def test_a_kind_that_housekeeping_removes_cannot_be_left_out_of_the_notice(folder: Path) -> None:
    path = folder / "policy/privacy.toml"
    head, _, last = path.read_text(encoding="utf-8").rpartition("[[data]]")
    assert 'key = "erasures"' in last
    path.write_text(head, encoding="utf-8")
    with pytest.raises(ConfigError, match="no row for erasures"):
        read_district(folder)
