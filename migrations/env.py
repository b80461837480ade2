"""Alembic's entry: the app's own engine and models, batch mode so that SQLite can follow every change."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import TypeDecorator

migrate = current_app.extensions["migrate"]
database = migrate.db


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types as the plain ones they store, so that a migration outlives the code of its day."""
    if kind == "type" and isinstance(item, TypeDecorator):
        plain = item.impl_instance
        arguments = "timezone=True" if getattr(plain, "timezone", False) else ""
        return f"sa.{type(plain).__name__}({arguments})"
    return False


def run() -> None:
    """Apply or print the migrations."""
    if context.is_offline_mode():
        raise SystemExit("migrations run against a database; set DATABASE_URL and leave out --sql")
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_item=render_item,
            **migrate.configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
