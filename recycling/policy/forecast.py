"""The recovered volume of a whole calendar year, forecast from the months that are known (年末预测); pure, repeatable.

Paths of the months ahead come from `monthly_model`; here they are made a year, tried on past months, and compared with
plain methods.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recycling.policy.checks import BP
from recycling.policy.monthly_model import COARSE_GRID, GRID, Floats, draw_paths
from recycling.policy.service_calendar import ServiceCalendar

Method = Literal["seasonal", "trend", "straight_line", "year_over"]
METHODS: tuple[Method, ...] = ("seasonal", "trend", "straight_line", "year_over")

SEASONAL_MONTHS = 24  # known months from which on seasons are believed
LEAST_MONTHS = 12  # with fewer there is no interval and no probability
SHORT_WIDENED = 1.5  # the spread of a forecast from 12 to 23 months: its seasons were seen once at most

PATHS = 4_000
# Of the seasonal error, below which the trend's must lie: a few past months tell two methods apart by luck as well.
TREND_MUST_GAIN = 6_667
TRIED_PATHS = 400  # in a back-test, which asks for the middle only

# Of a month of which half the working days are over, how far the rest may be from its like (one standard deviation).
HALF_MONTH_SPREAD = 0.20

ORIGINS = 6  # past months from which a method is tried
ORIGIN_STEP = 3
LEAST_TRAINING = 18  # months before an origin

PERCENTS = tuple(range(1, 100))
INTERVALS = {50: (25, 75), 80: (10, 90), 95: (2.5, 97.5)}
STORED = (2.5, *PERCENTS, 97.5)  # percentiles that a forecast keeps, in this sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one figure at the end of a local day.

    Parameters
    ----------
    on
        The last day that is counted.
    months
        Pieces or grams of whole months by their first day, each before or, on its last day, of ``on``; a month of which
        nothing is known is not there.
    declared
        Which of them the bureau declared; the others come from tickets.
    so_far
        The running month's from its first day to ``on``; ``None`` when the month is over or nothing is known of it.
    year_to_date
        Everything that counts in the calendar year of ``on``, the running month included.
    so_far_is_whole
        Whether ``so_far`` holds all of the running month's days; not so in the month in which the network began.
    """

    on: date
    months: Mapping[date, int]
    declared: frozenset[date] = frozenset()
    so_far: int | None = None
    year_to_date: int = 0
    so_far_is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The calendar year as it will probably end.

    Parameters
    ----------
    projected
        Pieces or grams of the whole year: the middle of the paths, or the straight line.
    percentiles
        As `STORED`, ascending; ``None`` for a straight line, which says nothing of how sure it is.
    months_own, months_declared
        Known whole months it rests on, by where they come from.
    months_missing
        How many more are needed for an interval; 0 when there is one.
    errors_bp
        Median error of the sum of the months ahead, tried from past months, by method; those of the two plain methods
        beside ours. Empty where too few months are known to try.
    """

    on: date
    method: Method
    projected: int
    percentiles: tuple[int, ...] | None
    months_own: int
    months_declared: int
    months_missing: int = 0
    errors_bp: Mapping[str, int] = field(default_factory=dict)

    @property
    def error_bp(self) -> int | None:
        """The back-tested error of the method that was used."""
        return self.errors_bp.get(self.method)


def forecast(known: Known, *, calendar: ServiceCalendar, method: Method | None = None) -> Forecast:
    """Forecast the calendar year of ``known.on``.

    Parameters
    ----------
    method
        ``seasonal`` or ``trend`` to use that one without trying both; for parts of a figure that was tried as a whole.

    Returns
    -------
    Forecast
        From 24 months on the method with the smaller error in the back-test; from 12 on the trend, widened; below
        that, or where a month is not above zero, the straight line, without an interval.
    """
    months_left = 12 - known.on.month + (not month_is_over(known.on))
    own = len(known.months.keys() - known.declared)
    counts: dict[str, Any] = {"on": known.on, "months_own": own, "months_declared": len(known.months) - own}
    if months_left == 0:
        total = known.year_to_date
        return Forecast(method="year_over", projected=total, percentiles=(total,) * len(STORED), **counts)
    series = _log_series(known)
    count = len(known.months)
    if series is None or count < LEAST_MONTHS:
        return Forecast(
            method="straight_line", projected=straight_line(known, calendar=calendar), percentiles=None,
            months_missing=max(0, LEAST_MONTHS - count), **counts,
        )  # fmt: skip
    errors: dict[str, int] = {}
    if method is None or method not in ("seasonal", "trend"):
        errors = back_test(series, months_ahead=months_left)
        method = "trend"
        if count >= SEASONAL_MONTHS:
            clearly_worse = errors.get("seasonal", 0) * TREND_MUST_GAIN > errors.get("trend", 0) * BP
            method = "trend" if clearly_worse else "seasonal"
    if count < SEASONAL_MONTHS:
        method = "trend"
    logs = draw_paths(series, months_left, seasonal=method == "seasonal", paths=PATHS, grid=GRID)
    if count < SEASONAL_MONTHS:
        middle = np.median(logs, axis=0)
        logs = middle + SHORT_WIDENED * (logs - middle)
    totals = _year_totals(known, np.exp(logs), calendar=calendar)
    cuts = np.percentile(totals, STORED, method="linear")
    percentiles = tuple(sorted(max(known.year_to_date, round(cut)) for cut in cuts))
    return Forecast(
        method=method, projected=percentiles[STORED.index(50)], percentiles=percentiles, errors_bp=errors, **counts
    )


def probability_bp(percentiles: Sequence[int], target: int, *, reached: int) -> int:
    """The share of paths that reach a target; certain only where the year is over or the target reached.

    Parameters
    ----------
    percentiles
        Of the year's total, as `STORED`.
    reached
        What the year has come to already.
    """
    if reached >= target:
        return BP
    if percentiles[0] == percentiles[-1]:  # the year is over
        return 0
    short = sum(cut < target for percent, cut in zip(STORED, percentiles, strict=True) if percent in PERCENTS)
    return min(max(BP // 100, BP - short * BP // 100), BP - BP // 100)


def interval(percentiles: Sequence[int], percent: int) -> tuple[int, int]:
    """The bounds between which the year ends with a probability of 50, 80 or 95 percent."""
    low, high = INTERVALS[percent]
    return percentiles[STORED.index(low)], percentiles[STORED.index(high)]


def straight_line(known: Known, *, calendar: ServiceCalendar) -> int:
    """The year to date over the share of the year's working days that is over; rounded down."""
    year = known.on.year
    all_days = calendar.working_days_between(date(year, 1, 1), date(year, 12, 31))
    over = calendar.working_days_between(date(year, 1, 1), known.on)
    return known.year_to_date * all_days // over if over else known.year_to_date


