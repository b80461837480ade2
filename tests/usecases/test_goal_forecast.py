"""The forecast page: no percentage without a confirmed baseline, each lever by hand, and an alarm once."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.models.forecast import GoalForecast
from recycling.models.outbox import OutboxMessage
from recycling.policy.district import District
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.messages.texts import render
from recycling.usecases.reporting import store_forecasts as module
from recycling.usecases.reporting.goal_forecast import goal_forecast
from recycling.usecases.reporting.pace_alarm import raise_pace_alarm
from recycling.usecases.reporting.store_forecasts import store_forecasts
from tests.builders import TOMORROW, a_booking, a_resident, a_waiting_wish
from tests.declared import a_baseline, table_of, upload
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_weighing, collect

YESTERDAY = date(2026, 11, 22)
FOUR_YEARS = {date(year, month, 1): 100 for year in (2022, 2023, 2024, 2025) for month in range(1, 13)}
TO_OCTOBER = FOUR_YEARS | {date(2026, month, 1): 100 for month in range(1, 11)}


def appliances(page: dict[str, Any]) -> dict[str, Any]:
    return next(scope for scope in page["scopes"] if scope["scope"] == "household-appliances/2")


def units(page: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in appliances(page)["measures"] if one["measure"] == "units")


def weigh(session: Session, district: District, at: datetime, *lines: Any, net_g: int) -> None:
    weigh_in(
        a_weighing(*lines, net_g=net_g), scale_number="1", by=a_keeper(), district=district, session=session, now=at
    )


def test_without_history_there_is_a_straight_line_that_says_what_is_missing(
    session: Session, district: District, now: datetime
) -> None:
    # given one fridge weighed on Sunday, and a confirmed baseline
    weigh(session, district, now - timedelta(days=1), a_line("fridge"), net_g=40_000)
    a_baseline(district=district, session=session, now=now)
    store_forecasts(YESTERDAY, district=district, session=session, now=now)
    found = units(goal_forecast(district=district, session=session, now=now))
    # then a line, no interval, no probability
    assert found["forecast"]["method"] == "straight_line"
    assert found["forecast"]["intervals"] == []
    assert found["forecast"]["probability_bp"] is None
    assert found["forecast"]["months_missing"] == 12
    assert "还缺 12 个月" in found["words_zh"]
    assert "12 months more are needed" in found["words_en"]
    # and progress and pace, which need no history
    assert (found["target"], found["missing"]) == (1_225, 1_224)


def test_declared_months_give_a_forecast_and_a_baseline_its_probability(
    session: Session, district: District, now: datetime
) -> None:
    # given 100 units each month since 2022, all declared
    upload(table_of(TO_OCTOBER), district=district, session=session, now=now)
    store_forecasts(YESTERDAY, district=district, session=session, now=now)
    before = units(goal_forecast(district=district, session=session, now=now))
    # then 2026 will bring about 1,200, with what was declared of it told apart
    forecast = before["forecast"]
    assert forecast["method"] == "seasonal"
    assert forecast["projected"] == pytest.approx(1_130, abs=20)  # nothing has come in November's first 22 days
    assert (forecast["months_own"], forecast["months_declared"]) == (0, 58)
    assert (forecast["recovered"], forecast["declared"], before["recovered"]) == (1_000, 1_000, 0)
    assert [one["percent"] for one in forecast["intervals"]] == [50, 80, 95]
    assert "58 个月申报数据" in before["words_zh"]
    # and no percentage of anything: the baseline is a placeholder
    assert forecast["probability_bp"] is None
    assert (before["target"], before["progress_bp"], before["pace_bp"]) == (None, None, None)
    # when two people confirm that 2023 brought 500, then 612 is reached; the stored forecast was not touched
    a_baseline(district=district, session=session, now=now, units=500)
    assert units(goal_forecast(district=district, session=session, now=now))["forecast"]["probability_bp"] == 10_000
    # and after a restatement to 2,000 it is out of reach
    a_baseline(district=district, session=session, now=now, units=2_000, reason="重新核定")
    after = units(goal_forecast(district=district, session=session, now=now))
    assert after["forecast"] == forecast | {"probability_bp": 100}
    assert_invariants(session)


def test_a_day_is_forecast_once_and_a_running_one_not_at_all(
    session: Session, district: District, now: datetime
) -> None:
    upload(table_of(TO_OCTOBER), district=district, session=session, now=now)
    first = store_forecasts(YESTERDAY, district=district, session=session, now=now)
    rows = session.execute(select(GoalForecast.__table__)).all()
    again = store_forecasts(YESTERDAY, district=district, session=session, now=now + timedelta(hours=1))
    assert again == {"forecasts": len(rows), "made_before": True}
    assert first["forecasts"] == len(rows)
    assert session.execute(select(GoalForecast.__table__)).all() == rows
    with pytest.raises(InvalidInput, match="is not over"):
        store_forecasts(YESTERDAY + timedelta(days=1), district=district, session=session, now=now)


@pytest.mark.parametrize("guard", [True, False], ids=["queued", "control"])
def test_of_two_who_forecast_a_day_at_once_the_second_hears_what_the_first_has_made(
    *, guard: bool, session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = session.get_bind()
    together = threading.Barrier(2)
    look = module._made_before

    def looked(day: date, *, session: Session) -> int:
        found = look(day, session=session)
        # Both look before either stores, if nothing makes them queue; then one waits here in vain for the other.
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(2 if guard or engine.dialect.name == "sqlite" else 20)
        # SQLite's writers queue as it is: there the second look is what the control does without.
        return found if guard or engine.dialect.name == "postgresql" else 0

    monkeypatch.setattr(module, "_made_before", looked)
    if not guard:
        monkeypatch.setattr(module, "queue_for", lambda *_args: None)

    def make(_: int) -> dict[str, Any] | None:
        with Session(engine) as own:
            try:
                return store_forecasts(YESTERDAY, district=district, session=own, now=now)
            except IntegrityError:
                return None

    session.rollback()
    # when two make the forecasts of one day at the same instant
    with ThreadPoolExecutor(2) as pool:
        first, second = sorted(pool.map(make, range(2)), key=lambda answer: answer is None or "made_before" in answer)
    # then one has made them and the other says so; the control ends in an error of the database
    stored = session.scalar(select(func.count()).select_from(GoalForecast))
    assert first is not None
    assert first["forecasts"] == stored
    assert second == ({"forecasts": stored, "made_before": True} if guard else None)


def test_a_page_of_an_earlier_day_shows_the_forecast_of_that_day(
    session: Session, district: District, now: datetime
) -> None:
    upload(table_of(TO_OCTOBER), district=district, session=session, now=now)
    for days in (3, 1):
        store_forecasts(YESTERDAY - timedelta(days=days), district=district, session=session, now=now)
    page = goal_forecast(YESTERDAY - timedelta(days=2), district=district, session=session, now=now)
    assert page["forecast_of"] == YESTERDAY - timedelta(days=3)
    # and one that is too old, or of another year, is none
    for on in (YESTERDAY - timedelta(days=4), date(2025, 12, 31)):
        page = goal_forecast(on, district=district, session=session, now=now)
        assert page["forecast_of"] is None
        assert units(page)["forecast"] is None
        assert "尚未生成" in units(page)["words_zh"]


def test_levers_are_numbers_with_their_derivation(session: Session, district: District, now: datetime) -> None:
    # given 2023 declared by town unit: 10 fridges a month from Lincheng, 1 from Xingren, nothing else
    head = "month,item_type,town_unit,units\n"
    rows = [
        f"2023-{month:02d},fridge,{town},{count}"
        for month in range(1, 13)
        for town, count in (("lincheng", 10), ("xingren", 1))
    ]
    rows += [f"2023-{month:02d},fan,lincheng,0" for month in range(1, 13)]
    upload(head + "\n".join(rows), district=district, session=session, now=now)
    # and this year 20 fridges at Lincheng by their owners; a pickup of two; a wish that waits
    weigh(session, district, now - timedelta(days=2), a_line("fridge", 20), net_g=800_000)
    booking = a_booking(session, district=district, now=now - timedelta(days=4), day=TOMORROW - timedelta(days=2))
    collect(session, booking, district=district, now=now - timedelta(days=3))
    a_waiting_wish(session, a_resident(session, now=now), now=now - timedelta(days=2))
    store_forecasts(YESTERDAY, district=district, session=session, now=now)
    levers = appliances(goal_forecast(district=district, session=session, now=now))["levers"]
    by_key = {(lever["kind"], lever["key"]): lever for lever in levers}
    # then Lincheng lags: 120 x 1.225 x 326 / 365 = 131 by 22 November, of which 20 came; Xingren by 13 and 0
    assert by_key["town_unit", "lincheng"]["amount"] == 111
    assert by_key["town_unit", "xingren"]["amount"] == 13
    assert "120 units of 2023 × 1.225 × 326 / 365 days" in by_key["town_unit", "lincheng"]["en"]
    assert ("town_unit", "shagou") not in by_key  # had nothing to grow from
    # fridges: 132 x 1.225 x 326 / 365 = 144 less 20
    assert by_key["item_type", "fridge"]["amount"] == 124
    # a place for the wish would have brought what a pickup brings: one unit
    assert by_key["unserved_demand", "places"]["amount"] == 1
    assert "1 个候补" in by_key["unserved_demand", "places"]["zh"]
    # and all of it came by the owners' own way
    assert (by_key["channel", "walk_in"]["amount"], by_key["channel", "door"]["amount"]) == (20, 0)
    assert "100 %" in by_key["channel", "walk_in"]["zh"]


def test_what_was_declared_of_this_year_came_and_is_no_lever(
    session: Session, district: District, now: datetime
) -> None:
    # given 10 fridges a month from Lincheng declared of 2023, and 12 a month of January to October 2026
    months = [(2023, month, 10) for month in range(1, 13)] + [(2026, month, 12) for month in range(1, 11)]
    rows = [
        f"{year}-{month:02d},{item_type},lincheng,{count if item_type == 'fridge' else 0}"
        for year, month, count in months
        for item_type in ("fridge", "fan")
    ]
    upload("month,item_type,town_unit,units\n" + "\n".join(rows), district=district, session=session, now=now)
    # and 4 of November on tickets
    weigh(session, district, now - timedelta(days=2), a_line("fridge", 4), net_g=160_000)
    store_forecasts(YESTERDAY, district=district, session=session, now=now)
    scope = appliances(goal_forecast(district=district, session=session, now=now))
    (lever,) = [lever for lever in scope["levers"] if lever["kind"] == "town_unit"]
    # then Lincheng lags by 120 x 1.225 x 326 / 365 = 131 less the 120 declared and the 4 weighed, and says so
    assert (lever["key"], lever["amount"]) == ("lincheng", 7)
    assert "less the 124 units that came this year, 120 units of it declared" in lever["en"]
    assert "减去今年已回收 124 台（含申报 120 台）" in lever["zh"]
    # and the forecast, which the page shows beside the year's tickets, tells the two apart
    forecast = next(one for one in scope["measures"] if one["measure"] == "units")["forecast"]
    assert (forecast["recovered"], forecast["declared"]) == (124, 120)


def alarms(session: Session) -> list[OutboxMessage]:
    wanted = select(OutboxMessage).where(OutboxMessage.kind == "goal.behind_pace").order_by(OutboxMessage.created_at)
    return list(session.scalars(wanted))


def test_the_bureau_hears_once_a_month_of_a_goal_in_danger(session: Session, district: District, now: datetime) -> None:
    # given a year that is far behind a confirmed baseline of 1,000
    weigh(session, district, now - timedelta(days=1), a_line("fridge"), net_g=40_000)
    a_baseline(district=district, session=session, now=now)
    # when it is judged on two Sundays of November and one of December
    for day, told in ((date(2026, 11, 15), 1), (YESTERDAY, 0), (date(2026, 12, 6), 1)):
        at = now + max(day - YESTERDAY, timedelta())
        assert raise_pace_alarm(day, district=district, session=session, now=at) == {"goals": 1, "messages": told}
    # then two messages stand, of the second level: the pace is next to nothing
    (november, december) = alarms(session)
    assert november.facts["level"] == 2
    text = render(november.kind, november.facts, district=district)
    assert "废旧家电 2026 年目标预警（第 2 级）" in text
    assert "进度为应有的 0 %" in text
    assert december.facts["day"] == "2026-12-06"


def test_a_probability_decides_where_there_is_one(session: Session, district: District, now: datetime) -> None:
    # given declared months that will reach the goal by far, of which tickets tell nothing: the pace alone would alarm
    upload(table_of(TO_OCTOBER), district=district, session=session, now=now)
    a_baseline(district=district, session=session, now=now, units=500)
    store_forecasts(YESTERDAY, district=district, session=session, now=now)
    assert raise_pace_alarm(YESTERDAY, district=district, session=session, now=now) == {"goals": 1, "messages": 0}


def test_without_a_confirmed_baseline_nobody_is_alarmed(session: Session, district: District, now: datetime) -> None:
    upload(table_of(TO_OCTOBER), district=district, session=session, now=now)
    store_forecasts(YESTERDAY, district=district, session=session, now=now)
    assert raise_pace_alarm(YESTERDAY, district=district, session=session, now=now) == {"goals": 0, "messages": 0}
    assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 0
