"""Read a table of declared monthly figures (历史数据表): CSV or Excel in, figures out, or every fault by row.

Digits may be typed full-width and numbers with thousands separators; nothing is guessed: a year of two digits, a
formula, a merged cell or a figure that would count twice is refused by name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from recycling.errors import InvalidInput, RowsRefused
from recycling.gateways.sheet_reader import Cell, Formula, is_workbook, read_sheet
from recycling.policy.catalogue import GROUPS
from recycling.policy.district import District
from recycling.usecases.csv_cells import BadCell, folded
from recycling.usecases.csv_table import SHOWN_ERRORS, RowError, decoded
from recycling.usecases.reporting.history_cells import (
    MOST_G,
    MOST_UNITS,
    Names,
    grams_of,
    month_of,
    shown,
    text_of,
    whole,
)

Value = TypeVar("Value")

FIRST_MONTH = date(2022, 1, 1)
MOST_ROWS = 20_000  # figures in one file: 48 months of ten town units and twenty-five item types are 12,000
MOST_LINES = 40_000  # read before we give up, blank ones included
MOST_COLUMNS = 12
MOST_CELLS = 100  # in a line of CSV; spreadsheets leave empty ones behind
MOST_FAULTS = 10_000  # found before we stop looking: nobody corrects more by hand

GROUP_NAMES = {"目录内家电": "appliance_14", "目录外家电": "appliance_other", "家具": "furniture"}
# Each column by the names that it may have.
COLUMNS: dict[str, tuple[str, ...]] = {
    "month": ("month", "月份"),
    "item_type": ("item_type", "品类"),
    "item_group": ("item_group", "类别"),
    "town_unit": ("town_unit", "镇街"),
    "units": ("units", "件数(台)", "件数"),
    "mass_kg": ("mass_kg", "质量(千克)", "质量(kg)"),
    "mass_g": ("mass_g", "质量(克)", "质量(g)"),
    "source_document": ("source_document", "来源文件"),
}
TEMPLATE_ROWS = (
    ("month", "item_type", "item_group", "town_unit", "units", "mass_kg", "source_document"),
    ("2023-01", "", "appliance_14", "", "120", "4300.5", "商促局月报 2023-01"),
    ("2023-02", "fridge", "", "lincheng", "12", "489.6", "商促局月报 2023-02"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One declared figure of a month. ``item_type`` is empty for a whole group, ``town_key`` for the whole district."""

    line: int
    month: date
    item_group: str
    item_type: str
    town_key: str
    units: int | None
    mass_g: int | None
    source_document: str


def read_history(
    raw: bytes, *, charset: str | None, source_document: str, this_month: date, district: District
) -> tuple[str, list[Declared]]:
    """The form of a file, and the figures in it; months from 2022 on that are over before ``this_month``.

    Raises
    ------
    RowsRefused
        With every fault by line and column; nothing of the file is taken.
    """
    form, table = _table(raw, charset)
    faults: list[RowError] = []
    header: dict[int, str] | None = None
    found: list[Declared] = []
    named = _Named.of(district)
    rows = 0
    for line, cells in table:
        if not any(_filled(cell) for cell in cells):
            continue
        if header is None:
            header = _header(cells, line)
            continue
        rows += 1
        if rows > MOST_ROWS:
            raise _too_many()
        reader = _Reader(line, cells, header, faults, named, this_month=this_month, district=district)
        figure = reader.figure(source_document)
        if figure is not None:
            found.append(figure)
        if len(faults) >= MOST_FAULTS:
            raise _refusal(faults, rows)
    if header is None or not rows:
        raise _whole_file("文件没有数据行", "the file has no rows; send a header and at least one row")
    faults.extend(_counted_twice(found))
    if faults:
        raise _refusal(faults, rows)
    return form, found


# --- files to rows ---


def _table(raw: bytes, charset: str | None) -> tuple[str, Iterator[tuple[int, list[Cell]]]]:
    if is_workbook(raw):
        try:
            return "xlsx", read_sheet(raw, most_rows=MOST_LINES, most_columns=MOST_COLUMNS)
        except InvalidInput as refused:
            raise _whole_file(refused.facts["zh"], refused.message) from None
    encoding, text = decoded(raw, charset, refuse=_whole_file)
    return f"csv-{encoding}", _csv_rows(text)


