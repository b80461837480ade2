"""How long a stop takes, what it loads and what its crew must be able to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recycling.policy.catalogue import ItemType
from recycling.policy.checks import check_range
from recycling.policy.fleet import TWO_PERSON_LIFT, UPRIGHT

# The parts of a stop's time, by the field of the rule that holds their seconds; one more for each item type.
BASE, STAIRS_HEAVY, STAIRS_LIGHT, LIFT_LOAD = "base_s", "stairs_heavy_s", "stairs_light_s", "lift_load_s"
RULE_PARTS = (BASE, STAIRS_HEAVY, STAIRS_LIGHT, LIFT_LOAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTimeRule:
    """Collection practice in numbers; all of them estimates until our own plan-against-actual figures replace them.

    Parameters
    ----------
    base_s
        Seconds of every stop: parking, door code, check, payment.
    heavy_above_g
        A piece heavier than this is carried alone, and counts as a heavy load on the stairs.
    stairs_heavy_s, stairs_light_s
        Seconds a storey for one heavy or light load without a lift.
    lift_load_s
        Seconds for one load by lift, whatever the floor.
    two_person_from_g
        One piece of this mass needs two people anywhere.
    two_person_stairs_from_g, two_person_stairs_floor
        One piece of this mass needs two people from this floor up when there is no lift.
    """

    base_s: int
    heavy_above_g: int
    stairs_heavy_s: int
    stairs_light_s: int
    lift_load_s: int
    two_person_from_g: int
    two_person_stairs_from_g: int
    two_person_stairs_floor: int

    def __post_init__(self) -> None:
        for name in ("base_s", "stairs_heavy_s", "stairs_light_s", "lift_load_s"):
            check_range(name, getattr(self, name), least=0, most=3600)
        for name in ("heavy_above_g", "two_person_from_g", "two_person_stairs_from_g", "two_person_stairs_floor"):
            check_range(name, getattr(self, name), least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCount:
    """So many of one item type at one door.

    Parameters
    ----------
    quantity
        At least 1.
    dismantle
        Whether we are asked to remove it from the wall or take it apart; otherwise it stands ready to be carried.
    """

    item_type: ItemType
    quantity: int
    dismantle: bool = False

    def __post_init__(self) -> None:
        check_range("quantity", self.quantity, least=1)
        if self.dismantle and not self.item_type.dismantling:
            raise ValueError(f"dismantling is not offered for {self.item_type.key!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopNeed:
    """What one stop asks of the planner.

    Parameters
    ----------
    service_s
        Seconds at the stop.
    mass_g, litres
        Expected load.
    skills
        Sorted; all must be among those of the vehicle and its crew.
    """

    service_s: int
    mass_g: int
    litres: int
    skills: tuple[str, ...]


def stop_need(items: Iterable[ItemCount], *, floor: int, lift: bool, rule: ServiceTimeRule) -> StopNeed:
    """Work out time, load and skills of a stop.

    Parameters
    ----------
    items
        What is declared.
    floor
        As counted in China: 1 is the ground floor, -1 the first basement.
    lift
        Whether a lift reaches that floor.
    rule
        The figures to count with.

    Returns
    -------
    StopNeed
        Integers only.

    Notes
    -----
    Time = base + handling and dismantling of every piece + carrying. Pieces above ``heavy_above_g`` are carried one by
    one; the lighter ones are gathered into loads of that mass. On the ground floor carrying is part of the handling.
    """
    items = tuple(items)
    mass_g, litres = 0, 0
    # Whoever takes something apart may take any time for it: it is no part of the handling that all pieces share.
    service_s = sum(line.quantity * line.item_type.dismantling_s for line in items if line.dismantle)
    skills: set[str] = set()
    for line in items:
        kind, quantity = line.item_type, line.quantity
        service_s += quantity * kind.handling_s
        mass_g += quantity * kind.unit_mass_g
        unit_l = kind.litres_dismantled if line.dismantle and kind.litres_dismantled is not None else kind.litres
        litres += quantity * unit_l
        if _needs_two(kind, floor=floor, lift=lift, rule=rule):
            skills.add(TWO_PERSON_LIFT)
        if kind.upright:
            skills.add(UPRIGHT)
        if line.dismantle:
            skills.update(kind.dismantling_skills)
    carrying = carrying_counts(items, floor=floor, lift=lift, rule=rule)
    service_s += sum(count * int(getattr(rule, part)) for part, count in carrying.items())
    return StopNeed(service_s=service_s, mass_g=mass_g, litres=litres, skills=tuple(sorted(skills)))


def carrying_counts(items: Sequence[ItemCount], *, floor: int, lift: bool, rule: ServiceTimeRule) -> dict[str, int]:
    """How often each part of the rule goes into the time of a stop: once the base, and what is carried how far.

    Parts that do not occur are missing.
    """
    heavy, light = loads_of(items, rule=rule)
    storeys = storeys_to_carry(floor)
    counts = Counter({BASE: 1})
    if storeys and lift:
        counts[LIFT_LOAD] = heavy + light
    elif storeys:
        counts[STAIRS_HEAVY], counts[STAIRS_LIGHT] = storeys * heavy, storeys * light
    return {part: count for part, count in counts.items() if count}


def loads_of(items: Iterable[ItemCount], *, rule: ServiceTimeRule) -> tuple[int, int]:
    """Heavy pieces, each a load of its own, and the loads into which the lighter ones are gathered."""
    heavy, light_g = 0, 0
    for line in items:
        if line.item_type.unit_mass_g > rule.heavy_above_g:
            heavy += line.quantity
        else:
            light_g += line.quantity * line.item_type.unit_mass_g
    return heavy, -(-light_g // rule.heavy_above_g)


def storeys_to_carry(floor: int) -> int:
    """Count the storeys between a floor and the street; floor 0, unknown in China, is read as the ground."""
    return max(floor - 1, -floor)


def _needs_two(kind: ItemType, *, floor: int, lift: bool, rule: ServiceTimeRule) -> bool:
    if kind.crew == 2 or kind.unit_mass_g >= rule.two_person_from_g:
        return True
    on_high_stairs = not lift and floor >= rule.two_person_stairs_floor
    return on_high_stairs and kind.unit_mass_g >= rule.two_person_stairs_from_g
