"""The form of an invariant, and what its queries share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select, union_all
from sqlalchemy.orm import Session

MOST_ROWS = 100  # returned by one invariant; a broken database would else return everything

Breaches = Sequence[Sequence[Any]]
Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One rule over the stored rows.

    Parameters
    ----------
    key
        Its number, ``I-1`` to ``I-34``; a rule of several parts comes several times.
    breaches
        Rows that break it at an instant, at most `MOST_ROWS`; none when it holds. Rows name ids, never people.
    by_clock
        Whether it also depends on work being done in time, so that it is judged where schedulers run and not in tests.
    """

    key: str
    rule: str
    breaches: Callable[[Session, datetime], Breaches]
    by_clock: bool = False


def invariant(
    key: str, rule: str, *, by_clock: bool = False
) -> Callable[[Callable[[Session, datetime], Breaches]], Invariant]:
    """Turn the function that finds the offending rows into the invariant itself."""

    def named(breaches: Callable[[Session, datetime], Breaches]) -> Invariant:
        return Invariant(key=key, rule=rule, breaches=breaches, by_clock=by_clock)

    return named


def rows(session: Session, wanted: Query) -> Breaches:
    """The first rows of a query for offenders."""
    return session.execute(wanted.limit(MOST_ROWS)).all()


def differences(session: Session, keys: int, left: Query, right: Query) -> Breaches:
    """Keys under which two queries do not add up to the same amounts; the first ``keys`` columns are the key."""
    plus, minus = left.subquery(), list(right.subquery().c)
    both = union_all(select(plus), select(*minus[:keys], *(-amount for amount in minus[keys:]))).subquery()
    key_columns, sums = list(both.c)[:keys], [func.sum(amount) for amount in list(both.c)[keys:]]
    return rows(session, select(*key_columns, *sums).group_by(*key_columns).having(or_(*(one != 0 for one in sums))))
