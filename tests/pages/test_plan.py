"""The plan page: the ten stations with their routes, what is left out and why, and the planner's own files."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from flask import Flask

from recycling.errors import BookingsChanged
from recycling.extensions import db
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.usecases.bookings.change_pickup import cancel_pickup
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.planning.publish_plan import publish_plan
from tests.builders import TOMORROW, a_booking
from tests.conftest import NOW
from tests.pages.browsers import Browsers
from tests.planned_days import TRUCK, VAN, a_plan, a_published_plan, with_vehicles


def test_a_day_without_a_plan_says_so_and_how_to_make_one(browsers: Browsers) -> None:
    page = browsers.of("dispatcher").open(f"/pages/plan?day={TOMORROW + timedelta(days=1)}")

    assert page.status_code == 200
    assert "当日尚未排线" in page.text
    assert f'href="/pages/board?day={TOMORROW + timedelta(days=1)}"' in page.text


def test_a_draft_that_publishing_would_refuse_says_so_in_the_same_words(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given a draft of one booking, which is all there is
    with app.app_context():
        a_booking(db.session(), district=district, now=NOW)
        plan_id = a_plan(db.session(), district=district, now=NOW).id
        db.session.remove()
    browser = browsers.of("dispatcher")
    assert "全部预约均已排入" in browser.open("/pages/plan").text

    # when two more residents book
    with app.app_context():
        for door in (2, 3):
            a_booking(db.session(), district=district, now=NOW, address=f"清泉路 {door} 号 1 单元 101")
        db.session.remove()
    page = browser.open("/pages/plan").text

    # then the page says that two are not in it and what to do, and no more that every booking is
    assert "有 2 个预约不在本版计划中" in page
    assert "本版已不能发布，请重新排线" in page
    assert "全部预约均已排入" not in page
    # and publishing says the same
    with app.app_context(), pytest.raises(BookingsChanged) as refused:
        publish_plan(plan_id, replaces=None, by=SYSTEM, district=district, session=db.session(), now=NOW)
    assert "新增 2、减少 0、更改 0" in page
    assert "新增 2、减少 0、更改 0" in refused.value.message

    # when the day is planned again, then all is well
    with app.app_context():
        a_published_plan(db.session(), district=district, now=NOW)
        db.session.remove()
    page = browser.open("/pages/plan").text
    assert "全部预约均已排入" in page
    assert "有变" not in page


def test_a_day_that_runs_leads_to_where_it_is_mended(app: Flask, district: District, browsers: Browsers) -> None:
    # given the published plan of a day to come: there is nothing to mend yet
    with app.app_context():
        a_booking(db.session(), district=district, now=NOW)
        a_published_plan(db.session(), district=district, now=NOW)
        db.session.remove()
    way = f'href="/pages/live?day={TOMORROW}"'
    assert way not in browsers.of("dispatcher").open(f"/pages/plan?day={TOMORROW}").text
    # when the day has come
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        assert way in browsers.of("dispatcher").open(f"/pages/plan?day={TOMORROW}").text


def test_pickups_that_leave_a_published_plan_are_no_news(app: Flask, district: District, browsers: Browsers) -> None:
    # given a published plan of two bookings, one of which is withdrawn afterwards
    with app.app_context():
        booking = a_booking(db.session(), district=district, now=NOW)
        a_booking(db.session(), district=district, now=NOW, address="清泉路 2 号 1 单元 101")
        a_published_plan(db.session(), district=district, now=NOW)
        by = Principal(id=uuid4(), role="dispatcher")
        cancel_pickup(booking.id, version=1, by=by, district=district, session=db.session(), now=NOW)
        db.session.remove()

    # then its page does not call for another plan
    assert "请重新排线" not in browsers.of("dispatcher").open("/pages/plan").text


def test_all_ten_stations_are_listed_with_their_routes_or_without(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given two fridges at 临城街道, planned for its truck and published
    with app.app_context():
        a_booking(db.session(), district=district, now=NOW)
        a_booking(db.session(), district=district, now=NOW, address="清泉路 2 号 1 单元 101")
        a_published_plan(db.session(), district=with_vehicles(district, TRUCK), now=NOW)
        db.session.remove()

    # when a dispatcher opens the page without naming a day
    page = browsers.of("dispatcher").open("/pages/plan").text

    # then it shows tomorrow: nine stations without a route, and one with the truck, its crew and two pickups
    assert str(TOMORROW) in page
    assert all(station.name_zh in page for station in district.network.stations.values())
    assert page.count("当日无路线") == 9
    assert "已发布" in page
    assert TRUCK in page
    assert all(one.name_zh in page for one in district.network.crew_of(TRUCK))
    assert len(re.findall(rf'href="/plans/[0-9a-f-]{{36}}/routes/{TRUCK}\.pdf"', page)) == 1
    fridge = district.catalogue.item_type("fridge", on=TOMORROW)
    total = re.search(r"<tfoot>(.*?)</tfoot>", page, re.DOTALL)
    assert total is not None
    assert re.findall(r'<td class="num">(.*?)</td>', total[1])[:3] == [
        "2",
        "0",
        f"{2 * fridge.unit_mass_g / 1000:g} kg",
    ]
    assert "全部预约均已排入" in page


def test_what_is_left_out_is_listed_with_its_reason(app: Flask, district: District, browsers: Browsers) -> None:
    # given a fridge, which two people lift, and a day on which only a van with one person drives
    with app.app_context():
        booking = a_booking(
            db.session(), district=district, now=NOW, items=[WishedItem(item_type="fridge", quantity=1)]
        )
        a_plan(db.session(), district=with_vehicles(district, VAN), now=NOW)
        booking_id = booking.id
        db.session.remove()
    browser = browsers.of("dispatcher")

    # when its draft is opened
    page = browser.open(f"/pages/plan?day={TOMORROW}").text

    # then the booking is named with the skill that is missing, and leads to the booking itself
    assert "草稿，未发布" in page
    assert "缺少资质" in page
    assert f'href="/bookings/{booking_id}"' in page
    assert browser.open(f"/bookings/{booking_id}").status_code == 200


def test_the_planners_files_are_one_link_away(app: Flask, district: District, browsers: Browsers) -> None:
    # given a plan
    with app.app_context():
        a_booking(db.session(), district=district, now=NOW)
        a_plan(db.session(), district=with_vehicles(district, TRUCK), now=NOW)
        db.session.remove()
    browser = browsers.of("dispatcher")

    # when its links are followed
    links = re.findall(r'href="(/plans[^"]*)(?<!\.pdf)"', browser.open(f"/pages/plan?day={TOMORROW}").text)
    answers = [browser.open(path).json for path in links]

    # then they are the problem, the answer and the versions of the day
    problem, answer, versions = answers
    assert problem is not None
    assert problem["format"].startswith("recycling.problem/")
    assert answer is not None
    assert answer["format"].startswith("recycling.plan/")
    assert versions is not None
    assert [row["version"] for row in versions["plans"]] == [1]


def test_a_route_of_a_vehicle_that_is_gone_keeps_its_line(app: Flask, district: District, browsers: Browsers) -> None:
    # given a plan for the truck, and a configuration from which the truck has been taken since
    with app.app_context():
        a_booking(db.session(), district=district, now=NOW)
        a_plan(db.session(), district=with_vehicles(district, TRUCK), now=NOW)
        db.session.remove()
    app.extensions["district"] = with_vehicles(district, VAN)

    # when the page is opened
    try:
        page = browsers.of("dispatcher").open(f"/pages/plan?day={TOMORROW}")
    finally:
        app.extensions["district"] = district

    # then the route is still there, under no station
    assert page.status_code == 200
    assert TRUCK in page.text
    assert "已撤站点" in page.text
