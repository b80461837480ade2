"""Read a scale's memory (地磅历史记录): a CSV table of its weighings, or every fault by line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from recycling.clock import SHANGHAI
from recycling.models.weighbridge import READING_NUMBER_CHARS
from recycling.usecases.csv_cells import MUST, BadCell, Column, folded, form_cell, text_cell
from recycling.usecases.csv_table import Faults, TableForm

MOST_ROWS = 2_000  # of one file: a busy weighbridge makes as many in a month
MOST_LINES = 20_000
VEHICLE_CHARS = 20  # a number plate has eight, a key of ours up to twenty

READING_NUMBER = rf"[0-9A-Za-z][0-9A-Za-z-]{{0,{READING_NUMBER_CHARS - 1}}}"
# Scales write a space or a T between day and time, and leave the seconds out.
MOMENT = re.compile(
    r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """One weighing of the table: its line, and what it says by the names of `ReadingReport`."""

    line: int
    cells: Mapping[str, Any]


def read_readings(raw: bytes, *, charset: str | None = None) -> tuple[str, list[ReadRow]]:
    """The encoding of a file, and the weighings in it.

    Raises
    ------
    RowsRefused
        With every fault of the form, by line and column.
    """
    encoding, rows = FORM.read(raw, charset=charset)
    faults, found = Faults(form=FORM), []
    for row in rows:
        said = {NAMES.get(column, column): FORM.cell(row, column, faults) for column in COLUMNS}
        found.append(ReadRow(line=row.line, cells=said))
    if faults.found:
        raise faults.refuse(len(rows))
    return encoding, found


def _kg_cell(text: str) -> int:
    """Kilograms with up to three decimals, as whole grams."""
    found = folded(text)
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", found):
        raise BadCell("不是公斤数（如 3541.3）", "are no kilograms, such as 3541.3")
    return int(Decimal(found) * 1000)


def _moment_cell(text: str) -> datetime:
    """Local day and time; a year of two digits is refused, since nobody knows which part is which."""
    found = MOMENT.fullmatch(folded(text))
    try:
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(found[n] or 0) for n in (1, 3, 4, 5, 6, 7))
        if not 2000 <= year <= 2200:
            raise ValueError
        return datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI).astimezone(UTC)
    except ValueError:
        raise BadCell(
            "不是日期和时间，请写成 2026-11-24 09:30（年份四位）",
            "is no day and time; write it as 2026-11-24 09:30, the year with four digits",
        ) from None


COLUMNS: dict[str, Column] = {
    "reading_number": (
        form_cell(
            READING_NUMBER, f"只能是 1–{READING_NUMBER_CHARS} 位字母、数字、横线",
            f"must be 1 to {READING_NUMBER_CHARS} letters, digits and hyphens",
        ),
        MUST,
    ),
    "gross_kg": (_kg_cell, MUST),
    "tare_kg": (_kg_cell, MUST),
    "net_kg": (_kg_cell, None),
    "vehicle": (text_cell(1, VEHICLE_CHARS), None),
    "weighed_at": (_moment_cell, MUST),
}  # fmt: skip
# As scales of the trade head their columns.
CALLED = {
    "序号": "reading_number", "编号": "reading_number", "磅单号": "reading_number", "毛重": "gross_kg",
    "毛重(kg)": "gross_kg", "皮重": "tare_kg", "皮重(kg)": "tare_kg", "净重": "net_kg", "净重(kg)": "net_kg",
    "车号": "vehicle", "车牌号": "vehicle", "称重时间": "weighed_at", "时间": "weighed_at",
}  # fmt: skip
NAMES = {"gross_kg": "gross_g", "tare_kg": "tare_g", "net_kg": "net_g", "weighed_at": "at"}
FORM = TableForm(
    columns=COLUMNS,
    also_called=CALLED,
    most_rows=MOST_ROWS,
    most_lines=MOST_LINES,
    unspoken=frozenset({"vehicle"}),  # anybody's number plate
    nothing_zh="未导入任何一条",
    nothing_en="nothing was imported",
)
