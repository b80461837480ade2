"""Signing in and out by form: who gets in, where it leads, what the cookies carry, which forms are refused."""

from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from recycling.app import create_app
from recycling.extensions import db
from recycling.models.people import OneTimeCode, SignIn
from recycling.policy.access import SYSTEM
from recycling.routes.pages.guard import own_path
from recycling.usecases.people.staff import close_staff
from tests.callers import Callers
from tests.conftest import NOW, test_settings
from tests.pages.browsers import SIGN_IN, Browser, Browsers

PHONE = "13800138000"
SIGN_OUT = "/pages/sign-out"


def cookies_of(answer: TestResponse) -> SimpleCookie:
    """What an answer asks the browser to keep."""
    return SimpleCookie("\n".join(answer.headers.getlist("Set-Cookie")))


def is_signed_in(browser: Browser) -> bool:
    """Whether the home page shows the way out instead of the way in."""
    return SIGN_OUT in browser.open("/").text


def test_a_resident_signs_in_by_the_code_sent_to_the_phone(stranger: Browser) -> None:
    # when the code of the text message is sent back
    answer = stranger.sign_in_resident(PHONE)

    # then the home page greets a resident
    assert (answer.status_code, answer.location) == (303, "/")
    assert "居民" in stranger.open("/").text
    assert is_signed_in(stranger)


def test_staff_sign_in_by_password_and_go_on_to_the_page_they_wanted(browsers: Browsers, stranger: Browser) -> None:
    answer = stranger.sign_in_staff(browsers.account("clerk"), next_path="/pages/goals?on=2026-11-23")

    assert (answer.status_code, answer.location) == (303, "/pages/goals?on=2026-11-23")
    assert "商促局业务员" in stranger.open("/").text


@pytest.mark.parametrize("typed", ["138 0013 8000", "+86 138-0013-8000", " 13800138000 "])
def test_a_phone_may_be_typed_as_people_write_it(typed: str, stranger: Browser) -> None:
    secret = stranger.form_secret(SIGN_IN)

    asked = stranger.send(f"{SIGN_IN}/code", csrf_token=secret, phone=typed)

    assert asked.status_code == 303
    assert stranger.sms.sent[-1][0] == PHONE


def test_a_wrong_phone_comes_back_with_its_form_and_sends_nothing(app: Flask, stranger: Browser) -> None:
    # given a number of ten digits
    secret = stranger.form_secret(SIGN_IN)

    # when a code is asked for
    answer = stranger.send(f"{SIGN_IN}/code", csrf_token=secret, phone="1380013800")

    # then the form says what it wants, keeps what was typed, and no code exists
    assert answer.status_code == 422
    assert "请输入 11 位手机号" in answer.text
    assert 'value="1380013800"' in answer.text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(OneTimeCode)) == 0
        db.session.remove()


def test_reloading_the_code_page_sends_no_second_code(stranger: Browser) -> None:
    # given a code under way
    secret = stranger.form_secret(SIGN_IN)
    asked = stranger.send(f"{SIGN_IN}/code", csrf_token=secret, phone=PHONE)

    # when its page is opened twice
    stranger.open(asked.location)
    stranger.open(asked.location)

    # then one text was sent
    assert len(stranger.sms.sent) == 1


def test_a_wrong_code_asks_again_and_the_right_one_still_works(stranger: Browser) -> None:
    # given a code under way
    secret = stranger.form_secret(SIGN_IN)
    asked = stranger.send(f"{SIGN_IN}/code", csrf_token=secret, phone=PHONE, next="/pages/bookings")
    code_id = asked.location.split("code_id=")[1].split("&")[0]
    right = stranger.sms.last_code(PHONE)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"

    # when a wrong one is given first
    fields = {"csrf_token": secret, "code_id": code_id, "next": "/pages/bookings"}
    refused = stranger.send(f"{SIGN_IN}/resident", code=wrong, **fields)
    taken = stranger.send(f"{SIGN_IN}/resident", code=f" {right} ", **fields)

    # then its form is shown again for the same code, and the right one leads on
    assert refused.status_code == 401
    assert "验证码错误" in refused.text
    assert "密码错误" not in refused.text
    assert code_id in refused.text
    assert (taken.status_code, taken.location) == (303, "/pages/bookings")


def test_opening_the_address_of_a_refused_form_leads_back_to_the_form(stranger: Browser) -> None:
    assert {stranger.open(f"{SIGN_IN}/{form}").location for form in ("code", "resident", "staff")} == {SIGN_IN}


