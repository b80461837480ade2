"""The whole story on screens: booked, planned, moved, published, collected without a network, weighed, in the goal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recycling.clock import service_day, utc_now
from recycling.units import instant_at
from tests.callers import PASSWORD
from tests.pages import board_walk, walks
from tests.pages.screens import DESK, PHONE, TABLET, Visit, a_visit
from tests.pictures.demo_morning import set_clock
from tests.proof.harness import Proof
from tests.proof.line.whole_line import HOUR_S, Line, goal, published, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

RESIDENT = "13912345678"
FRIDGE_G, SOFA_G = 41_300, 58_000
CUT = ("Failed to load resource", "net::ERR_", "401")  # what a browser says without a network, and before a sign-in


def test_a_fridge_travels_over_the_screens_of_five_roles(
    chromium: Browser, engine_url: str, tmp_path: Path, proof: Proof
) -> None:
    day = service_day(utc_now()) + timedelta(days=1)
    eve = day - timedelta(days=1)
    with running(engine_url, tmp_path, day) as line:
        people = _People(chromium, line)
        # given a resident who books a fridge on a phone, and another who books a sofa, the day before
        line.at(instant_at(eve, 10 * HOUR_S))
        with people.resident(RESIDENT) as visit:
            fridge = walks.book_pickup(
                visit.open(walks.BOOK), ["fridge"], village="清泉", address="清泉路 1 号 2 单元 301", day=day
            )
        with people.resident("13912345679") as visit:
            sofa = walks.book_pickup(
                visit.open(walks.BOOK), ["sofa-three"], village="清泉", address="清泉路 9 号 1 单元 101", day=day
            )
        before = _seen_goal(people)
        # when the scheduler plans and publishes in the evening
        line.at(instant_at(eve, 20 * HOUR_S))
        plan = published(line, day)
        rides = {
            step["booking_id"]: route["vehicle_key"]
            for route in plan["routes"]
            for step in route["steps"]
            if step["kind"] == "pickup"
        }
        ids = {str(one)[:8].upper(): one for one in rides}
        fridge_id, sofa_id = ids[fridge.number], ids[sofa.number]
        # and the dispatcher drags the fridge to another van, hears the verdict, saves and publishes
        with people.staff("dispatcher", DESK) as visit:
            page = visit.open(f"{walks.BOARD}?day={day}")
            other = board_walk.move_stop(page, fridge_id)
            board_walk.save_and_publish(page)
        assert other != rides[fridge_id]
        vehicles = {fridge_id: other, sofa_id: rides[sofa_id]}
        # and each collector records the door without a network, and sends it when there is one
        line.at(instant_at(day, 9 * HOUR_S))
        for booking_id, vehicle in vehicles.items():
            with people.staff(line.network.crew_of(vehicle)[0].key, PHONE) as visit:
                walks.keep_list(visit)
                visit.context.set_offline(True)
                walks.record_visit(visit.page, booking_id)
                visit.context.set_offline(False)
                walks.everything_sent(visit.page)
        # and the keeper weighs the sofa, then the fridge at 41.3 kg
        line.at(instant_at(day, 17 * HOUR_S))
        weighed = []
        for booking_id, net_g in ((sofa_id, SOFA_G), (fridge_id, FRIDGE_G)):
            station = line.network.vehicles[vehicles[booking_id]].station_key
            with people.staff(f"keeper-{station}", TABLET) as visit:
                walks.weigh_trip(visit.open(walks.STATION), vehicles[booking_id], net_g=net_g)
            weighed.append(_seen_goal(people))
        between, after = weighed
        said = goal(line)
        faults = people.faults
    # then the clerk's screen moved by exactly that fridge, not by the sofa, and agrees with the API
    units, grams = after[0] - between[0], after[1] - between[1]
    moved_by_sofa = (between[0] - before[0], between[1] - before[1])
    proof.record(
        figure=f"+{units} unit, +{grams} g on the clerk's screen, {len(faults)} complaints of browsers",
        target=f"+1 unit, +{FRIDGE_G} g, 0 complaints",
        control=f"a sofa of {SOFA_G} g: +{moved_by_sofa[0]} units, +{moved_by_sofa[1]} g",
        ok=(units, grams) == (1, FRIDGE_G) and moved_by_sofa == (0, 0) and after == said and not faults,
    )


class _People:
    """Everybody of the story, each in a browser of their own that signs in by the form, at the line's time."""

    def __init__(self, browser: Browser, line: Line) -> None:
        self.browser, self.line = browser, line
        self.faults: list[str] = []

    @contextmanager
    def staff(self, login: str, size: tuple[int, int]) -> Iterator[Visit]:
        """A staff member, signed in by password."""
        with self._signed_in(
            size, lambda visit: walks.sign_in_staff(visit.page, visit.address, login, PASSWORD)
        ) as visit:
            yield visit

    @contextmanager
    def resident(self, phone: str) -> Iterator[Visit]:
        """A resident, signed in by the code that the server's log shows, on a phone that knows where it is."""
        log = self.line.server.log
        with self._signed_in(
            PHONE, lambda visit: walks.sign_in_resident(visit.page, visit.address, phone, log=log)
        ) as visit:
            visit.context.grant_permissions(["geolocation"])
            visit.context.set_geolocation(walks.DOOR)
            yield visit

    @contextmanager
    def _signed_in(self, size: tuple[int, int], sign_in: Callable[[Visit], None]) -> Iterator[Visit]:
        visit = a_visit(self.browser, self.line.server.address, size=size)
        visit.expected = CUT
        set_clock(visit.context, datetime.fromisoformat(self.line.clock.read_text(encoding="utf-8")))
        try:
            sign_in(visit)
            yield visit
            self.faults += visit.unexpected()
        finally:
            visit.context.close()


def _seen_goal(people: _People) -> tuple[int, int]:
    """Units and grams of household appliances, as the clerk reads them off the screen."""
    with people.staff("clerk", DESK) as visit:
        return walks.read_goal(visit.open(walks.GOALS))
