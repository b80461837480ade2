"""Learn a stop's seconds and the factor on travel from plan against actual (时长学习): robust, bounded, repeatable."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Literal

import numpy as np
import numpy.typing as npt

from recycling.policy.handling import AS_ESTIMATED_BP, ITEM_PART, TOWN_TRAVEL, TRAVEL

LEAST_SAMPLE = 30  # visits or legs that show a part; with fewer the old value stays
MOST_STEP = 2  # a value at most doubles or halves in one step: an error in the records shall not overturn the plans
LONGEST_RULE_S, LONGEST_ITEM_S = 3_600, 14_400  # as the configuration allows
LEAST_LEG_S = 60  # shorter legs are all parking and rounding
PRIOR_SHARE = 0.5  # the old value is believed to be right within half of it, as strongly as one visit
TUKEY = 4.685  # 95 % as efficient as least squares on clean records (Beaton and Tukey 1974)
MAD_TO_SD = 1.4826  # of a normal distribution
Z_90 = 1.645  # two-sided 90 %
ROUNDS = 60
LEAST_RESIDUAL = 0.01  # shares of a stop's time; below that one visit would outweigh all others

Floats = npt.NDArray[np.float64]
Kept = Literal["too_few", "bounded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSeen:
    """One visit as planned and as it went.

    Parameters
    ----------
    counts
        How often each part goes into its time.
    planned_s, actual_s
        Seconds of service, promised and taken.
    """

    day: date
    counts: Mapping[str, int]
    planned_s: int
    actual_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LegSeen:
    """One leg as estimated before anything was learned and as driven, into a town-level unit."""

    day: date
    town_key: str
    estimated_s: int
    actual_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What the records say of one value.

    Parameters
    ----------
    sample
        Visits or legs that show it.
    old, new
        Seconds, or basis points for travel; equal where the old one stays.
    low, high
        90 % interval of what was found; ``None`` where nothing was estimated.
    kept
        Why ``new`` is not what was found: too few records, or a step larger than one may be.
    """

    name: str
    sample: int
    old: int
    new: int
    low: int | None = None
    high: int | None = None
    kept: Kept | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Estimates and how many visits were too far off to count."""

    learned: tuple[Learned, ...]
    trimmed: int


def learn_seconds(visits: Sequence[VisitSeen], *, old: Mapping[str, int]) -> Fit:
    """Estimate the seconds of every part from visits.

    Parameters
    ----------
    visits
        In any sequence: the answer does not depend on it but for rounding.
    old
        Seconds in force, by part. Parts that no visit may show are kept out by the caller.

    Returns
    -------
    Fit
        One `Learned` for each part of ``old``, in its sequence.

    Notes
    -----
    A stop's time is linear in its parts. Errors grow with the time itself, so residuals are taken as shares of the time
    by the old values. First least absolute deviations, whose answer wild records hardly move; from there Tukey's
    bisquare with that answer's scale, which gives a record beyond 4.7 of its standard deviations no weight at all. The
    old values go in as one weak observation each: where visits cannot tell two parts apart, they decide.
    """
    sample = {name: sum(1 for visit in visits if visit.counts.get(name)) for name in old}
    free = [name for name in old if sample[name] >= LEAST_SAMPLE]
    if not free:
        return Fit(learned=tuple(_kept(name, sample[name], old[name]) for name in old), trimmed=0)
    rows, wanted = _system(sorted(visits, key=_place), free, old)
    start = np.array([float(old[name]) for name in free])
    prior = np.array([PRIOR_SHARE * max(old[name], LEAST_LEG_S) for name in free])
    found, error, trimmed = _robust(rows, wanted, start, prior)
    by_name = {name: (found[n], error[n]) for n, name in enumerate(free)}
    learned = (
        _bounded(name, sample[name], value, *by_name[name]) if name in by_name else _kept(name, sample[name], value)
        for name, value in old.items()
    )
    return Fit(learned=tuple(learned), trimmed=trimmed)


def learn_travel(legs: Iterable[LegSeen], *, old_bp: int) -> tuple[Learned, ...]:
    """Estimate the factor on travel: of the whole district, then of each town-level unit.

    Parameters
    ----------
    old_bp
        The factor in force.

    Notes
    -----
    The median of actual over estimated, which half of the records would have to be wrong to overturn; its interval is
    that of the order statistics.
    """
    ratios: dict[str, list[float]] = {}
    for leg in legs:
        if leg.estimated_s >= LEAST_LEG_S and leg.actual_s > 0:
            ratios.setdefault(leg.town_key, []).append(leg.actual_s / leg.estimated_s)
    every = sorted(ratio for found in ratios.values() for ratio in found)
    towns = (_median_of(TOWN_TRAVEL + key, sorted(ratios[key]), old_bp) for key in sorted(ratios))
    return (_median_of(TRAVEL, every, old_bp), *towns)


def predicted_s(visit: VisitSeen, seconds: Mapping[str, int]) -> int:
    """The seconds of a visit by these values of its parts."""
    return sum(count * seconds[name] for name, count in visit.counts.items())


def median_error_s(pairs: Iterable[tuple[int, int]]) -> int | None:
    """The median absolute difference of pairs of seconds; ``None`` of none."""
    errors = [abs(one - other) for one, other in pairs]
    return round(median(errors)) if errors else None


def held_out(days: Iterable[date]) -> frozenset[date]:
    """Every fifth of the days, on which what was learned from the others is tried."""
    return frozenset(sorted(set(days))[4::5])


def _place(visit: VisitSeen) -> tuple[date, int, int, list[tuple[str, int]]]:
    return visit.day, visit.planned_s, visit.actual_s, sorted(visit.counts.items())


def _system(visits: Sequence[VisitSeen], free: Sequence[str], old: Mapping[str, int]) -> tuple[Floats, Floats]:
    """Rows and right-hand sides as shares of each visit's time by the old values."""
    rows = np.zeros((len(visits), len(free)))
    wanted = np.zeros(len(visits))
    for n, visit in enumerate(visits):
        before = predicted_s(visit, old)
        scale = max(before, LEAST_LEG_S)
        rows[n] = [visit.counts.get(name, 0) / scale for name in free]
        fixed = sum(count * old[name] for name, count in visit.counts.items() if name not in free)
        wanted[n] = (visit.actual_s - fixed) / scale
    return rows, wanted


