"""The rule by which a running day mends itself (当日自愈), and what can go wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from recycling.policy.checks import check_range

DisruptionKind = Literal["breakdown", "sick", "late", "urgent", "cancelled", "station_closed", "station_full"]
DISRUPTION_KINDS: tuple[DisruptionKind, ...] = get_args(DisruptionKind)

# Why a running day is planned again: what went wrong last, or a dispatcher's look at it.
Cause = Literal["breakdown", "sick", "late", "urgent", "cancelled", "station_closed", "station_full", "asked"]
CAUSES: tuple[Cause, ...] = get_args(Cause)

ALL_BP = 10_000  # basis points of a whole


@dataclass(frozen=True, slots=True, kw_only=True)
class HealingRule:
    """When a day may be mended without a person.

    Parameters
    ----------
    automatic
        Whether a breakdown is planned around and published at once, as long as no promise breaks.
    most_moved_bp
        Largest share of the open stops, in basis points, that may then move from vehicles that still drive.
    source
        Whose rule it is.
    """

    automatic: bool
    most_moved_bp: int
    source: str

    def __post_init__(self) -> None:
        check_range("most_moved_bp", self.most_moved_bp, least=0, most=ALL_BP)

    def allows(self, *, cause: Cause, open_stops: int, moved: int, broken: int) -> bool:
        """Whether a proposal may be published without a person.

        Parameters
        ----------
        cause
            Why it was made.
        open_stops, moved, broken
            Stops not done yet, those of them that leave a vehicle that still drives, and promises it would break.
        """
        few = moved * ALL_BP <= self.most_moved_bp * open_stops
        return self.automatic and cause == "breakdown" and broken == 0 and few


BY_HAND = HealingRule(automatic=False, most_moved_bp=0, source="")
