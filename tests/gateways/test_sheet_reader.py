"""A workbook that somebody sends is read within bounds, whatever its headers say, and nothing in it calculates."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from recycling.errors import InvalidInput
from recycling.gateways.sheet_reader import LARGEST_UNPACKED, Formula, read_sheet
from tests.workbooks import HEADER, a_workbook, with_part

SHEET = "xl/worksheets/sheet1.xml"


def rows_of(raw: bytes, **bounds: int) -> list[list[Any]]:
    return [cells for _, cells in read_sheet(raw, **{"most_rows": 100, "most_columns": 6} | bounds)]


def refused(raw: bytes) -> str:
    with pytest.raises(InvalidInput) as told:
        rows_of(raw)
    assert told.value.facts["zh"]
    return told.value.message


def test_cells_come_as_they_were_typed() -> None:
    def dated(book: Any, sheet: Any) -> None:
        sheet.write_datetime(2, 0, datetime(2023, 2, 1), book.add_format({"num_format": "yyyy-mm"}))  # noqa: DTZ001
        sheet.write_boolean(2, 1, True)

    found = rows_of(a_workbook(("2023-01", "furniture", 120, 4300.5), also=dated))
    assert found[0][:4] == list(HEADER)
    assert found[1][:4] == ["2023-01", "furniture", 120, 4300.5]
    assert found[2][:2] == [date(2023, 2, 1), "True"]


def test_a_formula_is_named_as_one_though_excel_kept_its_value() -> None:
    def computed(_: Any, sheet: Any) -> None:
        sheet.write_formula(1, 2, "=60+60", None, 120)

    assert rows_of(a_workbook(("2023-01", "furniture"), also=computed))[1][2] == Formula("=60+60")


def test_merged_cells_are_named_by_their_place() -> None:
    def merged(_: Any, sheet: Any) -> None:
        sheet.merge_range("A2:A4", "2023-01")

    assert "A2:A4" in refused(a_workbook(also=merged))


def test_two_sheets_with_something_on_them_are_refused_and_an_empty_one_is_no_matter() -> None:
    assert len(rows_of(a_workbook(("2023-01",), also=lambda book, _: book.add_worksheet("空")))) == 2
    said = refused(a_workbook(("2023-01",), also=lambda book, _: book.add_worksheet("两").write(0, 0, "x")))
    assert "两" in said


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"PK\x03\x04 and then nothing", "broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old .xls"),
        (a_workbook(("x",))[:-200], "broken"),
        (with_part(a_workbook(("x",)), SHEET, lambda text: b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + text), "XML"),
        (with_part(a_workbook(("x",)), SHEET, lambda text: text.decode().encode("utf-16")), "XML"),
        (with_part(a_workbook(("x",)), SHEET, lambda text: text[:100]), "cannot be read"),
    ],
    ids=["no zip", "xls", "cut", "entities", "utf-16", "half a sheet"],
)
def test_a_broken_or_strange_file_is_refused_in_words(raw: bytes, said: str) -> None:
    assert said in refused(raw)


def bomb() -> bytes:
    """64 MiB of blanks in a sheet, packed into some 64 kB."""
    return with_part(a_workbook(("x",)), SHEET, lambda text: text + b" " * (64 << 20))


def lying() -> bytes:
    """The same, with headers that say it unpacks to a hundred bytes."""
    raw = bytearray(bomb())
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        found = raw.find(mark)
        while found >= 0:
            size = struct.unpack_from("<I", raw, found + place)[0]
            if size > LARGEST_UNPACKED:
                struct.pack_into("<I", raw, found + place, 100)
            found = raw.find(mark, found + 4)
    return bytes(raw)


def crowded() -> bytes:
    """A row of two million cells."""
    row = b"<row>" + b"<c/>" * 2_000_000 + b"</row></sheetData>"
    return with_part(a_workbook(("x",)), SHEET, lambda text: text.replace(b"</sheetData>", row))


def styled() -> bytes:
    """Hundreds of thousands of styles, each of which becomes an object."""
    styles = b"<xf/>" * 300_000 + b"</cellXfs>"
    return with_part(a_workbook(("x",)), "xl/styles.xml", lambda text: text.replace(b"</cellXfs>", styles))


def wordy() -> bytes:
    """One element with hundreds of thousands of attributes."""
    element = b"<sheetData " + b" ".join(b"a%x=''" % number for number in range(300_000)) + b">"
    return with_part(a_workbook(("x",)), SHEET, lambda text: text.replace(b"<sheetData>", element))


@pytest.mark.parametrize("made", [bomb, lying, crowded, styled, wordy])
def test_a_bomb_is_refused_before_it_eats_memory(made: Callable[[], bytes], tmp_path: Any) -> None:
    # given a small file that unpacks to much, read by a process of its own
    raw = made()
    assert len(raw) < 1 << 20
    (tmp_path / "bomb.xlsx").write_bytes(raw)
    program = (
        "import resource, sys\n"
        "from recycling.errors import InvalidInput\n"
        "from recycling.gateways.sheet_reader import read_sheet\n"
        "import openpyxl\n"
        "raw = open(sys.argv[1], 'rb').read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    list(read_sheet(raw, most_rows=100, most_columns=6))\n"
        "except InvalidInput:\n"
        "    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "bomb.xlsx")], capture_output=True, text=True, check=True
    )
    # then it is refused within 64 MiB: the bound, the part that broke it, and a copy
    assert int(ran.stdout) <= 64


def test_rows_and_columns_far_out_are_not_looked_at() -> None:
    def far(_: Any, sheet: Any) -> None:
        sheet.write(1_048_575, 0, "last")
        sheet.write(1, 16_383, "far")

    found = rows_of(a_workbook(("2023-01", "furniture", 1, 2), also=far), most_rows=5)
    assert len(found) <= 6
    assert {len(row) for row in found} == {6}
