"""The fewest visits that one booking needs: its items parted so that each part goes on some vehicle with its crew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from recycling.policy.fleet import Shift
from recycling.policy.service_time import ItemCount, ServiceTimeRule, StopNeed, stop_need

# Steps of the exact search, a unit tried in a visit each: a tenth of a second. Households stay far below; what needs
# more is a bulk booking, and gets the visits that were found by then.
MOST_STEPS = 100_000
MOST_UNITS = 300  # the search goes one call deeper with each


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedVisits:
    """How a booking's items are parted.

    Parameters
    ----------
    visits
        One group of items for each visit, largest first; their units together are those of the booking, without
        ``unfit``.
    unfit
        Items of which not even one unit goes on any vehicle.
    fewest
        Whether no parting into fewer visits exists. ``False`` only where the search was ended before it could tell.
    """

    visits: tuple[tuple[ItemCount, ...], ...]
    unfit: tuple[ItemCount, ...]
    fewest: bool

    @property
    def one_suffices(self) -> bool:
        """Whether everything goes on one vehicle."""
        return len(self.visits) == 1 and not self.unfit


@dataclass(frozen=True, slots=True)
class _Kind:
    """One unit of an item: the index of its line, its skills and its load."""

    line: int
    skills: frozenset[str]
    mass_g: int
    litres: int


@dataclass(frozen=True, slots=True)
class _Part:
    """What is gathered for one visit: units by line, their skills together and their load."""

    units: tuple[int, ...] = ()
    skills: frozenset[str] = frozenset()
    mass_g: int = 0
    litres: int = 0

    def with_unit(self, kind: _Kind) -> _Part:
        """The part with one unit more."""
        return _Part(
            (*self.units, kind.line), self.skills | kind.skills, self.mass_g + kind.mass_g, self.litres + kind.litres
        )


# What a vehicle with its crew can do and carry.
_Means = tuple[frozenset[str], int, int]


def linked_visits(
    items: Sequence[ItemCount], *, shifts: Iterable[Shift], floor: int, lift: bool, rule: ServiceTimeRule
) -> LinkedVisits:
    """Part items into the fewest visits that each fit at least one vehicle, by skills and load.

    Parameters
    ----------
    items
        Different item types; the units of one may go on different visits.
    shifts
        Vehicles with their crews; one may come several times.
    floor, lift
        As for `stop_need`.

    Returns
    -------
    LinkedVisits
        The same for the same arguments.

    Notes
    -----
    Bin packing with skills. A first parting takes the largest unit first, each into the first visit it fits; then fewer
    visits are tried, every way there is: units of one line are alike, so that they are laid into visits in ascending
    sequence, and only one empty visit is ever opened at a time.
    """
    means = _undominated(shifts)
    kinds = [_kind(line, item, floor=floor, lift=lift, rule=rule) for line, item in enumerate(items)]
    fits = [_takes(_Part(), kind, means) for kind in kinds]
    units = [kind for kind, item in zip(kinds, items, strict=True) if fits[kind.line] for _ in range(item.quantity)]
    units.sort(key=lambda kind: (-len(kind.skills), -kind.litres, -kind.mass_g, kind.line))
    best, fewest = _first_fit(units, means), True
    steps = iter(range(MOST_STEPS if len(units) <= MOST_UNITS else 0))
    for count in range(_least(units, means), len(best)):
        try:
            found = _search(units, means, count, (), 0, steps)
        except StopIteration:
            fewest = False
            break
        if found is not None:
            best = found
            break
    ranked = sorted(best, key=lambda part: (-part.litres, -part.mass_g, part.units))
    return LinkedVisits(
        visits=tuple(tuple(_lines(part, items)) for part in ranked),
        unfit=tuple(item for item, fit in zip(items, fits, strict=True) if not fit),
        fewest=fewest,
    )


def need_of_one(item: ItemCount, *, floor: int, lift: bool, rule: ServiceTimeRule) -> StopNeed:
    """What one unit of an item asks of a crew; loads add up over units, and skills join."""
    one = ItemCount(item_type=item.item_type, quantity=1, dismantle=item.dismantle)
    return stop_need([one], floor=floor, lift=lift, rule=rule)


def _kind(line: int, item: ItemCount, *, floor: int, lift: bool, rule: ServiceTimeRule) -> _Kind:
    need = need_of_one(item, floor=floor, lift=lift, rule=rule)
    return _Kind(line, frozenset(need.skills), need.mass_g, need.litres)


def _undominated(shifts: Iterable[Shift]) -> list[_Means]:
    """The vehicles worth looking at: none of them can do and carry no more than another."""
    found = {
        (frozenset(shift.skills), shift.vehicle_class.capacity_g, shift.vehicle_class.capacity_l) for shift in shifts
    }
    ranked = sorted(found, key=lambda one: (-len(one[0]), -one[1], -one[2], sorted(one[0])))
    return [one for one in ranked if not any(other != one and _covers(other, one) for other in ranked)]


def _covers(larger: _Means, smaller: _Means) -> bool:
    return larger[0] >= smaller[0] and larger[1] >= smaller[1] and larger[2] >= smaller[2]


def _takes(part: _Part, unit: _Kind, means: Sequence[_Means]) -> bool:
    """Whether some vehicle can make the part's visit with one unit more."""
    mass_g, litres = part.mass_g + unit.mass_g, part.litres + unit.litres
    return any(
        mass_g <= one[1] and litres <= one[2] and part.skills <= one[0] and unit.skills <= one[0] for one in means
    )


def _least(units: Sequence[_Kind], means: Sequence[_Means]) -> int:
    """Visits that the load alone asks for; no search is needed to know that there are no fewer."""
    if not units:
        return 0
    masses, litres = sum(unit.mass_g for unit in units), sum(unit.litres for unit in units)
    return max(-(-masses // max(one[1] for one in means)), -(-litres // max(one[2] for one in means)))


def _first_fit(units: Sequence[_Kind], means: Sequence[_Means]) -> list[_Part]:
    parts: list[_Part] = []
    for unit in units:
        for number, part in enumerate(parts):
            if _takes(part, unit, means):
                parts[number] = part.with_unit(unit)
                break
        else:
            parts.append(_Part().with_unit(unit))
    return parts


def _search(
    units: Sequence[_Kind],
    means: Sequence[_Means],
    most: int,
    parts: tuple[_Part, ...],
    earliest: int,
    steps: Iterator[int],
) -> list[_Part] | None:
    """Lay the units into at most so many parts; ``None`` when there is no way.

    Raises
    ------
    StopIteration
        When the steps are used up.
    """
    if not units:
        return list(parts)
    unit, rest = units[0], units[1:]
    alike = bool(rest) and rest[0].line == unit.line
    for number in range(earliest, min(len(parts) + 1, most)):
        next(steps)
        before = parts[number] if number < len(parts) else _Part()
        if not _takes(before, unit, means):
            continue
        laid = (*parts[:number], before.with_unit(unit), *parts[number + 1 :])
        found = _search(rest, means, most, laid, number if alike else 0, steps)
        if found is not None:
            return found
    return None


def _lines(part: _Part, items: Sequence[ItemCount]) -> Iterator[ItemCount]:
    for line, quantity in sorted(Counter(part.units).items()):
        item = items[line]
        yield ItemCount(item_type=item.item_type, quantity=quantity, dismantle=item.dismantle)
