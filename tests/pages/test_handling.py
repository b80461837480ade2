"""The pages of minutes and of collectors' weeks: old beside new, who is far from the middle, nothing without words."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import get_args
from uuid import uuid4

from flask import Flask

from recycling.extensions import db
from recycling.models.rating import Rating
from recycling.policy.district import District
from recycling.policy.handling import item_part
from recycling.routes.pages.handling import LEFT_OUT_WORDS
from recycling.usecases.learning.decide_handling import reject_handling
from recycling.usecases.learning.observations import LeftOut
from tests.builders import DISPATCHER, TOMORROW, a_booking
from tests.conftest import NOW
from tests.handling import a_proposal
from tests.pages.browsers import Browsers
from tests.planned_days import a_published_plan


def test_every_reason_for_leaving_a_visit_out_has_its_words() -> None:
    assert set(LEFT_OUT_WORDS) == set(get_args(LeftOut))


def test_without_a_proposal_the_page_says_how_one_is_made(browsers: Browsers) -> None:
    assert "flask learn propose" in browsers.of("clerk").open("/pages/handling").text


def test_old_and_new_stand_beside_each_other_with_sample_and_gain(app: Flask, browsers: Browsers) -> None:
    # given an older proposal, rejected, and one by which fridges take 900 s instead of 720 s and travel 1.2 times
    with app.app_context():
        session = db.session()
        older = a_proposal(session, now=NOW - timedelta(days=30), **{"base_s": (300, 240)})
        reject_handling(older, note="样本来自雨季", by=DISPATCHER, session=session, now=NOW)
        a_proposal(session, now=NOW, **{item_part("fridge"): (720, 900), "travel_bp": (10_000, 12_000)})
        db.session.remove()
    browser = browsers.of("dispatcher")
    # when the page is opened
    page = browser.open("/pages/handling").text
    # then the newest one is shown: bars of 720/900 and 10,000/12,000 of 200, its interval, its sample, its gain
    assert re.findall(r'<rect class="(\w+)" y="\d+" width="(\d+)"', page) == [
        ("old", "160"), ("new", "200"), ("old", "167"), ("new", "200"),
    ]  # fmt: skip
    words = re.sub(r"<[^>]+>|\s+", " ", page)
    for said in ("720 s", "900 s", "890 s", "910 s", "120 %", "5 min", "2 min", "待处理", "手机时钟有误"):
        assert said in words, said
    # and the older one, by its id, with what was decided
    page = browser.open(f"/pages/handling?proposal={older}").text
    assert "已否决" in page
    assert "样本来自雨季" in page
    assert browser.open(f"/pages/handling?proposal={uuid4()}").status_code == 404
    assert browser.open("/pages/handling?proposal=1").status_code == 422


def test_a_week_shows_every_collector_and_leads_to_the_weeks_beside_it(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given a planned fridge of tomorrow, in week 48
    with app.app_context():
        a_booking(db.session(), district=district, now=NOW)
        plan = a_published_plan(db.session(), district=district, now=NOW)
        riders = len(plan.routes[0].crew)
        db.session.remove()
    browser = browsers.of("admin")
    page = browser.open("/pages/fairness").text
    # then its crew has a row each, by the plan, with half of 40.8 kg
    assert page.count("20.4 kg") == riders == 2
    assert "计划 1" in page
    assert 'href="/pages/fairness?week=2026-W47"' in page
    assert 'href="/pages/fairness?week=2026-W49"' in page
    # and a week without routes says so; one that is none is refused
    assert "没有已发布的路线" in browser.open("/pages/fairness?week=2026-W40").text
    assert browser.open("/pages/fairness?week=2026-W60").status_code == 422
    assert TOMORROW.isocalendar()[:2] == date(2026, 11, 27).isocalendar()[:2] == (2026, 48)


def test_a_month_shows_what_enough_residents_said_and_no_single_rating(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given five residents of October on one collector, and four on another
    with app.app_context():
        session = db.session()
        for number in range(9):
            session.add(
                Rating(
                    booking_id=a_booking(session, district=district, now=NOW).id, day=date(2026, 10, 20),
                    stars=1 if number == 0 else 5, reasons=["careful"], rated_at=NOW, changed_at=NOW,
                    collector_key="c01" if number < 5 else "c33", station_key="lincheng" if number < 5 else "zouwu",
                    words="第一句 <b>" if number == 0 else None,
                )
            )  # fmt: skip
        session.commit()
        db.session.remove()
    # when the page is opened in November, when October's ratings can change no more
    browser = browsers.of("dispatcher")
    page = browser.open("/pages/fairness").text
    # then the five stand as (1 + 4 × 5) / 5 = 4.2 stars, for the collector and the station, and the four do not
    said = page[page.index('id="ratings"') :]
    assert said.count('<td class="num">4.20</td>') == said.count("搬运小心") == 2
    assert "第一句 &lt;b&gt;" in said
    assert district.network.collectors["c33"].name_zh not in said
    # and September is one link away, November is not settled yet and says since when it will be
    assert "month=2026-09#ratings" in said
    assert "month=2026-11" not in said
    assert "2026-12-15" in browser.open("/pages/fairness?month=2026-11").text
    assert browser.open("/pages/fairness?month=2026-13").status_code == 422
