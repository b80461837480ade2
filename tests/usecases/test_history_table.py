"""The table of declared history: read as people type it, and every fault named by row, column, value and remedy."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from recycling.errors import RowsRefused
from recycling.gateways.config_files import read_district
from recycling.policy.district import District
from recycling.usecases.reporting.history_table import MOST_ROWS, TEMPLATE_ROWS, Declared, read_history
from tests.conftest import ROOT
from tests.workbooks import a_workbook, with_part

HEADER = "month,item_group,units,mass_kg"
THIS_MONTH = date(2026, 11, 1)


@pytest.fixture(scope="module")
def district() -> District:
    return read_district(Path(ROOT) / "config")


def read(raw: bytes, district: District) -> list[Declared]:
    _, figures = read_history(raw, charset=None, source_document="月报", this_month=THIS_MONTH, district=district)
    return figures


def lines(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows)).encode()


def faults(raw: bytes, district: District) -> list[dict[str, Any]]:
    with pytest.raises(RowsRefused) as refused:
        read(raw, district)
    errors: list[dict[str, Any]] = refused.value.facts["errors"]
    assert refused.value.facts["error_count"] >= len(errors) > 0
    assert "nothing was taken" in refused.value.message
    return errors


@pytest.mark.parametrize(
    ("month", "units", "mass_kg", "found"),
    [
        ("2023-01", "120", "4300.5", (date(2023, 1, 1), 120, 4_300_500)),
        ("2023/1", "120", "", (date(2023, 1, 1), 120, None)),
        ("2023.10", "", "0.005", (date(2023, 10, 1), None, 5)),
        ("2023年9月", "0", "0", (date(2023, 9, 1), 0, 0)),
        ("202312", "1", "1", (date(2023, 12, 1), 1, 1_000)),
        ("2023-01-01", "1", "1", (date(2023, 1, 1), 1, 1_000)),
        # full-width digits are digits, and thousands may be set apart
        ("２０２３－０１", "１２０", "４３００．５", (date(2023, 1, 1), 120, 4_300_500)),
        ("2023-01", '"1,234"', '"12,345.678"', (date(2023, 1, 1), 1_234, 12_345_678)),
        ("2023-01", '"1，234"', "", (date(2023, 1, 1), 1_234, None)),
    ],
)
def test_figures_are_read_as_people_type_them(
    month: str, units: str, mass_kg: str, found: tuple[Any, ...], district: District
) -> None:
    (one,) = read(lines(f"{month},furniture,{units},{mass_kg}"), district)
    assert (one.month, one.units, one.mass_g) == found


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ("23-01,furniture,1,", "month", "two digits"),
        ("23/1,furniture,1,", "month", "two digits"),
        ("Jan-23,furniture,1,", "month", "two digits"),
        ("23年1月,furniture,1,", "month", "two digits"),
        ("2023.1,furniture,1,", "month", "write it as 2023-01"),
        ("2023-13,furniture,1,", "month", "there are twelve"),
        ("0000-01,furniture,1,", "month", "is no month"),
        ("9999-12,furniture,1,", "month", "before 2026-11"),
        ("2021-12,furniture,1,", "month", "from 2022-01 on"),
        ("2026-11,furniture,1,", "month", "before 2026-11"),  # is running
        ("2031-01,furniture,1,", "month", "before 2026-11"),
        (",furniture,1,", "month", "is empty"),
        ("2023-01,furniture,,", "units", "both empty"),
        ("2023-01,furniture,-1,", "units", "negative"),
        ("2023-01,furniture,1.5,", "units", "no whole number"),
        ("2023-01,furniture,1e5,", "units", "no number"),
        ("2023-01,furniture,=1+1,", "units", "a formula"),
        ("2023-01,furniture,＝1+1,", "units", "a formula"),
        ("2023-01,furniture,二十,", "units", "no number"),
        ('2023-01,furniture,"1,23",', "units", "no number"),
        ("2023-01,furniture,999999999,", "units", "look at its unit"),
        ("2023-01,furniture,,0.0001", "mass_kg", "finer than a gram"),
        ("2023-01,furniture,,nan", "mass_kg", "no number"),
        ("2023-01,toys,1,", "item_group", "not known"),
        ("2023-01,,1,", "item_type", "either"),
        ("2023-01,furniture,1,,x", "column 5", "under no header"),
    ],
)
def test_a_bad_cell_is_named_with_its_line_column_and_remedy(
    row: str, column: str, says: str, district: District
) -> None:
    # given a good line before it
    (fault,) = faults(lines("2022-01,furniture,1,", row), district)
    assert (fault["line"], fault["column"]) == (3, column)
    assert says in fault["en"]
    assert fault["zh"]


def test_all_faults_are_told_together_and_nothing_is_taken(district: District) -> None:
    found = faults(lines("23-01,furniture,1,", "2023-02,furniture,-1,", "2023-03,toys,x,"), district)
    assert [(one["line"], one["column"]) for one in found] == [
        (2, "month"), (3, "units"), (4, "item_group"), (4, "units"),
    ]  # fmt: skip


def test_gb18030_from_an_office_desk_is_read_with_chinese_names(district: District) -> None:
    raw = "月份,品类,镇街,件数(台),质量(千克)\r\n2023年1月,电冰箱,临城街道,12,489.6\r\n".encode("gb18030")
    form, (one,) = read_history(raw, charset=None, source_document="月报", this_month=THIS_MONTH, district=district)
    assert form == "csv-gb18030"
    assert (one.item_type, one.item_group, one.town_key) == ("fridge", "appliance_14", "lincheng")
    assert (one.units, one.mass_g, one.source_document) == (12, 489_600, "月报")


@pytest.mark.parametrize(
    ("rows", "line", "says"),
    [
        (("2023-01,,furniture,,1", "2023-01,,furniture,,1"), 3, "says again what line 2 says"),
        # a whole and its part, the district and one of its town units
        (("2023-01,,appliance_14,,9", "2023-01,fridge,,,1"), 3, "count twice"),
        (("2023-01,,furniture,,9", "2023-01,,furniture,lincheng,1"), 3, "count twice"),
    ],
)
def test_what_would_count_twice_is_refused(rows: tuple[str, ...], line: int, says: str, district: District) -> None:
    (fault,) = faults(lines(*rows, header="month,item_type,item_group,town_unit,units"), district)
    assert fault["line"] == line
    assert says in fault["en"]


def test_unknown_item_types_and_town_units_are_named_with_where_to_look(district: District) -> None:
    header = "month,item_type,town_unit,units"
    found = faults(lines("2023-01,toaster,lincheng,1", "2023-01,电冰箱,薛城街道,1", header=header), district)
    assert [(one["line"], one["column"]) for one in found] == [(2, "item_type"), (3, "town_unit")]
    assert '"toaster" is not known; see GET /item-types' in found[0]["en"]
    assert '"薛城街道"' in found[1]["zh"]


def test_parts_of_one_kind_stand_beside_each_other(district: District) -> None:
    rows = ("2023-01,fridge,,lincheng,1", "2023-01,fridge,,xingren,2", "2023-01,,furniture,,3")
    assert len(read(lines(*rows, header="month,item_type,item_group,town_unit,units"), district)) == 3


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no rows"),
        (HEADER.encode(), "no rows"),
        (b"month,units\n2023-01,1", "lacks item_type or item_group"),
        (b"month,item_group,units,colour\n", "is unknown"),
        (b"month,item_group,mass_kg,mass_g\n", "leave one of them"),
        (b"month,month,item_group,units\n", "twice"),
        ("month,item_group,units\n".encode("utf-16"), "UTF-16"),
        (b'month,item_group,units\n2023-01,furniture,"1\n', "no CSV"),
        (b"month,item_group,units\n2023-01,furniture,\0", "NUL"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_whole(raw: bytes, says: str, district: District) -> None:
    (fault,) = faults(raw, district)
    assert says in fault["en"]


def test_a_million_rows_are_refused_soon(district: District) -> None:
    raw = lines(*["2023-01,furniture,1,"] * 1_000_000)
    (fault,) = faults(raw, district)
    assert f"more than {MOST_ROWS} rows" in fault["en"]
    (fault,) = faults(lines(*[""] * 1_000_000), district)
    assert "more than" in fault["en"]


def test_a_line_of_a_million_cells_and_a_file_of_faults_are_refused_soon(district: District) -> None:
    (fault,) = faults(lines("2023-01,furniture,1," + "x," * 1_000_000), district)
    assert "1000004 cells" in fault["en"]
    with pytest.raises(RowsRefused) as refused:
        read(lines(*["x,x,x,x"] * MOST_ROWS), district)
    # four faults a line, until ten thousand
    assert refused.value.facts["error_count"] == 10_000


def test_excel_is_read_by_the_same_rules(district: District) -> None:
    (one,) = read(a_workbook(("2023-01", "furniture", 120, 4300.1 + 0.2)), district)
    # 4300.1 + 0.2 is 4300.3 in binary, nearly: as Excel shows it
    assert (one.units, one.mass_g) == (120, 4_300_300)
    for row, says in (
        ((2023.1, "furniture", 1), "may be January or October"),
        (("2023-01", "furniture", "=A1"), "a formula"),
        (("2023-01", "furniture", "一百"), "no number"),
        ((45_000, "furniture", 1), "is no month"),
    ):
        (fault,) = faults(a_workbook(row), district)
        assert fault["line"] == 2
        assert says in fault["en"]


@pytest.mark.parametrize("column", [2, 3])
def test_a_number_of_hundreds_of_digits_is_a_bad_cell(column: int, district: District) -> None:
    # a workbook may hold what no spreadsheet writes
    raw = with_part(
        a_workbook(("2023-01", "furniture", *(77 if place == column else 1 for place in (2, 3)))),
        "xl/worksheets/sheet1.xml", lambda text: text.replace(b"<v>77</v>", b"<v>" + b"7" * 400 + b"</v>"),
    )  # fmt: skip
    (fault,) = faults(raw, district)
    assert (fault["line"], fault["column"]) == (2, HEADER.split(",")[column])
    assert "too large" in fault["en"]


def test_merged_cells_name_their_place(district: District) -> None:
    def merged(_: Any, sheet: Any) -> None:
        sheet.merge_range("B2:B3", "furniture")

    (fault,) = faults(a_workbook(("2023-01", "furniture", 1), also=merged), district)
    assert "B2:B3" in fault["en"]
    assert "取消合并" in fault["zh"]


def test_the_template_can_be_sent_back_as_it_is(district: District) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(TEMPLATE_ROWS)
    assert len(read(text.getvalue().encode("utf-8-sig"), district)) == 2
