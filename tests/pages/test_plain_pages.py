"""What every screen keeps: no foreign host, no inline script, no place in the API's contract, failures in words."""

import hashlib
import json
import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from recycling.app import create_app
from recycling.extensions import db
from recycling.gateways.travel_ladder import NOTES, TRAVEL_WORDS
from recycling.models.booking import BOOKING_STATES
from recycling.models.ledger import close_day
from recycling.models.transaction import atomic
from recycling.policy.access import ROLES, Role
from recycling.policy.catalogue import GROUPS
from recycling.policy.scope import CHANNELS, COUNTING_EVENTS, GIVERS
from recycling.routes.pages import BLUEPRINTS, words
from recycling.routes.pages.docs import VENDORED
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.problems import STATUS
from recycling.routing.plan import REASONS, STEP_KINDS
from tests.builders import TOMORROW
from tests.callers import KeptSms
from tests.conftest import NOW, test_settings
from tests.pages.browsers import Browser, Browsers

PACKAGE = Path(__file__).resolve().parents[2] / "recycling"
TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))
VENDOR = PACKAGE / "static" / "vendor"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_inline_script_or_style_and_turn_no_escaping_off(template: Path) -> None:
    text = template.read_text(encoding="utf-8")

    assert (
        re.findall(
            r"<script(?![^>]*\ssrc=)(?! type=\"application/json\")|<style|\sstyle=|\son[a-z]+=|javascript:", text
        )
        == []
    )
    assert re.findall(r"\|\s*safe\b|autoescape|Markup", text) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_load_from_this_host_alone(template: Path) -> None:
    text = template.read_text(encoding="utf-8")

    assert re.findall(r"(?:src|href|action)=[\"'](?:https?:)?//", text) == []


def test_vendored_files_are_those_of_the_manifest() -> None:
    # given the manifest's lines: digest, two spaces, path
    lines = (VENDOR / "MANIFEST.sha256").read_text(encoding="utf-8").splitlines()
    listed = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}

    # when every file in a vendored folder is hashed
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.glob("*/**/*")
        if path.is_file()
    }

    # then nothing is missing, added or changed, and each folder carries its licence
    assert found == listed
    assert all((folder / "LICENSE").exists() for folder in VENDOR.iterdir() if folder.is_dir())


def test_the_api_page_loads_its_vendored_files_under_the_policy_of_every_page(app: Flask) -> None:
    # given the API page
    client = app.test_client()
    page = client.get("/api/docs")

    # when what it loads is fetched
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    answers = {}
    for path in loaded:
        with client.get(path) as answer:  # a file served is a file to close
            answers[path] = answer.status_code

    # then all comes from here, and nothing was relaxed for it
    assert f"{app.static_url_path}/{VENDORED}/swagger-ui-bundle.js" in answers
    assert set(answers.values()) == {200}
    assert page.headers["Content-Security-Policy"] == client.get("/healthz").headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_pages_are_no_part_of_the_api(app: Flask) -> None:
    contract = app.test_client().get("/api/openapi.json").json

    assert contract is not None
    assert contract["openapi"].startswith("3.1")
    assert [path for path in contract["paths"] if path == "/" or path.startswith(("/pages", "/api"))] == []


def test_every_page_blueprint_is_guarded(app: Flask) -> None:
    served = {
        rule.endpoint.partition(".")[0]
        for rule in app.url_map.iter_rules()
        if rule.rule == "/" or rule.rule.startswith("/pages")
    }

    assert served <= {bp.name for bp in BLUEPRINTS}
    assert all(isinstance(app.blueprints[name], PageBlueprint) for name in served)


def test_every_code_has_its_words() -> None:
    assert set(words.ROLE_WORDS) == set(ROLES)
    assert set(words.STATE_WORDS) == set(BOOKING_STATES)
    assert set(words.STEP_WORDS) == set(STEP_KINDS)
    assert set(words.REASON_WORDS) == set(REASONS)
    assert set(words.TRAVEL_WORDS) == set(TRAVEL_WORDS)
    assert set(words.TRAVEL_NOTE_WORDS) == set(NOTES)
    assert set(words.GROUP_WORDS) == GROUPS
    assert set(words.GIVER_WORDS) == GIVERS
    assert set(words.CHANNEL_WORDS) == CHANNELS
    assert set(words.EVENT_WORDS) == COUNTING_EVENTS
    assert set(words.FAILURE_WORDS) >= set(STATUS.values())


def test_numbers_are_written_the_way_people_read_them(app: Flask) -> None:
    assert words.mass_text(10_302_500) == "10,302.5 kg"
    assert words.mass_text(-500) == "-0.5 kg"
    assert words.mass_text(5) == "0.005 kg"
    assert words.span_text(5_400) == "1 h 30 min"
    assert words.span_text(3_599) == "1 h 00 min"  # 59 min 59 s, to the nearest minute
    assert words.km_text(1_234_567) == "1,234.6 km"
    with app.test_request_context():
        assert words.day_text("2026-11-24") == "2026-11-24 周二"
        assert words.own_half("no such thing / 没有") == words.own_half("没有 / no such thing") == "没有"
        assert words.own_half("give a / b") == "give a / b"
    with app.test_request_context(headers={"Cookie": "lang=en"}):
        assert words.day_text("2026-11-24") == "2026-11-24 Tue"
        assert words.own_half("write a / b / 请写 a") == words.own_half("请写 a / write a / b") == "write a / b"
    assert words.moment_text("2026-11-23T16:30:00+00:00") == "2026-11-24 00:30"


