"""Made-up district days: the same from the same seed, of the kind that collection days are."""

import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.district import VARIANTS, Variant, district_day, main
from recycling.routing.problem import Problem, load_problem
from recycling.routing.solve import solve


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_seed_makes_the_same_day_and_another_seed_another(variant: Variant) -> None:
    day = district_day(120, 7, variant)

    assert district_day(120, 7, variant) == day
    assert district_day(120, 8, variant).stops != day.stops


def test_variants_of_a_day_differ_in_what_they_are_named_after_only() -> None:
    # given the whole day
    full = district_day(300, 7, "full")

    # when its lunch is taken away, nothing else changed; and one trip a day still visits the same doors
    assert all(vehicle.break_ is not None for vehicle in full.vehicles)
    assert district_day(300, 7, "no_lunch") == replace(
        full, vehicles=tuple(replace(vehicle, break_=None) for vehicle in full.vehicles)
    )
    one_trip = district_day(300, 7, "one_trip")
    assert one_trip.locations == full.locations
    assert not any(station.can_unload for station in one_trip.stations)
    assert len(one_trip.vehicles) > len(full.vehicles)


def test_one_trip_days_can_be_planned_whole() -> None:
    assert solve(district_day(200, 7, "one_trip"), seconds=30, workers=0).unassigned == ()


def _share(problem: Problem, *, several_windows: bool) -> float:
    return statistics.fmean((len(stop.windows_s) > 1) == several_windows for stop in problem.stops)


def test_a_large_day_has_the_shares_and_deciles_it_was_made_by() -> None:
    day = district_day(5000, 7, "full")

    assert _share(day, several_windows=True) == pytest.approx(0.09, abs=0.02)
    assert statistics.fmean("refrigerant" in stop.skills for stop in day.stops) == pytest.approx(0.22, abs=0.02)
    assert statistics.median(stop.load[0] for stop in day.stops) == pytest.approx(38_000, rel=0.05)
    assert statistics.median(stop.load[0] / stop.load[1] for stop in day.stops) == pytest.approx(99, rel=0.05)
    assert len(day.vehicles) == pytest.approx(5000 / 22, rel=0.03)
    assert {vehicle.start_station for vehicle in day.vehicles} == {station.key for station in day.stations}


def test_the_command_writes_a_day_that_the_planner_reads(tmp_path: Path) -> None:
    out = tmp_path / "day.json.gz"

    assert main(["30", "3", "full", str(out)]) == 0
    assert load_problem(out) == district_day(30, 3, "full")


def test_a_day_without_stops_is_refused_with_the_value() -> None:
    with pytest.raises(ValueError, match="stops is 0"):
        district_day(0)
