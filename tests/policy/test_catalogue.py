"""The catalogue answers for a day, and refuses rows that contradict themselves."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from recycling.errors import InvalidInput
from recycling.policy.catalogue import Catalogue
from tests.policy.builders import a_piece_of_furniture, an_item_type

OLD = an_item_type(unit_mass_g=45_000, valid_to=date(2026, 6, 30))
NEW = an_item_type(unit_mass_g=40_800, valid_from=date(2026, 7, 1))


def test_the_row_of_the_day_is_found_on_both_sides_of_a_change() -> None:
    catalogue = Catalogue((NEW, OLD))
    assert catalogue.item_type("fridge", on=date(2026, 6, 30)).unit_mass_g == 45_000
    assert catalogue.item_type("fridge", on=date(2026, 7, 1)).unit_mass_g == 40_800
    assert catalogue.latest("fridge") is NEW
    assert catalogue.valid_on(date(2026, 6, 30)) == (OLD,)


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InvalidInput, match=r"'fridgee'.*choose fridge"):
        Catalogue((NEW,)).item_type("fridgee", on=date(2026, 11, 24))


def test_a_key_before_its_first_day_is_refused_with_the_day() -> None:
    with pytest.raises(InvalidInput, match="2022-12-31"):
        Catalogue((OLD,)).item_type("fridge", on=date(2022, 12, 31))
    with pytest.raises(InvalidInput, match="never"):
        Catalogue((OLD,)).latest("sofa")


def test_two_rows_of_a_key_never_overlap() -> None:
    with pytest.raises(ValueError, match=r"'fridge' has two rows in force on 2026-06-30"):
        Catalogue((OLD, an_item_type(valid_from=date(2026, 6, 30))))


def test_a_key_never_moves_between_appliances_and_furniture() -> None:
    with pytest.raises(ValueError, match="changes from group"):
        Catalogue((OLD, a_piece_of_furniture(key="fridge", valid_from=date(2026, 7, 1))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"group": "toys"},
        {"catalogue_no": None},
        {"catalogue_no": 15},
        {"group": "furniture"},
        {"unit_mass_g": 0},
        {"litres": -1},
        {"litres_dismantled": 801},
        {"handling_s": -1},
        {"dismantling_s": 60},
        {"dismantling_skills": ("dismantling",)},
        {"dismantling_s": 60, "dismantling_skills": ("magic",)},
        {"crew": 3},
        {"hazards": ("dragons",)},
        {"max_per_booking": 0},
        {"valid_to": date(2022, 12, 31)},
    ],
)
def test_a_row_outside_its_ranges_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        an_item_type(**wrong)
