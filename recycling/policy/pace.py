"""When a goal is in danger (进度预警): in levels, so that the bureau hears of each once; pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from recycling.policy.checks import BP, check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceRule:
    """The levels of danger.

    Parameters
    ----------
    below_probability_bp
        Probabilities of reaching the goal below which a level begins, descending.
    below_pace_bp
        Likewise shares of the pace that would reach it, for where no probability is known; as many.
    quiet_days
        Days of a year that are too few to say anything by.
    source
        Whose rule it is.
    """

    below_probability_bp: tuple[int, ...]
    below_pace_bp: tuple[int, ...]
    quiet_days: int
    source: str

    def __post_init__(self) -> None:
        for name in ("below_probability_bp", "below_pace_bp"):
            steps = getattr(self, name)
            for step in steps:
                check_range(name, step, least=1, most=BP)
            if any(later >= earlier for earlier, later in pairwise(steps)):
                raise ValueError(f"{name} = {list(steps)} must descend")
        if not len(self.below_pace_bp) == len(self.below_probability_bp) > 0:
            raise ValueError("below_probability_bp and below_pace_bp need one value for each level, the same number")
        check_range("quiet_days", self.quiet_days, least=0, most=364)

    def level(self, *, elapsed_days: int, probability_bp: int | None, pace_bp: int) -> int:
        """How many levels are reached, 0 when all is well or nothing can be said yet."""
        if elapsed_days <= self.quiet_days:
            return 0
        if probability_bp is not None:
            return sum(probability_bp < step for step in self.below_probability_bp)
        return sum(pace_bp < step for step in self.below_pace_bp)
