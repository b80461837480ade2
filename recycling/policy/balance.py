"""Turn by turn (轮流出车): who has worked more lately is used later, as a bounded change of a vehicle's fixed cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from recycling.policy.checks import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRule:
    """How much the planner looks at the hours of the weeks before.

    Parameters
    ----------
    weight
        Cost of each second that a vehicle's crew worked a week more than the median vehicle's; 0 = not at all. One
        second of driving costs 1.
    weeks
        Whole weeks before the planned one that are looked at.
    most
        Largest change of a vehicle's fixed cost, up or down.
    """

    weight: float = 0.0
    weeks: int = 2
    most: int = 3_600

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 10:
            raise ValueError(f"weight = {self.weight} must be between 0 and 10")
        check_range("weeks", self.weeks, least=1, most=8)
        check_range("most", self.most, least=0, most=1_000_000)


def cost_offsets(worked_s: Mapping[str, int], *, rule: BalanceRule) -> dict[str, int]:
    """The change of each vehicle's fixed cost.

    Parameters
    ----------
    worked_s
        Seconds a week that its crew worked lately, by vehicle; every vehicle that may be used.

    Returns
    -------
    dict
        By vehicle, within ``most`` up and down; empty when the rule has no weight.
    """
    if not rule.weight or not worked_s:
        return {}
    middle = median(worked_s.values())
    return {
        key: max(-rule.most, min(rule.most, round(rule.weight * (seconds - middle))))
        for key, seconds in sorted(worked_s.items())
    }
