"""Fixtures every test may use: a real database on each engine, the app on top of it, and callers of every role."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask_migrate
import hypothesis
import psycopg
import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from recycling.app import create_app
from recycling.extensions import db
from recycling.models import Base
from recycling.policy.district import District
from recycling.usecases.people import sign_in
from tests.callers import Callers
from tests.papers import read_pdf as read_pdf  # fixture: printed pages, read back
from tests.roads.engines import osrm as osrm  # fixtures: real road engines
from tests.roads.engines import osrm_net as osrm_net
from tests.roads.engines import valhalla as valhalla
from tests.servers import TEST_KEYS

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
ROOT = Path(__file__).resolve().parent.parent

# The same examples every time: a run that fails can be repeated, and a green one stays green until the code changes.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.load_profile("repeatable")

# Hashes are slow on purpose, a sixth of a second each; tests that sign a dozen people in shall not wait for that.
sign_in.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

# A Monday, 10:00 in Xuecheng: the day after is bookable until 18:00.
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def postgres_answers() -> bool:
    """Whether a server answers at TEST_POSTGRES_URL."""
    try:
        with psycopg.connect(POSTGRES_URL.replace("+psycopg", ""), connect_timeout=2):
            return True
    except psycopg.Error:
        return False


ENGINES = ["sqlite", "postgresql"] if postgres_answers() else ["sqlite"]


def test_settings(url: str, **overrides: Any) -> dict[str, Any]:
    """Settings of a test app; keys are fixed so that a failing run can be repeated."""
    return {
        "ENVIRONMENT": "test",
        "JWT_SECRET_KEY": TEST_KEYS["JWT_SECRET_KEY"],
        "INDEX_KEY": bytes.fromhex(TEST_KEYS["INDEX_KEY"]),
        "DATA_KEYS": {1: bytes.fromhex(TEST_KEYS["DATA_KEY"])},
        "DATA_KEY_ID": 1,
        "SQLALCHEMY_DATABASE_URI": url,
        "CONFIG_DIR": ROOT / "config",
        "LOG_LEVEL": "WARNING",
        "SMS_GATEWAY": "none",
        "SMS_PROVIDERS": (),
        "WEBHOOKS": (),
        "RATELIMIT_ENABLED": False,
        "RATELIMIT_STORAGE_URI": "process://",
        "TRUSTED_PROXIES": 0,
        "PLAN_SECONDS": 2,
        "IMPROVE_SECONDS": 1,
        "PLAN_WORKERS": 1,
        "PLAN_SEED": 1,
        "JWT_ACCESS_TOKEN_EXPIRES": timedelta(minutes=15),
        "JWT_COOKIE_SECURE": False,
        "TESTING": True,
        "PROPAGATE_EXCEPTIONS": False,
    } | overrides


test_settings.__test__ = False  # type: ignore[attr-defined]  # its name begins like a test's


def fresh_postgres(*, hurried: bool = False) -> Iterator[str]:
    """A new database on the server, dropped afterwards; a hurried one does not wait for the disk."""
    admin, name = POSTGRES_URL.replace("+psycopg", ""), f"recycling_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(admin, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        if hurried:
            server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
    try:
        yield POSTGRES_URL.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(admin, autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@pytest.fixture(scope="session", params=ENGINES)
def engine_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty, migrated database, once per engine."""
    if request.param == "sqlite":
        made: Iterator[str] = iter([f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'test.db'}"])
    else:
        made = fresh_postgres(hurried=_hurries(request))
    url = next(made)
    app = create_app(test_settings(url))
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()
    yield url
    for _ in made:  # let the generator drop what it made
        pass


def _hurries(request: pytest.FixtureRequest) -> bool:
    """Whether commits need not reach the disk: no test cuts the power, and a commit then costs 0.1 ms instead of 3.

    Proofs at full size wait for the disk as the product does.
    """
    return bool(request.config.getoption("--size") == "small")


@pytest.fixture(scope="session")
def shared_app(engine_url: str, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """One app per engine; tests take `app`, which also empties the database."""
    app = create_app(test_settings(engine_url))
    if engine_url.startswith("sqlite") and _hurries(request):
        with app.app_context():
            event.listen(db.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(shared_app: Flask) -> Iterator[Flask]:
    """The app over an empty database, at `NOW`."""
    with time_machine.travel(NOW, tick=True):
        yield shared_app
    with shared_app.app_context():
        db.session.remove()
        empty(db.session())


def empty(session: Session) -> None:
    """Delete every row of every table; for the few that a test leaves, many times quicker than TRUNCATE."""
    connection = session.connection()
    deletes = [f'DELETE FROM "{table.name}"' for table in reversed(Base.metadata.sorted_tables)]
    if connection.dialect.name == "sqlite":
        for one in ("PRAGMA defer_foreign_keys=ON", *deletes):
            connection.exec_driver_sql(one)
    else:
        connection.exec_driver_sql(";".join(deletes))  # in one way there and back
    session.commit()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A database session inside an app context."""
    with app.app_context():
        yield db.session()
        db.session.rollback()


@pytest.fixture
def now() -> datetime:
    """The instant tests hand down as the present."""
    return NOW


@pytest.fixture
def district(app: Flask) -> District:
    """The real district from `config/`."""
    found: District = app.extensions["district"]
    return found


@pytest.fixture
def callers(app: Flask) -> Callers:
    """Signed-in callers of every role, over HTTP."""
    return Callers(app)
