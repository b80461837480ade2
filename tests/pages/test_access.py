"""Who opens which screen: its roles do, strangers are led to the sign-in form, others are refused in words."""

from urllib.parse import parse_qs, urlsplit

import pytest

from recycling.policy.access import ROLES, Role
from tests.pages.browsers import SIGN_IN, Browser, Browsers

PAGES: dict[str, tuple[Role, ...]] = {
    "/pages/bookings": ("resident",),
    "/pages/my-data": ("resident",),
    "/pages/my-route": ("collector",),
    "/pages/plan": ("dispatcher", "admin"),
    "/pages/live": ("dispatcher", "admin"),
    "/pages/handling": ("clerk", "dispatcher", "admin"),
    "/pages/fairness": ("dispatcher", "admin"),
    "/pages/goals": ("clerk", "dispatcher", "admin"),
}


@pytest.mark.parametrize("role", ROLES)
def test_a_page_opens_for_its_roles_and_refuses_the_others_in_words(role: Role, browsers: Browsers) -> None:
    # given somebody of the role
    browser = browsers.of(role)

    # when every page is opened
    answers = {path: browser.open(path) for path in PAGES}

    # then theirs open, and the others say who they are for, as a page
    assert {path: answer.status_code for path, answer in answers.items()} == {
        path: 200 if role in roles else 403 for path, roles in PAGES.items()
    }
    refused = [answer for answer in answers.values() if answer.status_code == 403]
    assert all("无权查看" in answer.text and "请退出后换用其他账号" in answer.text for answer in refused)


@pytest.mark.parametrize("path", PAGES)
def test_without_sign_in_a_page_leads_to_the_form_and_back(path: str, browsers: Browsers, stranger: Browser) -> None:
    # when a page is opened with a day in its address
    wanted = f"{path}?day=2026-11-24&from=singlemessage"
    answer = stranger.open(wanted)

    # then the form is shown, and it knows where to go on to
    assert answer.status_code == 303
    assert answer.location.startswith(f"{SIGN_IN}?")
    assert parse_qs(urlsplit(answer.location).query) == {"next": [wanted]}
    signed_in = stranger.sign_in_staff(browsers.account("admin"), next_path=wanted)
    assert signed_in.location == wanted


@pytest.mark.parametrize("path", ["/pages/my-route?day=", "/pages/plan?day=", "/pages/goals?on="])
def test_a_day_that_is_none_is_refused_in_words_and_shown_inert(path: str, browsers: Browsers) -> None:
    # given addresses whose day is none
    browser = browsers.of("collector" if "my-route" in path else "admin")
    days = ["tomorrow", "2026-13-01", "20261124", "", "2026-11-24%0a", "%3Cscript%3Ealert(1)%3C/script%3E"]

    # when they are opened
    answers = [browser.open(path + day) for day in days]

    # then each is refused, and script in it is text
    assert [answer.status_code for answer in answers] == [422] * len(days)
    assert all("填写有误" in answer.text and "<script>alert" not in answer.text for answer in answers)


@pytest.mark.parametrize("path", ["/pages/my-route", "/pages/plan", "/pages/live"])
def test_the_ends_of_the_calendar_are_days_like_others(path: str, browsers: Browsers) -> None:
    browser = browsers.of("collector" if path == "/pages/my-route" else "admin")

    for day in ("0001-01-01", "9999-12-31"):
        answer = browser.open(f"{path}?day={day}")
        assert answer.status_code == 200
        assert day in answer.text


def test_words_that_wechat_adds_to_a_shared_address_do_no_harm(browsers: Browsers) -> None:
    browser = browsers.of("admin")

    for path in ("/pages/plan", "/pages/goals"):
        assert browser.open(f"{path}?from=singlemessage&isappinstalled=0").status_code == 200
