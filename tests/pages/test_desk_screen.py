"""The bureau's desk in a real browser: drawn figures, two people at one report, wrong files, script in notes."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.recovery import GoalReport
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting.baselines import StatedBaseline, propose_baseline
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.store_forecasts import store_forecasts
from tests.declared import A_DIGEST, CLERK, a_baseline, upload
from tests.loads import a_keeper, a_line, a_weighing
from tests.pages.screens import DESK, NARROW, PHONE, Screens, Visit

pytestmark = pytest.mark.browser

PAPER_PX = 703  # the width of A4 less its margins
FILES_MS = 90_000  # publishing writes the files, the PDF among them, on whatever cores are left
SCRIPT = "<script>document.title='owned'</script>"


def a_history(screens: Screens, *, first: date) -> None:
    """Three years of declared appliances, a confirmed baseline, one fridge weighed today, last night's forecast."""
    with screens.app.app_context():
        session, district, now = db.session(), screens.app.extensions["district"], utc_now()
        month, lines = first, ["month,item_group,units,mass_kg"]
        while month < service_day(now).replace(day=1):
            lines += [f"{month:%Y-%m},appliance_14,{80 + month.month},{3000}", f"{month:%Y-%m},appliance_other,0,0"]
            month = (month + timedelta(days=31)).replace(day=1)
        upload("\n".join(lines), district=district, session=session, now=now)
        a_baseline(district=district, session=session, now=now)
        weigh_in(
            a_weighing(a_line("fridge"), net_g=41_300), scale_number="1", by=a_keeper("lincheng"), district=district,
            session=session, now=now,
        )  # fmt: skip
        store_forecasts(service_day(now) - timedelta(days=1), district=district, session=session, now=now)
        db.session.remove()


def a_report(screens: Screens, period: str) -> UUID:
    with screens.app.app_context():
        district = screens.app.extensions["district"]
        report_id = make_goal_report(period, district=district, session=db.session(), now=utc_now()).id
        db.session.remove()
    return report_id


def last_month() -> str:
    return f"{service_day(utc_now()).replace(day=1) - timedelta(days=1):%Y-%m}"


def looked_at(visit: Visit, path: str) -> dict[str, Any]:
    """What is wrong with a page at three widths and in both languages."""
    found: dict[str, Any] = {}
    for lang, size in (("zh", NARROW), ("en", PHONE), ("zh", DESK)):
        visit.read(lang=lang, size=size)
        visit.open(path)
        if (px := visit.overflow_px()) > 0:
            found[f"{lang} {size[0]}"] = f"{px} px too wide"
        if grave := visit.grave_findings():
            found[f"{lang} {size[0]} axe"] = grave
    return found


def test_the_goal_page_draws_what_its_tables_say_and_every_figure_leads_to_its_ticket(screens: Screens) -> None:
    # given a history, a goal, a forecast, and a fridge weighed today
    a_history(screens, first=date(service_day(utc_now()).year - 3, 1, 1))
    visit = screens.of("clerk")
    # when the clerk opens the page
    page = visit.open("/pages/goals")
    appliances = page.locator('[data-scope="household-appliances/2"]')
    # then charts and map are drawn, the probability is said, and the numbers stand beside the pictures
    appliances.locator('[data-drawing="fan"]').scroll_into_view_if_needed()
    appliances.locator('[data-drawing="fan"] svg').wait_for()
    appliances.locator('[data-drawing="map"]').scroll_into_view_if_needed()
    appliances.locator('[data-drawing="map"] .town-name').first.wait_for(state="attached")
    assert "达标概率" in appliances.locator('[data-part="forecast"]').inner_text()
    assert "整月对比" in appliances.locator('[data-part="last-year"]').inner_text()
    appliances.get_by_text("数据表").first.click()
    assert "81 台(套)/件（申报）" in appliances.locator('[data-part="months"]').inner_text()  # January: 80 + 1
    assert visit.grave_findings() == []
    # and what was declared of this year is told from what the tickets of the year to date say
    assert "另有申报月份" in appliances.locator('[data-part="forecast"]').inner_text()
    # and on paper stand the charts, and every column of their numbers
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER_PX, "height": 1_000})
    for name in ("months", "fan"):
        box = appliances.locator(f'[data-drawing="{name}"] svg').bounding_box()
        assert box is not None
        assert box["height"] > 100
    assert visit.overflow_px() <= 0
    months = appliances.locator('[data-part="months"]')
    assert months.evaluate("one => one.querySelector('table').offsetWidth <= one.offsetWidth")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    visit.read(lang="zh", size=DESK)
    # and from a figure the way leads over its days to the ticket with its lines
    appliances.get_by_role("link", name="日数据").first.click()
    page.get_by_role("link", name="磅单", exact=True).last.click()
    page.locator("tbody a").first.click()
    assert "41.3 kg" in page.locator("main").inner_text()
    assert "此磅单未被更正" in page.locator("main").inner_text()
    assert looked_at(visit, page.url.removeprefix(visit.address)) == {}


