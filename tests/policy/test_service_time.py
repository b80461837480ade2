"""A stop's seconds, load and skills, each derived by hand from the estimates of the rule."""

from __future__ import annotations

import pytest

from recycling.policy.catalogue import ItemType
from recycling.policy.service_time import ItemCount, StopNeed, stop_need, storeys_to_carry
from tests.policy.builders import a_piece_of_furniture, a_service_time_rule, an_item_type

RULE = a_service_time_rule()
WASHER = an_item_type(key="washer", unit_mass_g=30_000, litres=400, handling_s=600, crew=1, upright=False)


def need(item_type: ItemType, quantity: int = 1, *, floor: int = 1, lift: bool = False) -> StopNeed:
    return stop_need([ItemCount(item_type=item_type, quantity=quantity)], floor=floor, lift=lift, rule=RULE)


def test_a_fridge_on_the_ground_floor_takes_base_and_handling() -> None:
    # 300 base + 720 handling; no carrying
    assert need(an_item_type()) == StopNeed(
        service_s=1020, mass_g=40_800, litres=800, skills=("two-person-lift", "upright")
    )


@pytest.mark.parametrize(
    ("floor", "lift", "service_s"),
    [
        (2, False, 300 + 600 + 1 * 90),
        (6, False, 300 + 600 + 5 * 90),
        (6, True, 300 + 600 + 120),
        (-1, False, 300 + 600 + 1 * 90),
        (1, True, 300 + 600),
    ],
)
def test_a_heavy_piece_is_carried_storey_by_storey_or_by_lift(floor: int, lift: bool, service_s: int) -> None:  # noqa: FBT001 - a parameter of the table above
    assert need(WASHER, floor=floor, lift=lift).service_s == service_s


def test_light_pieces_are_gathered_into_loads() -> None:
    # 6 chairs = 30 kg = 2 loads of at most 25 kg; 300 + 6 x 60 + 3 storeys x 2 loads x 42 = 912
    assert need(a_piece_of_furniture(), 6, floor=4).service_s == 912


def test_exactly_25_kg_is_a_light_load() -> None:
    # 300 + 60 + 1 storey x 42
    assert need(a_piece_of_furniture(unit_mass_g=25_000), floor=2).service_s == 402


def test_a_mixed_stop_adds_up() -> None:
    # 2 washers + 1 chair on floor 3: 300 + 2 x 600 + 60 + 2 storeys x (2 x 90 + 1 x 42) = 2004
    lines = [ItemCount(item_type=WASHER, quantity=2), ItemCount(item_type=a_piece_of_furniture(), quantity=1)]
    found = stop_need(lines, floor=3, lift=False, rule=RULE)
    assert found == StopNeed(service_s=2004, mass_g=65_000, litres=1_000, skills=("two-person-lift",))


@pytest.mark.parametrize(
    ("mass_g", "floor", "lift", "two"),
    [
        (39_999, 1, False, False),
        (40_000, 1, True, True),
        (25_000, 3, False, True),
        (25_000, 3, True, False),
        (25_000, 2, False, False),
        (24_999, 9, False, False),
    ],
)
def test_two_people_from_40_kg_or_from_25_kg_on_high_stairs(mass_g: int, floor: int, lift: bool, two: bool) -> None:  # noqa: FBT001 - parameters of the table above
    piece = a_piece_of_furniture(unit_mass_g=mass_g)
    assert (need(piece, floor=floor, lift=lift).skills == ("two-person-lift",)) is two


def test_dismantling_takes_time_and_skill_and_saves_room() -> None:
    bed = a_piece_of_furniture(
        litres=2_000, litres_dismantled=500, dismantling_s=1_200, dismantling_skills=("dismantling",)
    )
    as_it_stands = ItemCount(item_type=bed, quantity=1)
    asked = ItemCount(item_type=bed, quantity=1, dismantle=True)
    assert stop_need([as_it_stands], floor=1, lift=False, rule=RULE).litres == 2_000
    # 300 + 60 + 1200
    assert stop_need([asked], floor=1, lift=False, rule=RULE) == StopNeed(
        service_s=1560, mass_g=5_000, litres=500, skills=("dismantling",)
    )


def test_what_is_not_offered_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="not offered for 'chair'"):
        ItemCount(item_type=a_piece_of_furniture(), quantity=1, dismantle=True)
    with pytest.raises(ValueError, match="quantity = 0"):
        ItemCount(item_type=a_piece_of_furniture(), quantity=0)


@pytest.mark.parametrize(("floor", "storeys"), [(1, 0), (2, 1), (0, 0), (-1, 1), (-2, 2)])
def test_floors_are_counted_the_chinese_way(floor: int, storeys: int) -> None:
    assert storeys_to_carry(floor) == storeys
