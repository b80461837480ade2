"""Handling tables (作业时长表): learned seconds of a stop's parts and a learned factor on travel, by their day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from recycling.policy.catalogue import ItemType
from recycling.policy.service_time import RULE_PARTS, ServiceTimeRule

ITEM_PART = "handling_s."  # followed by the key of an item type
TRAVEL = "travel_bp"  # actual over estimated driving, in basis points; one for the whole district
TOWN_TRAVEL = "travel_bp."  # followed by a town-level unit: what came to light there, for people to see
AS_ESTIMATED_BP = 10_000


def item_part(key: str) -> str:
    """The name of the part of a stop's time that one unit of an item type takes."""
    return ITEM_PART + key


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingTable:
    """What people accepted of a proposal, on top of what they had accepted before.

    Parameters
    ----------
    number
        1, 2, …; of two tables in force on a day the later one holds.
    valid_from
        First service day whose new promises are made with ``seconds``.
    seconds
        By part of a stop's time; a part that is missing stays as configured.
    travel_bp, travel_from
        Factor on estimated travel and the first service day planned with it; both ``None`` while none was accepted.
    """

    number: int
    valid_from: date
    seconds: Mapping[str, int]
    travel_bp: int | None = None
    travel_from: date | None = None


@dataclass(frozen=True, slots=True)
class HandlingBook:
    """All handling tables that were ever accepted."""

    tables: tuple[HandlingTable, ...] = ()
    _newest_first: tuple[HandlingTable, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ranked = sorted(self.tables, key=lambda table: table.number, reverse=True)
        object.__setattr__(self, "_newest_first", tuple(ranked))

    def on(self, day: date) -> HandlingTable | None:
        """The table that new promises of a service day are made with; ``None``: all as configured."""
        return next((table for table in self._newest_first if table.valid_from <= day), None)

    def travel_bp(self, day: date) -> int:
        """The factor on estimated travel of a service day, in basis points."""
        for table in self._newest_first:
            if table.travel_bp is not None and table.travel_from is not None and table.travel_from <= day:
                return table.travel_bp
        return AS_ESTIMATED_BP

    def rule(self, rule: ServiceTimeRule, *, on: date) -> ServiceTimeRule:
        """The configured rule with what has been learned for a service day."""
        table = self.on(on)
        if table is None:
            return rule
        learned: dict[str, Any] = {part: table.seconds[part] for part in RULE_PARTS if part in table.seconds}
        return replace(rule, **learned)

    def item_type(self, kind: ItemType, *, on: date) -> ItemType:
        """A row of the catalogue with its learned handling for a service day."""
        table = self.on(on)
        if table is None or item_part(kind.key) not in table.seconds:
            return kind
        return replace(kind, handling_s=table.seconds[item_part(kind.key)])
