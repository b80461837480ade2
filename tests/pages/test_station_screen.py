"""The station's tablet in a real browser: a van weighed in by four taps, and what goes wrong beside a scale."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.intake import IntakeTicket
from recycling.models.stock import StockLot
from recycling.usecases.intake.weigh_in import weigh_in
from tests.loads import a_keeper, a_line, a_reading, a_weighing
from tests.pages.screens import NARROW, PHONE, TABLET, Screens, cookies_of
from tests.station_days import a_load_of_today

pytestmark = pytest.mark.browser

TRIP = '[data-trip="lincheng-1 1"]'
REFUSED = "Failed to load resource"  # how the console names an answer of 409, or none


def of_database(screens: Screens, read: Callable[[Any], Any]) -> Any:
    """What somebody does in, or reads from, the server's database."""
    with screens.app.app_context():
        found = read(db.session())
        db.session.commit()
        db.session.remove()
    return found


def tickets(screens: Screens) -> int:
    """How many tickets there are."""
    return int(of_database(screens, lambda session: session.scalar(select(func.count()).select_from(IntakeTicket))))


def a_van(screens: Screens) -> None:
    """A van with a fridge and two fans is emptied at 临城 and stood on its scale: 49 kg, as its doors say."""
    district, now = screens.app.extensions["district"], utc_now()

    def make(session: Any) -> None:
        a_load_of_today(session, district=district, now=now, wishes=[{"fridge": 1}, {"fan": 2}])
        a_reading(session, district, "0001", now=now, net_g=49_000, vehicle="lincheng-1")

    of_database(screens, make)


def test_a_van_is_weighed_in_by_four_taps_and_a_double_tap_writes_one_ticket(screens: Screens) -> None:
    # given a van at the station
    a_van(screens)
    visit = screens.of("keeper", size=TABLET)
    page = visit.open("/pages/station/today")
    assert page.locator(".trip.here").count() == 1
    # when its keeper taps the van, the reading, on, and save; the last one twice
    page.locator(".trip.here").click()
    page.locator("#readings .reading").click()
    # and the tablet is loaded anew in between: nothing is lost
    page.reload()
    page.get_by_role("button", name="下一步：核对").click()
    assert "与上门合计相符" in page.locator("#screen").inner_text()
    assert visit.grave_findings() == []
    page.get_by_role("button", name="保存磅单").dblclick()
    # then there is one ticket, on the screen, with its receipt to print
    page.wait_for_url("**/pages/station/ticket**")
    page.wait_for_selector("main:not([aria-busy])")
    assert page.locator(".check-net strong").inner_text() == "49 kg"
    assert "/receipt.pdf" in (page.get_by_role("link", name="打印回执").get_attribute("href") or "")
    assert tickets(screens) == 1
    # and back is the day with the trip done, and not the form
    page.go_back()
    page.wait_for_selector(".trip.weighed")
    assert page.locator("#tickets .row").count() == 1
    for lang, size in (("zh", NARROW), ("en", PHONE)):
        visit.read(lang=lang, size=size)
        visit.open(f"/pages/station/ticket?id={ticket_id(screens)}")
        assert visit.grave_findings() == []
        assert visit.overflow_px() <= 0


def ticket_id(screens: Screens) -> UUID:
    """The newest ticket's id."""
    newest = select(IntakeTicket.id).order_by(IntakeTicket.weighed_at.desc()).limit(1)
    return UUID(str(of_database(screens, lambda session: session.scalar(newest))))


def test_two_tablets_weigh_one_trip_and_the_second_hears_where_it_stands(screens: Screens) -> None:
    # given two keepers of a station who have the same trip before them
    a_van(screens)
    first, second = screens.of("keeper", size=TABLET), screens.of("keeper", size=TABLET)
    second.expected = (REFUSED,)
    for visit in (first, second):
        page = visit.open("/pages/station/weigh")
        page.locator(TRIP).click()
        page.locator("#readings .reading").click()
        page.get_by_role("button", name="下一步：核对").click()
    # when both save
    first.page.get_by_role("button", name="保存磅单").click()
    first.page.wait_for_url("**/pages/station/ticket**")
    second.page.get_by_role("button", name="保存磅单").click()
    # then the second hears that the reading is on a ticket, which one, and nothing of theirs is gone
    said = second.page.locator("#fault")
    said.get_by_role("link", name="查看今日磅单").wait_for()
    assert re.search(r"已在磅单上：lincheng 1 号磅第 1 号", said.inner_text())
    assert second.page.locator(".check-net strong").inner_text() == "49 kg"
    assert tickets(screens) == 1


