"""The catalogue of item types (品类), valid by date."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Literal, get_args

from recycling.errors import InvalidInput
from recycling.policy.checks import check_known, check_range
from recycling.policy.fleet import SKILLS

APPLIANCE_14 = "appliance_14"
APPLIANCE_OTHER = "appliance_other"
FURNITURE = "furniture"
GROUPS = frozenset({APPLIANCE_14, APPLIANCE_OTHER, FURNITURE})
HAZARDS = frozenset({"battery", "gas", "glass", "grease", "height", "toner", "water"})

# The state an item is in, as its giver declares it; nobody has to know.
Condition = Literal["unknown", "working", "repairable", "scrap"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemType:
    """One kind of goods, in force from a first to a last day.

    Parameters
    ----------
    group
        ``appliance_14`` (the 2014 catalogue of 公告2015年第5号), ``appliance_other`` or ``furniture``.
    catalogue_no
        Number 1 to 14 in that catalogue; ``None`` outside it.
    unit_mass_g, mass_source
        Mass of one unit in grams and where the figure comes from; ``estimate`` is ours.
    litres, litres_dismantled
        Load space of one unit as it stands, and taken apart where that is offered.
    handling_s, dismantling_s
        Seconds at the door for one unit on the ground floor, disconnected; and those added by removal from the wall or
        taking apart. ``dismantling_s`` 0 means it is not offered.
    dismantling_skills
        What the crew must be able to do for that.
    crew
        People it takes to carry one: 1 or 2.
    upright
        Carried and loaded standing, nothing on top.
    data_bearing
        Holds the owner's data: no reuse before a verified wipe.
    max_per_booking
        Most units one booking may hold.
    valid_from, valid_to
        First and last day in force; ``valid_to`` ``None`` means until further notice.
    """

    key: str
    name_zh: str
    name_en: str
    group: str
    catalogue_no: int | None = None
    unit_mass_g: int
    mass_source: str
    litres: int
    litres_dismantled: int | None = None
    handling_s: int
    dismantling_s: int = 0
    dismantling_skills: tuple[str, ...] = ()
    crew: int
    refrigerant: bool = False
    data_bearing: bool = False
    upright: bool = False
    hazards: tuple[str, ...] = ()
    max_per_booking: int
    valid_from: date
    valid_to: date | None = None

    def __post_init__(self) -> None:
        check_known("group", {self.group}, GROUPS)
        if (self.catalogue_no is not None) != (self.group == APPLIANCE_14):
            raise ValueError(f"catalogue_no = {self.catalogue_no} goes with group appliance_14 and with no other")
        if self.catalogue_no is not None:
            check_range("catalogue_no", self.catalogue_no, least=1, most=14)
        check_range("unit_mass_g", self.unit_mass_g, least=1, most=1_000_000)
        check_range("litres", self.litres, least=1, most=20_000)
        if self.litres_dismantled is not None:
            check_range("litres_dismantled", self.litres_dismantled, least=1, most=self.litres)
        check_range("handling_s", self.handling_s, least=0, most=14_400)
        check_range("dismantling_s", self.dismantling_s, least=0, most=14_400)
        if bool(self.dismantling_skills) != self.dismantling:
            raise ValueError("dismantling_s and dismantling_skills are given together or not at all")
        check_known("dismantling_skills", set(self.dismantling_skills), SKILLS)
        check_range("crew", self.crew, least=1, most=2)
        check_known("hazards", set(self.hazards), HAZARDS)
        check_range("max_per_booking", self.max_per_booking, least=1, most=100)
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to = {self.valid_to} lies before valid_from = {self.valid_from}")

    @property
    def dismantling(self) -> bool:
        """Whether removal or taking apart is offered."""
        return self.dismantling_s > 0

    def valid_on(self, day: date) -> bool:
        """Tell whether the row is in force on a local day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All rows of the catalogue; several of one key follow each other in time.

    Raises
    ------
    ValueError
        When two rows of one key overlap in time or differ in group: a key never changes sides between the figures of
        appliances and furniture.
    """

    rows: tuple[ItemType, ...]
    _by_key: dict[str, list[ItemType]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_key: dict[str, list[ItemType]] = {}
        for row in sorted(self.rows, key=lambda row: row.valid_from):
            earlier = by_key.setdefault(row.key, [])
            if earlier and (earlier[-1].valid_to is None or row.valid_from <= earlier[-1].valid_to):
                raise ValueError(f"item type {row.key!r} has two rows in force on {row.valid_from}")
            if earlier and row.group != earlier[-1].group:
                raise ValueError(f"item type {row.key!r} changes from group {earlier[-1].group} to {row.group}")
            earlier.append(row)
        object.__setattr__(self, "_by_key", by_key)

    def item_type(self, key: str, *, on: date) -> ItemType:
        """Find the row of a key that is in force on a local day.

        Raises
        ------
        InvalidInput
            When the key is unknown or not in force that day; the message names the nearest keys.
        """
        for row in self._by_key.get(key, ()):
            if row.valid_on(on):
                return row
        valid = [row.key for row in self.valid_on(on)]
        near = (
            ", ".join(get_close_matches(key, valid, n=3)) or f"a key of the catalogue, such as {', '.join(valid[:3])}"
        )
        raise InvalidInput(
            f"品类 {key!r} 在 {on} 不在目录中 / item type {key!r} is not in the catalogue on {on}; choose {near}"
        )

    def valid_on(self, day: date) -> tuple[ItemType, ...]:
        """All rows in force on a local day, in the order of the file."""
        return tuple(row for row in self.rows if row.valid_on(day))

    def latest(self, key: str) -> ItemType:
        """The newest row of a key, for names in reports on any period.

        Raises
        ------
        InvalidInput
            When the key never was in the catalogue.
        """
        if key not in self._by_key:
            raise InvalidInput(f"品类 {key!r} 不在目录中 / item type {key!r} never was in the catalogue")
        return self._by_key[key][-1]
