"""What a verification finds: which row, of which kind, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "audit_row", "audit_head", "ticket", "scale", "intake_line", "daily_recovery", "monthly_recovery", "closed_month",
    "anchor", "custody_event",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One bad row. ``row`` names it: a number of the log, ``station/scale/number``, or the key of a figure."""

    kind: Kind
    row: str
    what: str


def span(first: int, last: int) -> str:
    """Numbers from the first to the last, as they are named."""
    return str(first) if first == last else f"{first}–{last}"
