"""The desk in a real browser: a van taken out and what follows, the running day, a proposal published, accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.booking import Booking
from recycling.models.day_change import DayChangeRow
from recycling.models.people import Staff
from recycling.models.plan import PublishedPlan
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings.offer_slots import offer_slots
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.bookings.tentative import boards
from recycling.usecases.learning.in_force import facts_in_force
from tests.builders import a_booking, a_resident, a_wish
from tests.pages.screens import DESK, NARROW, PHONE, Screens, Visit
from tests.planned_days import a_published_plan, generous
from tests.running_days import a_proposal, broken_down, vehicles_out

pytestmark = pytest.mark.browser

FAN = [WishedItem(item_type="fan", quantity=1)]


class Desk:
    """The served database from beside the server, with its own clock."""

    def __init__(self, screens: Screens) -> None:
        self.screens = screens
        self.district: District = screens.app.extensions["district"]
        self.now = utc_now()
        self.today = service_day(self.now)

    @property
    def session(self) -> Session:
        return db.session()

    def book(self, day: date, *, count: int, now: datetime) -> list[UUID]:
        """Fans at so many doors, booked at an instant for a day after it."""
        made = []
        for n in range(count):
            place: dict[str, Any] = {"lat": 34.79 + 0.006 * (n % 7), "lon": 117.25 + 0.007 * (n % 5)}
            booking = a_booking(
                self.session, district=generous(self.district), now=now, items=FAN, day=day,
                pickup_window="all-day", **place,
            )  # fmt: skip
            made.append(booking.id)
        self.session.rollback()
        return made

    def run_day(self) -> None:
        """A published plan of today, as made yesterday evening."""
        yesterday = instant_at(self.today - timedelta(days=1), 12 * 3600)
        self.book(self.today, count=12, now=yesterday)
        a_published_plan(self.session, district=self.district, now=yesterday + timedelta(hours=8), day=self.today)
        self.session.rollback()

    def used_on(self, day: date) -> dict[str, int]:
        """By vehicle, the promised visits of a day."""
        facts = facts_in_force(self.district, session=self.session)
        board = boards(self.session, [day], district=facts)[day]
        assert board is not None
        self.session.rollback()
        return {route.vehicle: len(route.visits) for route in board.routes if route.visits}


@pytest.fixture
def desk(screens: Screens) -> Iterator[Desk]:
    """The database of the served screens, in the context of the app beside it."""
    with screens.app.app_context():
        yield Desk(screens)
        db.session.remove()


def assert_usable(visit: Visit, path: str) -> None:
    """In both languages and three widths the page fits its window, and axe finds nothing grave."""
    for lang, size in (("zh", NARROW), ("en", PHONE), ("zh", DESK)):
        visit.read(lang=lang, size=size)
        visit.open(path)
        assert visit.overflow_px() <= 0, (path, lang, size)
        assert visit.grave_findings() == [], (path, lang, size)


def test_a_van_is_taken_out_for_a_day_and_offers_and_plan_follow(screens: Screens, desk: Desk) -> None:
    # given promises of the day after tomorrow, all on one van
    day = desk.today + timedelta(days=2)
    desk.book(day, count=2, now=desk.now)
    gone = next(iter(desk.used_on(day)))
    # when the dispatcher takes it out
    visit = screens.of("dispatcher")
    page = visit.open(f"/pages/fleet?day={day}")
    page.select_option("#vehicle_key", gone)
    page.fill("#reason", "年检 <script>alert(1)</script>")
    page.click("#change button >> text=登记")
    # then the page says that every promise has its place, and shows the van at home with the reason as text
    page.wait_for_selector("text=预约均已安排")
    row = page.locator("tbody tr", has_text=gone)
    assert "停用" in row.inner_text()
    assert "<script>" in row.inner_text()
    # and neither the day's routes nor an offer name it
    assert gone not in desk.used_on(day)
    facts = facts_in_force(desk.district, session=desk.session)
    resident = a_resident(desk.session, now=desk.now)
    offered = offer_slots(a_wish(items=FAN), by=resident, district=facts, session=desk.session, now=desk.now)
    (that_day,) = [one for one in offered if one.day == day]
    assert gone not in {fit.vehicle for window in that_day.windows for fit in window.fits}
    desk.session.rollback()
    # when it comes back, then the change stays on the page as ended
    page.click("form[data-end] button")
    page.wait_for_selector("text=变更已终止")
    assert "自" in page.locator(".changes .ended").inner_text()
    assert desk.session.scalars(select(DayChangeRow.ends_on)).all() == [day]
    assert_usable(visit, f"/pages/fleet?day={day}")


def test_a_change_that_leaves_promises_without_a_place_lists_them_before_it_stands(
    screens: Screens, desk: Desk
) -> None:
    # given a promise on a day
    day = desk.today + timedelta(days=3)
    (booking_id,) = desk.book(day, count=1, now=desk.now)
    visit = screens.of("admin")
    visit.expected = ("Failed to load resource",)  # the refusals, as the browser sees them
    # when its day is to be closed, then the booking is listed and there is no way round it
    page = visit.open("/pages/calendar")
    page.click(f"button[data-day='{day}']")
    page.fill("#reason", "暴雪")
    page.click("#change button >> text=登记")
    page.wait_for_selector(f"a[href='/bookings/{booking_id}']")
    assert "全天" in page.locator("#change .said li").inner_text()
    assert page.locator("#change button.grave").count() == 0
    # and what was typed is there after a reload
    page.reload()
    assert page.input_value("#reason") == "暴雪"
    # when an empty day is closed instead, then the calendar shows it with its reason
    other = day + timedelta(days=1)
    page.click(f"button[data-day='{other}']")
    page.click("#change button >> text=登记")
    page.wait_for_selector("text=已登记，预约均已安排")
    assert "暴雪" in page.locator("li.closed").inner_text()
    assert_usable(visit, "/pages/calendar")


def test_the_running_day_shows_who_stands_and_publishes_a_proposal(screens: Screens, desk: Desk) -> None:
    # given a running day on which a van has broken down, and a proposal for its rest
    desk.run_day()
    gone = vehicles_out(desk.session, day=desk.today)[0]
    broken_down(desk.session, gone, desk.now, day=desk.today)
    plan_id = a_proposal(desk.session, utc_now(), district=desk.district, day=desk.today)
    desk.session.rollback()
    # when the dispatcher opens the day
    visit = screens.of("dispatcher")
    page = visit.open("/pages/live")
    # then there is one thing to do, and a map
    assert page.locator("#needs-title .chip").inner_text() == "1"
    assert page.locator("#map canvas").count() == 1
    # and the van that stands comes first
    first = page.locator("#vehicles li >> nth=0").inner_text()
    assert gone in first
    assert "故障" in first
    assert_usable(visit, "/pages/live")
    # when they publish what is proposed
    page = visit.open("/pages/live")
    page.click("button[data-publish]")
    page.wait_for_selector("text=方案已发布")
    # then it is the day's plan, and nothing is left to do
    assert desk.session.get_one(PublishedPlan, desk.today).plan_id == plan_id
    assert page.locator("button[data-publish]").count() == 0
    # and an incident is recorded from a van's own button
    page.click("#vehicles button[data-incident] >> nth=0")
    page.select_option("#incident select[name=kind]", "late")
    page.fill("#minutes", "40")
    page.click("#incident-do")
    page.wait_for_selector("text=异常已登记")
    assert "车辆晚点" in page.locator("#needs").inner_text()
    # and a visit that is cancelled is chosen from the open ones, not typed
    cancelled = page.locator("#open-stops option").first.get_attribute("value")
    page.click("button[data-incident='']")
    page.select_option("#incident select[name=kind]", "cancelled")
    page.fill("#booking_id", "c0ffee")
    page.click("#incident-do")
    assert page.locator("#booking_id:invalid").count() == 1
    page.fill("#booking_id", cancelled or "")
    page.click("#incident-do")
    page.wait_for_selector("#incident", state="hidden")
    assert desk.session.get_one(Booking, UUID(cancelled)).state == "cancelled"


def test_an_administrator_opens_and_closes_an_account(screens: Screens, desk: Desk) -> None:
    visit = screens.of("admin")
    page = visit.open("/pages/staff")
    page.select_option("#role", "keeper")
    page.fill("#login", "keeper-zx")
    page.fill("#name", "新站点")
    page.fill("#password", "correct horse battery")
    page.click("#add button")
    page.wait_for_selector("text=已为 keeper-zx 开户")
    page.click("button[data-close][data-login=keeper-zx]")
    page.click("#ask-do")
    page.wait_for_selector("text=keeper-zx 已停用")
    assert desk.session.scalars(select(Staff.active).where(Staff.login == "keeper-zx")).one() is False
    assert_usable(visit, "/pages/staff")
