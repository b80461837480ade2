"""Rows that are written once: the object mapper refuses to change or delete them."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import object_session

from recycling.models.base import Base

Table = TypeVar("Table", bound=type[Base])


def written_once(table: Table) -> Table:
    """Refuse every change to a stored row of this table, and its deletion; a correction is a new row."""

    def refuse(_mapper: Any, _connection: Any, row: Base) -> NoReturn:
        raise TypeError(f"a row of {table.__tablename__} is written once; write a new one instead")

    def refuse_change(mapper: Any, connection: Any, row: Base) -> None:
        session = object_session(row)
        # The mapper also asks about rows of which only a relationship was touched; their columns stay as they are.
        if session is None or session.is_modified(row, include_collections=False):
            refuse(mapper, connection, row)

    event.listen(table, "before_update", refuse_change)
    event.listen(table, "before_delete", refuse)
    return table
