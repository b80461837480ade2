"""Whether the process lives and can serve."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import text

from recycling.extensions import db


def test_a_ready_server_names_its_database_and_migration(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/healthz").get_json() == {"status": "ok"}
    said = client.get("/readyz").get_json()
    engine = "sqlite" if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite") else "postgresql"
    assert (said["status"], said["database"], said["journal"]) == ("ok", engine, "wal")
    assert said["migration"]


def test_a_database_behind_its_migrations_is_not_ready_and_says_what_to_run(app: Flask) -> None:
    with app.app_context():
        newest = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        db.session.commit()
    try:
        answer = app.test_client().get("/readyz")
    finally:
        with app.app_context():
            db.session.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})
            db.session.commit()
    assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
    assert "at migration 0000; run: make migrate" in answer.get_json()["detail"]
    assert app.test_client().get("/healthz").status_code == 200
