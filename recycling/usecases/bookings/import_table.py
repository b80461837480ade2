"""Read a table of bookings (批量预约表): bytes of a CSV file in, wishes with their lines out, or every fault by line.

A cell is text and stays text: one that begins like a formula is stored as it stands where a text is asked for, and is
no number where a number is. Numbers may be typed full-width.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from recycling.errors import RowsRefused
from recycling.policy.plain_text import is_plain
from recycling.usecases.bookings.promise import MOST_ITEM_TYPES, Wish, WishedItem

MOST_ROWS = 1000  # of bookings in one file; what a day of the whole fleet takes is less
MOST_LINES = 20_000  # read before we give up, blank ones included: spreadsheets leave many behind
SHOWN_ERRORS = 100
SHOWN_OF_VALUE = 40  # characters of a refused cell that the answer repeats

GB_NAMES = {"gb18030", "gbk", "gb2312", "gb_2312-80", "cp936"}
UTF8_NAMES = {"utf-8", "utf8"}
BOM = b"\xef\xbb\xbf"
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
BROKEN = "\ufffd"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """What is wrong with one cell."""

    line: int
    column: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row of the file: the line it begins on, and its cells by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedWish:
    """One booking of the table: its name there, the line of each item, the wish, and whom it is for."""

    label: str
    lines: tuple[int, ...]
    wish: Wish
    phone: str | None
    resident_id: UUID | None


@dataclass(slots=True)
class Faults:
    """Every fault found, in the sequence of the file; all are counted, the first hundred are told."""

    found: list[RowError] = field(default_factory=list)

    def add(self, line: int, column: str, zh: str, en: str) -> None:
        """Note one."""
        self.found.append(RowError(line=line, column=column, zh=zh, en=en))

    def refuse(self, rows: int) -> RowsRefused:
        """All of them as one refusal."""
        told = sorted(self.found, key=lambda fault: fault.line)
        wrong, count = len({fault.line for fault in told}), len(told)
        return RowsRefused(
            f"{count} faults on {wrong} lines, {rows} rows read; nothing was booked: correct the lines listed in errors"
            f" and send the whole file again / 共 {rows} 行，其中 {wrong} 行有 {count} 处错误，未预约任何一条；"
            "请按 errors 逐行更正后重新提交整个文件",
            errors=[
                {"line": one.line, "column": one.column, "zh": one.zh, "en": one.en} for one in told[:SHOWN_ERRORS]
            ],
            error_count=count,
        )


class _Bad(ValueError):
    """A cell that cannot be taken, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def read_table(raw: bytes, *, charset: str | None = None) -> tuple[str, list[ImportedWish]]:
    """The encoding of a file, and the bookings in it.

    Raises
    ------
    RowsRefused
        With every fault of the form, by line and column.
    """
    encoding, text = decoded(raw, charset)
    rows, faults = _rows(text), Faults()
    wishes = list(_grouped(rows, faults))
    if faults.found:
        raise faults.refuse(len(rows))
    return encoding, wishes


# --- bytes to text ---


