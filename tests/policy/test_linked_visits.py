"""A booking's items are parted into the fewest visits that some vehicle can make."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from recycling.policy.catalogue import ItemType
from recycling.policy.fleet import Shift, Vehicle, VehicleClass
from recycling.policy.linked_visits import LinkedVisits, linked_visits
from recycling.policy.service_time import ItemCount, stop_need
from tests.policy.builders import a_collector, a_piece_of_furniture, a_service_time_rule, an_item_type

FRIDGE = an_item_type()
AIR_CONDITIONER = an_item_type(
    key="ac-split", unit_mass_g=30_000, litres=300, crew=1, upright=False, dismantling_s=2_700,
    dismantling_skills=("dismantling", "refrigerant"), max_per_booking=4,
)  # fmt: skip
GAS_HEATER = an_item_type(
    key="water-heater-gas", unit_mass_g=15_000, litres=100, crew=1, upright=False, dismantling_s=1_200,
    dismantling_skills=("dismantling", "gas-fitting"),
)  # fmt: skip
CHAIR = a_piece_of_furniture(max_per_booking=100)


def a_shift(*skills: str, capacity_g: int = 1_500_000, capacity_l: int = 16_000) -> Shift:
    """A vehicle whose crew can do this."""
    kind = VehicleClass(
        key="truck", name_zh="厢式货车", name_en="Truck", capacity_g=capacity_g, capacity_l=capacity_l, skills=(),
        fixed_cost=0, cost_per_travel_s=1, cost_per_m=0, max_overtime_s=0, overtime_cost_per_s=3,
    )  # fmt: skip
    return Shift(
        vehicle=Vehicle(key="v", class_key="truck", station_key="shagou"), vehicle_class=kind,
        crew=(a_collector("c1"),), skills=tuple(sorted(skills)), shift_s=(0, 36_000), break_window_s=(1, 2),
        break_duration_s=0,
    )  # fmt: skip


def parted(items: Sequence[ItemCount], *shifts: Shift) -> LinkedVisits:
    """The visits on the ground floor, each seen to fit and all together to be the booking."""
    found = linked_visits(items, shifts=shifts, floor=1, lift=False, rule=a_service_time_rule())
    for visit in found.visits:
        need = stop_need(visit, floor=1, lift=False, rule=a_service_time_rule())
        assert any(
            set(need.skills) <= set(shift.skills)
            and need.mass_g <= shift.vehicle_class.capacity_g
            and need.litres <= shift.vehicle_class.capacity_l
            for shift in shifts
        )
    assert counted(found.visits) + counted([found.unfit]) == counted([items])
    return found


def counted(visits: Sequence[Sequence[ItemCount]]) -> Counter[tuple[str, bool]]:
    """Units by item type and dismantling."""
    total: Counter[tuple[str, bool]] = Counter()
    for item in itertools.chain(*visits):
        total[item.item_type.key, item.dismantle] += item.quantity
    return total


def an_item(kind: ItemType, quantity: int = 1, **fields: Any) -> ItemCount:
    return ItemCount(item_type=kind, quantity=quantity, **fields)


def test_one_visit_suffices_where_one_vehicle_can_do_and_carry_everything() -> None:
    able = a_shift("upright", "two-person-lift", "dismantling", "refrigerant", "gas-fitting")
    found = parted([an_item(FRIDGE), an_item(AIR_CONDITIONER, dismantle=True), an_item(GAS_HEATER)], able, a_shift())
    assert found.one_suffices
    assert found.fewest


def test_refrigerant_and_gas_on_no_same_crew_are_two_visits() -> None:
    items = [an_item(AIR_CONDITIONER, 2, dismantle=True), an_item(GAS_HEATER, dismantle=True), an_item(CHAIR, 4)]
    cold, gas = a_shift("dismantling", "refrigerant"), a_shift("dismantling", "gas-fitting")
    found = parted(items, cold, gas)
    assert (len(found.visits), found.one_suffices, found.fewest) == (2, False, True)
    # what is only carried away asks for no skill
    assert parted([an_item(AIR_CONDITIONER, 2), an_item(GAS_HEATER)], cold, gas).one_suffices


def test_a_load_beyond_every_vehicle_is_parted_within_one_item_type() -> None:
    # 20 chairs of 200 l; 1,000 l carry 5 of them
    found = parted([an_item(CHAIR, 20)], a_shift(capacity_l=1_000), a_shift(capacity_l=400))
    assert [sum(item.quantity for item in visit) for visit in found.visits] == [5, 5, 5, 5]


def test_what_no_vehicle_takes_is_named_and_the_rest_still_goes() -> None:
    found = parted([an_item(FRIDGE), an_item(CHAIR)], a_shift(capacity_l=500))
    assert ([item.item_type.key for item in found.unfit], len(found.visits)) == (["fridge"], 1)
    assert not found.one_suffices
    assert parted([an_item(FRIDGE)]).visits == ()


def test_a_greedy_parting_is_improved_upon() -> None:
    # Room for 10. Largest first, into the first that fits: 6 3 | 5 4 is not found, for 6 takes 4 and 5 takes 3, 2 ...
    sizes = (6, 5, 4, 3, 2)  # 20 together: two vehicles of 10, as 6 4 | 5 3 2
    kinds = [a_piece_of_furniture(key=f"piece-{litres}", litres=litres) for litres in sizes]
    assert len(parted([an_item(kind) for kind in kinds], a_shift(capacity_l=10)).visits) == 2
    # Room for 100: 44 24 24 8 | 28 27 23 22 fills both; first fit needs a third
    tight = [a_piece_of_furniture(key=f"p-{number}", litres=litres) for number, litres in enumerate(
        (44, 24, 24, 22, 28, 8, 27, 23))]  # fmt: skip
    assert len(parted([an_item(kind) for kind in tight], a_shift(capacity_l=100)).visits) == 2


def every_parting(units: list[ItemCount]) -> Iterator[list[list[ItemCount]]]:
    """Every way to put units into groups."""
    if not units:
        yield []
        return
    for groups in every_parting(units[1:]):
        yield [[units[0]], *groups]
        for number in range(len(groups)):
            yield [*groups[:number], [units[0], *groups[number]], *groups[number + 1 :]]


def fits(group: Sequence[ItemCount], shifts: Sequence[Shift]) -> bool:
    """Judged by sums of our own, not those of the module."""
    skills = {
        skill
        for item in group
        for skill in (
            *(item.item_type.dismantling_skills if item.dismantle else ()),
            *(["two-person-lift"] if item.item_type.crew == 2 else []),
            *(["upright"] if item.item_type.upright else []),
        )
    }
    mass_g, litres = (sum(getattr(item.item_type, name) for item in group) for name in ("unit_mass_g", "litres"))
    return any(
        skills <= set(shift.skills)
        and mass_g <= shift.vehicle_class.capacity_g
        and litres <= shift.vehicle_class.capacity_l
        for shift in shifts
    )


@pytest.mark.parametrize("seed", range(60))
def test_no_parting_of_all_there_are_has_fewer_visits(seed: int) -> None:
    # given up to seven units and up to three vehicles with some of the skills and little room
    rng = random.Random(seed)
    skills = ("upright", "two-person-lift", "dismantling", "refrigerant", "gas-fitting")
    work = (("dismantling",), AIR_CONDITIONER.dismantling_skills, GAS_HEATER.dismantling_skills)
    kinds = [
        an_item_type(
            key=f"type-{number}", unit_mass_g=rng.randint(5, 39) * 1000, litres=rng.randint(50, 400),
            crew=rng.choice((1, 1, 2)), upright=rng.random() < 0.3, dismantling_s=600,
            dismantling_skills=rng.choice(work),
        )
        for number in range(rng.randint(1, 5))
    ]  # fmt: skip
    items = [ItemCount(item_type=kind, quantity=1, dismantle=rng.random() < 0.6) for kind in kinds]
    for _ in range(rng.randint(0, 7 - len(items))):
        number = rng.randrange(len(items))
        items[number] = an_item(items[number].item_type, items[number].quantity + 1, dismantle=items[number].dismantle)
    shifts = [
        a_shift(
            *rng.sample(skills, rng.randint(2, 5)), capacity_g=rng.randint(40, 90) * 1000,
            capacity_l=rng.randint(400, 800),
        )
        for _ in range(rng.randint(1, 3))
    ]  # fmt: skip
    # when they are parted
    found = parted(items, *shifts)
    # then what is left out fits nowhere, and of all partings of the rest none has fewer groups
    assert [item for item in items if not fits([item], shifts)] == list(found.unfit)
    units = [
        an_item(item.item_type, dismantle=item.dismantle)
        for item in items
        if item not in found.unfit
        for _ in range(item.quantity)
    ]
    least = min(len(groups) for groups in every_parting(units) if all(fits(group, shifts) for group in groups))
    assert (len(found.visits), found.fewest) == (least, True)


def test_a_bulk_booking_gets_an_answer_in_time_even_if_not_the_best() -> None:
    rng = random.Random(1)
    kinds = [a_piece_of_furniture(key=f"p-{number}", litres=rng.randint(150, 450)) for number in range(20)]
    for quantity in (6, 100):
        found = parted([an_item(kind, quantity) for kind in kinds], a_shift(capacity_l=1_000))
        least = -(-sum(quantity * kind.litres for kind in kinds) // 1_000)
        assert least <= len(found.visits) <= least * 5 // 4
