"""`flask demo prepare`: a made-up day whose rows keep every invariant, made to its end however often it is stopped."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.cli import demo
from recycling.models.booking import Booking
from recycling.models.intake import IntakeTicket
from recycling.models.plan import PublishedPlan
from tests.builders import TOMORROW
from tests.callers import Callers
from tests.papers import Page

NIGHT = datetime(2026, 11, 22, 18, tzinfo=UTC)  # two in the morning of the 23rd in Shanghai


@pytest.fixture
def small(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An app whose demo day is small and planned fast, at night."""
    session.rollback()
    monkeypatch.setattr(demo, "BOOKINGS", 6)
    monkeypatch.setattr(demo, "TICKETS", 5)
    monkeypatch.setattr(demo, "configure_logs", lambda _level: None)
    monkeypatch.setitem(app.config, "ENVIRONMENT", "development")
    monkeypatch.setitem(app.config, "PLAN_SECONDS", 1)
    with time_machine.travel(NIGHT, tick=True):
        yield app


def prepare(app: Flask) -> Result:
    """Run the command."""
    return app.test_cli_runner().invoke(args=["demo", "prepare"])


def made_up(session: Session) -> tuple[int, int]:
    """How many made-up bookings and tickets stand."""
    session.rollback()
    bookings = session.scalar(select(func.count()).where(Booking.made_up)) or 0
    tickets = session.scalar(select(func.count()).where(IntakeTicket.made_up)) or 0
    session.rollback()
    return bookings, tickets


def test_a_demo_made_at_night_lies_in_the_past_and_keeps_every_invariant(small: Flask, session: Session) -> None:
    done = prepare(small)
    assert done.exit_code == 0, done.output
    assert made_up(session) == (6, 5)
    newest = session.scalar(select(func.max(Booking.created_at)))
    assert newest is not None
    assert newest <= datetime.now(UTC)
    session.rollback()
    checked = small.test_cli_runner().invoke(args=["check-data"])
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize("stopped_in", ["_book_one", "weigh_in", "make_plan"])
def test_a_demo_stopped_half_way_is_finished_by_the_next_run(
    small: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, stopped_in: str
) -> None:
    # given a run that ctrl-C ends at its third booking, its third ticket or while planning
    real, calls = getattr(demo, stopped_in), []

    def stops(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 3 or stopped_in == "make_plan":
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(demo, stopped_in, stops)
        assert prepare(small).exit_code != 0
    assert made_up(session) != (6, 5) or stopped_in == "make_plan"
    # when it is run again, then everything stands, once
    done = prepare(small)
    assert done.exit_code == 0, done.output
    assert made_up(session) == (6, 5)


def test_a_demo_day_whose_vehicles_left_without_a_plan_gives_way_to_the_next(
    small: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a demo stopped while planning
    with monkeypatch.context() as patch:
        patch.setattr(demo, "make_plan", lambda *_args, **_kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
        assert prepare(small).exit_code != 0
    # when it is run again on its day at noon
    with time_machine.travel(datetime(2026, 11, 24, 4, tzinfo=UTC), tick=True):
        done = prepare(small)
    # then the day after is made and planned
    assert done.exit_code == 0, done.output
    session.rollback()
    planned = session.scalars(select(PublishedPlan.day)).all()
    session.rollback()
    assert planned == [TOMORROW.replace(day=25)]


def test_the_made_up_months_are_published_by_two_and_their_numbers_found_again(
    small: Flask, session: Session, callers: Callers, read_pdf: Callable[[bytes], list[Page]]
) -> None:
    # given a demo on 23 November, whose made-up tickets reach back to October
    done = prepare(small)
    assert done.exit_code == 0, done.output
    clerk = callers.staff("clerk")
    (row,) = clerk.get("/goal-reports").get_json()["goal_reports"]
    assert (row["period"], row["state"]) == ("2026-10", "published")
    here = f"/goal-reports/{row['id']}"
    shown = clerk.get(here).get_json()
    assert [one["signed_by_name"] for one in shown["signatures"]] == ["演示商促局", "演示商促局复核"]
    # when its workbook and its PDF are opened
    book = load_workbook(io.BytesIO(clerk.get(f"{here}/files/xlsx").data))
    pages = read_pdf(clerk.get(f"{here}/files/pdf").data)
    # then each page and each sheet says that it is made up
    assert all("MADE-UP DATA" in page.text.replace("\r\n", " ") for page in pages)
    assert all("MADE-UP DATA" in str(sheet["A2"].value) for sheet in book)
    # and the figures are those that GET answers: of the report, of its tickets, and of the day's progress
    progress = clerk.get("/goal-progress?on=2026-10-31").get_json()
    printed = "".join(page.text for page in pages)
    cells = {row[:2]: row[2:4] for row in book["口径 scopes"].iter_rows(min_row=5, values_only=True)}
    for scope, part, of_day in zip(
        shown["body"]["scopes"], shown["body"]["in_period"], progress["scopes"], strict=True
    ):
        name = f"{scope['scope']['name_zh']} {scope['scope']['label']}"
        assert scope["recovered"] == of_day["recovered"]
        assert scope["by_town"] == of_day["by_town"]
        assert cells[name, "年初至今 / year to date"] == (
            of_day["recovered"]["units"], of_day["recovered"]["recovered_g"] / 1000,
        )  # fmt: skip
        assert cells[name, "本期回收 / in the period"] == (part["units"], part["recovered_g"] / 1000)
        assert part["mass_text"].removesuffix(" kg") in printed
        found = clerk.get(f"{here}/tickets?scope={part['scope']}").get_json()["sum"]
        assert (found["units"], found["recovered_g"]) == (part["units"], part["recovered_g"])
    assert sum(part["units"] for part in shown["body"]["in_period"]) > 0
    # when the demo is prepared again, nothing is made or signed twice
    assert prepare(small).exit_code == 0
    assert len(clerk.get("/goal-reports").get_json()["goal_reports"]) == 1