def test_a_wrong_password_keeps_the_name_and_never_repeats_the_password(browsers: Browsers, stranger: Browser) -> None:
    login = browsers.account("clerk")

    answer = stranger.sign_in_staff(login, password="<script>wrong</script>")

    assert answer.status_code == 401
    assert f'value="{login}"' in answer.text
    assert "wrong</script>" not in answer.text
    # in words about a password: there is no code to ask for again
    assert "用户名或密码错误" in answer.text
    assert "验证码错误" not in answer.text
    assert not is_signed_in(stranger)


def test_too_many_codes_say_when_to_come_back(stranger: Browser) -> None:
    # given one code a minute and phone, and one just sent
    secret = stranger.form_secret(SIGN_IN)
    stranger.send(f"{SIGN_IN}/code", csrf_token=secret, phone=PHONE)

    # when another is asked for
    answer = stranger.send(f"{SIGN_IN}/code", csrf_token=secret, phone=PHONE)

    # then it is refused for at most that minute
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_sign_in_form_without_its_secret_is_refused(browsers: Browsers, stranger: Browser) -> None:
    # given a browser that has the form's cookie, and another that has none
    stranger.form_secret(SIGN_IN)
    bare = browsers.new()

    for form in ("code", "resident", "staff"):
        # when forms come without the secret, with a wrong one, or without the cookie
        answers = [
            stranger.send(f"{SIGN_IN}/{form}", phone=PHONE),
            stranger.send(f"{SIGN_IN}/{form}", phone=PHONE, csrf_token="x" * 32),
            bare.send(f"{SIGN_IN}/{form}", phone=PHONE, csrf_token=""),
        ]

        # then all are refused
        assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert stranger.sms.sent == []


FOREIGN = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "/\t/evil.example",
    "/ /evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "/api/docs",
    "/bookings",
    "/pages/" + "x" * 500,
    "/pages/\r\nSet-Cookie: a=b",
    "/pages/你好",
    "",
]


@pytest.mark.parametrize("foreign", FOREIGN)
def test_only_paths_of_our_own_pages_are_gone_on_to(foreign: str) -> None:
    assert own_path(foreign) == "/"
    assert own_path(None) == "/"
    assert own_path("/pages/goals?on=2026-11-23") == "/pages/goals?on=2026-11-23"


def test_a_link_to_the_form_leads_nowhere_else_after_signing_in(browsers: Browsers) -> None:
    # given a link to the sign-in page that wants to lead to another host afterwards
    browser = browsers.new()

    # when somebody signs in by it, by code and by password, and opens it again
    by_code = browser.sign_in_resident(PHONE, next_path=FOREIGN[0])
    by_password = browsers.new().sign_in_staff(browsers.account("clerk"), next_path=FOREIGN[1])
    again = [browser.client.get(SIGN_IN, query_string={"next": foreign}) for foreign in FOREIGN]

    # then all lead home
    assert {answer.location for answer in (by_code, by_password, *again)} == {"/"}


def test_signing_out_ends_the_sign_in_for_every_copy_of_its_cookie(app: Flask, browsers: Browsers) -> None:
    # given a browser, and a copy of its cookies
    browser, copy = browsers.of("clerk"), browsers.new()
    for name in ("access_token_cookie", "browser_secret"):
        copy.client.set_cookie(name, browser.cookie(name) or "")
    assert is_signed_in(copy)

    # when its owner signs out
    answer = browser.send(SIGN_OUT, csrf_token=browser.form_secret())

    # then the cookies are gone, the copy is dead, and the row says when
    assert (answer.status_code, answer.location) == (303, SIGN_IN)
    assert browser.cookie("access_token_cookie") is None
    assert browser.cookie("browser_secret") is None
    assert browser.cookie("csrf_access_token") is None
    assert not is_signed_in(copy)
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(SignIn.ended_at.is_(None))) == 0
        db.session.remove()


def test_a_form_without_the_visitors_own_csrf_token_is_refused(browsers: Browsers) -> None:
    # given two people signed in
    browser, other = browsers.of("clerk"), browsers.of("dispatcher")

    # when a form comes without the token, with an empty one, a made-up one, or the other's
    forms: list[dict[str, str]] = [
        {},
        {"csrf_token": ""},
        {"csrf_token": "0b6d6a0e-5a54-4a3c-9d32-2a1f0d1f9a10"},
        {"csrf_token": other.form_secret()},
    ]
    answers = [browser.send(SIGN_OUT, **form) for form in forms]

    # then each is refused on a page, and nothing has happened
    assert [(answer.status_code, answer.mimetype) for answer in answers] == [(403, "text/html")] * 4
    assert is_signed_in(browser)


