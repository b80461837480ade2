"""`flask plan`: a day planned, published, shown and exported by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from recycling.models.plan import PublishedPlan
from recycling.policy.district import District
from recycling.routing.__main__ import main as planner
from tests.builders import TOMORROW, a_booking


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


def test_a_day_without_a_plan_says_how_to_make_one(app: Flask, session: Session) -> None:
    session.rollback()
    shown = app.test_cli_runner().invoke(args=["plan", "show", str(TOMORROW)])
    assert shown.exit_code == 1
    assert f"flask plan make {TOMORROW}" in shown.output


def test_a_day_behind_us_is_refused_in_words(app: Flask, session: Session) -> None:
    session.rollback()
    made = app.test_cli_runner().invoke(args=["plan", "make", "2026-11-22"])
    assert made.exit_code == 1
    assert "2026-11-22 is over" in made.output
