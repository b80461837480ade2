"""What comes to a station's scale, as its keeper sees it: times and goods of vans, and nobody's door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy.orm import Session

from recycling.models.plan import RouteStop
from recycling.policy.district import District
from recycling.units import instant_at
from tests.builders import TOMORROW
from tests.callers import Callers
from tests.planned_days import with_vehicles
from tests.running_days import FLEET, a_running_day, at, drive, record, steps_of, vehicles_out
from tests.trips import CrewDay, a_crew_day

TEN = 10 * 3600
NOON = 12 * 3600


@contextmanager
def clock(second: int) -> Iterator[None]:
    """The clock of the day itself."""
    with time_machine.travel(instant_at(TOMORROW, second), tick=False):
        yield


def listed(callers: Callers, second: int, station_key: str = "lincheng") -> dict[str, Any]:
    """What the keeper of a station is told at a second of the day."""
    with clock(second):
        answer = callers.staff("keeper", station_key=station_key).get("/expected-trips")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
    return found


@pytest.fixture
def crew_day(session: Session, district: District, now: datetime) -> tuple[CrewDay, list[Any]]:
    """A truck with two doors: a fridge, and two fans."""
    return a_crew_day(session, district=district, now=now, wishes=[{"fridge": 1}, {"fan": 2}])


def test_a_trip_is_filled_by_its_doors_and_emptied_by_its_ticket(
    crew_day: tuple[CrewDay, list[Any]], callers: Callers
) -> None:
    # given two doors visited and the truck emptied at 临城 at 11
    day, (first, second) = crew_day
    day.visit(first, 9, {"fridge": 1}, missing_parts=1)
    day.visit(second, 9.5, {"fan": 2}, doorstep_g=9_000)
    day.unload(11)
    # when its keeper looks at noon
    told = listed(callers, NOON)
    # then the trip is there with what is left to weigh: the table's fridge, and the fans as the door's scale had them
    (trip,) = told["trips"]
    assert (trip["vehicle_key"], trip["trip"], trip["state"], trip["doors"]) == ("lincheng-1", 1, "here", 2)
    assert datetime.fromisoformat(trip["unloaded_at"]) == instant_at(TOMORROW, 11 * 3600)
    lines = {line["item_type"]: line for line in trip["lines"]}
    fridge_g = day.district.catalogue.item_type("fridge", on=TOMORROW).unit_mass_g
    assert (lines["fridge"]["units"], lines["fridge"]["missing_parts"], lines["fridge"]["source"]) == (
        1,
        1,
        "type_table",
    )
    assert lines["fridge"]["expected_g"] == fridge_g
    assert lines["fridge"]["allowed_g"] == fridge_g * 35 // 100  # 35 % of what the type table says
    assert (lines["fan"]["expected_g"], lines["fan"]["allowed_g"]) == (9_000, 450)  # 5 % of a scale at the door
    assert trip["load_g"] == fridge_g + 9_000
    # and nothing of a resident or their door
    assert not {"address", "phone", "village_code", "lat"} & {name for line in trip["lines"] for name in line}
    # when half of it is weighed, only the rest is left
    day.weigh({first: {"fridge": 1}}, 41_300, vehicle_key="lincheng-1", trip=1)
    (half,) = listed(callers, NOON)["trips"]
    assert ([line["item_type"] for line in half["lines"]], half["state"], half["net_g"]) == (["fan"], "here", 41_300)
    # and with the rest it is done
    day.weigh({second: {"fan": 2}}, 9_100, vehicle_key="lincheng-1", trip=2)
    (done,) = listed(callers, NOON)["trips"]
    assert (done["lines"], done["state"], done["net_g"], len(done["tickets"])) == ([], "weighed", 50_400, 2)


def test_what_was_emptied_elsewhere_is_the_other_stations(
    crew_day: tuple[CrewDay, list[Any]], callers: Callers
) -> None:
    day, (first, _) = crew_day
    day.visit(first, 9, {"fridge": 1})
    day.unload(10, "xingren")
    assert listed(callers, NOON)["trips"] == []
    (trip,) = listed(callers, NOON, "xingren")["trips"]
    assert (trip["vehicle_key"], trip["lines"][0]["item_type"]) == ("lincheng-1", "fridge")


def test_vans_on_their_way_come_with_times_and_loads(
    session: Session, district: District, now: datetime, callers: Callers
) -> None:
    # given a planned day that its vans drive by the plan until ten
    small = with_vehicles(district, *FLEET)
    callers.app.extensions["district"] = small
    try:
        a_running_day(session, district=small, now=now)
        drive(session, TEN)
        session.rollback()
        # when the keepers of all stations look
        told = {key: listed(callers, TEN, key)["trips"] for key in small.network.stations}
    finally:
        callers.app.extensions["district"] = district
    # then each unload of the plan is expected at its own station, at its planned time or later
    planned = {
        (vehicle, step.station_key)
        for vehicle in vehicles_out(session)
        for step in steps_of(session, vehicle)
        if step.kind in ("unload", "end")
    }
    coming = [(trip, key) for key, trips in told.items() for trip in trips if trip["state"] == "coming"]
    assert coming
    assert {(trip["vehicle_key"], key) for trip, key in coming} <= planned
    for trip, _ in coming:
        assert trip["expected_at"] >= trip["planned_at"]
        assert trip["units"] > 0
        assert trip["load_g"] > 0
        assert trip["load_l"] > 0
    # and every booked unit is on exactly one trip: three fans at each of twelve doors
    doors = sum(trip["doors"] for trips in told.values() for trip in trips)
    assert doors == session.query(RouteStop).filter(RouteStop.kind == "pickup").count()
    assert sum(trip["units"] for trips in told.values() for trip in trips) == 3 * doors


def test_a_late_van_is_marked_and_a_broken_one_stands(
    session: Session, district: District, now: datetime, callers: Callers
) -> None:
    # given a van that was at its first door at half past four, with the rest of its day before it
    small = with_vehicles(district, *FLEET)
    callers.app.extensions["district"] = small
    try:
        a_running_day(session, district=small, now=now)
        vehicle = vehicles_out(session)[0]
        first = next(step for step in steps_of(session, vehicle) if step.kind == "pickup")
        late_s = 16 * 3600 + 1800
        record(session, vehicle, "collected", at(late_s), booking_id=first.booking_id)
        session.rollback()
        late = [one for key in small.network.stations for one in listed(callers, late_s, key)["trips"]]
        # when it breaks down for good
        record(session, vehicle, "fault", at(late_s + 60), drives=False)
        session.rollback()
        stands = [one for key in small.network.stations for one in listed(callers, late_s + 120, key)["trips"]]
    finally:
        callers.app.extensions["district"] = district
    # then it was late, and now its load waits with a vehicle that stands, and nobody promises a time
    assert max(one["late_s"] for one in late if one["vehicle_key"] == vehicle) >= 1800
    (load,) = [one for one in stands if one["vehicle_key"] == vehicle]
    assert (load["state"], load["expected_at"], load["units"]) == ("stands", None, 3)
