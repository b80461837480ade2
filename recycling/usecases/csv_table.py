"""Read a table that somebody made in a spreadsheet: bytes of a CSV file in, rows by column out, or every fault by line.

A cell is text and stays text: one that begins like a formula is kept as it stands where a text is asked for, and is no
number where a number is. Numbers may be typed full-width.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recycling.errors import RowsRefused
from recycling.usecases.csv_cells import MUST, BadCell, Column, folded

SHOWN_ERRORS = 100
SHOWN_OF_VALUE = 40  # characters of a refused cell that the answer repeats

GB_NAMES = {"gb18030", "gbk", "gb2312", "gb_2312-80", "cp936"}
UTF8_NAMES = {"utf-8", "utf8"}
BOM = b"\xef\xbb\xbf"
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
BROKEN = "\ufffd"

Refuse = Callable[..., RowsRefused]  # with the words in both languages, then perhaps the line


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
class TableForm:
    """What a table must look like.

    Parameters
    ----------
    columns
        By name. Those whose cells may not be empty must be there.
    either
        Columns of which at least one must be there.
    also_called
        Other names that a heading may have.
    most_rows, most_lines
        Rows of one file; lines read before we give up, blank ones included: spreadsheets leave many behind.
    unspoken
        Columns of personal data: named in an answer, never repeated.
    nothing_zh, nothing_en
        What was not done when the file is refused.
    """

    columns: Mapping[str, Column]
    either: tuple[str, ...] = ()
    also_called: Mapping[str, str] = field(default_factory=dict)
    most_rows: int
    most_lines: int
    unspoken: frozenset[str] = frozenset()
    nothing_zh: str
    nothing_en: str

    def read(self, raw: bytes, *, charset: str | None = None) -> tuple[str, list[TableRow]]:
        """The encoding of a file, and its rows that are not blank.

        Raises
        ------
        RowsRefused
            When it cannot be decoded, the header is wrong, there are too many rows, or quotes do not close.
        """
        encoding, text = decoded(raw, charset, refuse=self._whole_file)
        return encoding, self._rows(text)

    def cell(self, row: TableRow, column: str, faults: Faults) -> Any:
        """The value of a cell; ``None`` when it is empty and may be, or when it is noted as a fault."""
        read, empty = self.columns[column]
        text = row.cells.get(column, "")
        if not text:
            if empty is MUST:
                faults.add(row.line, column, "不能为空", "is empty; fill it in")
                return None
            return empty
        try:
            return read(text)
        except BadCell as bad:
            value = "" if column in self.unspoken else f" {shown(text)}"
            faults.add(row.line, column, f"{column}{value} {bad.zh}", f"{column}{value} {bad.en}")
            return None

    def _whole_file(self, zh: str, en: str, line: int = 1, column: str = "") -> RowsRefused:
        return RowsRefused(
            f"{en}; {self.nothing_en} / {zh}；{self.nothing_zh}",
            errors=[{"line": line, "column": column, "zh": zh, "en": en}],
            error_count=1,
        )

    def _rows(self, text: str) -> list[TableRow]:
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
                if begins > self.most_lines:
                    raise self._too_many()
                if not any(cell.strip() for cell in cells):
                    continue
                if header is None:
                    header = self._header(cells, begins)
                    continue
                if len(rows) == self.most_rows:
                    raise self._too_many()
                if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                    raise self._whole_file(
                        f"第 {begins} 行有 {len(cells)} 列，表头只有 {len(header)} 列；含逗号的内容请加引号",
                        f"line {begins} has {len(cells)} cells, the header {len(header)}; quote a text that has"
                        " a comma",
                        begins,
                    )
                rows.append(TableRow(line=begins, cells=dict(zip(header, map(str.strip, cells), strict=False))))
        except csv.Error as error:
            raise self._whole_file(
                f"第 {line} 行不是有效的 CSV，请检查引号", f"line {line} is no CSV ({error}); look at its quotes",
                line,
            ) from None  # fmt: skip
        if not rows:
            raise self._whole_file("文件没有数据行", "the file has no rows; send a header and at least one row")
        return rows

    def _too_many(self) -> RowsRefused:
        return self._whole_file(
            f"超过 {self.most_rows} 行，请拆分为多个文件",
            f"the file has more than {self.most_rows} rows; split it",
            self.most_rows + 1,
        )

    def _header(self, cells: Sequence[str], line: int) -> list[str]:
        names = [folded(cell).lower() for cell in cells]
        names = [self.also_called.get(name, name) for name in names]
        while names and not names[-1]:
            names.pop()
        for name in names:
            if name not in self.columns:
                raise self._whole_file(
                    f"表头 {shown(name)} 不在可用列中：{'、'.join(self.columns)}",
                    f"column {shown(name)} is unknown; the columns are {', '.join(self.columns)}",
                    line,
                )
            if names.count(name) > 1:
                raise self._whole_file(f"表头 {name} 重复", f"column {name} stands twice in the header", line, name)
        missing = [name for name, (_, empty) in self.columns.items() if empty is MUST and name not in names]
        if self.either and not set(self.either) & set(names):
            missing.insert(0, self.either[0])
        if missing:
            raise self._whole_file(
                f"缺少列：{'、'.join(missing)}（以逗号分隔）",
                f"the header lacks {', '.join(missing)}; separate the columns by commas",
                line,
                missing[0],
            )
        return names


@dataclass(slots=True)
class Faults:
    """Every fault found, in the sequence of the file; all are counted, the first hundred are told."""

    form: TableForm
    found: list[RowError] = field(default_factory=list)

    def add(self, line: int, column: str, zh: str, en: str) -> None:
        """Note one."""
        self.found.append(RowError(line=line, column=column, zh=zh, en=en))

    def refuse(self, rows: int) -> RowsRefused:
        """All of them as one refusal."""
        told = sorted(self.found, key=lambda fault: fault.line)
        wrong, count = len({fault.line for fault in told}), len(told)
        return RowsRefused(
            f"{count} faults on {wrong} lines, {rows} rows read; {self.form.nothing_en}: correct the lines listed in"
            f" errors and send the whole file again / 共 {rows} 行，其中 {wrong} 行有 {count} 处错误，"
            f"{self.form.nothing_zh}；请按 errors 逐行更正后重新提交整个文件",
            errors=[
                {"line": one.line, "column": one.column, "zh": one.zh, "en": one.en} for one in told[:SHOWN_ERRORS]
            ],
            error_count=count,
        )


def decoded(raw: bytes, charset: str | None, *, refuse: Refuse) -> tuple[str, str]:
    """The encoding of a CSV file, UTF-8 or GB18030, and its text; ``refuse`` puts what is wrong into the file's words.

    Raises
    ------
    RowsRefused
        When it is in neither, or in another one by its own word.
    """
    named = (charset or "").lower()
    if raw.startswith(WIDE_BOMS):
        raise refuse("文件为 UTF-16 编码，请另存为 CSV UTF-8", "the file is UTF-16; save it as CSV UTF-8")
    if named and named not in UTF8_NAMES | GB_NAMES:
        raise refuse(
            f"不支持 {named[:SHOWN_OF_VALUE]} 编码，请使用 UTF-8 或 GB18030",
            f"charset {named[:SHOWN_OF_VALUE]} is not taken; send UTF-8 or GB18030",
        )
    if named not in GB_NAMES or raw.startswith(BOM):
        try:
            return "utf-8", _clean(raw.removeprefix(BOM).decode("utf-8"), refuse)
        except UnicodeDecodeError as error:
            if named in UTF8_NAMES or raw.startswith(BOM) or _mostly_utf8(raw):
                line = raw.count(b"\n", 0, error.start) + 1
                raise refuse(
                    f"第 {line} 行不是有效的 UTF-8，请重新导出",
                    f"line {line} is no UTF-8; export the file again",
                    line,
                ) from None
    try:
        return "gb18030", _clean(raw.decode("gb18030"), refuse)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refuse(
            f"无法识别编码（第 {line} 行既非 UTF-8 也非 GB18030），请另存为 CSV UTF-8",
            f"the encoding is not known (line {line} is neither UTF-8 nor GB18030); save the file as CSV UTF-8",
            line,
        ) from None


def _clean(text: str, refuse: Refuse) -> str:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise refuse(f"第 {line} 行含空字符，不是 CSV 文本", f"line {line} has a NUL character; send CSV text", line)
    return text


def _mostly_utf8(raw: bytes) -> bool:
    """Whether it is UTF-8 with a few broken bytes: GB text read as UTF-8 is broken at nearly every character."""
    text = raw.decode("utf-8", "replace")
    beyond_ascii = sum(not character.isascii() for character in text)
    return text.count(BROKEN) * 5 < beyond_ascii


def shown(text: str) -> str:
    """A refused cell in a few characters, quoted: what repeats it begins no cell of its own."""
    plain = "".join(character if character.isprintable() else BROKEN for character in text)
    return f'"{plain if len(plain) <= SHOWN_OF_VALUE else plain[:SHOWN_OF_VALUE] + "…"}"'
