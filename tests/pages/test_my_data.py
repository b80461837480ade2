"""One's own data on screen: what is held, and erasing oneself by a typed word."""

from flask import Flask

from tests.builders import TOMORROW
from tests.pages.browsers import Browsers
from tests.pages.test_bookings import booked

PHONE = "13900139000"
PATH = "/pages/my-data"


def test_a_resident_sees_what_is_held_and_the_way_to_the_copy(app: Flask, browsers: Browsers) -> None:
    browser = browsers.new()
    browser.sign_in_resident(PHONE)
    booked(app, app.extensions["district"], count=2)
    page = browser.open(PATH).text
    assert "139****9000" in page
    assert PHONE not in page
    assert 'href="/my-data"' in page
    # the cookie that opens pages opens the copy too
    assert browser.open("/my-data").get_json()["resident"]["phone"] == PHONE
    assert f'href="{PATH}"' in browser.open("/privacy").text
    assert f'href="{PATH}"' in browser.open("/").text


def test_the_word_erases_and_signs_out(browsers: Browsers) -> None:
    browser = browsers.new()
    browser.sign_in_resident(PHONE)
    secret = browser.form_secret(PATH)
    # another word does nothing but say so
    slip = browser.send(f"{PATH}/erasure", csrf_token=secret, confirmation="好的")
    assert (slip.status_code, "请输入“删除”确认" in slip.text) == (422, True)
    assert browser.open(f"{PATH}/erasure").location == PATH
    done = browser.send(f"{PATH}/erasure", csrf_token=secret, confirmation=" 删除 ")
    assert (done.status_code, done.location) == (303, "/privacy")
    assert browser.open(done.location).status_code == 200
    assert browser.open(PATH).location.startswith("/pages/sign-in")


def test_an_outstanding_pickup_is_named_and_nothing_erased(app: Flask, browsers: Browsers) -> None:
    browser = browsers.new()
    browser.sign_in_resident(PHONE)
    booked(app, app.extensions["district"], count=1)
    answer = browser.send(f"{PATH}/erasure", csrf_token=browser.form_secret(PATH), confirmation="删除")
    assert answer.status_code == 409
    assert "尚有未完成的预约" in answer.text
    assert TOMORROW.isoformat() in answer.text
    assert browser.open(PATH).status_code == 200


def test_another_site_cannot_erase_for_its_visitor(browsers: Browsers) -> None:
    browser = browsers.new()
    browser.sign_in_resident(PHONE)
    assert browser.send(f"{PATH}/erasure", confirmation="删除").status_code == 403
    assert browser.open(PATH).status_code == 200