def decoded(raw: bytes, charset: str | None) -> tuple[str, str]:
    """The encoding of a CSV file, UTF-8 or GB18030, and its text.

    Raises
    ------
    RowsRefused
        When it is in neither, or in another one by its own word.
    """
    named = (charset or "").lower()
    if raw.startswith(WIDE_BOMS):
        raise _whole_file("文件为 UTF-16 编码，请另存为 CSV UTF-8", "the file is UTF-16; save it as CSV UTF-8")
    if named and named not in UTF8_NAMES | GB_NAMES:
        raise _whole_file(
            f"不支持 {named[:SHOWN_OF_VALUE]} 编码，请使用 UTF-8 或 GB18030",
            f"charset {named[:SHOWN_OF_VALUE]} is not taken; send UTF-8 or GB18030",
        )
    if named not in GB_NAMES or raw.startswith(BOM):
        try:
            return "utf-8", _clean(raw.removeprefix(BOM).decode("utf-8"))
        except UnicodeDecodeError as error:
            if named in UTF8_NAMES or raw.startswith(BOM) or _mostly_utf8(raw):
                line = raw.count(b"\n", 0, error.start) + 1
                raise _whole_file(
                    f"第 {line} 行不是有效的 UTF-8，请重新导出", f"line {line} is no UTF-8; export the file again", line
                ) from None
    try:
        return "gb18030", _clean(raw.decode("gb18030"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _whole_file(
            f"无法识别编码（第 {line} 行既非 UTF-8 也非 GB18030），请另存为 CSV UTF-8",
            f"the encoding is not known (line {line} is neither UTF-8 nor GB18030); save the file as CSV UTF-8",
            line,
        ) from None


def _mostly_utf8(raw: bytes) -> bool:
    """Whether it is UTF-8 with a few broken bytes: GB text read as UTF-8 is broken at nearly every character."""
    text = raw.decode("utf-8", "replace")
    beyond_ascii = sum(not character.isascii() for character in text)
    return text.count(BROKEN) * 5 < beyond_ascii


def _clean(text: str) -> str:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _whole_file(
            f"第 {line} 行含空字符，不是 CSV 文本", f"line {line} has a NUL character; send CSV text", line
        )
    return text


def _whole_file(zh: str, en: str, line: int = 1, column: str = "") -> RowsRefused:
    return RowsRefused(
        f"{en}; nothing was booked / {zh}；未预约任何一条",
        errors=[{"line": line, "column": column, "zh": zh, "en": en}],
        error_count=1,
    )


# --- text to rows ---


def _rows(text: str) -> list[TableRow]:
    """The rows that are not blank, by column.

    Raises
    ------
    RowsRefused
        When the header is wrong, there are too many rows, or quotes do not close.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[TableRow] = []
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            begins, line = line, reader.line_num + 1
            if begins > MOST_LINES:
                raise _too_many()
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(cells, begins)
                continue
            if len(rows) == MOST_ROWS:
                raise _too_many()
            if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                raise _whole_file(
                    f"第 {begins} 行有 {len(cells)} 列，表头只有 {len(header)} 列；含逗号的内容请加引号",
                    f"line {begins} has {len(cells)} cells, the header {len(header)}; quote a text that has a comma",
                    begins,
                )
            rows.append(TableRow(line=begins, cells=dict(zip(header, map(str.strip, cells), strict=False))))
    except csv.Error as error:
        raise _whole_file(
            f"第 {line} 行不是有效的 CSV，请检查引号", f"line {line} is no CSV ({error}); look at its quotes",
            line,
        ) from None  # fmt: skip
    if not rows:
        raise _whole_file("文件没有数据行", "the file has no rows; send a header and at least one row")
    return rows


def _too_many() -> RowsRefused:
    return _whole_file(
        f"超过 {MOST_ROWS} 行，请拆分为多个文件", f"the file has more than {MOST_ROWS} rows; split it", MOST_ROWS + 1
    )


def _header(cells: Sequence[str], line: int) -> list[str]:
    names = [unicodedata.normalize("NFKC", cell).strip().lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    for name in names:
        if name not in COLUMNS:
            raise _whole_file(
                f"表头 {_shown(name)} 不在可用列中：{'、'.join(COLUMNS)}",
                f"column {_shown(name)} is unknown; the columns are {', '.join(COLUMNS)}",
                line,
            )
        if names.count(name) > 1:
            raise _whole_file(f"表头 {name} 重复", f"column {name} stands twice in the header", line, name)
    missing = [name for name in NEEDED if name not in names]
    if not {"phone", "resident_id"} & set(names):
        missing.insert(0, "phone")
    if missing:
        raise _whole_file(
            f"缺少列：{'、'.join(missing)}（以逗号分隔）",
            f"the header lacks {', '.join(missing)}; separate the columns by commas",
            line,
            missing[0],
        )
    return names


# --- rows to wishes ---


def _grouped(rows: Sequence[TableRow], faults: Faults) -> Iterator[ImportedWish]:
    """Rows that bear one name are the items of one booking, in the sequence of their first lines."""
    groups: dict[str, list[TableRow]] = {}
    for row in rows:
        label = _cell(row, "booking", faults)
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
    first = _cell(group[0], column, faults)
    for row in group[1:]:
        if row.cells.get(column):
            other = _cell(row, column, faults)
            if other is not None and first is not None and other != first:
                faults.add(
                    row.line, column, f"与同一预约第 {group[0].line} 行不一致，请改为相同或留空",
                    f"differs from line {group[0].line} of the same booking; say the same or leave it empty",
                )  # fmt: skip
    return first


def _items(group: Sequence[TableRow], faults: Faults) -> list[WishedItem]:
    items: list[WishedItem] = []
    for row in group:
        said = {column: _cell(row, column, faults) for column in OF_ITEM}
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


def _cell(row: TableRow, column: str, faults: Faults) -> Any:
    """The value of a cell; ``None`` when it is empty and may be, or when it is noted as a fault."""
    read, empty = COLUMNS[column]
    text = row.cells.get(column, "")
    if not text:
        if empty is _MUST:
            faults.add(row.line, column, "不能为空", "is empty; fill it in")
            return None
        return empty
    try:
        return read(text)
    except _Bad as bad:
        value = "" if column in UNSPOKEN else f" {_shown(text)}"
        faults.add(row.line, column, f"{column}{value} {bad.zh}", f"{column}{value} {bad.en}")
        return None


def _shown(text: str) -> str:
    """A refused cell in a few characters, quoted: what repeats it begins no cell of its own."""
    plain = "".join(character if character.isprintable() else BROKEN for character in text)
    return f'"{plain if len(plain) <= SHOWN_OF_VALUE else plain[:SHOWN_OF_VALUE] + "…"}"'


# --- cells ---


def _folded(text: str) -> str:
    """Full-width digits, letters and signs as plain ones."""
    return unicodedata.normalize("NFKC", text).strip()


def _text(least: int, most: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not is_plain(text):
            raise _Bad("含不可见字符", "has a control or invisible character")
        if not least <= len(text) <= most:
            raise _Bad(f"长度应为 {least}–{most} 字", f"has {len(text)} characters; write {least} to {most}")
        return text

    return read


def _form(form: str, zh: str, en: str) -> Callable[[str], str]:
    pattern = re.compile(form, re.ASCII)

    def read(text: str) -> str:
        found = _folded(text)
        if not pattern.fullmatch(found):
            raise _Bad(zh, en)
        return found

    return read


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        found = _folded(text)
        if not re.fullmatch(r"-?[0-9]{1,9}", found):
            raise _Bad("不是整数", "is no whole number")
        if not least <= int(found) <= most:
            raise _Bad(f"应在 {least} 至 {most} 之间", f"must lie between {least} and {most}")
        return int(found)

    return read


def _degrees(text: str) -> float:
    found = _folded(text)
    if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,15})?", found) or abs(float(found)) > 180:
        raise _Bad("不是有效的经纬度（如 34.8046）", "are no degrees, such as 34.8046")
    return float(found)


def _day(text: str) -> date:
    found = re.fullmatch(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})", _folded(text))
    try:
        if found is None:
            raise ValueError
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        raise _Bad("不是日期，请写成 2026-11-24", "is no date; write it as 2026-11-24") from None


def _flag(text: str) -> bool:
    found = _folded(text).lower()
    if found in {"true", "yes", "1", "是", "有"}:
        return True
    if found in {"false", "no", "0", "否", "无"}:
        return False
    raise _Bad("请填 true/false 或 是/否", "must be true or false")


def _id(text: str) -> UUID:
    try:
        return UUID(_folded(text))
    except ValueError:
        raise _Bad("不是居民编号", "is no id of a resident") from None


def _system(text: str) -> str:
    found = _folded(text).lower()
    if found not in {"wgs84", "gcj02"}:
        raise _Bad("请填 wgs84 或 gcj02", "must be wgs84 or gcj02")
    return found


class _Must:
    """Said of a column whose cells may not be empty."""


_MUST = _Must()
LABEL = _form(
    r"[^\W_](?:[\w.-]{0,62}[^\W])?", "只能用字母、数字、点、横线，且以字母或数字开头", "must be letters, digits, . - _"
)
WINDOW = _form(r"[0-9a-z-]{1,64}", "不是预约时段，见 GET /pickup-windows", "is no window; see GET /pickup-windows")

# Each column: how a cell is read, and what an empty one means.
COLUMNS: dict[str, tuple[Callable[[str], Any], Any]] = {
    "booking": (LABEL, ""),
    "phone": (_form(r"1[3-9][0-9]{9}", "不是 11 位手机号", "is no mainland mobile number of 11 digits"), None),
    "resident_id": (_id, None),
    "day": (_day, _MUST),
    "pickup_window": (WINDOW, _MUST),
    "village_code": (
        _form(r"[0-9]{12}", "不是 12 位村居代码，请将该列设为文本格式", "is no code of 12 digits; format it as text"),
        _MUST,
    ),
    "address": (_text(4, 200), _MUST),
    "lat": (_degrees, _MUST),
    "lon": (_degrees, _MUST),
    "coordinate_system": (_system, "wgs84"),
    "floor": (_whole(-5, 60), 1),
    "has_lift": (_flag, False),
    "note": (_text(0, 200), ""),
    "item_type": (_text(1, 64), _MUST),
    "quantity": (_whole(1, 1000), _MUST),
    "dismantle": (_flag, False),
    "wipe_consent": (_flag, False),
}
OF_ITEM = ("item_type", "quantity", "dismantle", "wipe_consent")
OF_CONTACT = ("phone", "resident_id")
OF_BOOKING = tuple(name for name in COLUMNS if name not in ("booking", *OF_CONTACT, *OF_ITEM))
NEEDED = tuple(name for name, (_, empty) in COLUMNS.items() if empty is _MUST)
UNSPOKEN = frozenset({"phone", "address", "note"})  # personal data: named, never repeated
