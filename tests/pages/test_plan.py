"""The plan page: the ten stations with their routes, what is left out and why, and the planner's own files."""

import re
from datetime import timedelta

from flask import Flask

from recycling.extensions import db
from recycling.policy.district import District
from recycling.usecases.bookings.promise import WishedItem
from tests.builders import TOMORROW, a_booking
from tests.conftest import NOW
from tests.pages.browsers import Browsers
from tests.planned_days import TRUCK, VAN, a_plan, a_published_plan, with_vehicles


def test_a_day_without_a_plan_says_so_and_how_to_make_one(browsers: Browsers) -> None:
    page = browsers.of("dispatcher").open(f"/pages/plan?day={TOMORROW + timedelta(days=1)}")

    assert page.status_code == 200
    assert "尚未排线" in page.text


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
    links = re.findall(r'href="(/plans[^"]*)"', browser.open(f"/pages/plan?day={TOMORROW}").text)
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
