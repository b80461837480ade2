"""What differs between two versions of one crew's route: the comparison a re-planned day is told by."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

ChangeKind = Literal["added", "removed", "moved", "arrival", "station"]
CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)

# A visit that shifts by less is inside what a crew reckons with anyway, and a list of every minute is read by nobody.
ARRIVAL_CHANGE_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of a route as far as versions are compared.

    Parameters
    ----------
    key
        What the step is in every version: a pickup's booking id, else its kind and which of that kind it is.
    position
        Its place in the route; the start is 0.
    arrival_s
        Seconds after midnight.
    station_key
        Where it is, when that is a station.
    """

    key: str
    position: int
    arrival_s: int
    station_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteChange:
    """One difference of the step with this key; an added one has no ``before``, a removed one no ``after``."""

    kind: ChangeKind
    key: str
    before: PlannedStep | None
    after: PlannedStep | None


def route_changes(before: Sequence[PlannedStep], after: Sequence[PlannedStep]) -> tuple[RouteChange, ...]:
    """Compare two versions of a route.

    Parameters
    ----------
    before, after
        The steps of each version in sequence; keys are unique within a version.

    Returns
    -------
    tuple of RouteChange
        Removed steps in their old sequence, then the new version's steps in theirs: added, moved, at a station other
        than before, arriving `ARRIVAL_CHANGE_S` or more earlier or later. One step may differ in several ways.

    Notes
    -----
    Moved are the fewest steps that have to be taken out so that all others stand in the same sequence as before: those
    off a longest increasing subsequence of the old places. One stop put first moves one, not all that now follow it.
    """
    old = {step.key: step for step in before}
    new = {step.key for step in after}
    kept = [step for step in after if step.key in old]
    places = {step.key: place for place, step in enumerate(before)}
    standing = {kept[place].key for place in _longest_increase([places[step.key] for step in kept])}
    removed = (
        RouteChange(kind="removed", key=step.key, before=step, after=None) for step in before if step.key not in new
    )
    return (*removed, *(change for step in after for change in _of_step(old.get(step.key), step, standing)))


def _of_step(before: PlannedStep | None, after: PlannedStep, standing: set[str]) -> Iterator[RouteChange]:
    if before is None:
        yield RouteChange(kind="added", key=after.key, before=None, after=after)
        return
    if after.key not in standing:
        yield RouteChange(kind="moved", key=after.key, before=before, after=after)
    if before.station_key != after.station_key:
        yield RouteChange(kind="station", key=after.key, before=before, after=after)
    if abs(after.arrival_s - before.arrival_s) >= ARRIVAL_CHANGE_S:
        yield RouteChange(kind="arrival", key=after.key, before=before, after=after)


def _longest_increase(numbers: Sequence[int]) -> list[int]:
    """Indices of a longest increasing subsequence of distinct numbers (patience sorting, n log n)."""
    tops: list[int] = []  # the smallest last number of an increase of each length so far
    top_at: list[int] = []  # and its index
    previous: list[int | None] = []
    for index, number in enumerate(numbers):
        length = bisect_left(tops, number)
        previous.append(top_at[length - 1] if length else None)
        tops[length : length + 1] = [number]
        top_at[length : length + 1] = [index]
    found: list[int] = []
    at = top_at[-1] if top_at else None
    while at is not None:
        found.append(at)
        at = previous[at]
    return found[::-1]
