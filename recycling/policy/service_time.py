"""How long a stop takes, what it loads and what its crew must be able to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from recycling.policy.catalogue import ItemType
from recycling.policy.checks import check_range
from recycling.policy.fleet import TWO_PERSON_LIFT, UPRIGHT


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
    storeys = storeys_to_carry(floor)
    light_g = 0
    heavy_loads = 0
    service_s, mass_g, litres = rule.base_s, 0, 0
    skills: set[str] = set()
    for line in items:
        kind, quantity = line.item_type, line.quantity
        service_s += quantity * (kind.handling_s + (kind.dismantling_s if line.dismantle else 0))
        mass_g += quantity * kind.unit_mass_g
        unit_l = kind.litres_dismantled if line.dismantle and kind.litres_dismantled is not None else kind.litres
        litres += quantity * unit_l
        if kind.unit_mass_g > rule.heavy_above_g:
            heavy_loads += quantity
        else:
            light_g += quantity * kind.unit_mass_g
        if _needs_two(kind, floor=floor, lift=lift, rule=rule):
            skills.add(TWO_PERSON_LIFT)
        if kind.upright:
            skills.add(UPRIGHT)
        if line.dismantle:
            skills.update(kind.dismantling_skills)
    light_loads = -(-light_g // rule.heavy_above_g)
    if storeys and lift:
        service_s += (heavy_loads + light_loads) * rule.lift_load_s
    else:
        service_s += storeys * (heavy_loads * rule.stairs_heavy_s + light_loads * rule.stairs_light_s)
    return StopNeed(service_s=service_s, mass_g=mass_g, litres=litres, skills=tuple(sorted(skills)))


def storeys_to_carry(floor: int) -> int:
    """Count the storeys between a floor and the street; floor 0, unknown in China, is read as the ground."""
    return max(floor - 1, -floor)


def _needs_two(kind: ItemType, *, floor: int, lift: bool, rule: ServiceTimeRule) -> bool:
    if kind.crew == 2 or kind.unit_mass_g >= rule.two_person_from_g:
        return True
    on_high_stairs = not lift and floor >= rule.two_person_stairs_floor
    return on_high_stairs and kind.unit_mass_g >= rule.two_person_stairs_from_g
