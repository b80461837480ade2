"""When a correction of a ticket takes a second person (更正复核); pure."""

from __future__ import annotations

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
    source
        Whose rule it is.
    """

    most_alone_g: int
    most_alone_bp: int
    source: str

    def __post_init__(self) -> None:
        check_range("most_alone_g", self.most_alone_g, least=0)
        check_range("most_alone_bp", self.most_alone_bp, least=0, most=BP)

    def takes_two(self, before_g: int, after_g: int) -> bool:
        """Whether a change of a mass takes a second person.

        The share is for heavy tickets only: what may be withdrawn whole by one person may be changed by them too.
        """
        change_g = abs(after_g - before_g)
        if change_g > self.most_alone_g:
            return True
        return before_g > self.most_alone_g and change_g * BP > before_g * self.most_alone_bp
