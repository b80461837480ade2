"""The goal page: two scopes apart, no percentage before the baseline is confirmed, every figure with what it covers."""

import dataclasses
import os
import re
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask

import recycling
from recycling.extensions import db
from recycling.models.people import Staff
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.custody.hand_over import hand_over
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.intake.weighing import WeighedLine, Weighing
from recycling.usecases.reporting.roll_up import roll_up_day
from tests.conftest import NOW
from tests.loads import a_batch, a_keeper
from tests.pages.browsers import Browsers

MODULES = Path(recycling.__file__).parent / "static" / "js"
TODAY = date(2026, 11, 23)  # the service day of tests.conftest.NOW


def sections(page: str) -> dict[str, str]:
    """The page's sections by the key of their scope."""
    found = re.findall(
        r'<section class="scope" aria-labelledby="scope-([a-z-]+)" data-scope="[^"]+">(.*?)</section>', page, re.DOTALL
    )
    return dict(found)


def weighed(app: Flask, district: District, *lines: WeighedLine) -> None:
    """Weigh one walk-in load in at 临城街道 and roll the day up; every line has its own reading."""
    with app.app_context():
        session = db.session()
        keeper = Staff(
            id=uuid4(), login="keeper-of-the-load", name="k", role="keeper", password_hash="none",
            station_key="lincheng", created_at=NOW,
        )  # fmt: skip
        session.add(keeper)
        session.commit()
        by = Principal(id=keeper.id, role="keeper", station_key="lincheng")
        gross_g = sum(line.net_g or 0 for line in lines)
        weighing = Weighing(channel="walk_in", gross_g=gross_g, tare_g=0, lines=lines)
        weigh_in(weighing, scale_number="S-1", by=by, district=district, session=session, now=NOW)
        roll_up_day(TODAY, district=district, session=session, now=NOW)
        db.session.remove()


@pytest.fixture
def confirmed(app: Flask, district: District, monkeypatch: pytest.MonkeyPatch) -> District:
    """The district with a made-up baseline of 100 units and 2,000 kg, confirmed."""
    (placeholder,) = district.goals.baselines
    baseline = dataclasses.replace(
        placeholder, version=2, state="confirmed", marker="", units=100, mass_g=2_000_000,
        source_document="测试文号", confirmed_by="测试人", confirmed_on=date(2026, 1, 5),
    )  # fmt: skip
    goals = dataclasses.replace(district.goals, baselines=(placeholder, baseline))
    changed = dataclasses.replace(district, goals=goals)
    monkeypatch.setitem(app.extensions, "district", changed)
    return changed


def test_without_a_confirmed_baseline_the_page_says_so_and_shows_no_progress(browsers: Browsers) -> None:
    page = browsers.of("clerk").open("/pages/goals").text

    appliances = sections(page)["household-appliances"]
    assert "基准未确认" in appliances
    assert "虚构占位数" in appliances
    # the placeholder's own figures stand nowhere, nor does anything drawn from them
    assert "11,111" not in page
    assert "完成率" not in page
    assert "时序进度" not in page


def test_milestones_of_our_own_are_marked_and_policy_goals_name_their_source(browsers: Browsers) -> None:
    page = browsers.of("clerk").open("/pages/goals").text

    rows = dict(re.findall(r'<tr>\s*<th scope="row">(20\d\d)(.*?)</tr>', page, re.DOTALL))
    assert sorted(rows) == ["2024", "2025", "2026", "2027"]
    assert [year for year in sorted(rows) if "插值, 非政策目标" in rows[year]] == ["2024", "2026"]
    assert [year for year in sorted(rows) if "薛政发〔2024〕5号" in rows[year]] == ["2025", "2027"]
    assert "+22.5 %" in rows["2026"]


def test_appliances_and_furniture_are_never_mixed(app: Flask, district: District, browsers: Browsers) -> None:
    # given a fridge of 41.3 kg and a sofa of 30 kg, both weighed in
    weighed(
        app,
        district,
        WeighedLine(item_type="fridge", units=1, net_g=41_300),
        WeighedLine(item_type="sofa-three", units=1, net_g=30_000),
    )

    # when the page is opened
    found = sections(browsers.of("clerk").open("/pages/goals").text)

    # then each stands in its own section, with its own 口径, weighed to the gram
    appliances, furniture = found["household-appliances"], found["furniture"]
    assert "41.3 kg" in appliances
    assert "电冰箱" in appliances
    assert "household-appliances/2" in appliances
    assert "30 kg" not in appliances
    assert "沙发" not in appliances
    assert "30 kg" in furniture
    assert "三人沙发" in furniture
    assert "furniture/2" in furniture
    assert "电冰箱" not in furniture
    assert "目标件数" not in furniture
    assert "100 %" in appliances


