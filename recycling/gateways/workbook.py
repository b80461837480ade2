"""Tables as files (表格文件): a workbook by XlsxWriter, and CSV; both hold text as text, whatever it looks like."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import xlsxwriter

from recycling.units import kg_text, percent_text

CellKind = Literal["text", "whole", "kg", "percent"]
Cell = str | int | None

BOM = "\ufeff"
# A cell that begins with one of these is run as a formula by spreadsheet programs (OWASP, CSV injection); the
# full-width forms too, which Excel folds in Chinese locales.
FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")

HEAD_HEIGHT = 34  # points: two lines of a heading
LONGEST_CELL = 32_767  # characters, in Excel
WIDTHS = {"text": 22, "whole": 14, "kg": 16, "percent": 14}
FORMATS = {"whole": "#,##0", "kg": "#,##0.000", "percent": "0.00%"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A heading, and what stands under it: text, whole numbers, grams shown as kilograms, basis points as percent."""

    heading: str
    kind: CellKind = "text"
    width: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table. ``name`` is that of its sheet; rows hold grams and basis points, and may come one after the other."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]


def workbook_of(tables: Iterable[Table], *, marks: Sequence[str], title: str, created: datetime) -> bytes:
    """A workbook with a sheet for each table; the same tables become the same bytes each time.

    Nothing becomes a formula or a link. Rows go to the disk as they come, so that memory does not grow with them.
    """
    content = io.BytesIO()
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd",
    }  # fmt: skip
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties({"title": title, "created": created.replace(tzinfo=None)})
        styles = {kind: book.add_format({"num_format": form}) for kind, form in FORMATS.items()} | {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "mark": book.add_format({"bold": True, "font_color": "#b00020"}),
            "head": book.add_format({"bold": True, "bottom": 1, "bg_color": "#e8eef4", "text_wrap": True}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        for table in tables:
            _write_sheet(book.add_worksheet(table.name), table, marks=marks, styles=styles)
    return content.getvalue()


def csv_of(tables: Iterable[Table], *, marks: Sequence[str]) -> bytes:
    """The tables one below the other as CSV: UTF-8 with BOM, so that Excel reads it, and no cell that calculates."""
    text = io.StringIO()
    text.write(BOM)
    sheet = csv.writer(text)
    for mark in marks:
        sheet.writerow([safe_cell(mark)])
    for table in tables:
        sheet.writerow([safe_cell(table.title)])
        sheet.writerow([safe_cell(column.heading) for column in table.columns])
        for row in table.rows:
            sheet.writerow([shown(cell, column) for cell, column in zip(row, table.columns, strict=True)])
        sheet.writerow([])
    return text.getvalue().encode()


def safe_cell(cell: Any) -> Any:
    """A cell that a spreadsheet shows and never runs."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return "" if cell is None else cell


def shown(cell: Cell, column: Column) -> Cell:
    """A cell as people read it. A negative number stays one: it is no text that could be run."""
    if isinstance(cell, str) or cell is None:
        return str(safe_cell(cell))
    if column.kind == "percent":
        return percent_text(cell)
    return kg_text(cell).removesuffix(" kg") if column.kind == "kg" else cell


def _write_sheet(sheet: Any, table: Table, *, marks: Sequence[str], styles: dict[str, Any]) -> None:
    warning = " · ".join(marks)
    # On each printed page; an ampersand would begin a command there.
    sheet.set_header(f'&C&"Arial,Bold"&KB00020{warning.replace("&", "&&")}' if warning else "")
    sheet.set_footer("&L&A&R&P / &N")
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, column.width or WIDTHS[column.kind])
    sheet.write_string(0, 0, table.title, styles["title"])
    sheet.write_string(1, 0, warning, styles["mark"])
    sheet.set_row(3, HEAD_HEIGHT)
    for place, column in enumerate(table.columns):
        sheet.write_string(3, place, column.heading, styles["head"])
    sheet.freeze_panes(4, 0)
    sheet.repeat_rows(3)
    writers = [_writer(sheet, column, styles) for column in table.columns]
    for number, row in enumerate(table.rows, start=4):
        for place, (cell, write) in enumerate(zip(row, writers, strict=True)):
            if cell is not None:
                write(number, place, cell)


def _writer(sheet: Any, column: Column, styles: dict[str, Any]) -> Any:
    """What writes a cell of a column; text where a number is expected says why there is none."""
    text_style = styles["wrap"] if (column.width or 0) > 40 else None
    style, scale = styles.get(column.kind), {"kg": 1000, "percent": 10_000}.get(column.kind, 1)

    def write(number: int, place: int, cell: str | int) -> None:
        if isinstance(cell, str):
            sheet.write_string(number, place, cell[:LONGEST_CELL], text_style)
        else:
            sheet.write_number(number, place, cell / scale if scale > 1 else cell, style)

    return write