@pytest.mark.parametrize("role", ROLES)
def test_the_home_page_leads_a_role_to_pages_it_may_open(role: Role, browsers: Browsers) -> None:
    # given somebody of the role
    browser = browsers.of(role)

    # when the tiles of their home page are followed
    tiles = [unescape(path) for path in re.findall(r'<a class="card" href="([^"]+)"', browser.open("/").text)]
    answers = {path: browser.open(path).status_code for path in tiles}

    # then all of them open
    assert answers
    assert set(answers.values()) == {200}


def test_the_home_page_is_open_to_all_and_names_stations_and_ways_in(stranger: Browser) -> None:
    page = stranger.open("/")

    assert page.status_code == 200
    assert "临城街道回收站点" in page.text
    assert 'href="/pages/sign-in"' in page.text


def test_the_home_page_names_no_day_whose_routes_are_planned(stranger: Browser, session: Session) -> None:
    assert "11-24" in stranger.open("/").text
    with atomic(session):
        close_day(session, TOMORROW, now=NOW)
    page = stranger.open("/").text
    assert "11-24" not in page
    assert "11-25" in page


def test_a_failing_page_says_in_words_what_to_do_and_names_the_request(stranger: Browser) -> None:
    # when an address that does not exist is opened with a request id of the caller's
    answer = stranger.client.get("/pages/nothing-here", headers={"X-Request-Id": "look-for-me-1"})

    # then a page answers, in the same look, with the way home
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "页面不存在" in answer.text
    assert "look-for-me-1" in answer.text
    assert 'href="/"' in answer.text


def test_a_page_refuses_the_wrong_method_in_words(stranger: Browser) -> None:
    answer = stranger.send("/")

    assert answer.status_code == 405
    assert answer.mimetype == "text/html"
    assert "GET" in answer.headers["Allow"]


def test_a_failing_api_call_stays_problem_json(stranger: Browser) -> None:
    answer = stranger.open("/bookings")

    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert json.loads(answer.text)["code"] == "not_signed_in"


def test_a_bug_shows_no_detail_and_asks_for_the_request_id(
    app: Flask, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a sign-in page whose gateway is broken in an unforeseen way
    browser = browsers.new()
    secret = browser.form_secret("/pages/sign-in")
    monkeypatch.setitem(app.extensions, "sms", None)

    # when a code is asked for
    answer = browser.send("/pages/sign-in/code", csrf_token=secret, phone="13800138000")

    # then the page says so and keeps the inside to itself
    assert answer.status_code == 500
    assert "请提供请求编号" in answer.text
    assert "NoneType" not in answer.text
    assert "Traceback" not in answer.text


def test_when_the_database_is_away_a_page_does_not_claim_that_nothing_was_changed() -> None:
    # given pages over a database that does not answer; its commit may have been what was lost
    app = create_app(test_settings("sqlite:////nowhere/at/all.db", LOG_LEVEL="CRITICAL"))
    browser = Browser(client=app.test_client(), sms=KeptSms())
    # when a form is sent
    answer = browser.sign_in_staff("clerk")
    # then the page says what is not known and how to find out
    assert answer.status_code == 503
    assert "是否已保存尚不确定" in answer.text
    assert "未做任何更改" not in answer.text
    assert "nothing was changed" not in answer.text
    # and one who only looks is told to look again
    looked = browser.open("/pages/bookings")
    assert "是否已保存" not in looked.text


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "sqlite:///{tmp}/empty.db"], ids=["away", "empty"])
def test_the_home_page_needs_no_database(url: str, tmp_path: Path) -> None:
    app = create_app(test_settings(url.format(tmp=tmp_path), LOG_LEVEL="CRITICAL"))
    assert "最近可约日期" in Browser(client=app.test_client(), sms=KeptSms()).open("/").text
    with app.app_context():
        db.engine.dispose()


def test_a_keeper_is_called_what_the_messages_call_them() -> None:
    assert words.ROLE_WORDS["keeper"][0] == "站点保管员"


def test_travel_is_told_in_both_languages_with_its_rungs_and_what_went_wrong() -> None:
    def told(quality: str, note: str | None, live: int = 0, cached: int = 0, great_circle: int = 0) -> words.Words:
        cells = {"live": live, "cached": cached, "great_circle": great_circle}
        return words.travel_text({"travel_quality": quality, "travel_note": note, "travel_cells": cells})

    assert told("live", None, live=110) == ("实时路网", "by road, asked live")
    assert told("great_circle", "no_engine", great_circle=110) == ("直线距离估算", "estimated from straight lines")
    assert told("mixed", "no_answer", live=1_234, great_circle=5) == (
        "部分路网、部分估算：实时 1,234、估算 5（路网引擎未及时应答）",
        "partly by road: 1,234 live, 5 estimated (the road engine did not answer in time)",
    )
    # a plan older than the columns is told by its word alone
    old = {"travel_quality": "great_circle", "travel_cells": None, "travel_note": None}
    assert words.travel_text(old) == ("直线距离估算", "estimated from straight lines")