def test_the_page_tells_how_sure_a_mass_is_what_is_under_review_and_what_has_left(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given a fridge of 41.3 kg that has left for recovery
    weighed(app, district, WeighedLine(item_type="fridge", units=1, net_g=41_300))
    with app.app_context():
        hand_over(a_batch(("fridge", 1)), by=a_keeper(), district=district, session=db.session(), now=NOW)
        db.session.remove()

    # when the page is opened
    page = browsers.of("clerk").open("/pages/goals").text
    below = page.partition("待核与去向")[2]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td class="num">(.*?)</td><td class="num">(.*?)</td></tr>', below)
    told = [tuple(re.sub(r"<[^>]*>", "", cell) for cell in row) for row in rows]

    # then the interval stands beside the mass: 1.96 x 5 kg / sqrt(6) either way, both readings rounded to the division
    assert "95 % 区间 37.299 kg – 45.301 kg</span>" in sections(page)["household-appliances"]
    # and below the scopes what is under review and what left, each kind of outlet by itself
    assert told[:4] == [
        ("待核趟次（上门与过磅不符，已计入）", "0 趟", "0 kg"),
        ("移交：再使用 reuse", "0 台(套)/件", "0 kg"),
        ("移交：翻新 refurbishment", "0 台(套)/件", "0 kg"),
        ("移交：拆解利用 recovery", "1 台(套)/件", "41.3 kg"),
    ]
    assert "每件只在入库过磅时计一次" in page


def test_every_figure_says_what_it_covers_and_leads_to_its_tickets(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given one fridge weighed in
    weighed(app, district, WeighedLine(item_type="fridge", units=1, net_g=41_300))
    browser = browsers.of("clerk")

    # when the links of the page are followed
    page = browser.open("/pages/goals").text
    links = {path.replace("&amp;", "&") for path in re.findall(r'href="(/(?:pages/figures|goal)[^"]*)"', page)}
    answers = {path: browser.open(path) for path in links}

    # then all open for a clerk, and among them are the figure's days and tickets
    assert {answer.status_code for answer in answers.values()} == {200}
    of_fridges = "from=2026-01-01&to=2026-11-23&scope=household-appliances%2F2&item_type=fridge"
    of_town = "from=2026-01-01&to=2026-11-23&scope=household-appliances%2F2&town_key=lincheng"
    for asked in (of_fridges, of_town):
        assert "41.3 kg" in answers[f"/pages/figures?{asked}"].text
        assert "41.3 kg" in answers[f"/pages/figures/tickets?{asked}"].text
    # and none of them to more than the report's period
    assert {path for path in links if path.startswith("/pages/figures?")} == {
        path for path in links if "/pages/figures?from=2026-01-01&to=2026-11-23" in path
    }
    assert answers["/goal-progress.csv?on=2026-11-23"].mimetype == "text/csv"
    # and the 口径 is spelled out
    appliances = sections(page)["household-appliances"]
    assert "站点过磅入库" in appliances
    assert "上门" in appliances
    assert "自送" in appliances
    assert "陶庄镇" in appliances
    # in Chinese first, and with the units of which nobody has said whether the bureau serves them
    assert "日历年，1 月 1 日至 12 月 31 日，北京时间" in appliances
    assert "计入，并标注缺件" in appliances
    assert appliances.count("是否归口待定") == 3
    assert re.search("张范街道（是否归口待定）", appliances)


def test_against_a_confirmed_baseline_progress_pace_and_need_are_shown(
    app: Flask, confirmed: District, browsers: Browsers
) -> None:
    # given 49 of the 123 units that +22.5 % over 100 asks of 2026, 980 of the 2,450 kg, all weighed
    weighed(app, confirmed, WeighedLine(item_type="fridge", units=49, net_g=980_000))

    # when the page is opened
    appliances = sections(browsers.of("clerk").open("/pages/goals").text)["household-appliances"]

    # then units stand at 49/123 = 39.83 % and mass at 980/2450 = 40 %
    assert "基准未确认" not in appliances
    assert "39.83 %" in appliances
    assert "40 %" in appliances
    # and 123 - 49 = 74 units are missing, over the 38 days left: 2 a day
    assert re.search(r"尚缺</th>.*?<td class=\"num\">74</td>", appliances, re.DOTALL)
    assert re.search(r"每日所需</th>.*?<td class=\"num\">2</td>", appliances, re.DOTALL)
    assert "测试文号" in appliances
    assert "2,450 kg" in appliances


def test_all_modules_are_asked_for_while_the_page_is_read(browsers: Browsers) -> None:
    """One that only another names is fetched a round trip later."""
    page = browsers.of("clerk").open("/pages/goals").text
    preloaded = set(re.findall(r'rel="modulepreload" href="/static/[0-9a-f]+/js/([^"]+)"', page))
    wanted, needed = {"desk/goals.js"}, set[str]()
    while wanted:
        name = wanted.pop()
        needed.add(name)
        source = (MODULES / name).read_text(encoding="utf-8")
        imports = re.findall(r'^import .*?"(.+?)";', source, re.MULTILINE)
        wanted |= {os.path.normpath(Path(name).parent / one) for one in imports} - needed
    assert preloaded == needed


def test_a_day_ahead_is_refused_in_words(browsers: Browsers) -> None:
    answer = browsers.of("clerk").open("/pages/goals?on=2026-11-24")

    assert answer.status_code == 422
    assert "可查询 2023-01-01 至 2026-11-23 的数据" in answer.text


def test_another_days_page_stands_at_that_day(app: Flask, district: District, browsers: Browsers) -> None:
    # given a fridge weighed in today
    weighed(app, district, WeighedLine(item_type="fridge", units=1, net_g=41_300))

    # when the page of yesterday is opened
    page = browsers.of("clerk").open("/pages/goals?on=2026-11-22").text

    # then it is not in it, and the way on to today is
    assert "41.3 kg" not in page
    assert 'href="/pages/goals?on=2026-11-23"' in page
