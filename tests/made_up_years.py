"""Made-up years of recovered appliances by month, of several shapes, for what forecasts are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

FIRST_YEAR = 2022
SHAPES = ("steady", "growing", "levelling_off", "policy_kick", "wandering")


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpYears:
    """Whole years of figures by month, the last of them the one that is forecast; some months are missing.

    ``daily`` are the shares of the last year's months by day of the month.
    """

    shape: str
    months: Mapping[date, int]
    missing: frozenset[date]
    daily: Mapping[date, npt.NDArray[np.float64]]

    @property
    def year(self) -> int:
        """The year that is forecast."""
        return max(self.months).year

    def total(self) -> int:
        """What the year really comes to."""
        return sum(amount for month, amount in self.months.items() if month.year == self.year)


def made_up_years(seed: int, *, years: int = 4, missing: int = 2) -> MadeUpYears:
    """Years by a seed: a level of 200 to 3,000 a month, growth, seasons and noise drawn anew for each.

    Shapes: steady; growing 5 to 25 % a year; growth that levels off; a kick of 10 to 40 % in the second year that
    stays, as a subsidy makes it; a level that wanders. Each month is 4 to 15 % off.
    """
    rng = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    count = 12 * years
    month = np.arange(count)
    logs = np.full(count, np.log(rng.uniform(200, 3_000)))
    growth = rng.uniform(0.05, 0.25) / 12
    if shape == "growing":
        logs += growth * month
    elif shape == "levelling_off":
        logs += growth * 24 * (1 - np.exp(-month / 18))
    elif shape == "policy_kick":
        logs += 0.05 / 12 * month + rng.uniform(0.1, 0.35) * (month >= rng.integers(10, 22))
    elif shape == "wandering":
        logs += np.cumsum(rng.normal(0, 0.03, count))
    seasons = rng.normal(0, rng.uniform(0.05, 0.25), 12)
    seasons -= seasons.mean()
    logs += seasons[month % 12] + rng.normal(0, rng.uniform(0.04, 0.15), count)
    starts = [date(FIRST_YEAR + number // 12, number % 12 + 1, 1) for number in range(count)]
    months = {first: round(amount) for first, amount in zip(starts, np.exp(logs), strict=True)}
    # Of the years before the last one: nobody wrote them down.
    lost = rng.choice(count - 12, size=missing, replace=False)
    last_year = [first for first in starts if first.year == starts[-1].year]
    # Deliveries come in loads: a day brings three loads or so, on some days none.
    daily = {first: rng.gamma(3.0, size=31) for first in last_year}
    return MadeUpYears(shape=shape, months=months, missing=frozenset(starts[place] for place in lost), daily=daily)
