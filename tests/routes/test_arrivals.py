"""The running day over HTTP: estimates for crew, resident and dispatcher, links without sign-in, and no trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from flask import Flask, g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.models.base import insert_into
from recycling.models.booking import Booking
from recycling.models.people import Staff
from recycling.models.plan import RouteStop
from recycling.models.position import VehiclePosition
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.housekeeping import clean_up
from recycling.usecases.live import share_position as sharing
from recycling.usecases.live.links import tracking_path, tracking_token
from tests.builders import TOMORROW, a_wish_body
from tests.callers import Caller, Callers
from tests.field_events import an_event
from tests.invariants import assert_invariants
from tests.pages.browsers import Browsers
from tests.personal_data import found
from tests.planned_days import TRUCK, TRUCK_CREW, a_published_plan, with_vehicles

PHONE = "13912345678"
DOOR = "清泉路 1 号 2 单元 301"
LOGIN = "collector-driver"


class Tour:
    """Two doors of one resident on one truck's published route of tomorrow; its driver signs in on the day."""

    def __init__(self, session: Session, callers: Callers, district: District, now: datetime) -> None:
        self.session, self.callers, self.resident = session, callers, callers.resident(PHONE)
        made = [
            self.resident.post("/bookings", a_wish_body(address=DOOR)),
            self.resident.post("/bookings", a_wish_body(address="清泉路 2 号", lat=34.805)),
        ]
        ids = [UUID(one.get_json()["id"]) for one in made]
        a_published_plan(session, district=with_vehicles(district, TRUCK), now=now)
        self.driver_key = TRUCK_CREW[0]
        self.collector: Caller | None = None
        self.bookings = sorted(ids, key=lambda one: self.planned(one, "start_s"))
        self.session.rollback()

    def planned(self, booking_id: UUID, name: str) -> int:
        """A planned second of a booking's stop."""
        stop = self.session.scalars(select(RouteStop).where(RouteStop.booking_id == booking_id)).one()
        second: int = getattr(stop, name)
        return second

    @contextmanager
    def at(self, second: int) -> Iterator[None]:
        """The clock of the day itself."""
        with time_machine.travel(instant_at(TOMORROW, second), tick=False):
            if self.collector is None:
                self.collector = self.callers.staff("collector", collector_key=self.driver_key)
                self._name_account()
            else:  # a token lasts a quarter of an hour
                self.collector = self.callers.again(LOGIN, self.collector.phone)
            yield

    def _name_account(self) -> None:
        account = self.session.scalars(select(Staff).where(Staff.collector_key == self.driver_key)).one()
        account.login = LOGIN
        self.session.commit()

    def record(self, kind: str, number: int | None, second: int, **payload: Any) -> str:
        """Record something at a second of the day, as it happens."""
        booking_id = None if number is None else self.bookings[number]
        with self.at(second):
            assert self.collector is not None
            event = an_event(booking_id, kind, device_time=instant_at(TOMORROW, second), payload=payload)
            answer = self.collector.post("/field-events", {"events": [event]})
            assert answer.status_code == 200, answer.text
            assert answer.get_json()["events"][0]["answer"] == "accepted", answer.text
        return str(event["event_id"])

    def where(self, second: int, *, lat: float = 34.80123, ago: int = 0) -> bool:
        """Tell where the van is; whether that was kept."""
        with self.at(second):
            assert self.collector is not None
            at = instant_at(TOMORROW, second - ago).isoformat()
            answer = self.collector.call("PUT", "/my-position", {"lat": lat, "lon": 117.26, "accuracy_m": 12, "at": at})
            assert answer.status_code == 200, answer.text
            return bool(answer.get_json()["kept"])

    def seen(self, number: int, second: int) -> dict[str, Any]:
        """What a stranger with the link sees."""
        with self.at(second):
            answer = self.callers.app.test_client().get(f"/tracking/{tracking_token(self.bookings[number], TOMORROW)}")
            assert answer.status_code == 200, answer.text
            body: dict[str, Any] = answer.get_json()
            return body

    def kept(self) -> int:
        """How many places of vehicles the database holds."""
        self.session.rollback()
        return self.session.scalar(select(func.count()).select_from(VehiclePosition)) or 0


@pytest.fixture
def tour(session: Session, callers: Callers, district: District, now: datetime) -> Tour:
    return Tour(session, callers, district, now)


