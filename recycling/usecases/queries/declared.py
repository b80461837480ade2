"""Reading declared history: the figures that count, those of one upload, and the uploads."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import exists, select, tuple_
from sqlalchemy.orm import Session, aliased

from recycling.models.history import DeclaredFigure, DeclaredUpload
from recycling.models.recovery import month_of
from recycling.usecases.queries.cursors import read_cursor, whole, write_cursor
from recycling.usecases.queries.spans import within

_KEY = (
    DeclaredFigure.month,
    DeclaredFigure.upload_number,
    DeclaredFigure.line,
)


def list_declared(
    *,
    session: Session,
    limit: int,
    first: date | None = None,
    last: date | None = None,
    upload: int | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of declared figures by month: of each month those of its newest upload, or those of the one named.

    Raises
    ------
    InvalidInput
        When the span ends before it begins.
    """
    months = within(DeclaredFigure.month, first and month_of(first), last and month_of(last))
    wanted = select(DeclaredFigure).where(*months).order_by(*_KEY)
    if upload is not None:
        wanted = wanted.where(DeclaredFigure.upload_number == upload)
    else:
        later = aliased(DeclaredFigure)
        wanted = wanted.where(
            ~exists().where(later.month == DeclaredFigure.month, later.upload_number > DeclaredFigure.upload_number)
        )
    if cursor is not None:
        wanted = wanted.where(tuple_(*_KEY) > read_cursor(cursor, date.fromisoformat, whole, whole))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    end = shown[-1] if len(rows) > limit else None
    return {
        "figures": [_figure(row) for row in shown],
        "next_cursor": None if end is None else write_cursor(end.month, end.upload_number, end.line),
    }


def list_uploads(*, session: Session, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """A page of uploads, newest first."""
    wanted = select(DeclaredUpload).order_by(DeclaredUpload.number.desc())
    if cursor is not None:
        wanted = wanted.where(DeclaredUpload.number < read_cursor(cursor, whole)[0])
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {"uploads": shown, "next_cursor": write_cursor(shown[-1].number) if len(rows) > limit else None}


def _figure(row: DeclaredFigure) -> dict[str, Any]:
    names = (
        "month", "item_group", "item_type", "town_key", "units", "mass_g", "upload_number", "line", "source_document"
    )  # fmt: skip
    return {name: getattr(row, name) for name in names} | {"provenance": "declared"}
