"""`flask check-data`: the stored rows against every invariant, and a database that is not there yet, in words."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from recycling.app import create_app
from recycling.extensions import db
from tests.conftest import test_settings


def test_a_broken_row_is_named_and_the_command_fails(app: Flask, session: Session) -> None:
    shell = app.test_cli_runner()
    session.rollback()
    assert shell.invoke(args=["check-data"]).exit_code == 0
    session.execute(
        text(
            "INSERT INTO day_ledger (day, area, closed, service_used_s, service_cap_s, load_used_g, load_cap_g,"
            " load_used_l, load_cap_l) VALUES ('2026-11-24', 'lincheng', FALSE, 5, 10, 0, 10, 0, 10)"
        )
    )
    session.commit()
    found = shell.invoke(args=["check-data"])
    assert found.exit_code == 1
    assert "BROKEN" in found.output
    session.execute(text("DELETE FROM day_ledger"))
    session.commit()


def test_a_database_without_tables_is_told_how_to_get_them(tmp_path: Path) -> None:
    app = create_app(test_settings(f"sqlite:///{tmp_path / 'empty.db'}"))
    found = app.test_cli_runner().invoke(args=["check-data"])
    with app.app_context():
        db.engine.dispose()
    assert found.exit_code == 1
    assert "make migrate" in found.output
    assert "Traceback" not in found.output
