"""How long goods may lie at a station, how full it may be, and which differences take a second person (库存规则)."""

from __future__ import annotations

from dataclasses import dataclass

from recycling.policy.catalogue import APPLIANCE_14, APPLIANCE_OTHER
from recycling.policy.checks import BP, check_range

PER_MILLE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRule:
    """The rules of stock.

    Parameters
    ----------
    appliance_14_days, appliance_other_days, furniture_days
        Days in stock after which a lot of the group is told of.
    alarm_bp
        Share of a station's storage limit, in basis points, from which on it is told of.
    re_weigh_per_mille, re_weigh_slack_g
        What a processor's net may differ from ours: the larger of a share of ours and a number of grams.
    second_person_units, second_person_g
        From such a difference of one item type on, a stock count holds only with a second person.
    source
        Whose rule it is.
    """

    appliance_14_days: int = 30
    appliance_other_days: int = 30
    furniture_days: int = 14
    alarm_bp: int = 9_000
    re_weigh_per_mille: int = 20
    re_weigh_slack_g: int = 20_000
    second_person_units: int = 3
    second_person_g: int = 100_000
    source: str = "本项目的规则，待区商促局确认 / our rule until the bureau decides"

    def __post_init__(self) -> None:
        for name in ("appliance_14_days", "appliance_other_days", "furniture_days"):
            check_range(name, getattr(self, name), least=1, most=3_650)
        check_range("alarm_bp", self.alarm_bp, least=1, most=BP)
        check_range("re_weigh_per_mille", self.re_weigh_per_mille, least=0, most=PER_MILLE)
        check_range("re_weigh_slack_g", self.re_weigh_slack_g, least=0, most=10_000_000)
        check_range("second_person_units", self.second_person_units, least=1)
        check_range("second_person_g", self.second_person_g, least=1)

    def most_days(self, group: str) -> int:
        """Days that goods of a group may lie in stock."""
        if group == APPLIANCE_14:
            return self.appliance_14_days
        return self.appliance_other_days if group == APPLIANCE_OTHER else self.furniture_days

    def within_tolerance(self, difference_g: int, *, ours_g: int) -> bool:
        """Whether two scales may differ so much on one batch."""
        return abs(difference_g) <= max(self.re_weigh_slack_g, ours_g * self.re_weigh_per_mille // PER_MILLE)

    def takes_two(self, units: int, mass_g: int) -> bool:
        """Whether a difference between shelf and books holds only with a second person."""
        return abs(units) >= self.second_person_units or abs(mass_g) >= self.second_person_g


def per_mille(part: int, whole: int) -> int:
    """A signed share in thousandths, rounded half away from zero."""
    return (abs(part) * 2 * PER_MILLE + whole) // (2 * whole) * (1 if part >= 0 else -1)
