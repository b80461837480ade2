"""The environment, read once into the mapping that `recycling.app.create_app` takes.

Development makes its own secrets on first start and keeps them under ``instance/``. Production makes none: a missing or
weak one stops the start.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from limits import parse_many

from config.messaging import messaging
from recycling.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
SECRETS = ("JWT_SECRET_KEY", "INDEX_KEY", "DATA_KEY")
SECRET_BYTES = 32
LEAST_VARIETY = 20
ENVIRONMENTS = ("development", "test", "production")
# Where each geocoder is asked; another address is for tests and for a proxy of the operator's.
GEOCODERS = {"none": "", "tianditu": "https://api.tianditu.gov.cn", "amap": "https://restapi.amap.com"}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
# What the engines are called by default, and their own defaults of what one request may ask: points, or pairs of them.
ROAD_ENGINES = {"none": ("", 0), "osrm": ("driving", 100), "valhalla": ("auto", 2500)}


def from_environment(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Settings by name.

    Raises
    ------
    ConfigError
        When a value cannot be used; names the variable, the value (never a secret's) and what to give.
    """
    env = dict(os.environ if environ is None else environ)
    environment = _one_of(env, "ENVIRONMENT", ENVIRONMENTS, "development")
    instance = Path(env.get("INSTANCE_DIR", ROOT / "instance"))
    if environment == "development":
        env = _development_secrets(instance) | env
    keys = {name: _secret(env, name) for name in SECRETS}
    if len(set(keys.values())) < len(SECRETS):
        raise ConfigError(f"two of {', '.join(SECRETS)} are the same; give each its own: openssl rand -hex 32")
    url = env.get("DATABASE_URL", f"sqlite:///{instance / 'recycling.db'}")
    data_key_id = _number(env, "DATA_KEY_ID", 1, 0, 255)
    return {
        "ENVIRONMENT": environment,
        "JWT_SECRET_KEY": keys["JWT_SECRET_KEY"].hex(),
        "INDEX_KEY": keys["INDEX_KEY"],
        "DATA_KEYS": _retired_keys(env, data_key_id) | {data_key_id: keys["DATA_KEY"]},
        "DATA_KEY_ID": data_key_id,
        "SQLALCHEMY_DATABASE_URI": _database_url(url),
        "INSTANCE_DIR": instance,
        "CONFIG_DIR": Path(env.get("CONFIG_DIR", ROOT / "config")),
        # Where the anchors of the audit log are kept a second time: best on another disk, or another machine's.
        "AUDIT_ANCHOR_DIR": Path(env.get("AUDIT_ANCHOR_DIR", instance / "anchors")),
        "DEADMAN_URL": _deadman_url(env),
        "LOG_LEVEL": _one_of(env, "LOG_LEVEL", LOG_LEVELS, "INFO"),
        **messaging(env, production=environment == "production"),
        "RATELIMIT_DEFAULT": _rate(env, "RATELIMIT_DEFAULT", "1200 per minute"),
        "RATELIMIT_STORAGE_URI": env.get("RATELIMIT_STORAGE_URI", "process://"),
        "TRUSTED_PROXIES": _number(env, "TRUSTED_PROXIES", 0, 0, 5),
        "PLAN_SECONDS": _number(env, "PLAN_SECONDS", 30, 1, 3600),
        "IMPROVE_SECONDS": _number(env, "IMPROVE_SECONDS", 10, 1, 600),
        "PLAN_WORKERS": _number(env, "PLAN_WORKERS", 2, 1, 64),
        "PLAN_SEED": _number(env, "PLAN_SEED", 1, 0, 2**31 - 1),
        "PUBLIC_URL": _public_url(env, production=environment == "production"),
        "TILES_KEY": _tiles_key(env),
        **_geocoder(env),
        **_travel(env),
        "JWT_ACCESS_TOKEN_EXPIRES": timedelta(minutes=15),
        "JWT_COOKIE_SECURE": environment == "production",
    }


def _tiles_key(env: Mapping[str, str]) -> str:
    """The browser's key for Tianditu's map tiles; without one, maps are drawn on plain ground."""
    key = env.get("TILES_KEY", "")
    if key and not (key.isascii() and key.isalnum() and len(key) <= 64):
        raise ConfigError(
            f"TILES_KEY has {len(key)} characters, not all letters or digits; give Tianditu's browser key"
        )
    return key


def _one_of(env: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = env.get(name, default)
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}; give one of {', '.join(allowed)}")
    return value


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal() or len(text) > 10 or not low <= int(text) <= high:
        raise ConfigError(f"{name} is {text[:40]!r}; give a whole number from {low} to {high}")
    return int(text)


def _geocoder(env: Mapping[str, str]) -> dict[str, Any]:
    """Who knows addresses, and the key to ask with; nobody by default."""
    kind = _one_of(env, "GEOCODER", tuple(GEOCODERS), "none")
    url, key = env.get("GEOCODER_URL", GEOCODERS[kind]), env.get("GEOCODER_KEY", "")
    if kind != "none" and not _is_server(url):
        raise ConfigError(f"GEOCODER_URL is {url[:80]!r}; leave it out, or give an address such as {GEOCODERS[kind]}")
    if kind != "none" and not re.fullmatch("[A-Za-z0-9]{16,64}", key):
        state = "missing" if not key else "no key"
        raise ConfigError(f"GEOCODER_KEY is {state}; give the one that {kind} issued to you")
    return {
        "GEOCODER": kind,
        "GEOCODER_URL": url,
        "GEOCODER_KEY": key,
        "GEOCODER_TIMEOUT_SECONDS": _number(env, "GEOCODER_TIMEOUT_SECONDS", 3, 1, 30),
    }


