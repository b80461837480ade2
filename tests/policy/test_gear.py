"""A crew brings what the booked items ask for, and nothing for what is not there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from recycling.gateways.config_files import read_district
from recycling.policy.district import District
from recycling.policy.fleet import SKILL_WORDS, SKILLS
from recycling.policy.gear import Gear, what_to_bring
from recycling.policy.service_time import ItemCount, stop_need

TODAY = date(2026, 11, 24)
CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(scope="module")
def shipped() -> District:
    return read_district(CONFIG)


def brought(district: District, *items: tuple[str, bool], floor: int = 1) -> set[str]:
    """Keys of what the shipped table asks for at a door with these items, each to be taken down or not."""
    lines: Sequence[ItemCount] = [
        ItemCount(item_type=district.catalogue.item_type(key, on=TODAY), quantity=1, dismantle=dismantle)
        for key, dismantle in items
    ]
    need = stop_need(lines, floor=floor, lift=False, rule=district.service_time)
    return {row.key for row in what_to_bring(district.gear, lines, skills=need.skills, on=TODAY)}


@pytest.mark.parametrize(
    ("items", "wanted"),
    [
        ([("fridge", False)], {"second-person", "lift-straps", "fridge-trolley"}),
        # on the wall: by two, who take it down from a ladder and recover its refrigerant
        ([("ac-split", True)], {"second-person", "lift-straps", "tool-case", "ladder", "refrigerant-set"}),
        # standing ready it wants none of that
        ([("ac-split", False)], {"second-person", "lift-straps"}),
        ([("phone-mobile", False)], {"battery-box", "seals"}),
        ([("rice-cooker", False)], set()),
        ([("rice-cooker", False), ("phone-mobile", False)], {"battery-box", "seals"}),
    ],
    ids=["fridge", "air conditioner on the wall", "air conditioner at the door", "phone", "cooker", "both"],
)
def test_the_shipped_table_brings_what_the_items_ask_for(
    shipped: District, items: list[tuple[str, bool]], wanted: set[str]
) -> None:
    assert brought(shipped, *items) == wanted


def test_high_stairs_alone_may_ask_for_a_second_person(shipped: District) -> None:
    # given a desk of 30 kg, which one person carries on the ground floor and two from the third floor up
    assert brought(shipped, ("desk", False)) == set()
    assert {"second-person", "lift-straps"} <= brought(shipped, ("desk", False), floor=3)


def test_every_skill_has_gear_and_words(shipped: District) -> None:
    assert {skill for row in shipped.gear for skill in row.skills} == SKILLS == SKILL_WORDS.keys()


def a_row(**fields: Any) -> Gear:
    facts: dict[str, Any] = {"key": "straps", "name_zh": "搬运带", "name_en": "straps", "valid_from": TODAY}
    return Gear(**facts | fields)


def test_a_row_is_brought_on_its_days_only() -> None:
    row = a_row(skills=("upright",), valid_to=TODAY)
    for day, wanted in ((date(2026, 11, 23), ()), (TODAY, (row,)), (date(2026, 11, 25), ())):
        assert what_to_bring([row], [], skills=["upright"], on=day) == wanted


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "never brought"),
        ({"skills": ("flying",)}, "'flying' is unknown"),
        ({"hazards": ("bees",)}, "'bees' is unknown"),
        ({"skills": ("upright",), "dismantling": True}, "narrows hazards"),
        ({"skills": ("upright",), "valid_to": date(2026, 11, 23)}, "before valid_from"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        a_row(**fields)
