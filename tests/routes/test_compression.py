"""Text travels compressed, and neither its length nor a form's secret helps anybody who listens."""

from __future__ import annotations

import gzip

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from recycling.routes import compression
from recycling.routes.compression import LEAST, MOST_PADDING, masked, unmasked
from tests.callers import Callers
from tests.pages.browsers import Browsers

TAKES_GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody without a sign-in."""
    return app.test_client()


def _address(app: Flask, name: str) -> str:
    with app.test_request_context():
        return url_for("static", filename=name)


def test_a_page_and_an_answer_of_the_api_are_compressed_for_who_takes_it(client: FlaskClient) -> None:
    # given two answers longer than a packet
    for path in ("/privacy", "/item-types"):
        # when they are asked for with gzip, without, and by somebody who refuses it
        packed, plain = client.get(path, headers=TAKES_GZIP), client.get(path)
        refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0, identity"})
        # then the first is shorter and holds the same; a cache keeps them apart
        assert packed.headers["Content-Encoding"] == "gzip"
        assert len(packed.data) == packed.content_length
        assert len(packed.data) < len(plain.data) / 2
        assert gzip.decompress(packed.data) == plain.data == refused.data
        assert [answer.headers.get("Content-Encoding") for answer in (plain, refused)] == [None, None]
        assert all("Accept-Encoding" in answer.vary for answer in (packed, plain, refused))


def test_what_is_short_or_no_text_goes_as_it_is(app: Flask, client: FlaskClient) -> None:
    short = client.get("/healthz", headers=TAKES_GZIP)
    assert len(short.data) < LEAST
    picture = client.get(
        _address(app, "vendor/leaflet-1.9.4/images/marker-icon.png"), headers=TAKES_GZIP, buffered=True
    )
    assert picture.status_code == 200
    assert [answer.headers.get("Content-Encoding") for answer in (short, picture)] == [None, None]


def test_a_file_is_compressed_and_still_known_by_its_tag(app: Flask, client: FlaskClient) -> None:
    # given a style sheet
    path = _address(app, "pages.css")
    plain, packed = client.get(path, buffered=True), client.get(path, headers=TAKES_GZIP)
    # then its compressed form holds the same, is kept as long, and offers no parts of bytes
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Cache-Control"] == plain.headers["Cache-Control"]
    assert "Accept-Ranges" not in packed.headers
    # and who has it is told so; a part is cut from the file itself
    again = client.get(path, headers=TAKES_GZIP | {"If-None-Match": packed.headers["ETag"]}, buffered=True)
    assert (again.status_code, again.data) == (304, b"")
    part = client.get(path, headers=TAKES_GZIP | {"Range": "bytes=0-9"}, buffered=True)
    assert (part.status_code, part.data) == (206, plain.data[:10])


def test_the_same_page_is_of_another_length_each_time(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    # when a page that does not change is asked for thirty times
    lengths = {len(client.get("/privacy", headers=TAKES_GZIP).data) for _ in range(30)}
    # then chance decides its length: 30 draws of 101 give at least 10 different ones in all but one of 10^12 runs
    assert len(lengths) >= 10
    assert max(lengths) - min(lengths) <= MOST_PADDING + 1  # the name's end, which an empty one has not
    # and with the padding off, its length tells what is in it
    monkeypatch.setattr(compression, "MOST_PADDING", 0)
    assert len({len(client.get("/privacy", headers=TAKES_GZIP).data) for _ in range(5)}) == 1


def test_what_signs_somebody_in_is_never_compressed(client: FlaskClient, callers: Callers) -> None:
    # when the form is opened, and when tokens are given out
    form = client.get("/pages/sign-in", headers=TAKES_GZIP)
    code_id = client.post("/sign-in/codes", json={"phone": "13800138000"}).get_json()["code_id"]
    answer = {"code_id": code_id, "code": callers.sms.last_code("13800138000")}
    tokens = client.post("/sign-in/tokens", json=answer, headers=TAKES_GZIP)
    # then they go as they are, however long
    assert len(form.data) > LEAST
    assert "access_token" in tokens.get_json()
    assert [one.headers.get("Content-Encoding") for one in (form, tokens)] == [None, None]


def test_a_forms_secret_is_written_anew_each_time_and_stays_the_same_secret(callers: Callers) -> None:
    # given somebody signed in
    browser = Browsers(callers.app, callers.sms).of("resident")
    # when a page is opened twice
    first, second = browser.form_secret("/pages/bookings"), browser.form_secret("/pages/bookings")
    # then the two secrets look different, nowhere stands the bare one, and both are good
    bare = browser.cookie("csrf_access_token") or ""
    assert first != second
    assert unmasked(first) == unmasked(second) == bare
    assert bare not in browser.open("/pages/bookings").text
    assert browser.send("/pages/sign-out", csrf_token=first).status_code == 303


def test_nothing_else_than_what_was_shown_is_taken_for_a_secret() -> None:
    assert unmasked(masked("a secret, 秘密")) == "a secret, 秘密"
    assert [unmasked(bad) for bad in ("", "x", "not Base64!", "YWJj", "____", "秘密")] == [""] * 6
