"""Providers and subscribers in the environment: read whole, refused with the field's name, secrets never printed."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import pytest

from config.settings import SECRETS, from_environment
from recycling.errors import ConfigError

SECRET = hashlib.sha256(b"a subscriber of a test").hexdigest()  # the same in each process, since it names cases
PRODUCTION = {name: secrets.token_hex(32) for name in SECRETS} | {"ENVIRONMENT": "production"}


def a_provider(**overrides: Any) -> dict[str, Any]:
    """A provider as it is written down."""
    return {
        "name": "one", "url": "https://sms.example/send?key=hidden-in-url", "authorization": "Bearer hidden-key",
        "body": {"to": "{phone}", "text": "{text}"}, "id_field": "id", "receipt_secret": SECRET,
    } | overrides  # fmt: skip


def a_subscription(**overrides: Any) -> dict[str, Any]:
    """A subscription as it is written down."""
    return {
        "key": "bureau", "url": "https://bureau.example/", "secret": SECRET, "kinds": ["visit.failed"],
    } | overrides  # fmt: skip


def settings(**environ: Any) -> dict[str, Any]:
    """Production's settings with these; what is no text is written as JSON."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in environ.items()}
    return from_environment(PRODUCTION | texts)


def test_without_anything_texts_go_to_the_log_and_nobody_subscribes() -> None:
    found = settings()
    assert (found["SMS_GATEWAY"], found["SMS_PROVIDERS"], found["WEBHOOKS"]) == ("log", (), ())


def test_two_providers_and_a_subscriber_are_read() -> None:
    second = a_provider(name="two", weight=3, code_field="c", ok_codes=["0"], refused_codes=["22"])
    del second["receipt_secret"]
    found = settings(SMS_GATEWAY="http", SMS_PROVIDERS=[a_provider(), second], WEBHOOKS=[a_subscription()])
    one, two = found["SMS_PROVIDERS"]
    assert (one.name, one.weight, one.receipt_secret) == ("one", 1, bytes.fromhex(SECRET))
    assert (two.weight, two.ok_codes, two.refused_codes, two.receipt_secret) == (3, {"0"}, {"22"}, b"")
    (subscription,) = found["WEBHOOKS"]
    assert (subscription.key, subscription.kinds) == ("bureau", {"visit.failed"})


WRONG_PROVIDERS: list[dict[str, Any]] = [
    {"name": "One"}, {"name": ""}, {"name": None}, {"name": "x" * 33}, {"url": "http://sms.example"}, {"url": "ftp://x"},
    {"url": ""}, {"url": 7}, {"url": "https://"}, {"url": "https://x:0"}, {"url": "https://[x"}, {"body": {}},
    {"body": {"to": "{phone}"}}, {"body": "{phone}{text}"}, {"body": None}, {"id_field": ""}, {"id_field": None},
    {"weight": 0}, {"weight": 1001}, {"weight": "2"}, {"weight": True}, {"receipt_secret": ""},
    {"receipt_secret": "5a" * 32}, {"receipt_secret": SECRET[:-2]}, {"receipt_secret": "no hex"}, {"receipt_secret": 7},
    {"ok_codes": "0"}, {"ok_codes": [0]}, {"authorization": "a\r\nX: b"}, {"authorization": 1}, {"extra": "x"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_PROVIDERS, ids=str)
def test_a_provider_that_cannot_be_used_stops_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"SMS_PROVIDERS.*{next(iter(wrong))}") as refused:
        settings(SMS_PROVIDERS=[a_provider(**wrong)])
    for hidden in ("hidden-key", "hidden-in-url", SECRET[:16], "5a5a5a"):
        assert hidden not in str(refused.value)


WRONG_SUBSCRIPTIONS: list[dict[str, Any]] = [
    {"key": "x y"}, {"url": "http://bureau.example"}, {"secret": "00" * 32}, {"secret": None}, {"kinds": []},
    {"kinds": "visit.failed"}, {"extra": 1},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_SUBSCRIPTIONS, ids=str)
def test_a_subscription_that_cannot_be_used_stops_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"WEBHOOKS.*{next(iter(wrong))}"):
        settings(WEBHOOKS=[a_subscription(**wrong)])


@pytest.mark.parametrize("text", ["{", "{}", "7", '["one"]', "null"])
def test_another_form_than_a_list_of_objects_stops_the_start(text: str) -> None:
    for name in ("SMS_PROVIDERS", "WEBHOOKS"):
        with pytest.raises(ConfigError, match=f"{name} is no JSON list of objects"):
            settings(**{name: text})


def test_a_name_stands_for_one_entry_and_the_http_gateway_needs_one() -> None:
    with pytest.raises(ConfigError, match="SMS_PROVIDERS names one twice"):
        settings(SMS_PROVIDERS=[a_provider(), a_provider()])
    with pytest.raises(ConfigError, match="WEBHOOKS names bureau twice"):
        settings(WEBHOOKS=[a_subscription(), a_subscription()])
    with pytest.raises(ConfigError, match="SMS_GATEWAY is 'http' and SMS_PROVIDERS names nobody"):
        settings(SMS_GATEWAY="http")
    with pytest.raises(ConfigError, match="SMS_GATEWAY is 'pigeon'; give one of log, none, http"):
        settings(SMS_GATEWAY="pigeon")


def test_in_the_clear_goes_only_what_stays_on_this_machine() -> None:
    for host in ("127.0.0.1:8080", "localhost", "[::1]:8080"):
        assert settings(SMS_PROVIDERS=[a_provider(url=f"http://{host}/send")])["SMS_PROVIDERS"]
    elsewhere = json.dumps([a_provider(url="http://sms.example/send")])
    assert from_environment(PRODUCTION | {"ENVIRONMENT": "test", "SMS_PROVIDERS": elsewhere})["SMS_PROVIDERS"]
