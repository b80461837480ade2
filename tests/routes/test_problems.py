"""Every failure is a problem document with its request's id, and no log line shows whom it happened to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from recycling import errors
from recycling.app import create_app
from recycling.errors import DomainError
from recycling.extensions import db
from recycling.gateways.sms import LogSms
from recycling.logs import configure_logs, logger, mask_phones
from recycling.routes.problems import STATUS, status_of
from tests.builders import a_wish_body
from tests.callers import PASSWORD, Callers
from tests.conftest import NOW, test_settings

PHONE = "13812345678"
ADDRESS = "清泉路 77 号 3 单元 502"
NOTE = "门铃坏了，请喊王师傅"


def kinds_of(base: type[DomainError]) -> Iterator[type[DomainError]]:
    """All domain errors below one."""
    for kind in base.__subclasses__():
        yield kind
        yield from kinds_of(kind)


class Log:
    """Everything that was written to the log so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys, self._written = capsys, ""

    @property
    def text(self) -> str:
        """All lines."""
        self._written += self._capsys.readouterr().err
        return self._written


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Log]:
    """The log, from the finest level that a deployment uses."""
    configure_logs("INFO")
    yield Log(capsys)
    configure_logs("WARNING")


# --- the table ---


def test_every_domain_error_has_a_status_and_a_code_of_its_own() -> None:
    kinds = [kind for kind in kinds_of(DomainError) if kind.__module__ == errors.__name__]
    # a file that cannot be used stops the start: it never meets a request
    answered = [kind for kind in kinds if kind is not errors.ConfigError]
    for kind in answered:
        status = next((STATUS[base] for base in kind.__mro__ if base in STATUS), None)
        assert status in range(400, 504), kind
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert status_of(errors.WindowFull("full")) == 409


# --- what is not foreseen ---


@pytest.fixture
def broken(engine_url: str, log: Log) -> Iterator[Flask]:
    """The app with endpoints that fail."""
    app = create_app(test_settings(engine_url, LOG_LEVEL="INFO"))

    def fail() -> str:
        raise RuntimeError(f"call {PHONE} about it")

    def wrong_statement() -> str:
        db.session.execute(text("SELECT * FROM no_such_table WHERE phone = :phone"), {"phone": PHONE})
        return ""

    app.add_url_rule("/fail", view_func=fail)
    app.add_url_rule("/pages/fail", endpoint="fail_on_screen", view_func=fail)
    app.add_url_rule("/wrong-statement", view_func=wrong_statement)
    yield app
    with app.app_context():
        db.engine.dispose()


def test_a_bug_is_logged_whole_and_told_without_detail(broken: Flask, log: Log) -> None:
    answer = broken.test_client().get("/fail")
    said = answer.get_json()
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert (said["code"], said["retryable"]) == ("internal_error", False)
    assert "RuntimeError" not in answer.text
    # the log has the traceback under the same id, the phone in the message masked
    line = next(json.loads(line) for line in log.text.splitlines() if "request.failed" in line)
    assert (line["event"], line["request_id"], line["path"]) == ("request.failed", said["request_id"], "/fail")
    assert "RuntimeError: call 138****5678 about it" in line["exception"]


def test_a_wrong_statement_is_our_fault_and_its_values_are_not_logged(broken: Flask, log: Log) -> None:
    answer = broken.test_client().get("/wrong-statement")
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal_error")
    assert "no_such_table" in log.text
    assert PHONE not in log.text
    assert "138****5678" not in log.text


def test_on_a_screen_a_failure_is_a_page(broken: Flask) -> None:
    answer = broken.test_client().get("/pages/fail")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert answer.headers["X-Request-Id"] in answer.text


# --- the database away ---


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://postgres@127.0.0.1:1/nothing", "sqlite:////nowhere/at/all.db"],
    ids=["server away", "file away"],
)
def test_without_a_database_the_process_lives_says_so_and_asks_to_come_back(url: str) -> None:
    with time_machine.travel(NOW, tick=True):
        client = create_app(test_settings(url, LOG_LEVEL="ERROR")).test_client()
        assert client.get("/healthz").get_json() == {"status": "ok"}
        # public facts come from the configuration
        assert client.get("/stations").status_code == 200
        for answer in (
            client.get("/readyz"),
            client.post("/sign-in/codes", json={"phone": PHONE}),
            client.post("/sign-in/staff", json={"login": "abc", "password": PASSWORD}),
        ):
            said = answer.get_json()
            assert (answer.status_code, said["code"], said["retryable"]) == (503, "unavailable", True)
            assert int(answer.headers["Retry-After"]) > 0
            assert "127.0.0.1" not in answer.text


# --- too many requests ---


