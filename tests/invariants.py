"""The invariants of the stored data, for tests to assert."""

from __future__ import annotations

from sqlalchemy.orm import Session

from recycling.clock import utc_now
from recycling.usecases.queries.invariants import INVARIANTS


def broken(session: Session) -> dict[str, list[str]]:
    """The rules that are broken, each with its offending rows; those that judge work by the clock are left out.

    A test leaves messages unsent and jobs undone; a deployment must not.
    """
    found = {}
    for invariant in INVARIANTS:
        rows = [] if invariant.by_clock else invariant.breaches(session, utc_now())
        if rows:
            found[f"{invariant.key} {invariant.rule}"] = [str(tuple(row)) for row in rows]
    return found


def assert_invariants(session: Session) -> None:
    """Every invariant holds, or the rule and the offending rows are in the message."""
    found = broken(session)
    assert not found, found
