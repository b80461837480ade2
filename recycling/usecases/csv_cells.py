"""How the cells of a table are read: each reader takes a text and gives its value, or says in two languages why not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

from recycling.policy.plain_text import is_plain


class BadCell(ValueError):
    """A cell that cannot be taken, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        """Say why."""
        super().__init__(en)
        self.zh, self.en = zh, en


class _Must:
    """Said of a column whose cells may not be empty."""


MUST = _Must()

# How a cell is read, and what an empty one means.
Column = tuple[Callable[[str], Any], Any]


def folded(text: str) -> str:
    """Full-width digits, letters and signs as plain ones."""
    return unicodedata.normalize("NFKC", text).strip()


def text_cell(least: int, most: int) -> Callable[[str], str]:
    """A text of so many printable characters, as it stands."""

    def read(text: str) -> str:
        if not is_plain(text):
            raise BadCell("含不可见字符", "has a control or invisible character")
        if not least <= len(text) <= most:
            raise BadCell(f"长度应为 {least}–{most} 字", f"has {len(text)} characters; write {least} to {most}")
        return text

    return read


def form_cell(form: str, zh: str, en: str) -> Callable[[str], str]:
    """A text of a form, full-width characters taken as plain ones; the words say what it is not."""
    pattern = re.compile(form, re.ASCII)

    def read(text: str) -> str:
        found = folded(text)
        if not pattern.fullmatch(found):
            raise BadCell(zh, en)
        return found

    return read


def whole_cell(least: int, most: int) -> Callable[[str], int]:
    """A whole number in a closed range."""

    def read(text: str) -> int:
        found = folded(text)
        if not re.fullmatch(r"-?[0-9]{1,9}", found):
            raise BadCell("不是整数", "is no whole number")
        if not least <= int(found) <= most:
            raise BadCell(f"应在 {least} 至 {most} 之间", f"must lie between {least} and {most}")
        return int(found)

    return read


def degrees_cell(text: str) -> float:
    """Degrees of latitude or longitude."""
    found = folded(text)
    if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,15})?", found) or abs(float(found)) > 180:
        raise BadCell("不是有效的经纬度（如 34.8046）", "are no degrees, such as 34.8046")
    return float(found)


def day_cell(text: str) -> date:
    """A day with a year of four digits: of 26-11-24 nobody knows which part is which."""
    found = re.fullmatch(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})", folded(text))
    try:
        if found is None:
            raise ValueError
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        raise BadCell("不是日期，请写成 2026-11-24", "is no date; write it as 2026-11-24") from None


def flag_cell(text: str) -> bool:
    """Yes or no."""
    found = folded(text).lower()
    if found in {"true", "yes", "1", "是", "有"}:
        return True
    if found in {"false", "no", "0", "否", "无"}:
        return False
    raise BadCell("请填 true/false 或 是/否", "must be true or false")