def test_a_flood_from_one_address_is_answered_with_an_id_and_when_to_come_back(engine_url: str) -> None:
    limits = {"RATELIMIT_ENABLED": True, "RATELIMIT_DEFAULT": "3 per minute"}
    client = create_app(test_settings(engine_url, **limits)).test_client()
    answers = [client.get("/stations", headers={"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(5)]
    # without TRUSTED_PROXIES a made-up forwarding header is no other address
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    said = answers[-1].get_json()
    assert (said["code"], said["retryable"], answers[-1].headers["Retry-After"]) == ("too_many_requests", True, "60")
    assert said["request_id"] == answers[-1].headers["X-Request-Id"] != ""
    assert "3 per 1 minute" in said["detail"]


def test_behind_a_trusted_proxy_the_callers_own_address_counts(engine_url: str) -> None:
    limits = {"RATELIMIT_ENABLED": True, "RATELIMIT_DEFAULT": "1 per minute", "TRUSTED_PROXIES": 1}
    client = create_app(test_settings(engine_url, **limits)).test_client()

    def status(forwarded: str) -> int:
        return client.get("/stations", headers={"X-Forwarded-For": forwarded}).status_code

    assert [status("192.0.2.1"), status("192.0.2.2"), status("192.0.2.1")] == [200, 200, 429]
    # what the caller wrote before the proxy's own entry changes nothing
    assert status("203.0.113.9, 192.0.2.2") == 429


# --- ids and headers ---


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ("0123abcd-0123", True),
        ("short", False),
        ("x" * 65, False),
        ("with space and more", False),
        ("<script>alert(1)</script>", False),
        ("编号编号编号编号".encode().decode("latin-1"), False),
    ],
)
def test_a_request_keeps_its_id_only_in_a_harmless_form(app: Flask, offered: str, kept: bool) -> None:  # noqa: FBT001 - a parameter of the table above
    answer = app.test_client().get("/nowhere", headers={"X-Request-Id": offered})
    assert (answer.headers["X-Request-Id"] == offered) is kept
    assert answer.get_json()["request_id"] == answer.headers["X-Request-Id"]


def test_every_answer_is_for_its_caller_alone_and_framed_by_nobody(app: Flask) -> None:
    client = app.test_client()
    for path in ("/healthz", "/me", "/nowhere", "/"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        # no TLS here: a browser would remember the rule against a demo on plain HTTP
        assert "Strict-Transport-Security" not in headers
        assert "Server" not in headers or "Python" not in headers["Server"]


# --- logs ---


def test_no_log_line_shows_a_phone_an_address_a_password_or_a_token(callers: Callers, log: Log, app: Flask) -> None:
    # given a resident who signs in while texts go to the log, books, changes, fails and cancels; and staff who sign in
    app.extensions["sms"] = LogSms()
    client = app.test_client()
    client.post("/sign-in/codes", json={"phone": PHONE})
    client.post("/sign-in/codes", json={"phone": PHONE})
    client.post("/sign-in/codes", json={"phone": f"{PHONE}9"})
    app.extensions["sms"] = callers.sms
    resident = callers.resident("13787654321")
    booking = resident.post("/bookings", a_wish_body(address=ADDRESS, note=NOTE)).get_json()
    resident.post("/bookings", a_wish_body(address=ADDRESS, note=f"{NOTE}\x00"))
    resident.post("/bookings", a_wish_body(address=ADDRESS, lat=0))
    resident.patch(f"/bookings/{booking['id']}", {"note": f"电话 {PHONE}"}, version=1)
    resident.patch(f"/bookings/{booking['id']}", {"note": f"电话 {PHONE}"}, version=1)
    resident.post(f"/bookings/{booking['id']}/cancellation", If_Match='"2"')
    resident.get(f"/nowhere/{PHONE}?phone={PHONE}")
    client.post("/sign-in/staff", json={"login": PHONE, "password": "a wrong password"})
    dispatcher = callers.staff("dispatcher")
    dispatcher.get("/bookings")
    # then the log tells of it all
    written = log.text
    events = {json.loads(line)["event"] for line in written.splitlines()}
    assert {"sms.logged", "sign_in.opened", "booking.created", "booking.amended", "booking.cancelled"} <= events
    # by identifiers alone
    secrets = (
        PHONE, "13787654321", ADDRESS, ADDRESS[:8], NOTE, "a wrong password", PASSWORD, "117.26",
        resident.tokens["access_token"], resident.tokens["refresh_token"], dispatcher.tokens["access_token"],
    )  # fmt: skip
    assert [secret for secret in secrets if secret in written] == []
    assert "138****5678" in written


def test_the_mask_finds_numbers_however_deep_and_leaves_ids_whole(log: Log) -> None:
    logger("test").info(
        "deep", one=[{"two": f"+86{PHONE}"}], plain=int(PHONE), id="0000-a13812345678", longer="138123456789"
    )
    line = json.loads(log.text.replace('"plain": 138****5678', '"plain": "138****5678"'))
    assert line["one"] == [{"two": "+86138****5678"}]
    assert line["plain"] == "138****5678"
    # part of a hexadecimal id, and a number of twelve digits
    assert (line["id"], line["longer"]) == ("0000-a13812345678", "138123456789")
    assert mask_phones("打 13812345678、13900000001。") == "打 138****5678、139****0001。"


def test_lists_show_no_address_in_full(callers: Callers, tmp_path: Path) -> None:
    resident = callers.resident()
    resident.post("/bookings", a_wish_body(address=ADDRESS, note=NOTE))
    for reader in (resident, callers.staff("dispatcher"), callers.staff("admin")):
        listed = reader.get("/bookings").get_json()["bookings"]
        assert [row["address_masked"] for row in listed] == [ADDRESS[:4] + "…"]
        assert ADDRESS not in str(listed)
        assert NOTE not in str(listed)
        assert "117.26" not in str(listed)
