"""Alembic's entry: the app's own engine and models, batch mode so that SQLite can follow every change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import Connection, TypeDecorator

migrate = current_app.extensions["migrate"]
database = migrate.db


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types as the plain ones they store, so that a migration outlives the code of its day."""
    if kind == "type" and isinstance(item, TypeDecorator):
        plain = item.impl_instance
        arguments = "timezone=True" if getattr(plain, "timezone", False) else ""
        return f"sa.{type(plain).__name__}({arguments})"
    return False


@contextmanager
def unwatched(connection: Connection) -> Iterator[None]:
    """Lift SQLite's foreign keys, which it lets one do outside a transaction only.

    Batch mode makes a table anew and drops the old one, and dropping a table deletes its rows: with the keys on, no
    table can be changed that others refer to.
    """
    raw = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite" or raw is None:
        yield
        return
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.rollback()
        raw.execute("PRAGMA foreign_keys=ON")


def check_references(connection: Connection) -> None:
    """Stop, keeping nothing, when a migration on SQLite leaves a row that refers to none."""
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if lost:
            raise RuntimeError(f"the migration would leave {len(lost)} rows without what they refer to: {lost[:5]}")


def run() -> None:
    """Apply or print the migrations."""
    if context.is_offline_mode():
        raise SystemExit("migrations run against a database; set DATABASE_URL and leave out --sql")
    with database.engine.connect() as connection, unwatched(connection):
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_item=render_item,
            **migrate.configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
            check_references(connection)


run()
