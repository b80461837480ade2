"""When a late visit is told of (迟到告知): in steps, so that nobody hears of every minute; pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from recycling.policy.checks import check_range

LONGEST_S = 12 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class LatenessRule:
    """The steps of a delay at which its resident hears of it, once each.

    Parameters
    ----------
    past_window_s
        Seconds past the promised window's last second, ascending: the first step, the second, and so on.
    past_told_s
        Seconds past the quarter of an hour that was told the evening before, likewise. Further apart: the window is
        the promise.
    silent_after_s
        How long after a vehicle's last word nothing is told on its account: a phone without a network may have been
        at the door long ago.
    source
        Whose rule it is.
    """

    past_window_s: tuple[int, ...]
    past_told_s: tuple[int, ...]
    silent_after_s: int
    source: str

    def __post_init__(self) -> None:
        for name, steps in (("past_window_s", self.past_window_s), ("past_told_s", self.past_told_s)):
            for step in steps:
                check_range(name, step, least=60, most=LONGEST_S)
            if any(later <= earlier for earlier, later in pairwise(steps)):
                raise ValueError(f"{name} = {list(steps)} must ascend")
        check_range("silent_after_s", self.silent_after_s, least=60, most=LONGEST_S)

    def step(self, start_s: int, *, closes_s: int, told_s: int | None) -> int:
        """How many steps a service that starts at a second has reached; 0 when nothing is to be told."""
        past_window = bisect_right(self.past_window_s, start_s - closes_s)
        past_told = 0 if told_s is None else bisect_right(self.past_told_s, start_s - told_s)
        return max(past_window, past_told)