def _robust(rows: Floats, wanted: Floats, start: Floats, prior: Floats) -> tuple[Floats, Floats, int]:
    found = start
    for _ in range(ROUNDS):  # least absolute deviations, by reweighted least squares
        apart = np.maximum(np.abs(wanted - rows @ found), LEAST_RESIDUAL)
        found = _solved(rows, wanted, 1 / apart, start, prior, scale=1.0)[0]
    scale = max(MAD_TO_SD * float(np.median(np.abs(wanted - rows @ found))), LEAST_RESIDUAL)
    weight = np.ones(len(wanted))
    inverse = np.eye(len(start))
    for _ in range(ROUNDS):
        far = np.abs(wanted - rows @ found) / (TUKEY * scale)
        weight = np.where(far < 1, (1 - np.minimum(far, 1) ** 2) ** 2, 0.0)
        found, inverse = _solved(rows, wanted, weight, start, prior, scale=scale)
    error: Floats = np.asarray(scale * np.sqrt(np.diag(inverse)), dtype=np.float64)
    return found, error, int(np.sum(weight == 0))


def _solved(
    rows: Floats, wanted: Floats, weight: Floats, start: Floats, prior: Floats, *, scale: float
) -> tuple[Floats, Floats]:
    """Weighted least squares with the old values as one observation each; and the inverse, for the errors."""
    pull = np.diag((scale / prior) ** 2)
    inverse: Floats = np.asarray(np.linalg.inv(rows.T @ (rows * weight[:, None]) + pull), dtype=np.float64)
    found: Floats = inverse @ (rows.T @ (weight * wanted) + pull @ start)
    return found, inverse


def _kept(name: str, sample: int, old: int) -> Learned:
    return Learned(name=name, sample=sample, old=old, new=old, kept="too_few")


def _bounded(name: str, sample: int, old: int, found: float, error: float) -> Learned:
    most = LONGEST_ITEM_S if name.startswith(ITEM_PART) else LONGEST_RULE_S
    low, high = (min(max(round(found + sign * Z_90 * error), 0), most) for sign in (-1, 1))
    new = min(round(min(max(found, old / MOST_STEP), max(old, 1) * MOST_STEP)), most)
    kept: Kept | None = None if abs(new - found) <= 1 else "bounded"
    return Learned(name=name, sample=sample, old=old, new=new, low=low, high=high, kept=kept)


def _median_of(name: str, ratios: Sequence[float], old_bp: int) -> Learned:
    if len(ratios) < LEAST_SAMPLE:
        return _kept(name, len(ratios), old_bp)
    # The number of ratios below the true median is binomial: sd sqrt(n)/2 around n/2.
    reach = Z_90 * math.sqrt(len(ratios)) / 2
    first, last = (int(min(max(len(ratios) / 2 + sign * reach, 0), len(ratios) - 1)) for sign in (-1, 1))
    found = AS_ESTIMATED_BP * median(ratios)
    new = round(min(max(found, old_bp / MOST_STEP), old_bp * MOST_STEP))
    low, high = round(AS_ESTIMATED_BP * ratios[first]), round(AS_ESTIMATED_BP * ratios[last])
    kept: Kept | None = None if abs(new - found) <= 1 else "bounded"
    return Learned(name=name, sample=len(ratios), old=old_bp, new=new, low=low, high=high, kept=kept)