def test_slips_are_said_at_the_field_and_a_dead_network_repeats_under_one_key(screens: Screens) -> None:
    # given a walk-in whose tare was typed above its gross, in the full-width digits of an input method
    visit = screens.of("keeper", size=PHONE)
    visit.expected = (REFUSED, "ERR_FAILED")
    page = visit.open("/pages/station/weigh")
    page.get_by_role("button", name="自送").click()
    page.get_by_label("毛重 kg").fill("５１．３")
    page.get_by_label("皮重 kg").fill("60")
    page.get_by_role("button", name="下一步：物品").click()
    # then it is said at the tare, and the typed stays
    assert page.locator(".fault:visible").inner_text() == "皮重 60 kg 须小于毛重 51.3 kg，请核对两个读数"
    assert page.get_by_label("皮重 kg").get_attribute("aria-invalid") == "true"
    assert visit.overflow_px() <= 0
    page.get_by_label("皮重 kg").fill("10")
    page.get_by_role("button", name="下一步：物品").click()
    # when nothing is named, that is said too; a scanner's label is read wherever the fingers are
    page.get_by_role("button", name="下一步：核对").click()
    assert "请至少登记一件物品" in page.locator(".note.bad").inner_text()
    page.locator('[data-item="fridge"]').click()
    page.locator("h1").click()
    page.keyboard.type("XC-12345")
    page.keyboard.press("Enter")
    assert "不是标签编号" in page.locator(".scan .fault").inner_text()
    assert visit.grave_findings() == []
    page.get_by_role("button", name="下一步：核对").click()
    # when the answer to the first attempt is lost on its way
    keys: list[str] = []

    def lose(route: Any) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/intake-tickets", lose)
    page.get_by_role("button", name="保存磅单").click()
    page.wait_for_url("**/pages/station/ticket**")
    page.wait_for_selector("main:not([aria-busy])")
    # then the second came under the same key, and there is one ticket
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert tickets(screens) == 1
    assert page.locator(".check-net strong").inner_text() == "41.3 kg"


def test_a_large_correction_waits_for_a_second_keeper_and_script_in_it_is_text(screens: Screens) -> None:
    # given a ticket of 120 kg
    three_fridges(screens)
    # when a keeper corrects it to a fourth, and gives a script as the reason
    first = screens.of("keeper", size=TABLET)
    page = first.open(f"/pages/station/ticket?id={ticket_id(screens)}")
    page.get_by_role("link", name="更正此单").click()
    page.get_by_label("毛重 kg").fill("40")
    page.get_by_role("button", name="下一步：物品").click()
    for _ in range(2):
        page.get_by_role("button", name="电冰箱 件数 −1").click()
    page.get_by_role("button", name="下一步：核对").click()
    page.get_by_label("更正原因").fill("<script>alert(1)</script><b>毛重读错</b>")
    page.get_by_role("button", name="提交更正").click()
    # then it waits, and they cannot approve it themselves
    page.wait_for_url("**proposed=1")
    page.locator(".note.warn", has_text="须由其他保管员或商促局批准").wait_for()
    assert tickets(screens) == 1
    page = first.open("/pages/station/today")
    assert page.locator(".proposal").get_by_role("button").count() == 0
    # and another one sees the reason as it was typed, and approves
    second = screens.of("keeper", size=TABLET)
    page = second.open("/pages/station/today")
    assert "<script>alert(1)</script><b>毛重读错</b>" in page.locator(".proposal").inner_text()
    page.get_by_role("button", name="批准").click()
    page.locator("#tickets .row.gone").wait_for()
    assert tickets(screens) == 2