def test_signing_out_twice_leads_to_the_sign_in_page(browsers: Browsers) -> None:
    # given a second tab that still shows the way out
    browser = browsers.of("clerk")
    secret = browser.form_secret()
    browser.send(SIGN_OUT, csrf_token=secret)

    answer = browser.send(SIGN_OUT, csrf_token=secret)

    assert (answer.status_code, answer.location) == (303, SIGN_IN)


def test_the_access_cookie_is_out_of_reach_of_scripts_and_other_sites(browsers: Browsers, stranger: Browser) -> None:
    answer = stranger.sign_in_staff(browsers.account("clerk"))

    cookie = cookies_of(answer)["access_token_cookie"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"


def test_production_sends_its_cookies_over_tls_only(engine_url: str) -> None:
    # given an app with the cookie setting of production
    app = create_app(test_settings(engine_url, JWT_COOKIE_SECURE=True))

    # when the sign-in page is opened and a code's page comes back
    with time_machine.travel(NOW):
        answer = app.test_client().get(SIGN_IN)

    # then the form's cookie is marked; the access cookie goes by the same setting of flask-jwt-extended
    assert cookies_of(answer)["sign_in_form"]["secure"]
    with app.app_context():
        db.engine.dispose()


def test_at_a_shared_desk_the_cookie_ends_with_the_browser_on_ones_own_phone_it_stays(browsers: Browsers) -> None:
    desk = browsers.new().sign_in_staff(browsers.account("dispatcher"))
    phone = browsers.new().sign_in_resident(PHONE)

    assert cookies_of(desk)["access_token_cookie"]["max-age"] == ""
    # 30 days, less the moment it took: RESIDENT_LIFE
    assert 30 * 86_400 - 60 <= int(cookies_of(phone)["access_token_cookie"]["max-age"]) <= 30 * 86_400


def test_a_desk_stays_signed_in_while_it_is_used_and_not_past_a_long_pause(browsers: Browsers) -> None:
    # given a dispatcher who signed in at 10:00 and may pause for two hours
    browser = browsers.of("dispatcher")

    # when a page is opened every 70 minutes, until 13:30
    for minutes in (70, 140, 210):
        with time_machine.travel(NOW + timedelta(minutes=minutes)):
            assert is_signed_in(browser), minutes

    # then a pause of two hours and a minute after that is one too long
    with time_machine.travel(NOW + timedelta(minutes=210 + 121)):
        assert not is_signed_in(browser)


def test_a_form_in_another_tab_outlives_the_renewal_of_the_cookie(browsers: Browsers) -> None:
    # given a form open since 10:00, and a cookie renewed at 11:30 by another tab
    browser = browsers.of("dispatcher")
    secret, first = browser.form_secret(), browser.cookie("access_token_cookie")
    with time_machine.travel(NOW + timedelta(minutes=90)):
        browser.open("/")
        assert browser.cookie("access_token_cookie") != first

        # when the form is sent, then it is taken
        assert browser.send(SIGN_OUT, csrf_token=secret).location == SIGN_IN


def test_a_phone_of_ones_own_needs_no_second_sign_in_for_thirty_days(browsers: Browsers) -> None:
    browser = browsers.of("resident")

    with time_machine.travel(NOW + timedelta(days=29)):
        assert is_signed_in(browser)
    with time_machine.travel(NOW + timedelta(days=31)):
        assert not is_signed_in(browser)


def test_a_closed_account_is_out_at_the_next_page(app: Flask, browsers: Browsers, stranger: Browser) -> None:
    login = browsers.account("clerk")
    stranger.sign_in_staff(login)

    with app.app_context():
        close_staff(login, by=SYSTEM, session=db.session(), now=NOW)
        db.session.remove()

    assert not is_signed_in(stranger)


def test_a_cookie_that_is_no_token_is_no_sign_in(stranger: Browser) -> None:
    stranger.client.set_cookie("access_token_cookie", "not.a.token")

    assert not is_signed_in(stranger)
    assert stranger.open(SIGN_IN).status_code == 200


def test_the_api_takes_the_cookie_for_reading_and_wants_its_csrf_token_for_writing(
    browsers: Browsers, callers: Callers
) -> None:
    # given a resident signed in on the pages
    browser = browsers.of("resident")

    # when the API is read, and written with and without the token that stands in the readable cookie
    read = browser.client.get("/bookings")
    bare = browser.client.delete("/me/sign-in")
    whole = browser.client.delete("/me/sign-in", headers={"X-CSRF-TOKEN": browser.cookie("csrf_access_token") or ""})

    # then only the bare write is refused
    assert (read.status_code, bare.status_code, whole.status_code) == (200, 403, 204)
