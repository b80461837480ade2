"""`flask scales`: a key is shown once, kept encrypted, and ends."""

from __future__ import annotations

import re

from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from recycling.models.audit import AuditRow
from recycling.models.weighbridge import ScaleKey


def said(app: Flask, *words: str, exit_code: int = 0) -> str:
    """What a command prints."""
    answer = app.test_cli_runner().invoke(args=["scales", *words])
    assert answer.exit_code == exit_code, answer.output
    return answer.output


def test_a_key_is_shown_once_and_replaced_by_the_next(app: Flask, session: Session) -> None:
    first = said(app, "key", "lincheng", "1").strip()
    assert re.fullmatch(r"[0-9a-f]{64}", first)
    second = said(app, "key", "lincheng", "1").strip()
    assert first != second
    assert session.scalars(select(ScaleKey.secret)).all() == [second]
    # what lies in the database is not the key, and the list does not tell it
    (stored,) = session.scalars(text("SELECT secret FROM scale_key"))
    assert second.encode() not in bytes(stored)
    listed = said(app, "list")
    assert "lincheng" in listed
    assert second not in listed
    said(app, "end", "lincheng", "1")
    assert "lincheng" not in said(app, "list")
    session.rollback()
    rows = session.scalars(select(AuditRow).order_by(AuditRow.number)).all()
    assert [(row.action, row.subject, row.facts) for row in rows] == [
        ("scale_key.issued", "lincheng/1", {}), ("scale_key.issued", "lincheng/1", {}),
        ("scale_key.ended", "lincheng/1", {}),
    ]  # fmt: skip


def test_a_station_or_key_that_is_not_there_is_refused_in_words(app: Flask) -> None:
    assert "'moon' is none of lincheng" in said(app, "key", "moon", "1", exit_code=1)
    assert "lincheng/9 has no key" in said(app, "end", "lincheng", "9", exit_code=1)
