"""The application over an empty PostgreSQL database, its fleet enlarged for days of thousands of stops."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
from flask import Flask

from benchmarks.support.fleet import enlarged
from recycling.app import create_app
from recycling.extensions import db
from tests.conftest import fresh_postgres
from tests.servers import server_settings


@contextmanager
def enlarged_app(*, vehicles: int) -> Iterator[Flask]:
    """An app over an empty PostgreSQL database, its fleet enlarged."""
    with tempfile.TemporaryDirectory() as name:
        made = fresh_postgres()
        url = next(made)
        app = create_app(server_settings(url, CONFIG_DIR=str(enlarged(Path(name), vehicles=vehicles))))
        with app.app_context():
            flask_migrate.upgrade()
        yield app
        with app.app_context():
            db.engine.dispose()
        for _ in made:  # let the generator drop what it made
            pass
