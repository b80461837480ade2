"""The environment as settings: a value that cannot be used stops the start and is named, a secret never is."""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.settings import ROOT, SECRETS, from_environment
from recycling.app import create_app
from recycling.errors import ConfigError
from recycling.gateways.road_engines import road_engine
from recycling.gateways.travel_matrix import NullEngine

GOOD = {name: secrets.token_hex(32) for name in SECRETS}
PRODUCTION = GOOD | {"ENVIRONMENT": "production", "DATABASE_URL": "postgresql://db.example/recycling"}
WEAK = {
    "too short": secrets.token_hex(31),
    "too long": secrets.token_hex(33),
    "no hex": "correct horse battery staple" * 3,
    "one byte repeated": "5a" * 32,
    "counted up": bytes(range(32)).hex(),
    "counted down": bytes(range(64, 32, -1)).hex(),
    "a word of hex": "deadbeef" * 8,
    "all digits of hex": "0123456789abcdef" * 4,
}


# --- secrets ---


@pytest.mark.parametrize("name", SECRETS)
def test_production_does_not_start_without_each_secret(name: str) -> None:
    without = {key: value for key, value in PRODUCTION.items() if key != name}
    for environ in (without, PRODUCTION | {name: ""}):
        with pytest.raises(ConfigError, match=f"^{name} is missing; give 32 random bytes"):
            from_environment(environ)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("weak", WEAK.values(), ids=WEAK)
def test_production_does_not_start_with_a_weak_secret_and_does_not_print_it(name: str, weak: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is too weak") as refused:
        from_environment(PRODUCTION | {name: weak})
    assert weak not in str(refused.value)
    assert weak[:16] not in str(refused.value)


def test_one_value_for_two_secrets_is_refused() -> None:
    with pytest.raises(ConfigError, match="are the same; give each its own") as refused:
        from_environment(PRODUCTION | {"INDEX_KEY": GOOD["DATA_KEY"]})
    assert GOOD["DATA_KEY"] not in str(refused.value)


def test_good_secrets_start_and_a_thousand_random_ones_are_good() -> None:
    assert from_environment(PRODUCTION)["JWT_COOKIE_SECURE"] is True
    for _ in range(1000):
        from_environment(PRODUCTION | {"JWT_SECRET_KEY": secrets.token_hex(32)})


def test_production_makes_no_secrets_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="JWT_SECRET_KEY is missing"):
        from_environment({"ENVIRONMENT": "production", "INSTANCE_DIR": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def test_development_makes_its_secrets_once_readable_by_the_owner_alone(tmp_path: Path) -> None:
    # given a checkout without secrets
    environ = {"INSTANCE_DIR": str(tmp_path / "instance")}
    # when several processes start at once, as web server and scheduler do
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: from_environment(environ), range(8)))
    # then all use the same ones, which are kept for the next start
    assert len({one["JWT_SECRET_KEY"] for one in found}) == 1
    assert from_environment(environ)["DATA_KEYS"] == found[0]["DATA_KEYS"]
    # in one file for the owner's eyes only, and nothing else lies about
    files = list((tmp_path / "instance").iterdir())
    assert [file.name for file in files] == ["secrets.env"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    # and the three differ from each other
    assert len({line.split("=")[1] for line in files[0].read_text().splitlines()}) == 3


def test_a_secret_in_the_environment_wins_over_the_kept_one(tmp_path: Path) -> None:
    found = from_environment({"INSTANCE_DIR": str(tmp_path), "JWT_SECRET_KEY": GOOD["JWT_SECRET_KEY"]})
    assert found["JWT_SECRET_KEY"] == bytes.fromhex(GOOD["JWT_SECRET_KEY"]).hex()


# --- data keys ---


def test_retired_keys_are_read_beside_the_current_one() -> None:
    old = secrets.token_hex(32)
    found = from_environment(PRODUCTION | {"DATA_KEY_ID": "2", "RETIRED_DATA_KEYS": f"1:{old}"})
    assert found["DATA_KEYS"] == {1: bytes.fromhex(old), 2: bytes.fromhex(GOOD["DATA_KEY"])}
    assert found["DATA_KEY_ID"] == 2


@pytest.mark.parametrize(
    ("retired", "named"),
    [
        ("nonsense", "without an id of 0 to 255"),
        ("x:{key}", "without an id of 0 to 255"),
        ("256:{key}", "without an id of 0 to 255"),
        ("9999999999999:{key}", "without an id of 0 to 255"),
        # written under the current key's id it would take its place: everything new would be lost with the old key
        ("1:{key}", "names key 1, which there is already"),
        ("2:{key},2:{key}", "names key 2, which there is already"),
        ("2:abc", "RETIRED_DATA_KEYS is too weak"),
    ],
)
def test_a_retired_key_that_cannot_be_used_is_refused_unprinted(retired: str, named: str) -> None:
    key = secrets.token_hex(32)
    with pytest.raises(ConfigError, match=named) as refused:
        from_environment(PRODUCTION | {"RETIRED_DATA_KEYS": retired.format(key=key)})
    assert key not in str(refused.value)


# --- everything else ---


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLAN_SECONDS", "0"),
        ("PLAN_SECONDS", "3601"),
        ("PLAN_SECONDS", "30s"),
        ("PLAN_SECONDS", "-1"),
        ("PLAN_SECONDS", "1.5"),
        ("PLAN_SECONDS", "1" * 5000),
        ("PLAN_SECONDS", ""),
        ("PLAN_WORKERS", "65"),
        ("DATA_KEY_ID", "256"),
        ("TRUSTED_PROXIES", "many"),
        ("ENVIRONMENT", "prod"),
        ("LOG_LEVEL", "verbose"),
        ("SMS_GATEWAY", "pigeon"),
        ("RATELIMIT_DEFAULT", "lots"),
    ],
)
def test_a_value_out_of_range_is_named_with_what_to_give(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is '{value[:10]}.*; give ") as refused:
        from_environment(PRODUCTION | {name: value})
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////var/lib/recycling.db", "sqlite:////var/lib/recycling.db"),
    ],
    ids=("server", "server with its driver", "file"),
)
def test_two_kinds_of_database_are_known(given: str, used: str) -> None:
    assert from_environment(PRODUCTION | {"DATABASE_URL": given})["SQLALCHEMY_DATABASE_URI"] == used


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "sqlite://", "oracle:secret@h", "", "h/d"], ids=range(5))
def test_another_database_is_refused_and_its_password_not_printed(url: str) -> None:
    with pytest.raises(ConfigError, match="give sqlite:///FILE or postgresql") as refused:
        from_environment(PRODUCTION | {"DATABASE_URL": url})
    assert "secret" not in str(refused.value)


