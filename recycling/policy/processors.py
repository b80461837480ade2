"""Processors (处理企业、去向): who may take goods from us, by which licence, and what for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal, get_args

from recycling.errors import Conflict, InvalidInput
from recycling.policy.catalogue import ItemType
from recycling.policy.checks import check_known, check_range

# What becomes of the goods there: sold on as they are, repaired first, or taken apart for their materials.
OutletKind = Literal["reuse", "refurbish", "recovery"]
OUTLET_KINDS: tuple[OutletKind, ...] = get_args(OutletKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """An outlet under one licence; a renewed or widened licence is another row of the same key.

    Parameters
    ----------
    kind
        ``reuse``, ``refurbish`` or ``recovery``.
    licence_number, authority
        Number of the licence, and who issued it.
    catalogue_numbers, item_types
        What it covers: numbers of the 2014 catalogue, and single item types.
    valid_from, valid_to
        First and last day in force.
    made_up
        Whether the row is a placeholder and no real enterprise.
    """

    key: str
    name_zh: str
    name_en: str
    kind: str
    licence_number: str
    authority: str
    catalogue_numbers: tuple[int, ...] = ()
    item_types: tuple[str, ...] = ()
    valid_from: date
    valid_to: date
    made_up: bool = False

    def __post_init__(self) -> None:
        check_known("kind", {self.kind}, frozenset(OUTLET_KINDS))
        for number in self.catalogue_numbers:
            check_range("catalogue_numbers", number, least=1, most=14)
        if not self.catalogue_numbers and not self.item_types:
            raise ValueError("catalogue_numbers and item_types are both empty; name what the licence covers")
        if self.valid_to < self.valid_from:
            raise ValueError(f"valid_to = {self.valid_to} lies before valid_from = {self.valid_from}")

    def valid_on(self, day: date) -> bool:
        """Tell whether the licence is in force on a local day."""
        return self.valid_from <= day <= self.valid_to

    def covers(self, kind: ItemType) -> bool:
        """Tell whether the licence names an item type, by itself or by its number in the catalogue."""
        return kind.key in self.item_types or kind.catalogue_no in self.catalogue_numbers


@dataclass(frozen=True, slots=True)
class ProcessorBook:
    """All licences; those of one key follow each other in time.

    Raises
    ------
    ValueError
        When two rows of one key overlap in time or differ in kind.
    """

    rows: tuple[Processor, ...] = ()

    def __post_init__(self) -> None:
        rows = sorted(self.rows, key=lambda row: (row.key, row.valid_from))
        for before, after in pairwise(rows):
            if before.key == after.key and after.valid_from <= before.valid_to:
                raise ValueError(f"processor {after.key!r} has two licences in force on {after.valid_from}")
            if before.key == after.key and after.kind != before.kind:
                raise ValueError(f"processor {after.key!r} changes from {before.kind} to {after.kind}")

    def licensed(self, key: str, *, on: date) -> Processor:
        """The licence of a processor on a local day.

        Raises
        ------
        InvalidInput
            When there is no such processor; the message names those there are.
        Conflict
            When its licence is not in force; the message says until when it was, or from when it will be.
        """
        rows = sorted((row for row in self.rows if row.key == key), key=lambda row: row.valid_from)
        if not rows:
            known = ", ".join(sorted({row.key for row in self.rows})) or "none is configured"
            raise InvalidInput(f"processor_key {key!r} is no processor of ours; choose from {known} / 去向不存在")
        for row in rows:
            if row.valid_on(on):
                return row
        begun = [row for row in rows if row.valid_from <= on]
        if not begun:
            first = rows[0]
            raise Conflict(
                f"licence {first.licence_number} of {key} is in force from {first.valid_from} only, not on {on}; wait,"
                f" or choose another processor"
                f" / {first.name_zh} 许可证 {first.licence_number} 自 {first.valid_from} 起有效"
            )
        last = begun[-1]
        raise Conflict(
            f"licence {last.licence_number} of {key} was in force until {last.valid_to} and has lapsed on {on}; enter"
            f" the renewed licence, or choose another processor / {last.name_zh} 许可证 {last.licence_number} 已于"
            f" {last.valid_to} 到期，请更新许可或另选去向"
        )

    def current(self, *, on: date) -> tuple[Processor, ...]:
        """One row for each processor: its licence on a local day, else the newest one, by key."""
        found: dict[str, Processor] = {}
        for row in sorted(self.rows, key=lambda row: (row.key, row.valid_on(on), row.valid_from)):
            found[row.key] = row
        return tuple(found.values())


def check_covered(processor: Processor, kinds: tuple[ItemType, ...]) -> None:
    """Refuse goods that a licence does not cover, and data that nobody has wiped.

    Raises
    ------
    Conflict
        Naming the item types, the licence and what to do.
    """
    licence = f"licence {processor.licence_number} of {processor.key}, in force until {processor.valid_to},"
    outside = [kind for kind in kinds if not processor.covers(kind)]
    if outside:
        raise Conflict(
            f"{licence} does not cover {', '.join(kind.key for kind in outside)}; hand these to a processor whose"
            f" licence does / {processor.name_zh} 许可证 {processor.licence_number}（有效期至 {processor.valid_to}）"
            f"不含{'、'.join(kind.name_zh for kind in outside)}，请另选去向"
        )
    unwiped = [kind for kind in kinds if kind.data_bearing]
    if unwiped and processor.kind != "recovery":
        raise Conflict(
            f"{', '.join(kind.key for kind in unwiped)} can hold somebody's data: without consent, a wipe and its"
            f" verified result it is not sold, lent or passed on; hand it to a recovery processor"
            f" / {'、'.join(kind.name_zh for kind in unwiped)}可能含用户数据：未经用户同意、清除并核验结果，"
            "不得转售、出借、转让或入公物仓（GB 46864-2025）；请交拆解处理企业"
        )
