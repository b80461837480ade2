"""A provider over HTTP: taken, refused for good, not taken, or nobody knows; told apart on a real connection."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import UUID

import pytest

from recycling.errors import NotTaken, SmsRefused, Unavailable
from recycling.gateways.http_sms import LARGEST_ANSWER, HttpSms, SmsProvider
from recycling.gateways.sms import Accepted, NullSms
from recycling.gateways.sms_gateways import sms_gateway
from tests.providers.scripted import Line, nobody_there, scripted_provider

PHONE, TEXT = "13812345678", "【薛城回收】“{phone}” \\ {message_id}"
ID = UUID("11111111-2222-4333-8444-555555555555")
BODY = {"to": ["86{phone}"], "content": "{text}", "uid": "{message_id}", "template": 7}


def a_provider(url: str, **overrides: Any) -> SmsProvider:
    """A provider that names what it took in ``id``."""
    fields: dict[str, Any] = {"name": "one", "url": url, "authorization": "Key s3cret", "body": BODY, "id_field": "id"}
    return SmsProvider(**(fields | overrides))


def sent_to(*lines: Line, seconds: float = 0.6, **overrides: Any) -> Accepted:
    """What comes of one text to a provider that answers so."""
    with scripted_provider(*lines) as (url, _):
        return HttpSms(a_provider(url, **overrides), seconds=seconds).send(PHONE, TEXT, message_id=ID)


def test_the_template_is_filled_and_carries_the_message_id_and_the_key() -> None:
    with scripted_provider("well") as (url, script):
        accepted = HttpSms(a_provider(f"{url}/v1/send")).send(PHONE, TEXT, message_id=ID)
    assert accepted == Accepted(provider="one", reference=f"ref-{ID}")
    (request,) = script.asked
    assert request.path == "/v1/send"
    # the text as it is: what looks like a slot in it stays, and quotes cannot end its string
    assert request.content == {"to": [f"86{PHONE}"], "content": TEXT, "uid": str(ID), "template": 7}
    assert request.headers["authorization"] == "Key s3cret"
    assert request.headers["idempotency-key"] == str(ID)
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [400, 422])
def test_a_number_refused_by_status_is_refused_for_good(status: int) -> None:
    with pytest.raises(SmsRefused) as refused:
        sent_to((status, {}, b"{}"))
    assert refused.value.retryable is False


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 403, 404, 405, 429])
def test_what_is_turned_away_at_the_door_was_not_taken(status: int) -> None:
    with pytest.raises(NotTaken, match=f"status {status}"):
        sent_to((status, {"Location": "http://127.0.0.1:1/"}, b""))


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
def test_what_broke_behind_the_door_may_have_been_taken(status: int) -> None:
    with pytest.raises(Unavailable) as failure:
        sent_to((status, {}, b"oops"))
    assert type(failure.value) is Unavailable


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("120", 120), ("999999", 3600), ("soon", None), ("-5", None), ("9" * 40, None)]
)
def test_a_provider_says_how_long_to_leave_it_alone(retry_after: str, seconds: int | None) -> None:
    for status in (429, 503):
        with pytest.raises(Unavailable) as failure:
            sent_to((status, {"Retry-After": retry_after}, b""))
        assert failure.value.facts["retry_after_s"] == seconds


def test_nobody_there_means_not_taken_and_says_no_more_than_the_host() -> None:
    url = nobody_there()
    with pytest.raises(NotTaken) as failure:
        HttpSms(a_provider(f"{url}/send?key=s3cret")).send(PHONE, TEXT, message_id=ID)
    assert url.removeprefix("http://") in failure.value.message
    assert PHONE not in failure.value.message
    assert "s3cret" not in failure.value.message


@pytest.mark.parametrize("line", ["hang", "cut", "drip", "flood", "garbage"])
def test_a_broken_answer_may_hide_a_text_that_was_taken(line: str) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable) as failure:
        sent_to(line)
    assert type(failure.value) is Unavailable
    assert PHONE not in failure.value.message
    # neither a trickle nor a flood holds the sender longer than it was given, 0.6 s, and a little for the machine
    assert time.monotonic() - began < 5


def test_a_redirect_is_not_followed() -> None:
    with scripted_provider("moved", "well") as (url, script), pytest.raises(NotTaken):
        HttpSms(a_provider(url)).send(PHONE, TEXT, message_id=ID)
    assert [request.path for request in script.asked] == ["/"]


def test_an_answer_is_read_up_to_its_cap() -> None:
    def padded(length: int) -> bytes:
        start = b'{"id": "x"}'
        return start + b" " * (length - len(start))

    assert sent_to((200, {}, padded(LARGEST_ANSWER)), seconds=5).reference == "x"
    with pytest.raises(Unavailable, match="no end of its answer"):
        sent_to((200, {}, padded(LARGEST_ANSWER + 1)), seconds=5)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"{", b'{"id": null}', b'{"id": ""}', b'{"id": true}', b'{"id": [1]}',
                b"[" * 100_000, b'{"id": "' + b"x" * 129 + b'"}', b"\xff\xfe"]
)  # fmt: skip
def test_an_answer_without_a_usable_name_is_no_acceptance(content: bytes) -> None:
    with pytest.raises(Unavailable) as failure:
        sent_to((200, {}, content), seconds=5)
    assert type(failure.value) is Unavailable


def test_a_provider_that_answers_200_to_everything_is_read_by_its_code() -> None:
    def answer(code: object) -> Accepted:
        body = json.dumps({"code": code, "id": 7}).encode()
        codes: dict[str, Any] = {
            "code_field": "code",
            "ok_codes": frozenset({"0", "OK"}),
            "refused_codes": frozenset({"22"}),
        }
        return sent_to((200, {}, body), **codes)

    assert answer(0) == answer("OK") == Accepted(provider="one", reference="7")
    with pytest.raises(SmsRefused, match="code 22"):
        answer(22)
    with pytest.raises(NotTaken, match="code 33"):
        answer(33)
    with pytest.raises(Unavailable):
        sent_to((200, {}, b'{"id": 7}'), code_field="code", ok_codes=frozenset({"0"}))


def test_no_secret_shows_in_the_provider_as_text() -> None:
    shown = repr(a_provider("https://sms.example/?key=s3cret", receipt_secret=b"s3cret"))
    assert "s3cret" not in shown


def test_the_settings_choose_the_gateway() -> None:
    with scripted_provider("well") as (url, _):
        accepted = sms_gateway("http", (a_provider(url),)).send(PHONE, TEXT, message_id=ID)
    assert accepted == Accepted(provider="one", reference=f"ref-{ID}")
    assert isinstance(sms_gateway("none"), NullSms)
