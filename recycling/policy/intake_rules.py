"""When a correction of a ticket takes a second person (更正复核); pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recycling.policy.checks import BP, check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRule:
    """How far one person alone may move a ticket.

    Parameters
    ----------
    most_alone_g
        Grams by which one person may change a ticket, at most; a withdrawal changes it by its whole mass.
    most_alone_bp
        Share of a ticket heavier than ``most_alone_g`` by which one person may change it, in basis points.
    most_alone_units
        Units that one person may put on a ticket or take off, at most, item type by item type added up.
    source
        Whose rule it is.
    """

    most_alone_g: int
    most_alone_bp: int
    most_alone_units: int
    source: str

    def __post_init__(self) -> None:
        check_range("most_alone_g", self.most_alone_g, least=0)
        check_range("most_alone_bp", self.most_alone_bp, least=0, most=BP)
        check_range("most_alone_units", self.most_alone_units, least=0)

    def takes_two(self, before_g: int, after_g: int) -> bool:
        """Whether a change of a mass takes a second person.

        The share is for heavy tickets only: what may be withdrawn whole by one person may be changed by them too.
        """
        change_g = abs(after_g - before_g)
        if change_g > self.most_alone_g:
            return True
        return before_g > self.most_alone_g and change_g * BP > before_g * self.most_alone_bp

    def units_take_two(self, before: Mapping[str, int], after: Mapping[str, int]) -> bool:
        """Whether a change of units by item type takes a second person.

        Goals are told in units, and no scale sees that a load of three is called twenty. What is put on and what is
        taken off do not make up for each other, but one item type that becomes another is one change.
        """
        changes = [after.get(key, 0) - before.get(key, 0) for key in before.keys() | after.keys()]
        put_on, taken_off = (sum(max(0, sign * change) for change in changes) for sign in (1, -1))
        return max(put_on, taken_off) > self.most_alone_units
