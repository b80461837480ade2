"""Read the one sheet of an Excel workbook (.xlsx) that somebody uploads: bounded, without formulas, without surprises.

A workbook is a zip of XML, and both can be made to eat memory. So its parts are unpacked here up to a bound, whatever
their headers say; those with a DOCTYPE, which expands, and with too many elements are refused; and openpyxl reads a
package that we made of the rest.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from recycling.errors import InvalidInput

LARGEST_UNPACKED = 16 << 20  # bytes of all parts: twenty thousand rows of eight cells take seven million
MOST_PARTS = 200
MOST_TAGS = 1_000_000  # in all parts: an element costs a hundred bytes once it is parsed
MOST_PLAIN_TAGS = 30_000  # in a part that holds no cells, such as the styles: each becomes an object of the library
MOST_ATTRIBUTES = 100  # of one element, all of which are in memory together; spreadsheets write a dozen
READ_PARTS = (".xml", ".rels")  # pictures and the like are left out
ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
ENCRYPTED = 0x1
MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*?\bref\s*=\s*[\"']([A-Za-z0-9:$]{1,40})")
OF_CELLS = re.compile(rb"\s*(?:<\?xml[^>]{0,200}\?>)?\s*<(?:\w+:)?(?:worksheet|sst)\b")
ATTRIBUTE = re.compile(rb"=\s*[\"']")
# An element ends before the next one begins, since no attribute holds a "<". Shorter ones have no room for so many.
LONG_ELEMENT = re.compile(rb"<[^<]{500,}")
UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell that calculates; what it came to last is not looked at."""

    text: str


Cell = str | int | float | date | Formula | None


def is_workbook(raw: bytes) -> bool:
    """Whether a file is an Excel workbook, of either kind."""
    return raw.startswith((ZIP, OLD_EXCEL))


def read_sheet(raw: bytes, *, most_rows: int, most_columns: int) -> Iterator[tuple[int, list[Cell]]]:
    """The rows of the one sheet that holds something, each with its number; at most one more than ``most_rows``.

    Raises
    ------
    InvalidInput
        When it is no such workbook, is too large, has merged cells, or several sheets with something on them.
    """
    package = _repacked(raw)
    # Only who uploads a workbook needs it, and it takes a while to import.
    from openpyxl import load_workbook

    try:
        book = load_workbook(package, read_only=True, data_only=False, keep_links=False)
        bounds = {"min_row": 1, "max_row": most_rows + 1, "max_col": most_columns}
        filled = [
            sheet
            for sheet in book.worksheets
            if any(value is not None for row in sheet.iter_rows(**bounds, values_only=True) for value in row)
        ]
        if len(filled) > 1:
            names = ", ".join(repr(sheet.title[:31]) for sheet in filled[:5])
            raise _refused(f"有多个工作表含数据（{names}），请只保留一个", f"sheets {names} hold something; leave one")
        rows = [] if not filled else [
            (number, [_cell(cell) for cell in row]) for number, row in enumerate(filled[0].iter_rows(**bounds), 1)
        ]  # fmt: skip
    except InvalidInput:
        raise
    except Exception as error:  # whatever a broken or hostile file makes of the library, it is the file's fault
        raise _refused(
            "无法作为 Excel 工作簿读取，请另存为 .xlsx 或 CSV UTF-8",
            f"the file cannot be read as a workbook ({type(error).__name__}); save it again as .xlsx or CSV UTF-8",
        ) from None
    return iter(rows)


def _cell(cell: Any) -> Cell:
    value = cell.value
    if getattr(cell, "data_type", "n") == "f":
        return Formula(str(getattr(value, "text", value))[:40])
    if isinstance(value, datetime):
        # A time of day in a date is no date that somebody meant.
        return value.date() if value.time() == time() else value.isoformat(" ")
    if value is None or isinstance(value, date) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return str(value)


def _repacked(raw: bytes) -> io.BytesIO:
    """The XML parts of a workbook in a package of our own making, all within bounds."""
    if raw.startswith(OLD_EXCEL):
        raise _refused(
            "是旧版 .xls 或加密的工作簿，请另存为不带密码的 .xlsx",
            "it is an old .xls or has a password; save it as .xlsx without one",
        )
    package, left, tags = io.BytesIO(), LARGEST_UNPACKED, 0
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as given, zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as made:
            parts = given.infolist()
            if len(parts) > MOST_PARTS or len({part.filename for part in parts}) < len(parts):
                raise _refused("内部文件过多或重名", f"it has more than {MOST_PARTS} parts, or two of one name")
            for part in parts:
                if part.flag_bits & ENCRYPTED:
                    raise _refused("已加密，请去除密码", "it has a password; save it without one")
                if not part.filename.lower().endswith(READ_PARTS):
                    continue
                with given.open(part) as opened:
                    text = opened.read(left + 1)
                left -= len(text)
                mine = text.count(b"<")
                tags += mine
                if left < 0 or tags > MOST_TAGS or (mine > MOST_PLAIN_TAGS and not OF_CELLS.match(text[:2_000])):
                    raise _refused(
                        f"解压后超过 {LARGEST_UNPACKED >> 20} MiB 或单元格过多，请拆分",
                        f"unpacked it has more than {LARGEST_UNPACKED >> 20} MiB or too many cells; split it",
                    )
                _check_part(text)
                made.writestr(part.filename, text)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise _refused(
            "压缩包已损坏，请重新保存", f"its zip is broken ({type(error).__name__}); save the file again"
        ) from None
    except RuntimeError:
        raise _refused("已加密，请去除密码", "it has a password; save it without one") from None
    package.seek(0)
    return package


def _check_part(text: bytes) -> None:
    if text.startswith(UTF16) or b"\0" in text[:200] or b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise _refused("含不允许的 XML 内容", "it holds XML that spreadsheets do not write; save it again")
    if any(len(ATTRIBUTE.findall(element[0])) > MOST_ATTRIBUTES for element in LONG_ELEMENT.finditer(text)):
        raise _refused("含不允许的 XML 内容", "it holds XML that spreadsheets do not write; save it again")
    merged = MERGED.search(text)
    if merged:
        where = merged[1].decode()
        raise _refused(
            f"单元格 {where} 已合并，请取消合并并逐格填写",
            f"cells {where} are merged: which rows their value is meant for cannot be told; unmerge them and fill each",
        )


def _refused(zh: str, en: str) -> InvalidInput:
    return InvalidInput(en, zh=zh)
