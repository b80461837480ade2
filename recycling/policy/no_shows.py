"""What follows when nobody was home: the first time nothing, later only short notice (爽约规则)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from recycling.policy.checks import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class NoShowRule:
    """The rule of a span of time.

    Parameters
    ----------
    valid_from, valid_to
        First and last day on which it is applied; without ``valid_to`` until further notice.
    free
        No-shows without consequence.
    within_days
        For how many days after its day a no-show counts.
    short_notice_days
        How many of the nearest bookable days are left to a resident with more no-shows than are free.
    source
        Whose rule it is.
    """

    valid_from: date
    valid_to: date | None = None
    free: int
    within_days: int
    short_notice_days: int
    source: str

    def __post_init__(self) -> None:
        check_range("free", self.free, least=0, most=100)
        check_range("within_days", self.within_days, least=1, most=3650)
        check_range("short_notice_days", self.short_notice_days, least=1, most=90)
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} lies before valid_from {self.valid_from}")

    def counts_since(self, on: date) -> date:
        """The first day of which a no-show still counts on a day."""
        return on - timedelta(days=self.within_days)

    def short_notice_until(self, no_shows: Sequence[date], *, on: date) -> date | None:
        """The last day on which only short notice is offered; ``None`` when it is not.

        Parameters
        ----------
        no_shows
            Days of a resident's no-shows, in any sequence.
        on
            The day of the question.
        """
        counted = sorted((day for day in no_shows if self.counts_since(on) <= day <= on), reverse=True)
        if len(counted) <= self.free:
            return None
        # It ends when so many of them are too old that only the free ones are left.
        return counted[self.free] + timedelta(days=self.within_days)


def rule_on(rules: Iterable[NoShowRule], day: date) -> NoShowRule | None:
    """The rule that is applied on a day, if there is one."""
    for rule in rules:
        if rule.valid_from <= day and (rule.valid_to is None or day <= rule.valid_to):
            return rule
    return None
