"""A delay is told in steps: of the promised window first, of the quarter that was told later."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st

from recycling.policy.lateness import LatenessRule

RULE = LatenessRule(past_window_s=(900, 2700), past_told_s=(2700, 5400), silent_after_s=3600, source="test")
TEN = 36_000


@pytest.mark.parametrize(
    ("start_s", "told_s", "step"),
    [
        (TEN, None, 0),
        (TEN + 899, None, 0),
        (TEN + 900, None, 1),  # 15 minutes past the window
        (TEN + 2699, None, 1),
        (TEN + 2700, None, 2),  # 45
        (TEN - 1800, TEN - 4499, 0),  # inside the window, 2,699 s after the quarter that was told
        (TEN - 1800, TEN - 4500, 1),
        (TEN, TEN - 5400, 2),
        (TEN + 900, TEN - 4500, 2),  # 5,400 s after it, and one step past the window: the larger one counts
    ],
)
def test_steps_are_reached_on_their_second(start_s: int, told_s: int | None, step: int) -> None:
    assert RULE.step(start_s, closes_s=TEN, told_s=told_s) == step


@hypothesis.given(st.integers(0, 86_400), st.integers(0, 7200), st.integers(0, 86_400))
def test_later_is_never_a_smaller_step(start_s: int, more_s: int, told_s: int) -> None:
    assert RULE.step(start_s + more_s, closes_s=TEN, told_s=told_s) >= RULE.step(start_s, closes_s=TEN, told_s=told_s)
