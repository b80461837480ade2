"""The main job over real HTTP: booked, planned by the scheduler, listed, collected, weighed, and seen in the goal."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from recycling.clock import service_day, utc_now
from recycling.units import instant_at
from tests.builders import a_wish_body
from tests.field_events import an_event
from tests.proof.harness import Proof
from tests.proof.line.whole_line import HOUR_S, Line, goal, published, running

FRIDGE_G, SOFA_G, TROLLEY_G = 41_300, 58_000, 12_000
PHONE = "13912345678"


def test_a_fridge_travels_from_booking_to_goal_report(engine_url: str, tmp_path: Path, proof: Proof) -> None:
    day = service_day(utc_now()) + timedelta(days=1)
    with running(engine_url, tmp_path, day) as line:
        # given a resident who books a fridge and another booking with a sofa, the day before
        line.at(instant_at(day - timedelta(days=1), 10 * HOUR_S))
        resident = line.resident(PHONE)
        fridge = line.call("POST", "/bookings", resident, a_wish_body(day=day.isoformat()))["id"]
        wish = a_wish_body(
            day=day.isoformat(), pickup_window="13-15", items=[{"item_type": "sofa-three", "quantity": 1}]
        )
        sofa = line.call("POST", "/bookings", resident, wish)["id"]
        before = goal(line)
        # when the clock strikes eight in the evening, the scheduler plans and publishes by itself
        line.at(instant_at(day - timedelta(days=1), 20 * HOUR_S))
        plan = published(line, day)
        stations = {key: vehicle.station_key for key, vehicle in line.network.vehicles.items()}
        driver = {
            step["booking_id"]: (route["collector_key"], stations[route["vehicle_key"]])
            for route in plan["routes"]
            for step in route["steps"]
            if step["kind"] == "pickup"
        }
        assert set(driver) == {fridge, sofa}
        # and on the day the collector finds both on their list and records them
        line.at(instant_at(day, 9 * HOUR_S))
        for booking, item_type in ((fridge, "fridge"), (sofa, "sofa-three")):
            collector = line.staff(driver[booking][0])
            listed = line.call("GET", f"/my-route?day={day}", collector)
            assert booking in str(listed)
            taken = {"items": [{"item_type": item_type, "units": 1}]}
            event = an_event(booking, payload=taken, device_time=instant_at(day, 9 * HOUR_S))
            for expected in ("accepted", "duplicate"):  # safe to send twice
                answers = line.call("POST", "/field-events", collector, {"events": [event]})
                assert answers["events"][0]["answer"] == expected, answers
        # and the keeper weighs the sofa, then the fridge at 41.3 kg
        line.at(instant_at(day, 17 * HOUR_S))
        _weigh(line, sofa, "sofa-three", SOFA_G, driver[sofa][1])
        between = goal(line)
        _weigh(line, fridge, "fridge", FRIDGE_G, driver[fridge][1])
        after = goal(line)
    # then the goal moved by exactly that fridge, and not at all by the sofa
    units, grams = after[0] - between[0], after[1] - between[1]
    moved_by_sofa = (between[0] - before[0], between[1] - before[1])
    proof.record(
        figure=f"+{units} unit, +{grams} g",
        target=f"+1 unit, +{FRIDGE_G} g",
        control=f"a sofa of {SOFA_G} g: +{moved_by_sofa[0]} units, +{moved_by_sofa[1]} g",
        ok=(units, grams) == (1, FRIDGE_G) and moved_by_sofa == (0, 0),
    )


def _weigh(line: Line, booking: str, item_type: str, net_g: int, station_key: str) -> None:
    body = {
        "channel": "door", "scale_number": "1", "gross_g": net_g + TROLLEY_G, "tare_g": TROLLEY_G,
        "lines": [{"item_type": item_type, "units": 1, "booking_id": booking}],
    }  # fmt: skip
    ticket = line.call("POST", "/intake-tickets", line.staff(f"keeper-{station_key}"), body)
    assert ticket["net_g"] == net_g
