"""A goal is in danger by its probability where there is one, else by its pace, and never in a year's first weeks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from recycling.policy.pace import PaceRule

RULE = PaceRule(below_probability_bp=(5000, 2000), below_pace_bp=(9500, 8500), quiet_days=59, source="test")


@pytest.mark.parametrize(
    ("elapsed_days", "probability_bp", "pace_bp", "level"),
    [
        (60, 5000, 0, 0),  # even odds are no alarm yet, whatever the pace says
        (60, 4999, 20_000, 1),
        (60, 1999, 20_000, 2),
        (59, 100, 0, 0),  # too early to say
        (60, None, 9500, 0),
        (60, None, 9499, 1),
        (60, None, 8499, 2),
    ],
)
def test_levels(elapsed_days: int, probability_bp: int | None, pace_bp: int, level: int) -> None:
    assert RULE.level(elapsed_days=elapsed_days, probability_bp=probability_bp, pace_bp=pace_bp) == level


@pytest.mark.parametrize(
    "wrong",
    [
        {"below_probability_bp": (2000, 5000)},
        {"below_pace_bp": (9500,)},
        {"below_pace_bp": (9500, 0)},
        {"quiet_days": 365},
        {"below_probability_bp": (), "below_pace_bp": ()},
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"below|quiet"):
        replace(RULE, **wrong)
