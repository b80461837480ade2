"""Goal progress over HTTP and on the terminal."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting.goal_report import make_goal_report
from tests.callers import Caller, Callers
from tests.loads import a_keeper, a_line, a_weighing


@pytest.fixture
def a_fridge_and_a_sofa(session: Session, district: District, now: datetime) -> None:
    """41.3 kg and 60 kg, weighed in today at 临城."""
    for line, net_g in ((a_line("fridge"), 41_300), (a_line("sofa-three"), 60_000)):
        weigh_in(
            a_weighing(line, net_g=net_g), scale_number="1", by=a_keeper(), district=district, session=session, now=now
        )


def read(caller: Caller, path: str) -> dict[str, Any]:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    return cast("dict[str, Any]", answer.json)


@pytest.mark.usefixtures("a_fridge_and_a_sofa")
def test_the_clerk_reads_appliances_and_furniture_side_by_side_and_apart(callers: Callers) -> None:
    report = read(callers.staff("clerk"), "/goal-progress")
    assert report["on"] == "2026-11-23"
    assert report["rolled_up_at"].startswith("2026-11-23T02:00:0")
    appliances, furniture, together = report["scopes"]
    assert (appliances["recovered"]["units"], appliances["recovered"]["mass_text"]) == (1, "41.3 kg")
    assert (furniture["recovered"]["units"], furniture["recovered"]["mass_text"]) == (1, "60 kg")
    # and under the scope of 商流通发〔2024〕18号 the same tickets are shown together
    assert together["recovered"]["units"] == appliances["recovered"]["units"] + 1
    # each figure carries its scope, each scope its words of warning
    assert (appliances["scope"]["label"], furniture["scope"]["label"]) == ("household-appliances/2", "furniture/2")
    assert appliances["labels"][0] == "基准未确认 / baseline not confirmed"
    assert (appliances["units_progress"], furniture["goal"]) == (None, None)


@pytest.mark.usefixtures("a_fridge_and_a_sofa")
def test_a_past_day_shows_what_had_come_in_until_then_and_a_coming_one_is_refused(callers: Callers) -> None:
    admin = callers.staff("admin")
    before = read(admin, "/goal-progress?on=2026-11-22")
    assert [scope["recovered"]["units"] for scope in before["scopes"]] == [0, 0, 0]
    for day in ("2026-11-24", "2022-12-31", "0001-01-01"):
        for path in ("/goal-progress", "/goal-progress.csv"):
            refused = admin.get(f"{path}?on={day}")
            assert refused.status_code == 422
            assert f"on = {day}" in refused.get_json()["detail"]


@pytest.mark.usefixtures("a_fridge_and_a_sofa")
def test_the_export_opens_in_a_spreadsheet(callers: Callers) -> None:
    answer = callers.staff("dispatcher").get("/goal-progress.csv?on=2026-11-23")
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="goal-progress-2026-11-23.csv"'
    # the byte-order mark by which Excel knows UTF-8
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert '回收量 / recovered,1,41.3,"基准未确认' in answer.text


@pytest.mark.usefixtures("a_fridge_and_a_sofa")
def test_a_kept_report_is_read_as_it_was_and_its_digest_can_be_worked_out(
    callers: Callers, session: Session, district: District, now: datetime
) -> None:
    for period in ("2026-10", "2026-11"):
        make_goal_report(period, district=district, session=session, now=now)
    session.rollback()
    clerk = callers.staff("clerk")
    # given the list, newest first, page by page
    first = read(clerk, "/goal-reports?limit=1")
    second = read(clerk, f"/goal-reports?limit=1&cursor={first['next_cursor']}")
    rows = [*first["goal_reports"], *second["goal_reports"]]
    assert ({row["period"] for row in rows}, second["next_cursor"]) == ({"2026-10", "2026-11"}, None)
    # when November's is opened
    row = next(row for row in rows if row["period"] == "2026-11")
    report = read(clerk, f"/goal-reports/{row['id']}")
    # then the body is the progress of that day, and anybody can work its digest out again
    assert report["body"]["scopes"] == read(clerk, "/goal-progress?on=2026-11-23")["scopes"]
    text = json.dumps(report["body"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == report["sha256"] == row["sha256"]
    absent = clerk.get("/goal-reports/00000000-0000-4000-8000-000000000000")
    assert absent.status_code == 404


def test_figures_of_the_district_are_for_the_desk(callers: Callers) -> None:
    for outsider in (callers.resident(), callers.staff("collector"), callers.staff("keeper")):
        for path in ("/goal-progress", "/goal-progress.csv", "/goal-reports"):
            assert outsider.get(path).status_code == 403
    assert callers.staff("clerk").get("/goal-progress?day=2026-11-23").status_code == 422


@pytest.mark.usefixtures("a_fridge_and_a_sofa")
def test_the_terminal_prints_progress_with_its_warning_rolls_a_day_up_and_keeps_a_month(app: Flask) -> None:
    runner = app.test_cli_runner()
    printed = runner.invoke(args=["report", "goal"])
    assert printed.exit_code == 0, printed.output
    assert "基准未确认" in printed.output
    assert "插值, 非政策目标" in printed.output
    assert "41.3 kg" in printed.output
    assert "60 kg" in printed.output
    yesterday = runner.invoke(args=["report", "goal", "--on", "2026-11-22"])
    assert "41.3 kg" not in yesterday.output
    rolled = runner.invoke(args=["report", "roll-up", "2026-11-23"])
    # one fridge and one sofa: 41.3 + 60 kg
    assert "2026-11-23: 2 figures, 2 units, 101.3 kg; 0 differed" in rolled.output
    kept = runner.invoke(args=["report", "month", "2026-11"])
    assert "2026-11 version 1, as of 2026-11-23" in kept.output
    for wrong in (
        ["goal", "--on", "2026-11-24"],
        ["goal", "--on", "yesterday"],
        ["roll-up", "1.1.26"],
        ["month", "11"],
    ):
        assert runner.invoke(args=["report", *wrong]).exit_code != 0


def test_months_go_out_beside_those_of_the_last_year(callers: Callers) -> None:
    answer = callers.staff("clerk").get("/goal-months?on=2026-03-05")
    assert answer.status_code == 200, answer.text
    found = answer.get_json()
    assert found["on"] == "2026-03-05"
    for scope in found["scopes"]:
        assert [(year["year"], len(year["months"])) for year in scope["years"]] == [(2025, 12), (2026, 3)]
        assert scope["last_year"] is None
    assert callers.staff("clerk").get("/goal-months?on=2022-12-31").status_code == 422