def _csv_rows(text: str) -> Iterator[tuple[int, list[Cell]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            begins, line = line, reader.line_num + 1
            if begins > MOST_LINES:
                raise _too_many()
            if len(cells) > MOST_CELLS:
                raise _whole_file(
                    f"第 {begins} 行有 {len(cells)} 列，请按模板填写",
                    f"line {begins} has {len(cells)} cells; follow the template, GET /declared-history/template.csv",
                    begins,
                )
            yield begins, list(cells)
    except csv.Error as error:
        raise _whole_file(
            f"第 {line} 行不是有效的 CSV，请检查引号", f"line {line} is no CSV ({error}); look at its quotes", line
        ) from None


def _filled(cell: Cell) -> bool:
    return cell is not None and cell != "" and (not isinstance(cell, str) or bool(cell.strip()))


def _header(cells: Sequence[Cell], line: int) -> dict[int, str]:
    by_name = {folded(name).lower(): column for column, names in COLUMNS.items() for name in names}
    header: dict[int, str] = {}
    for place, cell in enumerate(cells):
        if not _filled(cell):
            continue
        name = folded(str(cell)).lower().replace(" ", "")
        if name not in by_name:
            raise _whole_file(
                f"表头 {shown(cell)} 不在可用列中：{'、'.join(names[-1] for names in COLUMNS.values())}",
                f"column {shown(cell)} is unknown; the columns are {', '.join(COLUMNS)}", line,
            )  # fmt: skip
        if by_name[name] in header.values():
            raise _whole_file(f"表头 {shown(cell)} 重复", f"column {shown(cell)} stands twice", line)
        header[place] = by_name[name]
    given = set(header.values())
    missing = ["month"] if "month" not in given else []
    if not given & {"item_type", "item_group"}:
        missing.append("item_type or item_group")
    if not given & {"units", "mass_kg", "mass_g"}:
        missing.append("units, mass_kg or mass_g")
    if {"mass_kg", "mass_g"} <= given:
        raise _whole_file("质量只能用一种单位", "mass_kg and mass_g are both there; leave one of them", line)
    if missing:
        raise _whole_file(f"缺少列：{'、'.join(missing)}", f"the header lacks {'; '.join(missing)}", line)
    return header


# --- rows to figures ---


class _Reader:
    """One row of the table; notes every fault in it."""

    def __init__(
        self, line: int, cells: Sequence[Cell], header: Mapping[int, str], faults: list[RowError], named: _Named, *,
        this_month: date, district: District,
    ) -> None:  # fmt: skip
        self.line, self.faults, self.named, self.this_month, self.district = line, faults, named, this_month, district
        self.cells: dict[str, Cell] = {}
        for place, cell in enumerate(cells):
            if not _filled(cell):
                continue
            if place not in header:
                self._fault(
                    f"column {place + 1}", f"{shown(cell)} 所在列没有表头", f"{shown(cell)} stands under no header"
                )
                continue
            self.cells[header[place]] = cell

    def figure(self, source_document: str) -> Declared | None:
        """The figure, or nothing when there is a fault."""
        before = len(self.faults)
        month = self._read("month", self._month)
        item_type = self._read("item_type", self.named.item_types.key_of) or ""
        group = self._read("item_group", self.named.groups.key_of) or ""
        town_key = self._read("town_unit", self.named.towns.key_of) or ""
        units = self._read("units", lambda cell: whole(cell, MOST_UNITS))
        mass_g = self._read("mass_g", lambda cell: whole(cell, MOST_G))
        if "mass_kg" in self.cells:
            mass_g = self._read("mass_kg", grams_of)
        document = self._read("source_document", text_of) or source_document
        if len(self.faults) == before:
            if month is None:
                self._fault("month", "不能为空", "is empty; write the month as 2023-01")
            if units is None and mass_g is None:
                self._fault("units", "件数与质量至少填一项", "units and mass are both empty; fill in one of them")
            if bool(item_type) == bool(group):
                self._fault("item_type", "品类与类别须且只能填一个", "give either the item type or the whole group")
        if len(self.faults) > before or month is None:
            return None
        return Declared(
            line=self.line, month=month, item_type=item_type, town_key=town_key, units=units, mass_g=mass_g,
            item_group=group or self.district.catalogue.latest(item_type).group, source_document=document,
        )  # fmt: skip

    def _read(self, column: str, read: Callable[[Cell], Value]) -> Value | None:
        cell = self.cells.get(column)
        if cell is None:
            return None
        try:
            if isinstance(cell, Formula) or (isinstance(cell, str) and folded(cell).startswith("=")):
                raise BadCell("是公式，请改为数值（选择性粘贴为值）", "is a formula; paste its value instead")
            return read(cell)
        except BadCell as bad:
            self._fault(column, f"{shown(cell)} {bad.zh}", f"{shown(cell)} {bad.en}")
            return None

    def _fault(self, column: str, zh: str, en: str) -> None:
        self.faults.append(RowError(line=self.line, column=column, zh=f"{column} {zh}", en=f"{column} {en}"))

    def _month(self, cell: Cell) -> date:
        if isinstance(cell, date):
            found: date = cell
            if found.day != 1:
                raise BadCell("是某一天，请只写月份，如 2023-01", "is a day; write the month alone, such as 2023-01")
        else:
            found = month_of(cell)
        if not FIRST_MONTH <= found < self.this_month:
            raise BadCell(
                f"应在 {FIRST_MONTH:%Y-%m} 之后、{self.this_month:%Y-%m} 之前（须为已结束的月份）",
                f"must be a month from {FIRST_MONTH:%Y-%m} on that is over, so before {self.this_month:%Y-%m}",
            )
        return found


@dataclass(frozen=True, slots=True)
class _Named:
    """What rows may name in a district."""

    item_types: Names
    groups: Names
    towns: Names

    @classmethod
    def of(cls, district: District) -> _Named:
        towns = {town.key: town.name_zh for town in district.network.towns.values()}
        return cls(
            item_types=Names(
                {kind.key: kind.name_zh for kind in district.catalogue.rows}, zh="品类", where="GET /item-types"
            ),
            groups=Names({key: zh for zh, key in GROUP_NAMES.items()}, zh="类别", where=", ".join(sorted(GROUPS))),
            towns=Names(towns, zh="镇街", where="GET /town-units"),
        )


def _counted_twice(figures: Sequence[Declared]) -> Iterator[RowError]:
    """Rows that say a thing again: the same, a whole beside its parts, the district beside its town units."""
    first: dict[tuple[date, str, str, str], int] = {}
    shapes: dict[tuple[date, str], tuple[bool, bool, int]] = {}
    for one in figures:
        key = (one.month, one.item_group, one.item_type, one.town_key)
        if key in first:
            yield RowError(
                line=one.line, column="month", zh=f"与第 {first[key]} 行重复（{one.month:%Y-%m}）",
                en=f"says again what line {first[key]} says of {one.month:%Y-%m}; leave one of them",
            )  # fmt: skip
            continue
        first[key] = one.line
        by_type, by_town = bool(one.item_type), bool(one.town_key)
        shape = shapes.setdefault((one.month, one.item_group), (by_type, by_town, one.line))
        if shape[:2] != (by_type, by_town):
            yield RowError(
                line=one.line, column="item_type" if shape[0] != by_type else "town_unit",
                zh=f"{one.month:%Y-%m} 的 {one.item_group} 会重复计算：同一月份同一类别须统一按品类或类别、"
                f"统一按镇街或全区填写（见第 {shape[2]} 行）",
                en=f"{one.item_group} of {one.month:%Y-%m} would count twice: say it by item type or as a group, by"
                f" town unit or for the district, as line {shape[2]} does",
            )  # fmt: skip


# --- refusals ---


def _too_many() -> RowsRefused:
    return _whole_file(
        f"超过 {MOST_ROWS} 行，请按年份拆分",
        f"the file has more than {MOST_ROWS} rows; split it by year",
        MOST_ROWS + 1,
    )


def _whole_file(zh: str, en: str, line: int = 1) -> RowsRefused:
    return RowsRefused(
        f"{en}; nothing was taken / {zh}；未采用任何数据",
        errors=[{"line": line, "column": "", "zh": zh, "en": en}], error_count=1,
    )  # fmt: skip


def _refusal(faults: Sequence[RowError], rows: int) -> RowsRefused:
    told, wrong = sorted(faults, key=lambda fault: fault.line), len({fault.line for fault in faults})
    return RowsRefused(
        f"{len(told)} faults on {wrong} lines, {rows} rows read; nothing was taken: correct the lines listed in errors"
        f" and send the whole file again / 共 {rows} 行，其中 {wrong} 行有 {len(told)} 处错误，未采用任何数据；"
        "请按 errors 逐行更正后重新提交整个文件",
        errors=[{"line": one.line, "column": one.column, "zh": one.zh, "en": one.en} for one in told[:SHOWN_ERRORS]],
        error_count=len(told),
    )
