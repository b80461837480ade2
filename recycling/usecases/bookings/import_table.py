"""Read a table of bookings (批量预约表): wishes with their lines out, or every fault by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from recycling.usecases.bookings.promise import MOST_ITEM_TYPES, Wish, WishedItem
from recycling.usecases.csv_cells import (
    MUST,
    BadCell,
    Column,
    day_cell,
    degrees_cell,
    flag_cell,
    folded,
    form_cell,
    text_cell,
    whole_cell,
)
from recycling.usecases.csv_table import Faults, TableForm, TableRow

MOST_ROWS = 1000  # of bookings in one file; what a day of the whole fleet takes is less
MOST_LINES = 20_000  # read before we give up, blank ones included


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedWish:
    """One booking of the table: its name there, the line of each item, the wish, and whom it is for."""

    label: str
    lines: tuple[int, ...]
    wish: Wish
    phone: str | None
    resident_id: UUID | None


def read_table(raw: bytes, *, charset: str | None = None) -> tuple[str, list[ImportedWish]]:
    """The encoding of a file, and the bookings in it.

    Raises
    ------
    RowsRefused
        With every fault of the form, by line and column.
    """
    encoding, rows = FORM.read(raw, charset=charset)
    faults = Faults(form=FORM)
    wishes = list(_grouped(rows, faults))
    if faults.found:
        raise faults.refuse(len(rows))
    return encoding, wishes


def _grouped(rows: Sequence[TableRow], faults: Faults) -> Iterator[ImportedWish]:
    """Rows that bear one name are the items of one booking, in the sequence of their first lines."""
    groups: dict[str, list[TableRow]] = {}
    for row in rows:
        label = FORM.cell(row, "booking", faults)
        groups.setdefault(label if label else f"line-{row.line}", []).append(row)
    for label, group in groups.items():
        before = len(faults.found)
        said = {column: _said_once(group, column, faults) for column in (*OF_BOOKING, *OF_CONTACT)}
        if (said["phone"] is None) == (said["resident_id"] is None) and len(faults.found) == before:
            faults.add(
                group[0].line,
                "phone",
                "手机号与 resident_id 须且只能填一个",
                "give either the phone or the resident_id",
            )
        items = _items(group, faults)
        if len(faults.found) == before:
            yield ImportedWish(
                label=label, lines=tuple(row.line for row in group), phone=said["phone"],
                resident_id=said["resident_id"],
                wish=Wish(items=items, **{column: said[column] for column in OF_BOOKING}),
            )  # fmt: skip


def _said_once(group: Sequence[TableRow], column: str, faults: Faults) -> Any:
    """What the rows of a booking say in a column: the first says it, the others leave it out or say the same."""
    first = FORM.cell(group[0], column, faults)
    for row in group[1:]:
        if row.cells.get(column):
            other = FORM.cell(row, column, faults)
            if other is not None and first is not None and other != first:
                faults.add(
                    row.line, column, f"与同一预约第 {group[0].line} 行不一致，请改为相同或留空",
                    f"differs from line {group[0].line} of the same booking; say the same or leave it empty",
                )  # fmt: skip
    return first


def _items(group: Sequence[TableRow], faults: Faults) -> list[WishedItem]:
    items: list[WishedItem] = []
    for row in group:
        said = {column: FORM.cell(row, column, faults) for column in OF_ITEM}
        if None in said.values():
            continue
        if any(item.item_type == said["item_type"] for item in items):
            faults.add(
                row.line, "item_type", "同一预约中品类重复，请合并数量",
                "stands twice in this booking; give it once with its whole quantity",
            )  # fmt: skip
        items.append(WishedItem(**said))
    if len(group) > MOST_ITEM_TYPES:
        faults.add(
            group[MOST_ITEM_TYPES].line, "booking", f"一个预约最多 {MOST_ITEM_TYPES} 个品类",
            f"a booking has {MOST_ITEM_TYPES} item types at most; make it two",
        )  # fmt: skip
    return items


def _id(text: str) -> UUID:
    try:
        return UUID(folded(text))
    except ValueError:
        raise BadCell("不是居民编号", "is no id of a resident") from None


def _system(text: str) -> str:
    found = folded(text).lower()
    if found not in {"wgs84", "gcj02"}:
        raise BadCell("请填 wgs84 或 gcj02", "must be wgs84 or gcj02")
    return found


LABEL = form_cell(
    r"[^\W_](?:[\w.-]{0,62}[^\W])?", "只能用字母、数字、点、横线，且以字母或数字开头", "must be letters, digits, . - _"
)
WINDOW = form_cell(r"[0-9a-z-]{1,64}", "不是预约时段，见 GET /pickup-windows", "is no window; see GET /pickup-windows")

COLUMNS: dict[str, Column] = {
    "booking": (LABEL, ""),
    "phone": (form_cell(r"1[3-9][0-9]{9}", "不是 11 位手机号", "is no mainland mobile number of 11 digits"), None),
    "resident_id": (_id, None),
    "day": (day_cell, MUST),
    "pickup_window": (WINDOW, MUST),
    "village_code": (
        form_cell(
            r"[0-9]{12}", "不是 12 位村居代码，请将该列设为文本格式", "is no code of 12 digits; format it as text"
        ),
        MUST,
    ),
    "address": (text_cell(4, 200), MUST),
    "lat": (degrees_cell, MUST),
    "lon": (degrees_cell, MUST),
    "coordinate_system": (_system, "wgs84"),
    "floor": (whole_cell(-5, 60), 1),
    "has_lift": (flag_cell, False),
    "note": (text_cell(0, 200), ""),
    "item_type": (text_cell(1, 64), MUST),
    "quantity": (whole_cell(1, 1000), MUST),
    "dismantle": (flag_cell, False),
    "wipe_consent": (flag_cell, False),
}
OF_ITEM = ("item_type", "quantity", "dismantle", "wipe_consent")
OF_CONTACT = ("phone", "resident_id")
OF_BOOKING = tuple(name for name in COLUMNS if name not in ("booking", *OF_CONTACT, *OF_ITEM))
FORM = TableForm(
    columns=COLUMNS,
    either=OF_CONTACT,
    most_rows=MOST_ROWS,
    most_lines=MOST_LINES,
    unspoken=frozenset({"phone", "address", "note"}),
    nothing_zh="未预约任何一条",
    nothing_en="nothing was booked",
)