def last_year_plus_growth(months: Mapping[date, int], *, on: date) -> int | None:
    """Last year's total times the growth of the months known of both years; ``None`` when last year is not whole.

    The plain method that ours is judged beside.
    """
    last = {month: months.get(date(on.year - 1, month, 1)) for month in range(1, 13)}
    this = {month: months.get(date(on.year, month, 1)) for month in range(1, 13)}
    both = [month for month in this if this[month] is not None]
    if None in last.values() or not both:
        return None
    before = sum(last[month] or 0 for month in both)
    return sum(value or 0 for value in last.values()) * sum(this[m] or 0 for m in both) // before if before else None


def back_test(series: Floats, *, months_ahead: int) -> dict[str, int]:
    """Median error of the sum of the months ahead, in basis points of what came, tried from up to six past months.

    Parameters
    ----------
    series
        Logarithms by month, NaN where nothing is known.
    months_ahead
        How many months a forecast has to bridge now.
    """
    ahead = min(months_ahead, len(series) - LEAST_TRAINING)
    if ahead < 1:
        return {}
    found: dict[str, list[float]] = {}
    for origin in range(len(series) - ahead, LEAST_TRAINING - 1, -ORIGIN_STEP)[:ORIGINS]:
        before, came = series[:origin], np.exp(series[origin : origin + ahead])
        there = ~np.isnan(came)
        if not there.any():
            continue
        actual = float(came[there].sum())
        for name, seasonal in (("seasonal", True), ("trend", False)):
            paths = np.exp(draw_paths(before, ahead, seasonal=seasonal, paths=TRIED_PATHS, grid=COARSE_GRID))
            found.setdefault(name, []).append(_apart(float(np.median(paths[:, there].sum(axis=1))), actual))
        year_before = np.exp(series[origin - 12 : origin - 12 + ahead])
        grown = _mean(before[-6:]) / _mean(before[-18:-12])
        if not np.isnan(year_before[there]).any() and math.isfinite(grown):
            found.setdefault("last_year_plus_growth", []).append(
                _apart(float(year_before[there].sum()) * grown, actual)
            )
        line = _mean(before[-12:]) * int(there.sum())
        if math.isfinite(line):
            found.setdefault("straight_line", []).append(_apart(line, actual))
    return {name: round(median(errors) * BP) for name, errors in found.items()}


# --- months ---


def month_is_over(day: date) -> bool:
    """Whether a day is the last of its month."""
    return (day + timedelta(days=1)).day == 1


def _log_series(known: Known) -> Floats | None:
    """Logarithms from the first known month to the one before the first that is to be forecast; ``None`` without them.

    A month at or below zero has no logarithm: such a figure is too small or too much corrected for this model.
    """
    if not known.months or min(known.months.values()) <= 0:
        return None
    first = min(known.months)
    last = known.on if month_is_over(known.on) else known.on.replace(day=1) - timedelta(days=1)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    series = np.full(count, np.nan)
    for month, amount in known.months.items():
        series[(month.year - first.year) * 12 + month.month - first.month] = math.log(amount)
    return series


def _year_totals(known: Known, paths: Floats, *, calendar: ServiceCalendar) -> Floats:
    """Totals of the year by path, given what the running month has brought so far."""
    totals: Floats
    if month_is_over(known.on):
        totals = known.year_to_date + paths.sum(axis=1)
        return totals
    first = known.on.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    over = calendar.working_days_between(first, known.on)
    share = over / max(over, calendar.working_days_between(first, last), 1)
    if known.so_far and known.so_far > 0 and known.so_far_is_whole and 0 < share < 1:
        # What came is the month times its share, the less surely the smaller the share.
        spread = HALF_MONTH_SPREAD * math.sqrt((1 - share) / share)
        apart = (math.log(known.so_far / share) - np.log(paths[:, 0])) / spread
        weights = np.exp(-0.5 * (apart**2 - (apart**2).min()))
        paths = paths[_resampled(weights)]
    totals = known.year_to_date + (1 - share) * paths[:, 0] + paths[:, 1:].sum(axis=1)
    return totals


def _resampled(weights: Floats) -> npt.NDArray[np.int64]:
    """Paths by their weights, evenly spaced: no chance enters."""
    ends = np.cumsum(weights) / weights.sum()
    places = np.searchsorted(ends, (np.arange(len(weights)) + 0.5) / len(weights))
    return np.minimum(places, len(weights) - 1)


def _mean(logs: Floats) -> float:
    """The mean amount of those months of which something is known; NaN where that is none."""
    known = logs[~np.isnan(logs)]
    return float(np.exp(known).mean()) if known.size else math.nan


def _apart(found: float, actual: float) -> float:
    return abs(found - actual) / actual
