"""What every table shares: naming of constraints, column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Dialect,
    Executable,
    MetaData,
    String,
    Table,
    TypeDecorator,
    Uuid,
    insert,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, make_transient_to_detached, mapped_column

from recycling.models.transaction import run


class Base(DeclarativeBase):
    """Declarative base; constraint names are derived so that migrations can find them on both engines."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, kept in UTC; a naive one is refused before it reaches the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; SQLite stores it without its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive instant {value!r}; hand down an aware one")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back to an aware UTC instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WithId:
    """A row named by a random id that tells nothing and cannot be guessed."""

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)


def key_column(**options: Any) -> Mapped[str]:
    """A short text that names something in ``config/``."""
    return mapped_column(String(64), **options)


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """The database's own word on which values a state or kind column takes."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def insert_into(session: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT on the session's engine."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def table_of(model: type[Base]) -> Table:
    """The table behind a model, for statements that run on every request.

    Built once from tables at import, they are sent as they are; a statement on the model itself is taken through the
    ORM each time, which costs more than the database does.
    """
    return cast("Table", model.__table__)


def insert_if_absent(session: Session, model: type[Base], **values: Any) -> bool:
    """Insert a row unless it clashes with a row that stands; whether it was inserted."""
    statement = _insert_if_absent(model, session.get_bind().dialect.name)
    return run(session, statement, values).first() is not None


@cache
def _insert_if_absent(model: type[Base], dialect: str) -> Executable:
    table = table_of(model)
    row = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    # What is returned tells whether there is a row: drivers differ in what they count.
    return row.on_conflict_do_nothing().returning(*table.primary_key)


@cache
def _insert(table: Table) -> Executable:
    return insert(table)


def insert_rows(session: Session, rows: Sequence[Base]) -> None:
    """Insert new rows now, parents first, every column set; afterwards the session holds them like rows it has read.

    The same as adding and flushing them, at a third of the cost: there is no unit of work to sort out.
    """
    for model, alike in groupby(rows, type):
        table = table_of(model)
        names = table.columns.keys()
        run(session, _insert(table), [{name: getattr(row, name) for name in names} for row in alike])
    for row in rows:
        make_transient_to_detached(row)
    session.add_all(rows)
