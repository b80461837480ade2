"""How far one person may move a ticket."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from recycling.policy.intake_rules import CorrectionRule

RULE = CorrectionRule(most_alone_g=50_000, most_alone_bp=2_000, most_alone_units=5, source="test")


@pytest.mark.parametrize(
    ("before_g", "after_g", "people"),
    [
        (41_300, 0, 1),  # a light ticket may be withdrawn by one person
        (50_000, 0, 1),
        (50_001, 0, 2),  # 50.001 kg withdrawn
        (41_300, 91_300, 1),  # 50 kg more
        (41_300, 91_301, 2),
        (100_000, 80_000, 1),  # a fifth of 100 kg is 20 kg
        (100_000, 79_999, 2),
        (100_000, 120_001, 2),
        (1_000_000, 950_000, 1),  # 5 %, and 50 kg
        (1_000_000, 949_999, 2),
        (0, 50_000, 1),
    ],
)
def test_a_change_beyond_fifty_kilograms_or_a_fifth_of_a_heavy_ticket_takes_two(
    before_g: int, after_g: int, people: int
) -> None:
    assert RULE.takes_two(before_g, after_g) is (people == 2)


@pytest.mark.parametrize(
    ("before", "after", "people"),
    [
        ({"fridge": 3}, {"fridge": 8}, 1),
        ({"fridge": 3}, {"fridge": 9}, 2),  # six more
        ({"fridge": 5}, {}, 1),
        ({"fridge": 6}, {}, 2),
        ({"fridge": 5}, {"freezer": 5}, 1),  # five were something else
        ({"fridge": 6}, {"freezer": 6}, 2),
        ({"fridge": 3, "fan": 3}, {"freezer": 3, "monitor-crt": 3}, 2),  # six of two types
    ],
)
def test_more_than_five_pieces_put_on_or_taken_off_take_two_whatever_they_weigh(
    before: dict[str, int], after: dict[str, int], people: int
) -> None:
    assert RULE.units_take_two(before, after) is (people == 2)


def test_a_rule_that_cannot_be_is_refused() -> None:
    for name, value in (
        ("most_alone_g", -1),
        ("most_alone_bp", 10_001),
        ("most_alone_bp", -1),
        ("most_alone_units", -1),
    ):
        wrong: dict[str, Any] = {name: value}
        with pytest.raises(ValueError, match=name):
            replace(RULE, **wrong)
