"""The dispatcher's page of a running day: its empty state, late stops first, and a vehicle that stands."""

from __future__ import annotations

from datetime import datetime, timedelta

import time_machine
from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.units import instant_at
from tests.builders import TOMORROW
from tests.pages.browsers import Browsers
from tests.planned_days import TRUCK
from tests.usecases.test_record_events import Round, a_note_of

PAGE = f"/pages/live?day={TOMORROW}"
TEN = 10 * 3600


def test_a_day_without_published_routes_says_so(browsers: Browsers) -> None:
    page = browsers.of("dispatcher").open(PAGE)
    assert page.status_code == 200
    assert "当日路线尚未发布" in page.text
    assert "js/today/live.js" not in page.text  # there is nothing to look at again


def test_the_latest_stop_comes_first_and_the_page_looks_again_by_itself(
    session: Session, district: District, now: datetime, browsers: Browsers
) -> None:
    # given a truck that reaches its first door twenty minutes after the window
    tour = Round(session, district, now, bookings=2)
    late = instant_at(TOMORROW, TEN + 1200)
    tour.send(a_note_of("arrive", booking_id=tour.bookings[0], device_time=late), at=late)
    with time_machine.travel(late + timedelta(minutes=1), tick=False):
        desk = browsers.of("dispatcher")
        page = desk.open("/pages/live")
        assert "js/today/live.js" in page.text
        # then the other one, still to come, is above it
        places = [page.text.index(str(booking_id)) for booking_id in tour.bookings]
        assert places[1] < places[0]
        assert "20 min" in page.text
        assert TRUCK in page.text
        assert "at a door" in page.text
        # and nothing of people is on it
        assert "清泉路" not in page.text
    # when it breaks down, then nobody comes to either
    tour.send(a_note_of("fault", drives=False, device_time=late + timedelta(minutes=2)), at=late + timedelta(minutes=2))
    with time_machine.travel(late + timedelta(minutes=3), tick=False):
        page = desk.open("/pages/live")
        assert page.text.count("nobody comes") == 2
        assert "broken down" in page.text


def test_a_vehicle_of_which_nothing_was_heard_is_marked(
    session: Session, district: District, now: datetime, browsers: Browsers
) -> None:
    Round(session, district, now)
    with time_machine.travel(instant_at(TOMORROW, TEN), tick=False):
        assert "no word" in browsers.of("dispatcher").open("/pages/live").text