def test_stock_is_counted_handed_over_and_re_weighed(screens: Screens) -> None:
    # given three fridges in stock
    three_fridges(screens)
    visit = screens.of("keeper", size=TABLET)
    page = visit.open("/pages/station/stock")
    assert "120 kg" in page.locator("#lying").inner_text()
    # when they are counted as two, a reason is asked for at the field, and the difference waits or is booked
    page.get_by_text("开始盘点").click()
    row = page.locator("fieldset", has_text="电冰箱")
    row.get_by_label("点得件数").fill("2")
    page.get_by_role("button", name="提交盘点").click()
    assert "请选原因" in row.locator(".fault:visible").inner_text()
    row.get_by_label("差异原因").select_option("miscounted")
    page.get_by_role("button", name="提交盘点").click()
    page.locator("#counts .card").wait_for()
    assert "点 2" in page.locator("#counts .card").inner_text()
    # when two leave for the dismantler whose licence covers them
    page = visit.open("/pages/station/hand-overs?new")
    page.get_by_label("处理企业").select_option("dismantler-demo")
    for _ in range(2):
        page.get_by_role("button", name="电冰箱 件数 +1").click()
    page.get_by_label("本站过磅净重 kg").fill("80")
    page.get_by_label("运输车牌").fill("鲁d12345")
    page.get_by_role("button", name="保存移交批次").click()
    card = page.locator("[data-batch]")
    card.wait_for()
    assert "鲁D12345" in card.inner_text()
    # and the processor's scale shows much less: it is held, and who handed it over does not settle it
    card.get_by_text("明细与办理").click()
    card.get_by_label("对方过磅净重 kg").fill("40")
    card.get_by_role("button", name="登记复磅").click()
    page.locator("[data-batch] .chip.warn", has_text="差异待处理").wait_for()
    assert "须由移交人、复磅登记人以外的人员处理" in card.inner_text()
    for lang, size in (("zh", NARROW), ("en", PHONE)):
        visit.read(lang=lang, size=size)
        for path in ("/pages/station/hand-overs?new", "/pages/station/stock", "/pages/station/today"):
            visit.open(path)
            assert visit.overflow_px() <= 0, path
            assert visit.grave_findings() == [], path


def three_fridges(screens: Screens) -> None:
    """Three fridges of 120 kg in stock at 临城."""
    district = screens.app.extensions["district"]

    def make(session: Any) -> None:
        weighing = a_weighing(a_line("fridge", 3), net_g=120_000)
        weigh_in(weighing, scale_number="1", by=a_keeper(), district=district, session=session, now=utc_now())

    of_database(screens, make)


def in_stock(screens: Screens) -> int:
    """Units that lie at the stations."""
    return int(of_database(screens, lambda session: session.scalar(select(func.sum(StockLot.left_units)))))


def test_a_count_that_differs_a_lot_is_decided_by_a_second_keeper(screens: Screens) -> None:
    # given a count by which all three fridges are gone
    three_fridges(screens)
    first, second = screens.of("keeper", size=TABLET), screens.of("keeper", size=TABLET)
    page = first.open("/pages/station/stock")
    page.get_by_text("开始盘点").click()
    row = page.locator("fieldset", has_text="电冰箱")
    row.get_by_label("点得件数").fill("0")
    row.get_by_label("差异原因").select_option("stolen")
    page.get_by_role("button", name="提交盘点").click()
    # then who counted does not decide, and the books stand
    page.locator("#counts .card", has_text="由您盘点").wait_for()
    assert in_stock(screens) == 3
    # when another keeper looks for what was found, and says so
    page = second.open("/pages/station/today")
    page.get_by_role("link", name="盘点待复核 1").click()
    card = page.locator("#counts .card")
    card.get_by_role("button", name="批准").click()
    assert "请填写复核说明" in card.locator(".fault:visible").inner_text()
    card.get_by_label("复核说明").fill("库房已空，已报案")
    card.get_by_role("button", name="批准").click()
    # then it is in the books
    page.locator("#counts .chip", has_text="已入账").wait_for()
    assert in_stock(screens) == 0
    assert "库存为空" in page.locator("#lying").inner_text()


def test_what_a_processor_sends_back_lies_in_stock_again_by_one_record(screens: Screens) -> None:
    # given two of three fridges at the dismantler's
    three_fridges(screens)
    visit = screens.of("keeper", size=TABLET)
    page = visit.open("/pages/station/hand-overs?new")
    page.get_by_label("处理企业").select_option("dismantler-demo")
    for _ in range(2):
        page.get_by_role("button", name="电冰箱 件数 +1").click()
    page.get_by_label("本站过磅净重 kg").fill("80")
    page.get_by_label("运输车牌").fill("鲁D12345")
    page.get_by_role("button", name="保存移交批次").click()
    card = page.locator("[data-batch]")
    card.wait_for()
    assert in_stock(screens) == 1
    # when one comes back, and the button is tapped twice; without a reason first
    card.get_by_text("明细与办理").click()
    card.get_by_text("对方退回").click()
    card.get_by_role("button", name="退回 电冰箱 件数 +1").click()
    card.get_by_role("button", name="登记退回").click()
    assert "请写明原因" in card.locator(".fault:visible").inner_text()
    card.get_by_label("退回说明").fill("压缩机被拆，拒收")
    card.get_by_role("button", name="登记退回").dblclick()
    # then it lies here again, once
    page.locator("[data-batch]", has_text="退回 电冰箱 × 1").wait_for()
    assert in_stock(screens) == 2


