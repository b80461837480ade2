"""Whose number a collector may read: the current and the next unfinished stop's, today, and nobody else's."""

from __future__ import annotations

from datetime import datetime
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy.orm import Session

from recycling.models.people import Staff
from recycling.policy.district import District
from recycling.units import instant_at
from tests.builders import TOMORROW, a_wish_body
from tests.callers import Caller, Callers
from tests.field_events import an_event
from tests.planned_days import a_published_plan, driver_of

STOPS = 4


@pytest.fixture
def collector(session: Session, callers: Callers, district: District, now: datetime) -> Caller:
    """The collector of a day with four doors of four residents, each with a number of their own."""
    made = []
    for number in range(STOPS):
        resident = callers.resident(f"1391234567{number}")
        wish = a_wish_body(pickup_window="all-day", lat=34.8 + number / 1000, address=f"清泉路 {number + 1} 号")
        made.append(resident.post("/bookings", wish).get_json()["id"])
    a_published_plan(session, district=district, now=now)
    drivers = {driver_of(session, UUID(booking_id)) for booking_id in made}
    session.rollback()
    assert len(drivers) == 1
    with time_machine.travel(instant_at(TOMORROW, 8 * 3600), tick=True):
        return callers.staff("collector", collector_key=drivers.pop())


def pickups(collector: Caller) -> list[dict[str, Any]]:
    """The pickups of the day in sequence, as the collector reads them."""
    answer = collector.get(f"/my-route?day={TOMORROW}")
    assert answer.status_code == 200, answer.text
    found = [step["pickup"] for step in answer.get_json()["steps"] if step["kind"] == "pickup"]
    assert len(found) == STOPS
    for one in found:
        # what the flag says is what is shown
        assert ("*" not in one["phone"]) is one["phone_in_full"]
    # and no number is anywhere in the answer but where the flag says so
    whole = {one["phone"] for one in found if one["phone_in_full"]}
    assert {f"1391234567{number}" for number in range(STOPS) if f"1391234567{number}" in answer.text} == whole
    return found


def record(collector: Caller, pickup: dict[str, Any], kind: str = "failed") -> None:
    """Record an outcome at a door."""
    reason = {"reason": "nobody_home"} if kind == "failed" else None
    event = an_event(pickup["booking_id"], kind, payload=reason, device_time=datetime.now().astimezone())
    answer = collector.post("/field-events", {"events": [event]}).get_json()
    assert answer["events"][0]["answer"] == "accepted", answer


def shown(collector: Caller) -> list[int]:
    """The places in the route whose numbers are whole."""
    return [place for place, one in enumerate(pickups(collector)) if one["phone_in_full"]]


def test_at_the_first_stop_the_first_two_are_shown_and_at_the_last_only_it(collector: Caller) -> None:
    with time_machine.travel(instant_at(TOMORROW, 8 * 3600), tick=True):
        told = [shown(collector)]
        for place in range(STOPS):
            record(collector, pickups(collector)[place], kind="collected" if place % 2 else "failed")
            told.append(shown(collector))
    # current and next; with the last stop current there is no next, and afterwards nobody
    assert told == [[0, 1], [1, 2], [2, 3], [3], []]


@pytest.mark.parametrize("sequence", list(permutations(range(STOPS), 3))[::5], ids=str)
def test_in_whatever_sequence_stops_are_done_only_the_next_two_open_ones_are_shown(
    collector: Caller, sequence: tuple[int, ...]
) -> None:
    with time_machine.travel(instant_at(TOMORROW, 8 * 3600), tick=True):
        for done in range(1, len(sequence) + 1):
            record(collector, pickups(collector)[sequence[done - 1]])
            still_open = [place for place in range(STOPS) if place not in sequence[:done]]
            assert shown(collector) == still_open[:2]


def test_a_corrected_outcome_shows_no_number_again(collector: Caller) -> None:
    with time_machine.travel(instant_at(TOMORROW, 8 * 3600), tick=True) as clock:
        first = pickups(collector)[0]
        record(collector, first)
        clock.shift(60)
        record(collector, first, kind="collected")
        assert pickups(collector)[0]["state"] == "collected"
        assert shown(collector) == [1, 2]


def test_a_stop_cancelled_by_the_desk_makes_way_for_the_next(collector: Caller, callers: Callers) -> None:
    with time_machine.travel(instant_at(TOMORROW, 8 * 3600), tick=True):
        desk = callers.staff("dispatcher")
        booking_id = pickups(collector)[0]["booking_id"]
        gone = desk.call("POST", f"/bookings/{booking_id}/cancellation", If_Match='"1"')
        assert gone.status_code == 200, gone.text
        assert shown(collector) == [1, 2]


@pytest.mark.parametrize(
    ("second", "places"),
    [(-1, []), (0, [0, 1]), (24 * 3600 - 2, [0, 1]), (24 * 3600, [])],
    ids=["the evening before", "midnight", "the last second", "the next day"],
)
def test_numbers_are_shown_from_midnight_to_midnight(
    session: Session, callers: Callers, collector: Caller, second: int, places: list[int]
) -> None:
    # a sign-in lasts a shift, so that one of the hour itself is needed
    with time_machine.travel(instant_at(TOMORROW, 0).timestamp() + second, tick=False):
        route = collector_of_the_hour(session, callers, collector)
        assert shown(route) == places


def collector_of_the_hour(session: Session, callers: Callers, collector: Caller) -> Caller:
    """The same collector, signed in anew."""
    login = session.get_one(Staff, collector.id).login
    session.rollback()
    return callers.again(login)
