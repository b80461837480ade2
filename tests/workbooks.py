"""Excel workbooks as people and attackers send them, made for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import xlsxwriter

HEADER = ("month", "item_group", "units", "mass_kg")


def a_workbook(
    *rows: Sequence[Any], header: Sequence[str] = HEADER, also: Callable[[Any, Any], None] | None = None
) -> bytes:
    """A workbook of one sheet; ``also`` may do more to book and sheet."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, header)
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, row)
        if also is not None:
            also(book, sheet)
    return made.getvalue()


def with_part(raw: bytes, name: str, edit: Callable[[bytes], bytes]) -> bytes:
    """The same workbook with one of its parts changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as given, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as changed:
        for part in given.infolist():
            text = given.read(part)
            changed.writestr(part.filename, edit(text) if part.filename == name else text)
    return made.getvalue()
