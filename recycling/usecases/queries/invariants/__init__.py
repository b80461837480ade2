"""What must always hold in the stored data: each invariant is one query that returns the rows breaking it.

The checks share no code with the use cases that write the rows, the digests of a report and of a door apart, so that a
fault there is not repeated here. They run after every test, from `flask check-data`, and on a restored backup.
"""

from __future__ import annotations

from recycling.usecases.queries.invariants import (
    balances,
    bookings,
    figures,
    healing,
    intake,
    items,
    limits,
    live,
    people,
    records,
    stock,
    work,
)
from recycling.usecases.queries.invariants.rule import Breaches, Invariant

__all__ = ["INVARIANTS", "Breaches", "Invariant"]

# Collected rather than listed, so that none can be written and then forgotten here.
INVARIANTS: tuple[Invariant, ...] = tuple(
    value
    for module in (
        balances,
        bookings,
        figures,
        healing,
        intake,
        items,
        limits,
        live,
        people,
        records,
        stock,
        work,
    )
    for value in vars(module).values()
    if isinstance(value, Invariant)
)
