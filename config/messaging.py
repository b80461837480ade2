"""Who brings messages on: providers of text messages, subscribing systems, and the bureau's mail account."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast, get_args
from urllib.parse import urlsplit

from recycling.errors import ConfigError
from recycling.gateways.http_sms import SmsProvider
from recycling.gateways.mail import MailAccount, MailSecurity
from recycling.gateways.webhook import Subscription

GATEWAYS = ("log", "none", "http")
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
LEAST_SECRET_BYTES = 32
MOST_WEIGHT = 1000
HOST = re.compile(r"[A-Za-z0-9.-]{1,253}", re.ASCII)
MAIL_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)
SECURITIES: tuple[str, ...] = get_args(MailSecurity)
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_PROVIDER = {"name", "url", "authorization", "body", "id_field", "code_field", "ok_codes", "refused_codes",
             "receipt_secret", "weight"}  # fmt: skip
_SUBSCRIPTION = {"key", "url", "secret", "kinds"}


def messaging(env: Mapping[str, str], *, production: bool) -> dict[str, Any]:
    """The settings of messages.

    Raises
    ------
    ConfigError
        When a value cannot be used; names the entry and the field, never what may be secret.
    """
    gateway = env.get("SMS_GATEWAY", "log")
    if gateway not in GATEWAYS:
        raise ConfigError(f"SMS_GATEWAY is {gateway!r}; give one of {', '.join(GATEWAYS)}")
    providers = tuple(_provider(row, production=production) for row in _rows(env, "SMS_PROVIDERS", _PROVIDER))
    webhooks = tuple(_subscription(row, production=production) for row in _rows(env, "WEBHOOKS", _SUBSCRIPTION))
    _refuse_doubles("SMS_PROVIDERS", [one.name for one in providers])
    _refuse_doubles("WEBHOOKS", [one.key for one in webhooks])
    if gateway == "http" and not providers:
        raise ConfigError("SMS_GATEWAY is 'http' and SMS_PROVIDERS names nobody; see docs/messages.md")
    return {
        "SMS_GATEWAY": gateway, "SMS_PROVIDERS": providers, "WEBHOOKS": webhooks,
        "MAIL": _mail(env, production=production),
    }  # fmt: skip


def _mail(env: Mapping[str, str], *, production: bool) -> MailAccount | None:
    """The account that the bureau's mail goes out by; none without ``MAIL_SERVER``."""
    server = env.get("MAIL_SERVER", "")
    if not server:
        return None
    host, _, port = server.rpartition(":")
    if not HOST.fullmatch(host) or not port.isdecimal() or not 1 <= int(port[:6]) <= 65_535:
        raise ConfigError(f"MAIL_SERVER is {server[:80]!r}; leave it out, or give host:port such as mail.example:465")
    security = env.get("MAIL_SECURITY", "tls")
    if security not in SECURITIES:
        raise ConfigError(f"MAIL_SECURITY is {security[:20]!r}; give one of {', '.join(SECURITIES)}")
    if security == "none" and production and host not in LOOPBACK:
        raise ConfigError(f"MAIL_SECURITY is 'none' and {host} is not this machine; give tls or starttls")
    sender = env.get("MAIL_FROM", "")
    recipients = tuple(one.strip() for one in env.get("MAIL_TO", "").split(",") if one.strip())
    for name, addresses in (("MAIL_FROM", (sender,)), ("MAIL_TO", recipients or ("",))):
        for address in addresses:
            if not MAIL_ADDRESS.fullmatch(address):
                raise ConfigError(f"{name} is {address[:80]!r}; give an address such as report@recycling.example")
    user, password = env.get("MAIL_USER", ""), env.get("MAIL_PASSWORD", "")
    if bool(user) != bool(password):
        raise ConfigError("MAIL_USER and MAIL_PASSWORD go together; give both, or neither")
    return MailAccount(
        host=host, port=int(port), security=cast("MailSecurity", security), sender=sender, recipients=recipients,
        user=user, password=password,
    )  # fmt: skip


