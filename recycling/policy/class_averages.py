"""A station's own mean mass of an item type (站点品类均值), out of the lines that stood on its scale alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isqrt

LEAST_LINES = 20  # weighings that a mean is made of at least; below, the type table is the better guess (ours)
TAIL_PERCENT = 5  # of the lines at either end are drawn in: a slip below a factor of ten passes the scale's own check
SPAN_MONTHS = 12  # a year holds every season once
_MG = 1_000  # sums run in milligrams, so that rounding of single units does not add up


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMean:
    """What lines say of the mass of one unit.

    Parameters
    ----------
    mean_g, sd_g
        Mean and standard deviation of single units, grams, rounded to the nearest.
    units, lines
        Sample: units on the scale, and weighings of them.
    """

    mean_g: int
    sd_g: int
    units: int
    lines: int


def class_mean(lines: Sequence[tuple[int, int]]) -> ClassMean | None:
    """The winsorised mean of single units.

    Parameters
    ----------
    lines
        Units (>= 1) and net grams (>= 1) of each weighing, in any sequence.

    Returns
    -------
    ClassMean or None
        ``None`` for fewer than `LEAST_LINES`.

    Notes
    -----
    A line of several units tells their mean only. Lines count by their units; those with the lightest and the heaviest
    units, `TAIL_PERCENT` of the lines at each end, at least one, are put at the nearest mass that is kept. A trimmed
    mean or a median would be steadier still and is wrong here: makes and sizes of a type are skewed, and sums of
    masses follow the mean. The spread is that of the drawn-in lines, widened by the share that was drawn in (Tukey and
    McLaughlin 1963); the mass of a line of u units scatters by the spread over the root of u.
    """
    if len(lines) < LEAST_LINES:
        return None
    unit_mg = sorted((net_g * _MG // units, units) for units, net_g in lines)
    tail = max(1, len(unit_mg) * TAIL_PERCENT // 100)
    low, high = unit_mg[tail][0], unit_mg[-1 - tail][0]
    drawn = [(min(max(mass, low), high), units) for mass, units in unit_mg]
    units = sum(count for _, count in drawn)
    mean_mg = _nearest(sum(mass * count for mass, count in drawn), units)
    squares = sum(count * (mass - mean_mg) ** 2 for mass, count in drawn)
    kept = len(lines) - 2 * tail
    sd_mg = isqrt(squares // (len(lines) - 1)) * len(lines) // kept
    return ClassMean(mean_g=max(1, _nearest(mean_mg, _MG)), sd_g=_nearest(sd_mg, _MG), units=units, lines=len(lines))


def sample_days(month: date) -> tuple[date, date]:
    """First and last day of the weighings that the averages of a month are made of: the twelve months before it."""
    first = month.replace(day=1)
    return first.replace(year=first.year - 1), first - timedelta(days=1)


def _nearest(amount: int, divisor: int) -> int:
    return (2 * amount + divisor) // (2 * divisor)