def _public_url(env: Mapping[str, str], *, production: bool) -> str:
    """Where residents reach us, for the links in messages; empty when nobody has said so: then there are none."""
    url = env.get("PUBLIC_URL", "").rstrip("/")
    if url and (not _is_server(url) or urlsplit(url).path or (production and not url.startswith("https://"))):
        wanted = "https://recycling.example" if production else "http://127.0.0.1:5000"
        raise ConfigError(f"PUBLIC_URL is {url[:80]!r}; leave it out, or give an address such as {wanted}")
    return url


def _deadman_url(env: Mapping[str, str]) -> str:
    """Who raises the alarm when our schedulers are silent; nobody by default."""
    url = env.get("DEADMAN_URL", "")
    if url and not _is_server(url):
        raise ConfigError(
            "DEADMAN_URL cannot be used; leave it out, or give the address of a check, such as https://hc.example/ping/…"
        )
    return url


def _travel(env: Mapping[str, str]) -> dict[str, Any]:
    """Who knows the roads, where, and how long we wait for it."""
    engine = _one_of(env, "TRAVEL_ENGINE", tuple(ROAD_ENGINES), "none")
    profile, limit = ROAD_ENGINES[engine]
    url = env.get("TRAVEL_URL", "")
    if engine != "none" and not _is_server(url):
        raise ConfigError(
            f"TRAVEL_URL is {url[:80]!r} and TRAVEL_ENGINE {engine!r}; give the engine's address, such as"
            " http://127.0.0.1:5000"
        )
    profile = env.get("TRAVEL_PROFILE", profile)
    if engine != "none" and not re.fullmatch("[A-Za-z0-9_-]{1,40}", profile):
        raise ConfigError(f"TRAVEL_PROFILE is {profile[:40]!r}; give the engine's word for it, such as driving or auto")
    return {
        "TRAVEL_ENGINE": engine,
        "TRAVEL_URL": url,
        "TRAVEL_PROFILE": profile,
        "TRAVEL_TABLE_LIMIT": _number(env, "TRAVEL_TABLE_LIMIT", limit or 1, 1, 4_000_000),
        "TRAVEL_TIMEOUT_SECONDS": _number(env, "TRAVEL_TIMEOUT_SECONDS", 10, 1, 300),
        "TRAVEL_SECONDS": _number(env, "TRAVEL_SECONDS", 60, 1, 3600),
        "TRAVEL_SNAP_M": _number(env, "TRAVEL_SNAP_M", 1000, 1, 100_000),
        "TRAVEL_CACHE_DAYS": _number(env, "TRAVEL_CACHE_DAYS", 14, 0, 60),
    }


def _is_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.query
    except ValueError:
        return False


def _rate(env: Mapping[str, str], name: str, default: str) -> str:
    value = env.get(name, default)
    try:
        parse_many(value)
    except ValueError:
        raise ConfigError(f"{name} is {value[:40]!r}; give a rate such as: 1200 per minute") from None
    return value


def _database_url(url: str) -> str:
    if url.startswith("sqlite:///") or url.startswith("postgresql+psycopg://"):
        return url
    if url.startswith("postgresql://"):
        return url.replace("postgresql://", "postgresql+psycopg://", 1)
    raise ConfigError(f"DATABASE_URL begins with {url.split(':')[0]!r}; give sqlite:///FILE or postgresql+psycopg://…")


def _secret(env: Mapping[str, str], name: str) -> bytes:
    text = env.get(name, "")
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    # A repeated or counted-up pattern is a placeholder somebody forgot to replace. Of 32 random bytes, and of the steps
    # from each to the next, about 30 differ; fewer than 20 do by chance less than once in 10^8 keys.
    steps = {(after - before) % 256 for before, after in pairwise(value)}
    if len(value) != SECRET_BYTES or min(len(set(value)), len(steps)) < LEAST_VARIETY:
        state = "missing" if not text else "too weak"
        raise ConfigError(
            f"{name} is {state}; give {SECRET_BYTES} random bytes as hex, e.g. from: openssl rand -hex 32"
        )
    return value


def _retired_keys(env: Mapping[str, str], current_id: int) -> dict[int, bytes]:
    """Older data keys, ``RETIRED_DATA_KEYS="1:hex,2:hex"``: still read, no longer written."""
    found = {}
    for part in filter(None, env.get("RETIRED_DATA_KEYS", "").split(",")):
        key_id, _, text = part.partition(":")
        if not key_id.isdecimal() or len(key_id) > 3 or int(key_id) > 255:
            raise ConfigError(
                "RETIRED_DATA_KEYS has a part without an id of 0 to 255 before its colon; give id:hex,id:hex"
            )
        if int(key_id) == current_id or int(key_id) in found:
            raise ConfigError(f"RETIRED_DATA_KEYS names key {key_id}, which there is already; give each key its own id")
        found[int(key_id)] = _secret({"RETIRED_DATA_KEYS": text}, "RETIRED_DATA_KEYS")
    return found


def _development_secrets(instance: Path) -> dict[str, str]:
    """Read, or make once, this checkout's own secrets."""
    path = instance / "secrets.env"
    if not path.exists():
        instance.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{name}={secrets.token_hex(SECRET_BYTES)}\n" for name in SECRETS)
        # Written aside and put in its place whole: of several processes that start at once, all use the first one's.
        aside = instance / f"secrets.{secrets.token_hex(8)}"
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return {name: value for name, value in pairs if name in SECRETS}
