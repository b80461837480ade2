"""Violations in words a dispatcher reads, in Chinese and English: what breaks, by how much, on which vehicle."""

from __future__ import annotations

from collections.abc import Callable

from recycling.routing.check_walk import Violation
from recycling.routing.fixes import minutes_of

UNITS = {"g": 1000, "l": 1}  # what one of the shown unit holds: kilograms, litres
SHOWN_UNITS = {"g": "kg", "l": "L"}

Words = tuple[str, str]


def said(broken: Violation) -> Words:
    """One violation as a clause in Chinese and in English; one that no move by hand causes keeps its own text."""
    words = _WORDS.get(broken.cause)
    return (broken.text, broken.text) if words is None else words(broken)


def _by_minutes(zh: str, en: str) -> Callable[[Violation], Words]:
    def words(broken: Violation) -> Words:
        minutes = minutes_of(broken.excess)
        return zh.format(minutes), en.format(minutes)

    return words


def _amount(broken: Violation) -> str:
    unit = broken.unit or ""
    whole = -(-broken.excess // UNITS.get(unit, 1))
    return f"{whole:,} {SHOWN_UNITS.get(unit, unit)}".strip()


_WORDS: dict[str, Callable[[Violation], Words]] = {
    "outside_window": _by_minutes("不在预约时段内，差 {} 分钟", "outside the promised window by {} min"),
    "outside_shift": _by_minutes("超出班次（含加班）{} 分钟", "{} min beyond shift and overtime"),
    "too_long": _by_minutes("超出最长工时 {} 分钟", "{} min longer than a route may be"),
    "break_missed": _by_minutes("没有 {} 分钟午休", "no room for the {} min break"),
    "break_outside_window": _by_minutes("午休不在规定时段，差 {} 分钟", "the break is {} min off its hours"),
    "station_closed": _by_minutes("站点不在开放时间，差 {} 分钟", "the station is closed, {} min off"),
    "over_capacity": lambda v: (f"超载 {_amount(v)}", f"{_amount(v)} too much on board"),
    "over_intake": lambda v: (f"站点超出当日接收量 {_amount(v)}", f"{_amount(v)} above what the station takes"),
    "missing_skill": lambda v: (f"班组缺少 {v.excess} 项技能/资质", f"the crew lacks {v.excess} skill(s)"),
    "lock_broken": lambda _: ("已锁定的停靠点须先上门", "locked stops come first, in their sequence"),
    "cannot_unload": lambda _: ("该站点不能途中卸货", "this station takes no unload on the way"),
}
