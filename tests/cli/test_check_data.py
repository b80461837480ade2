"""`flask check-data`: the stored rows against every invariant, and a database that is not there yet, in words."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from recycling.app import create_app
from recycling.extensions import db
from recycling.models.ledger import ROUTE, locked_day, rewrite
from recycling.models.transaction import atomic
from recycling.routing.standing import StandingRoute, Visit, route_to_json
from tests.builders import TOMORROW
from tests.conftest import NOW, test_settings


def test_a_broken_row_is_named_and_the_command_fails(app: Flask, session: Session) -> None:
    shell = app.test_cli_runner()
    session.rollback()
    assert shell.invoke(args=["check-data"]).exit_code == 0
    # given a visit that nobody was promised
    visit = Visit(
        key="nobody", lat=34.8, lon=117.26, windows_s=((28_800, 36_000),), service_s=60, load=(0, 0), skills=frozenset()
    )
    with atomic(session):
        state = locked_day(session, TOMORROW, now=NOW)
        stray = route_to_json(StandingRoute(vehicle="lincheng-1", visits=(visit,)))
        rewrite(session, TOMORROW, version=state.version, routes={"lincheng-1": ROUTE.seal(stray)})
    found = shell.invoke(args=["check-data"])
    assert found.exit_code == 1
    assert "BROKEN I-1" in found.output
    assert "2026-11-24, nobody, 1" in found.output


def test_a_database_without_tables_is_told_how_to_get_them(tmp_path: Path) -> None:
    app = create_app(test_settings(f"sqlite:///{tmp_path / 'empty.db'}"))
    found = app.test_cli_runner().invoke(args=["check-data"])
    with app.app_context():
        db.engine.dispose()
    assert found.exit_code == 1
    assert "make migrate" in found.output
    assert "Traceback" not in found.output
