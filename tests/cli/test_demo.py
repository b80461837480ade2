"""`flask demo prepare`: a made-up day whose rows keep every invariant, made to its end however often it is stopped."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.cli import demo
from recycling.cli.demo_bureau import HISTORY_FILE, forecast_year
from recycling.models.booking import Booking
from recycling.models.intake import IntakeTicket
from recycling.models.plan import PublishedPlan
from tests.builders import TOMORROW
from tests.callers import Caller, Callers
from tests.papers import Page

TODAY = TOMORROW - timedelta(days=1)
AFTERNOON = datetime(2026, 11, 23, 7, tzinfo=UTC)  # three o'clock in Shanghai
NIGHT = datetime(2026, 11, 22, 18, tzinfo=UTC)  # two in the morning of the 23rd in Shanghai


@pytest.fixture
def small(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Flask]:
    """An app whose demo day is small and planned fast, at night."""
    session.rollback()
    monkeypatch.setattr(demo, "BOOKINGS", 6)
    monkeypatch.setattr(demo, "TICKETS", 5)
    monkeypatch.setattr(demo, "TICKET_DAYS", 50)
    monkeypatch.setattr(demo, "WORKED", 4)
    monkeypatch.setattr(demo, "WORKED_SECONDS", 0.5)
    monkeypatch.setattr(demo, "forecast_year", lambda **_given: None)  # takes the longest, and is seen with `whole`
    monkeypatch.setattr(demo, "configure_logs", lambda _level: None)
    monkeypatch.setitem(app.config, "ENVIRONMENT", "development")
    monkeypatch.setitem(app.config, "PLAN_SECONDS", 1)
    monkeypatch.setitem(app.config, "INSTANCE_DIR", tmp_path)
    with time_machine.travel(NIGHT, tick=True):
        yield app


def prepare(app: Flask) -> Result:
    """Run the command."""
    return app.test_cli_runner().invoke(args=["demo", "prepare"])


def made_up(session: Session) -> tuple[int, int]:
    """How many made-up bookings stand for the demo day, and how many made-up tickets of the months before."""
    session.rollback()
    of_day = (Booking.made_up, Booking.state == "booked", Booking.day == TOMORROW)
    bookings = session.scalar(select(func.count()).where(*of_day)) or 0
    of_months = (IntakeTicket.made_up, IntakeTicket.scale_number == demo.WALK_IN_SCALE)
    tickets = session.scalar(select(func.count()).where(*of_months)) or 0
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
    # then the day after is made and planned, and the one without a plan is driven like any worked day
    assert done.exit_code == 0, done.output
    session.rollback()
    planned = session.scalars(select(PublishedPlan.day).order_by(PublishedPlan.day.desc())).all()
    session.rollback()
    assert planned[:2] == [TOMORROW.replace(day=25), TOMORROW]
    checked = small.test_cli_runner().invoke(args=["check-data"])
    assert checked.exit_code == 0, checked.output


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


@pytest.fixture
def whole(small: Flask, session: Session, callers: Callers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callers]:
    """A demo of some size, prepared at three in the afternoon while crews are out; callers sign in to look at it."""
    monkeypatch.setattr(demo, "forecast_year", forecast_year)
    monkeypatch.setattr(demo, "TICKETS", 120)
    monkeypatch.setattr(demo, "TICKET_DAYS", 110)
    monkeypatch.setattr(demo, "WORKED", 24)
    with time_machine.travel(AFTERNOON, tick=True):
        done = prepare(small)
        assert done.exit_code == 0, done.output
        yield callers


def test_every_desk_of_a_demo_finds_its_work(whole: Callers, tmp_path: Path) -> None:
    _keepers_find_work_of_every_kind(whole)
    _the_bureau_finds_years_a_fan_and_an_unconfirmed_baseline(whole, tmp_path / HISTORY_FILE)
    _the_resident_has_pickups_in_every_state(whole)


def _keepers_find_work_of_every_kind(callers: Callers) -> None:
    clerk = callers.staff("clerk")
    # one station is over its storage limit, each has stock, some of it old
    stations = clerk.get("/stock").get_json()["stations"]
    assert [one["station_key"] for one in stations if one["stored_g"] > one["storage_limit_g"]] == ["changzhuang"]
    assert all(one["stored_units"] for one in stations)
    assert any(kind["aged_units"] for one in stations for kind in one["item_types"])
    # two batches: one open, one whose re-weigh is held
    batches = clerk.get("/hand-overs").get_json()["hand_overs"]
    assert sorted(batch["state"] for batch in batches) == ["handed_over", "held"]
    assert len(clerk.get("/stock-counts").get_json()["stock_counts"]) == 1
    assert [one["state"] for one in clerk.get("/correction-proposals").get_json()["proposals"]] == ["waiting"]
    # one trip is held for goods that are on no ticket, one far too heavy is resolved, things came stripped
    trips = clerk.get("/trip-balances").get_json()["trip_balances"]
    found = {one["state"]: one["causes"] for one in trips if one["causes"]}
    assert found == {"held": ["units_not_weighed"], "resolved": ["mass"]}
    assert {"both", "station_only"} <= {one["agreement"] for one in _all(clerk, "/missing-parts", "missing_parts")}
    # today has door and walk-in tickets, one with labels whose trail reads from the scale on; a reading waits
    tickets = [one for one in _all(clerk, "/intake-tickets", "tickets") if one["day"] == str(TODAY)]
    assert {one["channel"] for one in tickets} >= {"door", "walk_in", "trade_in"}
    assert all(one["made_up"] for one in tickets)
    tag = next(tag for one in tickets for line in one["lines"] for tag in line["tags"])
    assert callers.staff("dispatcher").get(f"/custody-tags/{tag}").status_code == 200
    assert [one["ticket_id"] is None for one in clerk.get("/scale-readings").get_json()["readings"]].count(True) == 2


def _the_bureau_finds_years_a_fan_and_an_unconfirmed_baseline(callers: Callers, history: Path) -> None:
    clerk = callers.staff("clerk")
    (upload,) = clerk.get("/declared-history/uploads").get_json()["uploads"]
    assert (upload["first_month"], upload["last_month"]) == ("2022-01-01", "2026-08-01")
    assert "演示数据" in upload["source_document"]
    assert "演示数据" in history.read_text(encoding="utf-8").splitlines()[1]
    (baseline,) = clerk.get("/baselines").get_json()["baselines"]
    assert (baseline["state"], baseline["note"]) == ("proposed", "演示数据")
    for scope in clerk.get("/goal-forecast").get_json()["scopes"]:
        for measure in scope["measures"]:
            assert [one["percent"] for one in measure["forecast"]["intervals"]] == [50, 80, 95]
            assert measure["progress_bp"] is None  # of a placeholder there is no percentage
    # windows of the day before today are judged, some kept and some missed, and all of them marked
    kept = clerk.get("/kept-windows?by=village").get_json()
    assert kept["made_up"] == kept["total"]["promised"] > kept["total"]["kept"] > 0
    assert kept["total"]["causes"]["late"] > 0
    states = [one["state"] for one in clerk.get("/goal-reports").get_json()["goal_reports"]]
    assert states == ["signed", "published", "published"]


def _the_resident_has_pickups_in_every_state(callers: Callers) -> None:
    resident = callers.resident(str(demo.FIRST_PHONE))
    mine = resident.get("/bookings").get_json()["bookings"]
    state_of = {one["day"]: one["state"] for one in mine}
    # coming on the demo day, withdrawn after it, done the day before today and weighed; today's as far as crews are
    assert state_of.pop(str(TODAY)) in ("booked", "collected")
    assert state_of == {"2026-11-22": "collected", "2026-11-24": "booked", "2026-11-25": "cancelled"}
    (coming,) = (one for one in mine if one["day"] == "2026-11-24")
    assert len(resident.get(f"/bookings/{coming['id']}/photos").get_json()["photos"]) == 2
    done = next(one for one in mine if one["day"] == "2026-11-22")
    assert all(item["weighed_units"] == item["collected_units"] > 0 for item in done["items"])


def test_a_demo_prepared_again_later_goes_on_from_where_its_crews_were(whole: Callers, small: Flask) -> None:
    # given a day of which half is over
    dispatcher = whole.staff("dispatcher")

    def open_today() -> int:
        found = _all(dispatcher, f"/bookings?day={TODAY}", "bookings")
        return sum(one["state"] == "booked" for one in found)

    before = open_today()
    assert 0 < before < demo.WORKED
    # when it is prepared again after the last shift
    with time_machine.travel(AFTERNOON.replace(hour=13), tick=True):
        assert prepare(small).exit_code == 0
        again = whole.staff("dispatcher")
        found = _all(again, f"/bookings?day={TODAY}", "bookings")
        # then everything is visited, and everything still verifies
        assert not [one for one in found if one["state"] == "booked"]
        for command in (["audit", "verify"], ["custody", "verify"], ["report", "verify", "--all"], ["check-data"]):
            checked = small.test_cli_runner().invoke(args=command)
            assert checked.exit_code == 0, checked.output


def _all(caller: Caller, path: str, name: str) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        mark = "" if cursor is None else f"{'&' if '?' in path else '?'}cursor={cursor}"
        page = caller.get(path + mark).get_json()
        found += page[name]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