def _rows(env: Mapping[str, str], setting: str, fields: set[str]) -> list[dict[str, Any]]:
    try:
        found = json.loads(env.get(setting) or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ConfigError(f"{setting} is no JSON list of objects; see docs/messages.md")
    for number, row in enumerate(found, start=1):
        strange = sorted(row.keys() - fields)
        if strange:
            raise ConfigError(
                f"{setting}: entry {number} has {', '.join(strange)}; it takes {', '.join(sorted(fields))}"
            )
    return found


def _provider(row: Mapping[str, Any], *, production: bool) -> SmsProvider:
    where = "SMS_PROVIDERS"
    name = _name(row, "name", where)
    body, weight = row.get("body"), row.get("weight", 1)
    filled = json.dumps(body)
    if not isinstance(body, dict) or "{phone}" not in filled or "{text}" not in filled:
        raise ConfigError(f"{where}: body of {name} needs {{phone}} and {{text}} in its strings")
    if isinstance(weight, bool) or not isinstance(weight, int) or not 1 <= weight <= MOST_WEIGHT:
        raise ConfigError(f"{where}: weight of {name} is {weight!r}; give a whole number from 1 to {MOST_WEIGHT}")
    return SmsProvider(
        name=name,
        url=_url(row, name, where, production=production),
        authorization=_text(row, "authorization", name, where, most=2000),
        body=body,
        id_field=_text(row, "id_field", name, where, least=1),
        code_field=_text(row, "code_field", name, where),
        ok_codes=_texts(row, "ok_codes", name, where),
        refused_codes=_texts(row, "refused_codes", name, where),
        receipt_secret=_secret(row, "receipt_secret", name, where) if "receipt_secret" in row else b"",
        weight=weight,
    )


def _subscription(row: Mapping[str, Any], *, production: bool) -> Subscription:
    where = "WEBHOOKS"
    key = _name(row, "key", where)
    kinds = _texts(row, "kinds", key, where)
    if not kinds:
        raise ConfigError(f"{where}: kinds of {key} is empty; name what it shall hear of")
    return Subscription(
        key=key, url=_url(row, key, where, production=production), secret=_secret(row, "secret", key, where),
        kinds=kinds,
    )  # fmt: skip


def _name(row: Mapping[str, Any], field: str, where: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ConfigError(f"{where}: {field} is {str(value)[:40]!r}; give up to 32 of a-z, 0-9 and -, a letter first")
    return value


def _url(row: Mapping[str, Any], name: str, where: str, *, production: bool) -> str:
    """An address over TLS; in the clear only on this machine, or outside production."""
    value = row.get("url")
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        clear = parts.scheme == "http" and (not production or parts.hostname in LOOPBACK)
        usable = (parts.scheme == "https" or clear) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not isinstance(value, str):
        raise ConfigError(f"{where}: url of {name} cannot be used; give an https:// address")
    return value


def _text(row: Mapping[str, Any], field: str, name: str, where: str, *, least: int = 0, most: int = 64) -> str:
    value = row.get(field, "")
    if not isinstance(value, str) or not least <= len(value) <= most or not value.isprintable():
        raise ConfigError(f"{where}: {field} of {name} cannot be used; give {least} to {most} printable characters")
    return value


def _texts(row: Mapping[str, Any], field: str, name: str, where: str) -> frozenset[str]:
    value = row.get(field, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ConfigError(f"{where}: {field} of {name} is no list of texts")
    return frozenset(value)


def _secret(row: Mapping[str, Any], field: str, name: str, where: str) -> bytes:
    value = row.get(field)
    try:
        secret = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        secret = b""
    if len(secret) < LEAST_SECRET_BYTES or len(set(secret)) < LEAST_SECRET_BYTES // 2:
        raise ConfigError(
            f"{where}: {field} of {name} is missing or too weak; give {LEAST_SECRET_BYTES} random bytes as hex, from:"
            " openssl rand -hex 32"
        )
    return secret


def _refuse_doubles(where: str, names: list[str]) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ConfigError(f"{where} names {', '.join(doubled)} twice; give each entry a name of its own")
