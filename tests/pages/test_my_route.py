"""The printable route list: steps as planned, personal data by the day and masked on paper."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import time_machine
from flask import Flask

from recycling.extensions import db
from recycling.models.people import Resident
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import clock_text
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.queries.my_route import my_route
from tests.builders import TOMORROW, a_booking
from tests.conftest import NOW
from tests.field_events import an_event
from tests.pages.browsers import Browsers
from tests.planned_days import TRUCK, TRUCK_CREW, VAN, VAN_CREW, a_published_plan, with_vehicles

PAGE = f"/pages/my-route?day={TOMORROW}"
ON_THE_DAY = NOW + timedelta(days=1)  # 10:00 of the service day
INERT = "<script>alert(1)</script>"


def planned(app: Flask, district: District, *overrides: dict[str, Any]) -> None:
    """Book pickups for tomorrow and publish a plan in which the truck of 临城街道 fetches them."""
    with app.app_context():
        for fields in overrides or ({},):
            a_booking(db.session(), district=district, now=NOW, **{"address": "清泉路 1 号 2 单元 301"} | fields)
        a_published_plan(db.session(), district=with_vehicles(district, TRUCK), now=NOW)
        db.session.remove()


def test_a_day_without_a_published_plan_says_so(browsers: Browsers) -> None:
    page = browsers.of("collector").open(PAGE)

    assert page.status_code == 200
    assert "的路线尚未发布" in page.text


def test_a_day_on_which_the_collector_does_not_drive_says_so(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given a plan for the truck of 临城街道, and a collector of another station
    planned(app, district)
    other = next(key for key, one in district.network.collectors.items() if one.vehicle_key != TRUCK)

    # when they open the day
    page = browsers.of("collector", collector_key=other).open(PAGE)

    # then the page tells them, and nothing of the others' route
    assert "没有分配给你的路线" in page.text
    assert "电冰箱" not in page.text


def test_both_of_a_crew_see_every_step_with_its_time_in_sequence(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given a fridge in the morning and a sofa on the third floor without a lift in the afternoon
    planned(
        app,
        district,
        {"pickup_window": "08-10"},
        {"pickup_window": "15-17", "floor": 3, "items": [WishedItem(item_type="sofa-three", quantity=1)]},
    )

    # when each of the crew opens the day
    pages = [browsers.of("collector", collector_key=key).open(PAGE).text for key in TRUCK_CREW]

    # then both read the steps as planned: start, the two pickups, lunch somewhere, the way back
    with app.app_context():
        by = Principal(id=uuid4(), role="collector", collector_key=TRUCK_CREW[0])
        route = my_route(by, TOMORROW, district=district, session=db.session(), now=NOW)
        db.session.remove()
    arrivals = [clock_text(step["arrival_s"]) for step in route["steps"]]
    for page in pages:
        assert re.findall(r"<strong>(\d\d:\d\d)</strong>", page) == arrivals
        assert page.index("电冰箱") < page.index("三人沙发") < page.index("返回")
        assert "午休" in page
        assert "3 楼" in page
        assert "无电梯" in page
        assert "08:00–10:00" in page
        assert "15:00–17:00" in page
        assert TRUCK in page
        assert "计划第 1 版" in page


def test_totals_are_those_of_the_bookings(app: Flask, district: District, browsers: Browsers) -> None:
    # given two fridges at two doors
    planned(app, district, {}, {"address": "清泉路 2 号 1 单元 101"})

    # when the list is opened
    page = browsers.of("collector", collector_key=TRUCK_CREW[0]).open(PAGE).text

    # then it sums twice the catalogue's fridge
    fridge = district.catalogue.item_type("fridge", on=TOMORROW)
    assert f"{2 * fridge.unit_mass_g / 1000:g} kg" in page
    assert "<dd>2" in page


def test_before_the_day_address_phone_and_note_are_masked(app: Flask, district: District, browsers: Browsers) -> None:
    # given a booking with a note
    planned(app, district, {"note": "门口有狗", "lat": 34.81, "lon": 117.27})

    # when its list is opened the day before
    page = browsers.of("collector", collector_key=TRUCK_CREW[0]).open(PAGE).text

    # then four characters of the address are all there is of it
    assert "清泉路 …" in page
    assert "2 单元" not in page
    assert "门口有狗" not in page
    assert "uri.amap.com/navigation?to=117.27,34.81" not in page
    assert re.search(r"1\d\d\*{4}\d{4}", page)


def test_on_the_day_the_list_leads_to_the_door_and_the_phone_stays_masked_on_paper(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given a booking with a note, and the phone of its resident
    planned(app, district, {"note": "门口有狗", "lat": 34.81, "lon": 117.27})
    with app.app_context():
        phone = db.session.query(Resident).one().phone
        db.session.remove()

    # when the list is opened on the day, before the first door
    with time_machine.travel(ON_THE_DAY):
        page = browsers.of("collector", collector_key=TRUCK_CREW[0]).open(PAGE).text

    # then address, note and way are there; the whole number stands on screen only, the masked one on paper
    assert "清泉路 1 号 2 单元 301" in page
    assert "门口有狗" in page
    assert "https://uri.amap.com/navigation?to=117.27,34.81" in page
    assert f'<a class="no-print nowrap" href="tel:{phone}">{phone}</a>' in page
    assert f'<span class="print-only">{phone[:3]}****{phone[-4:]}</span>' in page
    assert page.count(phone) == 2


def test_script_in_address_and_note_is_inert(app: Flask, district: District, browsers: Browsers) -> None:
    # given a booking whose resident typed script
    planned(app, district, {"note": INERT, "address": f"清泉路 {INERT}"})

    # when the list is opened on the day
    with time_machine.travel(ON_THE_DAY):
        page = browsers.of("collector", collector_key=TRUCK_CREW[0]).open(PAGE).text

    # then it is text
    assert INERT not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


def recorded(browsers: Browsers, kind: str, **payload: Any) -> str:
    """Record a visit at the only stop, on the day, and open the list again."""
    with time_machine.travel(ON_THE_DAY):
        browser = browsers.of("collector", collector_key=TRUCK_CREW[0])
        listed = browser.client.get(f"/my-route?day={TOMORROW}").json
        assert listed is not None
        booking_id = next(step["pickup"]["booking_id"] for step in listed["steps"] if step["pickup"])
        event = an_event(booking_id, kind, payload=payload, device_time=ON_THE_DAY)
        sent = browser.client.post(
            "/field-events",
            json={"events": [event]},
            headers={"X-CSRF-TOKEN": browser.cookie("csrf_access_token") or "", "Idempotency-Key": "1"},
        )
        assert sent.status_code < 300, sent.text
        return browser.open(PAGE).text


def test_a_recorded_stop_is_marked(app: Flask, district: District, browsers: Browsers) -> None:
    # given one pickup, reported as not collected on the day
    planned(app, district)
    page = recorded(browsers, kind="failed", reason="nobody_home")

    # then the stop says so, and nothing is left to do
    assert '<span class="chip bad"><span class="zh">未收</span>' in page
    assert "待办 0" in page


def test_a_visited_stop_shows_what_was_taken_item_by_item(app: Flask, district: District, browsers: Browsers) -> None:
    # given a fridge and two chairs booked, of which one chair was handed over, and a fan that nobody had booked
    wished = [WishedItem(item_type="fridge", quantity=1), WishedItem(item_type="chair-dining", quantity=2)]
    planned(app, district, {"items": wished})
    taken = [{"item_type": "chair-dining", "units": 1}, {"item_type": "fan", "units": 1}]
    page = recorded(browsers, kind="partly", reason="not_presented", items=taken)

    # then each item says how many were taken, the fan that it was not booked, and nothing stands there times nought
    lines = [re.sub(r"<[^>]*>|\s+", " ", line) for line in re.findall(r"<li>(.*?)</li>", page, re.DOTALL)]
    said = {line.split()[0]: " ".join(line.split()) for line in lines}
    assert said["电冰箱"] == "电冰箱 × 1 Refrigerator × 1 已收 0 0 collected"
    assert said["餐椅"].startswith("餐椅 × 2")
    assert said["餐椅"].endswith("已收 1 1 collected")
    assert said["电风扇"].startswith("电风扇 Electric fan")
    assert said["电风扇"].endswith("未预约 not booked 已收 1 1 collected")


def test_the_list_says_what_to_bring_and_leads_to_paper_and_on_the_day_to_the_navigators_file(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given a fridge
    planned(app, district)
    before = browsers.of("collector", collector_key=TRUCK_CREW[0]).open(PAGE).text
    with time_machine.travel(ON_THE_DAY):
        today = browsers.of("collector", collector_key=TRUCK_CREW[1]).open(PAGE).text

    # then what it asks for is at the stop and at the top, and so are its load and the trip it goes with
    for page in (before, today):
        assert page.count("冰箱手推车") == 2
        assert "直立装运" in page
        assert "第 1 趟" in page
        assert f'href="/my-route.pdf?day={TOMORROW}"' in page
    # the points of the doors are there on the day alone
    assert [f'href="/my-route.gpx?day={TOMORROW}"' in page for page in (before, today)] == [False, True]
    assert ["geo:34.8,117.26?q=34.8,117.26(%E7%AC%AC" in page for page in (before, today)] == [False, True]


def test_who_names_the_version_they_have_seen_reads_what_changed(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given a cooker that the truck fetches in the first version and the van in the second
    planned(app, district, {"items": [WishedItem(item_type="rice-cooker", quantity=1)]})
    with app.app_context():
        a_published_plan(db.session(), district=with_vehicles(district, VAN), now=NOW)
        db.session.remove()
    gone = browsers.of("collector", collector_key=TRUCK_CREW[0])
    come = browsers.of("collector", collector_key=VAN_CREW)

    # when either crew opens the day as somebody who has seen the first version
    left, got = (browser.open(f"{PAGE}&seen_version=1").text for browser in (gone, come))

    # then the one reads that its stop is gone, the other that it is new; who has seen the second, that nothing changed
    assert re.search(r'清泉社区居委会</strong>:\s*<span class="zh">取消</span>', left)
    assert re.search(r'清泉社区居委会</strong>:\s*<span class="zh">新增</span>', got)
    assert "与你上次看到的版本相同" in come.open(f"{PAGE}&seen_version=2").text
    # and without a version seen nothing is said of it
    assert "上次看到" not in come.open(PAGE).text
    assert come.open(f"{PAGE}&seen_version=3").status_code == 422
