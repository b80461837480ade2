"""Each public format becomes the problem that its literature means: times and lengths scaled, rules kept."""

import json
from pathlib import Path

import pytest

from benchmarks.support.instances import Instance, multi_trip, public
from recycling.routing.cost import leg
from recycling.routing.problem import Problem, save_problem
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle

HOMBERGER = """c1_tiny

VEHICLE
NUMBER     CAPACITY
  3          600

CUSTOMER
CUST NO.  XCOORD.    YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE TIME

    0      0         0          0          0        400          0
    1      1         1         34         37         47         10
    2      3         4          8        123        133         90
"""

CORDEAU = """6 2 2 2
500 200
0 150
1  1.000  2.000  2 12 1 2 1 2 399 525
2 -3.000  4.500 21 16 1 2 1 2 389 483
3  4.163 13.559  0  0 0 0   0 1000
4 21.387 17.105  0  0 0 0  10  900
"""

VIDAL = """NAME: PR1
TYPE: MDVRPTW
EDGE_WEIGHT_TYPE: EUC_2D
DIMENSION: 4
VEHICLES: 2
CAPACITY: 200
VEHICLES_MAX_DURATION: 450
NODE_COORD_SECTION
1\t0\t0
2\t10\t0
3\t1\t1
4\t9\t1
DEMAND_SECTION
1\t0
2\t0
3\t5
4\t6
SERVICE_TIME_SECTION
1\t0
2\t0
3\t7
4\t8
TIME_WINDOW_SECTION
1\t0\t1000
2\t0\t900
3\t146\t281
4\t84\t204
VEHICLES_DEPOT_SECTION
1\t1
2\t2
DEPOT_SECTION
1
2
EOF
"""

SKILLED = """NAME: PR2
TYPE: SDVRPTW
DIMENSION: 4
VEHICLES: 3
VEHICLES_MAX_DURATION: 500
NODE_COORD_SECTION
1 0 0
2 1 0
3 2 0
4 3 0
DEMAND_SECTION
1 0
2 5
3 6
4 7
SERVICE_TIME_SECTION
1 0
2 1
3 1
4 1
TIME_WINDOW_SECTION
1 0 1000
2 0 1000
3 0 1000
4 0 1000
CAPACITY_SECTION
1 100
2 150
3 150
VEHICLES_ALLOWED_CLIENTS_SECTION
1 2
2 2 3 4
3 2 3 4
EOF
"""

CREVIER = {
    "name": "t2", "derived_from": "pr01", "depots": [[4.0, 0.0], [0.0, 0.0]], "central_depot_index": 1, "vehicles": 2,
    "max_rotation_duration": 600, "capacity": 150, "docking_time": 15,
    "customers": [{"id": 1, "x": 3.0, "y": 4.0, "service": 2.0, "demand": 12.0}],
}  # fmt: skip


def _read(folder: Path, name: str, text: str, best_known: str = "") -> tuple[Instance, Problem]:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    if best_known:
        rows = f"instance,bks_cost,vehicles\n{Path(name).stem},{best_known},2\n"
        (folder / "bks.csv").write_text(rows, encoding="utf-8")
    (found,) = public(folder)
    return found, found.load()


def test_homberger_counts_tenths_rounded_down_and_one_trip(tmp_path: Path) -> None:
    # given a file with the line ends of its age
    found, problem = _read(tmp_path, "C1_tiny.txt", HOMBERGER.replace("\n", "\r\n"), "2698.6")

    # then lengths are floor(10 d), 14 for the root of two, and times ten times their number
    assert (found.family, found.scale, found.best_known, found.stops) == ("homberger", 10, 2698.6, 2)
    assert leg(problem, 0, 1) == (14, 14)
    assert problem.stops[0].windows_s == ((370, 470),)
    assert problem.stops[1].service_s == 900
    assert [vehicle.capacity for vehicle in problem.vehicles] == [(600,)] * 3
    assert problem.vehicles[0].shift_s == (0, 4000)
    assert not problem.stations[0].can_unload
    assert all(stop.skip_cost is None for stop in problem.stops)