def test_two_people_sign_and_whoever_comes_late_hears_it(screens: Screens) -> None:
    # given a report of a month that is over, open before two clerks
    report_id = a_report(screens, last_month())
    first, second = screens.of("clerk"), screens.of("clerk")
    second.expected = ("409",)
    path = f"/pages/reports/{report_id}"
    mine, theirs = first.open(path), second.open(path)
    # when both sign
    mine.locator("#sign").dblclick()
    mine.get_by_text("您已签字").wait_for()
    theirs.locator("#sign").click()
    # then the second hears that somebody was before them, and after a look publishes
    theirs.get_by_text("已签字，请由另一人签发").wait_for()
    theirs.get_by_role("link", name="刷新本页查看最新情况").click()
    theirs.locator("#publish").click()
    theirs.locator("h1 + p .chip", has_text="已签发").wait_for(timeout=FILES_MS)
    # and what was published stands when it is worked out again
    theirs.locator("#verify").click()
    theirs.get_by_text("核验通过").wait_for()
    assert looked_at(second, path) == {}
    # and its figures are named: town units by their own names, not by those of the stations in them
    second.read(lang="zh", size=DESK)
    second.open(path)
    theirs.get_by_text("本期按镇街").first.click()
    by_town = theirs.locator("details", has_text="本期按镇街").first.inner_text()
    assert "临城街道" in by_town
    assert "回收站点" not in by_town


def test_a_wrong_file_says_what_to_do_and_a_tried_one_is_declared_once(screens: Screens, tmp_path: Path) -> None:
    # given a letter, a table with a fault, and a whole one whose document is a script
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "bad.csv").write_text("month,item_group,units\n2023-13,furniture,1\n")
    (tmp_path / "good.csv").write_text("month,item_group,units\n2023-01,furniture,7\n")
    visit = screens.of("clerk")
    visit.expected = ("422",)
    page = visit.open("/pages/history/declared")
    page.fill("#source_document", SCRIPT)
    told = page.locator("#told")
    # when they are tried one after the other
    page.set_input_files("#file", tmp_path / "letter.pdf")
    page.get_by_role("button", name="试运行").click()
    # then each says what to do, by line where there are lines
    told.get_by_text("请下载模板").wait_for()
    page.set_input_files("#file", tmp_path / "bad.csv")
    page.get_by_role("button", name="试运行").click()
    told.locator("tbody td", has_text="2023-13").wait_for()
    page.set_input_files("#file", tmp_path / "good.csv")
    page.get_by_role("button", name="试运行").click()
    told.get_by_text("没有问题：1 行数据").wait_for()
    page.get_by_role("button", name="正式申报").click()
    # and it is declared, and the script is nothing but text
    page.wait_for_url("**upload=1")
    assert SCRIPT in page.locator("main").inner_text()
    assert "owned" not in page.title()
    assert looked_at(visit, "/pages/history/declared") == {}


def test_a_baseline_is_confirmed_by_somebody_else_and_never_of_zero(screens: Screens) -> None:
    # given a baseline that a colleague stated
    with screens.app.app_context():
        stated = StatedBaseline(
            scope="household-appliances/2", year=2023, units=1_000, mass_g=20_000_000, source_document=SCRIPT,
            document_sha256=A_DIGEST,
        )  # fmt: skip
        propose_baseline(
            stated, by=CLERK, district=screens.app.extensions["district"], session=db.session(), now=utc_now()
        )
        db.session.remove()
    visit = screens.of("clerk")
    page = visit.open("/pages/history")
    # when a clerk states another one of zero units, the form keeps it back
    page.get_by_text("申报基准").click()
    page.fill("#units", "0")
    assert page.evaluate("document.getElementById('units').validity.rangeUnderflow")
    # and when they confirm the colleague's, it is frozen
    page.get_by_role("button", name="确认", exact=True).click()
    page.get_by_role("button", name="已核对，确认").click()
    page.locator("td .chip", has_text="已确认").wait_for()
    assert "owned" not in page.title()
    assert looked_at(visit, "/pages/history") == {}


def test_a_clerk_reads_jobs_audit_rows_and_a_past_day_again(screens: Screens) -> None:
    # given a day on which a report was made
    a_report(screens, last_month())
    with screens.app.app_context():
        assert db.session().scalar(select(GoalReport.id)) is not None
        db.session.remove()
    visit = screens.of("admin")
    # when the records are read
    for path, words in (
        ("/pages/records", "任务执行"),
        ("/pages/records/audit?action=report.made", "report.made"),
        (f"/pages/records/replay?day={last_month()}-15", "SHA-256"),
        ("/pages/figures/balance", "物料平衡"),
        ("/pages/figures/averages", "品类均值"),
        ("/pages/figures/tickets", "入库磅单"),
        ("/pages/kept-windows?by=village", "履约率"),
    ):
        # then each page opens, fits and serves anybody
        assert looked_at(visit, path) == {}, path
        assert words in visit.page.locator("main").inner_text()
