"""`flask plan`: a day planned, published, shown and exported by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.cli import plan as plan_command
from recycling.models.plan import Plan, PublishedPlan
from recycling.policy.district import District
from recycling.routing.__main__ import main as planner
from tests.builders import TOMORROW, a_booking
from tests.planned_days import a_plan


def test_a_day_is_made_published_shown_and_exported_for_the_checker(
    app: Flask, session: Session, district: District, now: datetime, tmp_path: Path
) -> None:
    # given a day of two fridges
    for _ in range(2):
        a_booking(session, district=district, now=now)
    session.rollback()
    shell = app.test_cli_runner()
    # when it is planned and published twice, the second time in place of the first
    for version in (1, 2):
        made = shell.invoke(args=["plan", "make", str(TOMORROW), "--seconds", "0.5", "--publish"])
        assert made.exit_code == 0, made.output
        assert f"version {version}, 已发布" in made.output
    assert session.get_one(PublishedPlan, TOMORROW).plan_id is not None
    session.rollback()
    # then it can be shown, with both on a route
    shown = shell.invoke(args=["plan", "show", str(TOMORROW)])
    assert "上门 pickups 2" in shown.output
    # and its files pass the planner's own command line
    problem, plan = tmp_path / "problem.json", tmp_path / "plan.json"
    exported = shell.invoke(args=["plan", "export", str(TOMORROW), "--problem", str(problem), "--plan", str(plan)])
    assert exported.exit_code == 0, exported.output
    assert planner(["check", str(problem), str(plan)]) == 0
    # and what cannot be written is refused in words
    nowhere = tmp_path / "nowhere" / "problem.json"
    refused = shell.invoke(args=["plan", "export", str(TOMORROW), "--problem", str(nowhere), "--plan", str(plan)])
    assert (refused.exit_code, refused.exc_info is None or refused.exc_info[0]) == (1, SystemExit)
    assert f"cannot write {nowhere}: No such file or directory" in refused.output


def test_a_plan_is_shown_whole_in_80_columns(
    app: Flask, session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_booking(session, district=district, now=now)
    a_plan(session, district=district, now=now)
    session.rollback()
    # given the longest vehicle's name with two people, and the widest figures
    longest = max(district.network.vehicles, key=len)
    widest = (longest, "c01, c02", "29", "3", "08:00", "17:59", "1234.5", "123.4")
    monkeypatch.setattr(plan_command, "_line", lambda _route: widest)
    monkeypatch.setenv("COLUMNS", "80")
    lines = app.test_cli_runner().invoke(args=["plan", "show", str(TOMORROW)]).output.splitlines()
    # then neither heading nor line is cut short
    assert next(line for line in lines if "vehicle" in line).split() == [
        "vehicle", "crew", "pickups", "unloads", "start", "end", "kg", "km"
    ]  # fmt: skip
    assert next(line for line in lines if longest in line).split() == " ".join(widest).split()


def test_a_day_that_nobody_can_book_is_not_planned(app: Flask, session: Session) -> None:
    session.rollback()
    shell = app.test_cli_runner()
    # 14 days of horizon; 1 October 2027 is far beyond it
    for day, word in (("2027-10-01", "2027-10-01 is too far ahead"), ("2026-11-22", "2026-11-22 is over")):
        made = shell.invoke(args=["plan", "make", day])
        assert (made.exit_code, word in made.output) == (1, True), made.output
    assert session.scalars(select(Plan)).all() == []


def test_a_day_without_a_plan_says_how_to_make_one(app: Flask, session: Session) -> None:
    session.rollback()
    shown = app.test_cli_runner().invoke(args=["plan", "show", str(TOMORROW)])
    assert shown.exit_code == 1
    assert f"flask plan make {TOMORROW}" in shown.output