def test_cordeau_has_its_fleet_per_depot_and_no_limit_where_it_says_zero(tmp_path: Path) -> None:
    found, problem = _read(tmp_path, "pr99.txt", CORDEAU, "1074.12")

    assert (found.family, found.scale, found.best_known) == ("mdvrptw", 1000, 1074.12)
    assert [(v.start_station, v.max_duration_s, v.capacity) for v in problem.vehicles] == [
        ("d0", 500_000, (200,)), ("d0", 500_000, (200,)), ("d1", None, (150,)), ("d1", None, (150,)),
    ]  # fmt: skip
    assert problem.stations[1].open_s == (10_000, 900_000)
    stop = problem.stops[1]
    assert (stop.key, stop.service_s, stop.load, stop.windows_s) == ("c2", 21_000, (16,), ((389_000, 483_000),))
    assert leg(problem, 2, 3) == (4717, 4717)  # 1000 times the root of 4² + 2.5², 4716.99, rounded


def test_a_cordeau_file_cut_short_is_refused_with_its_counts(tmp_path: Path) -> None:
    (tmp_path / "pr98.txt").write_text("\n".join(CORDEAU.splitlines()[:-1]), encoding="utf-8")
    (found,) = public(tmp_path)

    with pytest.raises(ValueError, match="2 stops and 2 depots announced, 3 rows found"):
        found.load()


def test_vidals_vehicles_stay_with_their_depot(tmp_path: Path) -> None:
    found, problem = _read(tmp_path, "PR1.vrp", VIDAL)

    assert (found.family, found.best_known) == ("mdvrptw", None)
    assert [vehicle.start_station for vehicle in problem.vehicles] == ["d0", "d1"]
    assert {vehicle.max_duration_s for vehicle in problem.vehicles} == {450_000}
    assert [(stop.key, stop.load, stop.service_s) for stop in problem.stops] == [("c3", (5,), 7000), ("c4", (6,), 8000)]
    assert problem.vehicles[1].shift_s == (0, 900_000)


def test_a_client_kept_to_some_vehicles_asks_for_a_skill_that_only_they_have(tmp_path: Path) -> None:
    found, problem = _read(tmp_path, "PR2.vrp", SKILLED)

    # client 2 takes any vehicle, 3 and 4 the same two: one skill does it
    assert found.family == "sdvrptw"
    free, *kept = (stop.skills for stop in problem.stops)
    assert free == frozenset()
    assert kept[0] == kept[1] != frozenset()
    assert [vehicle.skills for vehicle in problem.vehicles] == [frozenset(), kept[0], kept[0]]
    assert [vehicle.capacity for vehicle in problem.vehicles] == [(100,), (150,), (150,)]


def test_creviers_central_depot_is_a_home_without_docking_and_a_place_to_unload_with_it(tmp_path: Path) -> None:
    found, problem = _read(tmp_path, "t2.json", json.dumps(CREVIER))

    assert found.family == "crevier"
    home, *unloads = problem.stations
    assert (home.unload_s, home.can_unload) == (0, False)
    assert [(one.unload_s, one.can_unload) for one in unloads] == [(15_000, True)] * 2
    assert problem.locations[home.location] == problem.locations[unloads[1].location] == (0.0, 0.0)
    assert {(v.start_station, v.max_duration_s) for v in problem.vehicles} == {(home.key, 600_000)}


@pytest.mark.parametrize(("unloads", "family"), [(True, "no_lunch"), (False, "one_trip")])
def test_a_day_of_our_own_belongs_to_the_variant_that_its_rules_make_it(
    tmp_path: Path, unloads: object, family: str
) -> None:
    day = a_problem(
        (0, 600), (a_station("home", 0, can_unload=bool(unloads)),), (a_vehicle("van"),), (a_stop("a", 1),)
    )  # fmt: skip
    save_problem(day, tmp_path / "day.json")

    (found,) = public(tmp_path)

    assert (found.family, found.load()) == (family, day)


def test_multi_trip_days_carry_a_quarter_and_unload_at_the_depot(tmp_path: Path) -> None:
    found, _ = _read(tmp_path, "C1_tiny.txt", HOMBERGER, "2698.6")

    trips = multi_trip(found)

    # the published value is that of another problem now
    assert trips.best_known is None
    assert trips.load().vehicles[0].capacity == (150,)
    assert trips.load().stations[0].can_unload


def test_other_files_are_passed_over_and_a_missing_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("Instances of somebody.\n", encoding="utf-8")
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")

    assert list(public(tmp_path)) == []
    with pytest.raises(FileNotFoundError, match="INSTANCES="):
        list(public(tmp_path / "nowhere"))
