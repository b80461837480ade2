"""Cells of a table of declared figures: months, numbers and names, read as typed or refused in words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from recycling.gateways.sheet_reader import Cell, Formula
from recycling.policy.plain_text import is_plain
from recycling.usecases.csv_cells import BadCell, folded
from recycling.usecases.csv_table import shown as shown_text

MOST_UNITS, MOST_G = 10**8, 10**13  # of one month of one row: a hundred times the whole country's is a typing error


def month_of(cell: Cell) -> date:
    """The first day of a month as it was typed, its year in four digits."""
    text = folded(str(cell))
    if isinstance(cell, float):
        raise BadCell("可能是 1 月也可能是 10 月，请写成 2023-01", "may be January or October; write it as 2023-01")
    found = re.fullmatch(
        r"([0-9]{4})(?:[-/]([0-9]{1,2})|\.([0-9]{2})|年([0-9]{1,2})月?|([0-9]{2}))(?:[-/.]0?1)?", text, re.ASCII
    )
    if found is None:
        if re.match(r"(?:[0-9]{2}[-/.年]|[0-9]{1,2}[-/.][0-9]{2}$|[A-Za-z]{3}[-/ ][0-9]{2}$)", text, re.ASCII):
            raise BadCell("年份只有两位，请写成 2023-01", "has a year of two digits; write it as 2023-01")
        raise BadCell("不是月份，请写成 2023-01", "is no month; write it as 2023-01")
    year, month = int(found[1]), int(next(filter(None, found.groups()[1:])))
    if year == 0:
        raise BadCell("不是月份，请写成 2023-01", "is no month; write it as 2023-01")
    if not 1 <= month <= 12:
        raise BadCell("月份应在 1 至 12 之间", f"has a month of {month}; there are twelve")
    return date(year, month, 1)


def _number(cell: Cell) -> Decimal:
    """A number as it was typed: ``1,234.5`` and ``１２３４`` too. Excel's binary fractions to fifteen digits."""
    if isinstance(cell, bool | date | Formula) or cell is None:
        raise BadCell("不是数字", "is no number; write digits only")
    if isinstance(cell, int) and abs(cell) > MOST_G * 1000:  # thousands of digits overflow whatever they are put in
        raise BadCell("数字过大，请检查单位", "is too large a number; look at its unit")
    if isinstance(cell, int | float):
        if not math.isfinite(cell):
            raise BadCell("不是数字", "is no number; write digits only")
        return Decimal(cell) if isinstance(cell, int) else Decimal(f"{cell:.15g}")
    text = folded(cell).replace("−", "-")
    if not re.fullmatch(r"-?(?:[0-9]{1,16}|[0-9]{1,3}(?:,[0-9]{3}){1,5})(?:\.[0-9]{1,15})?", text, re.ASCII):
        raise BadCell(
            "不是数字，请只写数字，如 1234.5 或 1,234.5", "is no number; write digits only, such as 1234.5 or 1,234.5"
        )
    return Decimal(text.replace(",", ""))


def whole(cell: Cell, most: int) -> int:
    """Whole pieces or grams from 0 to a bound."""
    found = _number(cell)
    if found < 0:
        raise BadCell("不能为负", "is negative; correct the month that it is to be taken off")
    if found != found.to_integral_value():
        raise BadCell("须为整数", "is no whole number; give whole pieces or grams")
    if found > most:
        raise BadCell(f"超过 {most}，请检查单位", f"is above {most}; look at its unit")
    return int(found)


def grams_of(cell: Cell) -> int:
    """Kilograms as whole grams."""
    grams = _number(cell) * 1000
    if grams != grams.to_integral_value():
        raise BadCell("精度超过 1 克，请保留三位小数", "is finer than a gram; round it to three decimals")
    return whole(str(int(grams)), MOST_G)


def text_of(cell: Cell) -> str:
    """A short text that people can see whole."""
    text = str(cell).strip()
    if len(text) > 200 or not is_plain(text):
        raise BadCell("过长或含不可见字符", "is longer than 200 characters or has invisible ones")
    return text


class Names:
    """What a column may name, by its key or its Chinese name, and how that is refused."""

    def __init__(self, names: Mapping[str, str], *, zh: str, where: str) -> None:
        self.zh, self.where = zh, where
        folded_names = [folded(name) for name in names.values()]
        # Two that are called alike can be named by their keys only.
        once = {folded(name): key for key, name in names.items() if folded_names.count(folded(name)) == 1}
        self.keys = once | {key: key for key in names}

    def key_of(self, cell: Cell) -> str:
        """The key of what a cell names."""
        key = self.keys.get(folded(str(cell)))
        if key is None:
            raise BadCell(f"不是已知的{self.zh}，可用值见 {self.where}", f"is not known; see {self.where}")
        return key


def shown(cell: Cell) -> str:
    """A refused cell in a few characters, quoted: what repeats it begins no cell of its own."""
    text = cell.text if isinstance(cell, Formula) else str(cell)
    return shown_text(text)
