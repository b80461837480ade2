"""The running day on the plan page: an incident recorded, a proposal with who moves, and its publication, by forms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.healing import Disruption
from recycling.models.job_run import JobRun
from recycling.models.plan import PublishedPlan
from recycling.policy.district import District
from tests.builders import TOMORROW
from tests.pages.browsers import Browsers
from tests.planned_days import with_vehicles
from tests.running_days import FLEET, TEN, a_proposal, a_running_day, at, drive, vehicles_out

DAY = TOMORROW.isoformat()
PATH = f"/pages/plan?day={DAY}"


@pytest.fixture
def running(app: Flask, session: Session, district: District, now: datetime) -> Iterator[Session]:
    """Ten o'clock on a day that two vehicles or more drive."""
    small = with_vehicles(district, *FLEET)
    app.extensions["district"] = small
    a_running_day(session, district=small, now=now, per_window=8)
    drive(session, TEN)
    session.rollback()
    with time_machine.travel(at(TEN), tick=True):
        yield session
    app.extensions["district"] = district


def test_a_dispatcher_mends_the_day_on_the_page(app: Flask, running: Session, browsers: Browsers) -> None:
    browser, gone = browsers.of("dispatcher"), vehicles_out(running)[0]
    assert "今天尚无异常记录" in browser.open(PATH).text
    secret = browser.form_secret(PATH)
    # when a breakdown is recorded, with the fields of other kinds left empty as a browser sends them
    fields = {"kind": "breakdown", "vehicle_key": gone, "station_key": "", "booking_id": "", "minutes": "", "note": ""}
    sent = browser.send("/pages/plan/disruptions", csrf_token=secret, day=DAY, **fields)
    assert (sent.status_code, sent.location) == (303, f"{PATH}#running-day")
    assert "车辆故障" in browser.open(PATH).text
    # and proposals asked for
    assert browser.send("/pages/plan/replans", csrf_token=secret, day=DAY).status_code == 303
    assert running.scalars(select(JobRun.job)).all() == ["replan_day"]
    plan_id = a_proposal(running, at(TEN), district=app.extensions["district"])
    running.rollback()
    # then the page shows who moves and that each promise is kept
    page = browser.open(PATH).text
    assert "最新方案：第 2 版" in page
    assert page.count("守约") > 3
    # and the button publishes it
    done = browser.send("/pages/plan/publications", csrf_token=secret, plan_id=str(plan_id))
    assert done.status_code == 303, done.text
    running.rollback()
    assert running.get_one(PublishedPlan, TOMORROW).plan_id == plan_id
    assert "发布此方案" not in browser.open(PATH).text


def test_what_is_refused_is_said_on_the_page_and_nothing_is_kept(running: Session, browsers: Browsers) -> None:
    browser = browsers.of("dispatcher")
    secret = browser.form_secret(PATH)
    slip = browser.send("/pages/plan/disruptions", csrf_token=secret, day=DAY, kind="breakdown", station_key="lincheng")
    assert slip.status_code == 422
    assert "请按异常类型只填写对应的车辆、站点或预约" in slip.text
    assert running.scalars(select(Disruption)).all() == []
    # another site cannot send it
    assert browser.send("/pages/plan/disruptions", day=DAY, kind="breakdown").status_code == 403
    for path in ("disruptions", "replans", "publications"):
        assert browser.open(f"/pages/plan/{path}").location == f"{PATH}#running-day"
    unknown = browser.send("/pages/plan/publications", csrf_token=secret, plan_id=str(TOMORROW))
    assert unknown.status_code == 422
    yesterday = browser.send("/pages/plan/replans", csrf_token=secret, day="2026-11-23")
    assert (yesterday.status_code, "不是今日已发布计划的运行日" in yesterday.text) == (409, True)


def test_another_day_than_today_has_no_such_section(running: Session, browsers: Browsers) -> None:
    with time_machine.travel(at(TEN - 86_400), tick=True):
        assert "当日重排" not in browsers.of("dispatcher").open(PATH).text
