"""What a crew brings to a stop (随车携带), by what is booked there and what that asks of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from recycling.policy.catalogue import HAZARDS
from recycling.policy.checks import check_known
from recycling.policy.fleet import SKILLS
from recycling.policy.service_time import ItemCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Gear:
    """One thing to bring, in force from a first to a last day.

    Parameters
    ----------
    skills, hazards, data_bearing
        Triggers: a skill that the stop needs, a hazard of an item there, an item that holds data. One is enough.
    dismantling
        Hazards count only where their item is to be taken down or apart.

    Raises
    ------
    ValueError
        When nothing ever triggers it, or it ends before it begins.
    """

    key: str
    name_zh: str
    name_en: str
    skills: tuple[str, ...] = ()
    hazards: tuple[str, ...] = ()
    data_bearing: bool = False
    dismantling: bool = False
    valid_from: date
    valid_to: date | None = None

    def __post_init__(self) -> None:
        check_known("skills", set(self.skills), SKILLS)
        check_known("hazards", set(self.hazards), HAZARDS)
        if not (self.skills or self.hazards or self.data_bearing):
            raise ValueError(f"gear {self.key!r} is never brought; give it skills, hazards or data_bearing = true")
        if self.dismantling and not self.hazards:
            raise ValueError(f"gear {self.key!r}: dismantling narrows hazards, and it has none; give it some")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to = {self.valid_to} lies before valid_from = {self.valid_from}")

    def valid_on(self, day: date) -> bool:
        """Tell whether the row is in force on a local day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def wanted_for(self, items: Iterable[ItemCount], skills: Iterable[str]) -> bool:
        """Tell whether a stop with these items, which needs these skills, triggers it."""
        return bool(set(self.skills).intersection(skills)) or any(self._wanted_by(line) for line in items)

    def _wanted_by(self, line: ItemCount) -> bool:
        kind = line.item_type
        dangerous = bool(set(self.hazards).intersection(kind.hazards)) and (line.dismantle or not self.dismantling)
        return dangerous or (self.data_bearing and kind.data_bearing)


def what_to_bring(
    rows: Iterable[Gear], items: Iterable[ItemCount], *, skills: Iterable[str], on: date
) -> tuple[Gear, ...]:
    """What a stop on a local day asks a crew to bring, in the sequence of the rows."""
    items, skills = tuple(items), tuple(skills)
    return tuple(row for row in rows if row.valid_on(on) and row.wanted_for(items, skills))