def test_a_ticket_is_withdrawn_with_a_reason_and_leaves_the_stock(screens: Screens) -> None:
    # given a ticket of 120 kg that was written twice
    three_fridges(screens)
    first, second = screens.of("keeper", size=TABLET), screens.of("keeper", size=TABLET)
    page = first.open(f"/pages/station/ticket?id={ticket_id(screens)}")
    page.locator("summary", has_text="作废此单").click()
    page.get_by_role("button", name="作废此单").click()
    assert "请写明原因" in page.locator(".fault:visible").inner_text()
    page.get_by_label("作废原因").fill("同一批冰箱重复过磅")
    page.get_by_role("button", name="作废此单").click()
    # then so much waits for another keeper
    page.wait_for_url("**proposed=1")
    assert in_stock(screens) == 3
    page = second.open("/pages/station/today")
    assert "作废待复核" in page.locator(".proposal").inner_text()
    page.get_by_role("button", name="批准").click()
    page.locator("#tickets .row.gone").wait_for()
    assert in_stock(screens) == 0
    # and the ticket says so
    page.locator("#tickets .row").first.click()
    page.locator(".check-net", has_text="已作废").wait_for()
    assert page.get_by_role("button", name="作废此单").count() == 0


def test_a_tablet_on_which_somebody_else_has_signed_in_meanwhile_shows_theirs(screens: Screens) -> None:
    # given a keeper with a ticket half filled in, and another keeper who signs in beside it
    visit = screens.of("keeper", size=TABLET)
    page = visit.open("/pages/station/weigh")
    page.get_by_role("button", name="自送").click()
    page.get_by_label("毛重 kg").fill("51.3")
    other = screens.browsers.of("keeper")
    visit.context.add_cookies(cookies_of(other.client, visit.address))  # type: ignore[arg-type]  # plain mappings
    # when the first one's tab is looked at again
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    # then what the first one typed goes out under nobody else's name
    page.locator("#trips").wait_for()
    assert page.get_by_label("毛重 kg").count() == 0


def test_a_load_left_over_from_yesterday_is_neither_todays_trip_nor_taken_for_it(screens: Screens) -> None:
    # given a van's load of yesterday that nobody weighed, and its load of today
    district, now = screens.app.extensions["district"], utc_now()
    for at in (now - timedelta(days=1), now):
        make = partial(a_load_of_today, district=district, now=at, wishes=[{"fridge": 1}])
        of_database(screens, make)
    yesterday = (service_day(now) - timedelta(days=1)).isoformat()
    visit = screens.of("keeper", size=TABLET)
    page = visit.open(f"/pages/station/weigh?vehicle=lincheng-1&trip=1&day={yesterday}")
    page.get_by_label("毛重 kg").fill("51.3")
    # when today's van is tapped meanwhile, then yesterday's form is not taken for it
    page = visit.open("/pages/station/weigh?vehicle=lincheng-1&trip=1")
    page.locator(".note.warn", has_text="有一张未保存的磅单").wait_for()
    # when yesterday's is saved, it takes no trip of today
    page.get_by_label("皮重 kg").fill("10")
    page.get_by_role("button", name="下一步：物品").click()
    page.get_by_role("button", name="下一步：核对").click()
    assert page.get_by_label("当日第几趟").count() == 0
    page.get_by_role("button", name="保存磅单").click()
    page.wait_for_url("**/pages/station/ticket**")
    # and today's is weighed in as its first trip
    page = visit.open("/pages/station/weigh?vehicle=lincheng-1&trip=1")
    page.get_by_label("毛重 kg").fill("50.3")
    page.get_by_label("皮重 kg").fill("10")
    page.get_by_role("button", name="下一步：物品").click()
    page.get_by_role("button", name="下一步：核对").click()
    page.get_by_role("button", name="保存磅单").click()
    page.wait_for_url("**/pages/station/ticket**")
    trips = of_database(
        screens, lambda session: list(session.scalars(select(IntakeTicket.trip).order_by(IntakeTicket.number)))
    )
    assert trips == [None, 1]