def test_a_store_of_rate_limits_that_does_not_exist_stops_the_start_by_its_name(tmp_path: Path) -> None:
    settings = from_environment(
        PRODUCTION | {"RATELIMIT_STORAGE_URI": "bogus://x", "DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}"}
    )
    with pytest.raises(ConfigError, match=r"^RATELIMIT_STORAGE_URI cannot be used .* give process://"):
        create_app(settings)


def test_a_refused_start_is_one_line_without_a_stack() -> None:
    environ = {**os.environ, "ENVIRONMENT": "production", "JWT_SECRET_KEY": ""}
    started = subprocess.run(
        [sys.executable, "-c", "import wsgi"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert started.returncode == 3
    assert started.stderr.startswith("refused to start: JWT_SECRET_KEY is missing; give 32 random bytes")
    assert started.stderr.count("\n") == 1


def test_a_refused_start_ends_the_web_server_too() -> None:
    # given a server that would start its workers again for as long as they end by another code
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", "wsgi:app"]
    environ = {**os.environ, "ENVIRONMENT": "production", "JWT_SECRET_KEY": ""}
    started = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert started.returncode == 3
    assert started.stderr.count("refused to start: JWT_SECRET_KEY is missing") == 1


@pytest.mark.parametrize("made", ["nothing", "a file", "an empty folder"])
def test_a_configuration_folder_that_cannot_be_read_stops_the_start_by_its_name(tmp_path: Path, made: str) -> None:
    folder = tmp_path / "config"
    if made == "a file":
        folder.write_text("no folder")
    if made == "an empty folder":
        folder.mkdir()
    settings = from_environment(
        PRODUCTION | {"CONFIG_DIR": str(folder), "DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}"}
    )
    with pytest.raises(ConfigError, match=str(folder)):
        create_app(settings)


# --- where residents reach us ---


@pytest.mark.parametrize(
    ("given", "used"),
    [("", ""), ("https://recycling.example", "https://recycling.example"), ("https://r.example/", "https://r.example")],
    ids=["nowhere", "a host", "a slash too many"],
)
def test_links_in_messages_begin_with_the_public_address(given: str, used: str) -> None:
    assert from_environment(PRODUCTION | {"PUBLIC_URL": given})["PUBLIC_URL"] == used


@pytest.mark.parametrize("url", ["recycling.example", "http://recycling.example", "https://r.example/a", "ftp://x"])
def test_a_public_address_that_links_cannot_begin_with_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^PUBLIC_URL is .* give an address such as https://recycling.example"):
        from_environment(PRODUCTION | {"PUBLIC_URL": url})


# --- the second place of anchors, and the sign of life ---


def test_anchors_go_beside_the_database_unless_another_place_is_named() -> None:
    here = from_environment(PRODUCTION | {"INSTANCE_DIR": "/srv/r"})
    assert (str(here["AUDIT_ANCHOR_DIR"]), here["DEADMAN_URL"]) == ("/srv/r/anchors", "")
    named = from_environment(PRODUCTION | {"AUDIT_ANCHOR_DIR": "/mnt/a", "DEADMAN_URL": "https://hc.example/ping/1"})
    assert (str(named["AUDIT_ANCHOR_DIR"]), named["DEADMAN_URL"]) == ("/mnt/a", "https://hc.example/ping/1")


@pytest.mark.parametrize("url", ["hc.example", "ftp://hc.example", "https://hc.example/?key=1"])
def test_an_address_that_no_sign_of_life_can_go_to_stops_the_start_and_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^DEADMAN_URL cannot be used; leave it out") as refused:
        from_environment(PRODUCTION | {"DEADMAN_URL": url})
    assert "key" not in str(refused.value)


# --- the road engine ---


def test_no_road_engine_is_asked_unless_one_is_named() -> None:
    found = from_environment(PRODUCTION)
    assert (found["TRAVEL_ENGINE"], found["TRAVEL_URL"]) == ("none", "")
    assert isinstance(road_engine(found), NullEngine)


@pytest.mark.parametrize(
    ("kind", "name", "limit"), [("osrm", "osrm/driving", 100), ("valhalla", "valhalla/auto", 2500)]
)
def test_a_named_road_engine_is_asked_within_its_own_limits(kind: str, name: str, limit: int) -> None:
    found = from_environment(PRODUCTION | {"TRAVEL_ENGINE": kind, "TRAVEL_URL": "http://127.0.0.1:5000"})
    assert (road_engine(found).name, found["TRAVEL_TABLE_LIMIT"]) == (name, limit)
    assert found["TRAVEL_CACHE_DAYS"] == 14


@pytest.mark.parametrize("url", ["", "127.0.0.1:5000", "ftp://roads", "http://", "http://roads:99999", "http://r/?a=1"])
def test_a_road_engine_needs_an_address(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^TRAVEL_URL is .*give the engine's address, such as"):
        from_environment(PRODUCTION | {"TRAVEL_ENGINE": "osrm", "TRAVEL_URL": url})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRAVEL_ENGINE", "google"), ("TRAVEL_PROFILE", "car/../x"), ("TRAVEL_TABLE_LIMIT", "0"),
        ("TRAVEL_SECONDS", "soon"), ("TRAVEL_TIMEOUT_SECONDS", "0"), ("TRAVEL_SNAP_M", "-1"),
        ("TRAVEL_CACHE_DAYS", "61"),
    ],
)  # fmt: skip
def test_a_travel_setting_that_cannot_be_used_is_named(name: str, value: str) -> None:
    good = {"TRAVEL_ENGINE": "osrm", "TRAVEL_URL": "http://127.0.0.1:5000"}
    with pytest.raises(ConfigError, match=f"^{name} is "):
        from_environment(PRODUCTION | good | {name: value})


# --- geocoder ---


def test_no_geocoder_is_asked_unless_one_is_named() -> None:
    settings = from_environment(PRODUCTION)
    assert (settings["GEOCODER"], settings["GEOCODER_URL"], settings["GEOCODER_KEY"]) == ("none", "", "")


def test_a_geocoder_has_its_address_and_needs_its_key() -> None:
    key = "0123456789abcdef0123456789abcdef"
    settings = from_environment(PRODUCTION | {"GEOCODER": "amap", "GEOCODER_KEY": key})
    assert (settings["GEOCODER_URL"], settings["GEOCODER_KEY"]) == ("https://restapi.amap.com", key)
    for wrong in ({}, {"GEOCODER_KEY": "with spaces in it, twenty"}, {"GEOCODER_KEY": key, "GEOCODER_URL": "ftp://x"}):
        with pytest.raises(ConfigError, match="GEOCODER_") as refused:
            from_environment(PRODUCTION | {"GEOCODER": "tianditu"} | wrong)
        assert key not in refused.value.message
        assert "spaces" not in refused.value.message
    with pytest.raises(ConfigError, match="none, tianditu, amap"):
        from_environment(PRODUCTION | {"GEOCODER": "baidu"})