def test_a_link_tells_window_interval_and_stops_before_and_nothing_of_people(tour: Tour) -> None:
    # given the day before: on a route, without an estimate
    second = tour.planned(tour.bookings[1], "start_s")
    body = tour.callers.app.test_client().get(f"/tracking/{tracking_token(tour.bookings[1], TOMORROW)}").get_json()
    assert (body["state"], body["expected"], body["told_s"]) == ("planned", None, second // 900 * 900)
    # when the day runs and nothing was recorded, then the plan stands: five minutes and 15 % of the way from the start
    begun = tour.planned(tour.bookings[0], "arrival_s")
    seen = tour.seen(1, begun - 3600)
    assert (seen["state"], seen["stops_before"], seen["van"], seen["vehicle_key"]) == ("waiting", 1, None, None)
    assert seen["expected"]["earliest_s"] <= second <= seen["expected"]["latest_s"]
    # and nothing in it is about a person or a place
    for secret in (PHONE, "清泉路", "34.8", "117.26", TRUCK, TRUCK_CREW[0]):
        assert secret not in str(seen)


def test_the_day_as_a_link_tells_it(tour: Tour) -> None:
    begun = tour.planned(tour.bookings[0], "arrival_s")
    assert tour.seen(0, begun + 60)["no_word"]
    tour.record("on_the_way", 0, begun)
    seen = tour.seen(0, begun + 60)
    assert (seen["state"], seen["vehicle_key"], seen["no_word"]) == ("on_the_way", TRUCK, False)
    assert tour.seen(1, begun + 60)["state"] == "waiting"
    tour.record("arrive", 0, begun + 300)
    assert (tour.seen(0, begun + 360)["state"], tour.seen(1, begun + 360)["stops_before"]) == ("at_door", 1)
    tour.record("collected", 0, begun + 900, items=[{"item_type": "fridge", "units": 1}])
    seen = tour.seen(0, begun + 960)
    assert (seen["state"], seen["expected"], seen["stops_before"]) == ("collected", None, None)
    assert tour.seen(1, begun + 960)["stops_before"] == 0
    # when the van breaks down, then nobody comes to the second one for now
    tour.record("fault", None, begun + 1000, drives=False)
    assert (tour.seen(1, begun + 1060)["state"], tour.seen(1, begun + 1060)["expected"]) == ("delayed", None)
    # and the day after, no record is what there is
    assert tour.seen(1, begun + 86_400)["state"] == "no_record"


def test_wrong_foreign_and_old_links_are_answered_alike(tour: Tour, app: Flask) -> None:
    token = tracking_token(tour.bookings[0], TOMORROW)
    nobodys = tracking_token(uuid4(), TOMORROW)
    answers = [app.test_client().get(f"/tracking/{one}") for one in ("x", "A" * 46, nobodys, token[:-2] + "AA")]
    with time_machine.travel(instant_at(TOMORROW + timedelta(days=3), 1), tick=False):
        answers.append(app.test_client().get(f"/tracking/{token}"))
    with time_machine.travel(instant_at(TOMORROW + timedelta(days=2), 86_399), tick=False):
        assert app.test_client().get(f"/tracking/{token}").status_code == 200
    said = [{name: value for name, value in one.get_json().items() if name != "request_id"} for one in answers]
    assert [one.status_code for one in answers] == [404] * 5
    assert all(one == said[0] for one in said)
    # on the page the same, in words
    page = app.test_client().get(f"/pages/track/{nobodys}")
    assert page.status_code == 404
    assert "链接无效或已过期" in page.text


def test_the_page_shows_what_the_link_tells_and_looks_again_by_itself(tour: Tour, app: Flask) -> None:
    begun = tour.planned(tour.bookings[0], "arrival_s")
    path = tracking_path(tour.bookings[0], TOMORROW)
    before = app.test_client().get(path)
    assert "已排入路线" in before.text
    assert "js/again.js" not in before.text
    tour.record("on_the_way", 0, begun)
    tour.where(begun + 30)
    with tour.at(begun + 60):
        page = app.test_client().get(path)
    assert "回收员正在前往您处" in page.text
    assert "on the way to you" in page.text
    assert "js/again.js" in page.text
    assert "position=117.26,34.8012&amp;" in page.text
    for secret in (PHONE, "清泉路", TRUCK_CREW[0]):
        assert secret not in page.text


def test_its_resident_finds_the_link_and_the_interval_in_the_booking_and_the_desk_does_not(tour: Tour) -> None:
    path = f"/bookings/{tour.bookings[0]}"
    shown = tour.resident.get(path).get_json()
    assert (shown["tracking_url"], shown["expected"]) == (tracking_path(tour.bookings[0], TOMORROW), None)
    begun = tour.planned(tour.bookings[0], "arrival_s")
    with tour.at(begun - 600):
        resident = tour.callers.resident(PHONE)
        on_the_day = resident.get(path).get_json()
        assert on_the_day["expected"]["earliest_s"] <= tour.planned(tour.bookings[0], "start_s")
        desk = tour.callers.staff("dispatcher").get(path).get_json()
        assert (desk["tracking_url"], desk["expected"]) == (None, None)


def test_the_page_of_bookings_leads_to_the_progress_of_those_to_come(tour: Tour, app: Flask, callers: Callers) -> None:
    browser, begun = Browsers(app, callers.sms).new(), tour.planned(tour.bookings[0], "arrival_s")
    with tour.at(begun - 600):
        g.pop("principal", None)  # the fixtures' app context would keep the last caller, which no server does
        browser.sign_in_resident(PHONE, next_path="/pages/bookings")
        page = browser.open("/pages/bookings").text
        assert all(tracking_path(booking_id, TOMORROW) in page for booking_id in tour.bookings)
    # once a visit is done there is nothing left to follow
    tour.record("failed", 0, begun, reason="no_access")
    with tour.at(begun + 60):
        page = browser.open("/pages/bookings").text
        assert tracking_path(tour.bookings[0], TOMORROW) not in page
        assert tracking_path(tour.bookings[1], TOMORROW) in page


def test_the_crew_sees_when_each_step_is_reached_as_the_day_runs(tour: Tour) -> None:
    begun = tour.planned(tour.bookings[0], "arrival_s")
    # when the truck reaches its first door half an hour late, and takes nothing there within a minute
    tour.record("arrive", 0, begun + 1800)
    tour.record("failed", 0, begun + 1860, reason="no_access")
    with tour.at(begun + 1860):
        assert tour.collector is not None
        steps = tour.collector.get("/my-route").get_json()["steps"]
    numbers = {step["pickup"]["booking_id"]: step for step in steps if step["pickup"]}
    first, second = (numbers[str(one)] for one in tour.bookings)
    # then the first has no estimate any more, and the second is reached after the planned way
    assert first["estimated_arrival_s"] is None
    way = second["arrival_s"] - first["end_s"]
    assert second["estimated_arrival_s"] == begun + 1860 + way


def test_the_board_lists_the_latest_first_and_what_stands_before_all(tour: Tour) -> None:
    dispatcher = tour.callers.staff("dispatcher")
    empty = dispatcher.get("/service-days/2026-12-24/live").get_json()
    assert (empty["published_at"], empty["vehicles"], empty["stops"]) == (None, [], [])
    begun = tour.planned(tour.bookings[0], "arrival_s")
    closes = 10 * 3600  # both are booked from 8 to 10
    tour.record("arrive", 0, closes + 600)
    with tour.at(closes + 660):
        desk = tour.callers.staff("dispatcher")
        board = desk.get(f"/service-days/{TOMORROW}/live").get_json()
    (truck,) = board["vehicles"]
    assert (truck["vehicle_key"], truck["doing"], truck["done"], truck["open"]) == (TRUCK, "serving", 0, 2)
    # the second follows the first: it is the later one
    assert [stop["booking_id"] for stop in board["stops"]] == [str(one) for one in reversed(tour.bookings)]
    assert board["stops"][0]["late_min"] > board["stops"][1]["late_min"] == 10
    assert begun < closes
    tour.record("fault", None, closes + 700, drives=False)
    with tour.at(closes + 760):
        desk = tour.callers.staff("dispatcher")
        stands = desk.get(f"/service-days/{TOMORROW}/live").get_json()
        assert [stop["start_s"] for stop in stands["stops"]] == [None, None]
        assert stands["vehicles"][0]["stands"]
        assert desk.get("/service-days/someday/live").status_code == 404


# --- where the van is ---


def test_a_place_is_kept_and_shown_only_on_the_way_to_a_booking_and_to_its_resident(tour: Tour) -> None:
    begun = tour.planned(tour.bookings[0], "arrival_s")
    # given nothing recorded: nobody waits for the van, so nothing is kept
    assert not tour.where(begun)
    # when it sets out for the first booking, then its place is kept, to four decimals
    tour.record("on_the_way", 0, begun + 30)
    assert tour.where(begun + 60)
    van = tour.seen(0, begun + 70)["van"]
    assert (van["lat"], van["lon"], van["accuracy_m"]) == (34.8012, 117.26, 12)
    # and nobody else's link shows it
    assert tour.seen(1, begun + 70)["van"] is None
    assert_invariants(tour.session)
    # when it arrives, then nothing is shown, what there was goes at once, and nothing more is kept
    tour.record("arrive", 0, begun + 300)
    assert tour.seen(0, begun + 310)["van"] is None
    assert tour.kept() == 0
    assert not tour.where(begun + 320)
    assert tour.kept() == 0
    assert_invariants(tour.session)


def test_a_shift_that_begins_or_ends_is_on_the_way_to_nobody(tour: Tour) -> None:
    begun = tour.planned(tour.bookings[0], "arrival_s")
    tour.record("shift_start", None, begun)
    assert not tour.where(begun + 10)
    # when the crew goes home while it was on the way, then its next place is not kept, and the last one goes
    tour.record("on_the_way", 0, begun + 20)
    assert tour.where(begun + 30)
    tour.record("shift_end", None, begun + 40)
    assert tour.seen(0, begun + 50)["van"] is None
    assert not tour.where(begun + 60)
    assert tour.kept() == 0


def test_there_is_one_place_of_a_vehicle_and_no_trail(tour: Tour) -> None:
    begun = tour.planned(tour.bookings[0], "arrival_s")
    tour.record("on_the_way", 0, begun)
    for number, lat in enumerate((34.7137, 34.7237, 34.7337)):
        assert tour.where(begun + 20 * (number + 1), lat=lat)
    # then only the last one is anywhere in the database, in clear or encrypted, and a late one changes nothing
    assert tour.kept() == 1
    tour.where(begun + 70, lat=34.7437, ago=60)
    assert found(tour.session, "34.7337") == {"vehicle_position.point"}
    assert found(tour.session, "34.7137", "34.7237", "34.7437") == set()


def test_a_trail_would_be_found(tour: Tour, monkeypatch: pytest.MonkeyPatch) -> None:
    # given the control: a place that is added instead of put over the one before it
    begun = tour.planned(tour.bookings[0], "arrival_s")

    def added(session: Session, vehicle_key: str, **fields: Any) -> None:
        key = f"{vehicle_key}-{fields['made_at'].timestamp():.0f}"
        session.execute(insert_into(session, VehiclePosition).values(vehicle_key=key, **fields))

    monkeypatch.setattr(sharing, "keep_position", added)
    tour.record("on_the_way", 0, begun)
    for number, lat in enumerate((34.7137, 34.7237)):
        tour.where(begun + 20 * (number + 1), lat=lat)
    # then the test above would fail
    assert found(tour.session, "34.7137") == {"vehicle_position.point"}
    assert tour.kept() == 2


def test_an_outcome_takes_the_place_away_at_once(tour: Tour) -> None:
    begun = tour.planned(tour.bookings[0], "arrival_s")
    tour.record("on_the_way", 0, begun)
    assert tour.where(begun + 60)
    tour.record("failed", 0, begun + 90, reason="no_access")
    assert tour.kept() == 0


def test_a_place_is_over_after_ten_minutes_and_goes_with_housekeeping(tour: Tour, district: District) -> None:
    begun = tour.planned(tour.bookings[0], "arrival_s")
    tour.record("on_the_way", 0, begun)
    assert tour.where(begun + 60)
    assert tour.seen(0, begun + 659)["van"] is not None
    assert tour.seen(0, begun + 660)["van"] is None
    # a phone that sends an old one, or one of the future, leaves nothing
    assert not tour.where(begun + 700, ago=600)
    with tour.at(begun + 700):
        assert tour.collector is not None
        ahead = {"lat": 34.8, "lon": 117.26, "accuracy_m": 1, "at": instant_at(TOMORROW, begun + 900).isoformat()}
        assert tour.collector.call("PUT", "/my-position", ahead).status_code == 422
    assert tour.where(begun + 720)
    gone = clean_up(district.privacy, session=tour.session, now=instant_at(TOMORROW, begun + 1320))
    assert (gone["positions"], tour.kept()) == (1, 0)


def test_a_withdrawn_booking_is_not_driven_to(tour: Tour) -> None:
    begun = tour.planned(tour.bookings[0], "arrival_s")
    tour.record("on_the_way", 0, begun)
    tour.session.execute(
        Booking.__table__.update().where(Booking.id == tour.bookings[0]).values(state="cancelled")  # type: ignore[attr-defined]  # a Table, by SQLAlchemy's wider word
    )
    tour.session.commit()
    assert not tour.where(begun + 60)


def test_somebody_without_a_route_leaves_no_place(tour: Tour, district: District) -> None:
    tour.driver_key = next(key for key, one in district.network.collectors.items() if one.vehicle_key != TRUCK)
    assert not tour.where(9 * 3600)
    assert tour.kept() == 0
