"""A sign-in on a page belongs to its browser: the access cookie is worth nothing without the browser's own secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.app import create_app
from recycling.extensions import db
from recycling.models.people import SignIn
from recycling.usecases.people import devices
from tests.callers import Callers
from tests.conftest import NOW, test_settings
from tests.pages.browsers import Browser, Browsers

ACCESS, SECRET = "access_token_cookie", "browser_secret"
ROLES_TRIED = ("resident", "collector", "dispatcher")
FROM_ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}


def is_signed_in(browser: Browser) -> bool:
    return "/pages/sign-out" in browser.open("/").text


def copy_of(browsers: Browsers, browser: Browser, *names: str) -> Browser:
    """Another browser, with some of the cookies of one."""
    copy = browsers.new()
    for name in names:
        copy.client.set_cookie(name, browser.cookie(name) or "")
    return copy


@pytest.mark.parametrize("role", ROLES_TRIED)
def test_a_stolen_access_cookie_is_signed_out_without_the_browsers_secret(
    browsers: Browsers, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given somebody signed in, and a thief with their access cookie
    owner = browsers.of(role)  # type: ignore[arg-type]  # a role by its name
    thief = copy_of(browsers, owner, ACCESS)
    token = owner.cookie(ACCESS) or ""

    # then the thief is nobody: on a page, in the API, with the secret of a browser of their own, or as Bearer
    assert is_signed_in(owner)
    assert not is_signed_in(thief)
    assert thief.client.get("/me").status_code == 401
    thief.client.set_cookie(SECRET, browsers.of("resident").cookie(SECRET) or "")
    assert not is_signed_in(thief)
    answer = browsers.new().client.get("/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "not_signed_in")

    # and with the comparison of digests taken out they are in: nothing else keeps them out
    monkeypatch.setattr(devices, "compare_digest", lambda _one, _other: True)
    assert is_signed_in(thief)


def test_both_cookies_together_are_the_sign_in(browsers: Browsers) -> None:
    owner = browsers.of("resident")
    assert is_signed_in(copy_of(browsers, owner, ACCESS, SECRET))
    assert not is_signed_in(copy_of(browsers, owner, SECRET))


def test_the_secret_is_out_of_reach_of_scripts_and_never_sent_for_another_site(
    browsers: Browsers, session: Session
) -> None:
    # when a clerk signs in
    browser = browsers.new()
    answer = browser.sign_in_staff(browsers.account("clerk"))

    # then the secret is Strict and HttpOnly, goes with the browser at a desk, and only its digest is kept
    cookie = SimpleCookie("\n".join(answer.headers.getlist("Set-Cookie")))[SECRET]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (True, "Strict", "/", "")
    row = session.scalars(select(SignIn)).one()
    assert row.browser_digest is not None
    assert cookie.value.encode() not in row.browser_digest
    # and a phone of one's own keeps it as long as the sign-in
    phone = browsers.new().sign_in_resident("13800138000")
    kept = SimpleCookie("\n".join(phone.headers.getlist("Set-Cookie")))
    assert kept[SECRET]["max-age"] == kept[ACCESS]["max-age"]


def test_production_sends_the_secret_over_tls_only(engine_url: str) -> None:
    # given an app with the cookie setting of production
    app = create_app(test_settings(engine_url, JWT_COOKIE_SECURE=True))
    with time_machine.travel(NOW):
        callers = Callers(app)
        browsers = Browsers(app, callers.sms)
        browser = browsers.new()
        browser.client.get("/pages/sign-in", base_url="https://localhost")

        # when a clerk signs in there
        secret = browser.client.get_cookie("sign_in_form", path="/pages/sign-in")
        answer = browser.client.post(
            "/pages/sign-in/staff", base_url="https://localhost",
            data={"csrf_token": secret.value if secret else "", "login": browsers.account("clerk"),
                  "password": "correct horse battery"},
        )  # fmt: skip

    # then both cookies are marked
    cookies = SimpleCookie("\n".join(answer.headers.getlist("Set-Cookie")))
    assert (cookies[SECRET]["secure"], cookies[ACCESS]["secure"]) == (True, True)
    with app.app_context():
        db.engine.dispose()


def test_a_collector_on_a_page_is_signed_out_after_the_shift_and_counts_as_a_device(
    app: Flask, browsers: Browsers, callers: Callers
) -> None:
    # given a collector signed in on a page on Monday at 10:00
    browser = browsers.of("collector")
    (device,) = callers.staff("dispatcher").get("/devices").get_json()["devices"]
    assert device["kind"] == "browser"

    # then they are until four hours after the shift's end at 18:00, which is 14:00 UTC, and the cookie no longer
    ends_at = datetime(2026, 11, 23, 14, tzinfo=UTC)
    with time_machine.travel(ends_at - timedelta(minutes=1)):
        assert is_signed_in(browser)
    with time_machine.travel(ends_at + timedelta(seconds=1)):
        assert not is_signed_in(browser)


def test_the_desk_ends_a_collectors_browser(browsers: Browsers, callers: Callers) -> None:
    browser, desk = browsers.of("collector"), callers.staff("dispatcher")
    (device,) = desk.get("/devices").get_json()["devices"]
    assert desk.call("DELETE", f"/devices/{device['id']}").status_code == 204
    assert browser.open("/pages/my-route").location.startswith("/pages/sign-in")


def test_a_link_from_another_site_is_opened_once_more_from_here(browsers: Browsers) -> None:
    # given somebody signed in who follows a link from elsewhere: the browser keeps the Strict cookie back
    without = copy_of(browsers, browsers.of("resident"), ACCESS)

    # then the page has itself opened again instead of showing the sign-in form
    for path in ("/", "/pages/bookings", "/pages/sign-in"):
        answer = without.client.get(path, headers=FROM_ELSEWHERE)
        assert (answer.status_code, 'http-equiv="refresh" content="0"' in answer.text) == (200, True)
    # and from here, without the secret, it is the form; nor is anybody led round in circles
    assert without.client.get("/pages/bookings", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
    assert browsers.new().client.get("/pages/bookings", headers=FROM_ELSEWHERE).status_code == 303
