"""A structural model of the logarithm of monthly volume (月度模型): drifting level, slope, seasons and noise.

How much each of them moves is not estimated as one best value, which makes intervals too narrow on three or four years,
but averaged over a grid by how well each point of it explains the months. Paths are drawn with a fixed seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Point = tuple[float, float, float]  # standard deviations of noise, level and slope

SEED = 20240618  # the day of the notice; any fixed number would do

# The grid: standard deviations of the logarithm, by month. A month's noise lies between 4 and 22 %.
NOISES = (0.04, 0.06, 0.09, 0.14, 0.22)
LEVEL_STEPS = (0.0, 0.015, 0.03, 0.06)
SLOPE_STEPS = (0.0, 0.001)
SEASON_STEP = 0.003  # seasons change slowly
GRID = tuple(product(NOISES, LEVEL_STEPS, SLOPE_STEPS))
# For a back-test, which asks for the middle of the paths only: finer steps hardly move it, and take ten times as long.
COARSE_GRID = tuple(product((0.06, 0.14), (0.0, 0.03), (0.0,)))
# What is believed before any month is seen: growth within 12 % a year either way, seasons within 20 % of the mean.
SLOPE_PRIOR = 0.010
SEASON_PRIOR = 0.20
LEVEL_PRIOR = 1.0
LEAST_WEIGHT = 1e-3  # of a point of the grid; the others together change nothing that is shown


def draw_paths(series: Floats, months: int, *, seasonal: bool, paths: int, grid: Sequence[Point]) -> Floats:
    """Draw the logarithms of the months after a series.

    Parameters
    ----------
    series
        Logarithms by month, NaN where nothing is known.
    months
        How many months ahead.

    Returns
    -------
    Floats
        ``paths`` rows, ``months`` columns; the same each time.
    """
    points = _weighed(series, months, seasonal=seasonal, grid=grid)
    rng = np.random.default_rng(SEED)
    weights = np.array([weight for weight, _, _ in points])
    drawn = rng.multinomial(paths, weights / weights.sum())
    return np.concatenate([
        mean + rng.standard_normal((count, months)) @ np.linalg.cholesky(spread).T
        for count, (_, mean, spread) in zip(drawn, points, strict=True)
    ])  # fmt: skip


def _weighed(
    series: Floats, months: int, *, seasonal: bool, grid: Sequence[Point]
) -> list[tuple[float, Floats, Floats]]:
    """Each point of the grid that counts: its weight, and mean and covariance of the months ahead."""
    # Takes more than a second to import, and only who forecasts needs it.
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    model = UnobservedComponents(series, level="lltrend", seasonal=12 if seasonal else None)
    states = model.k_states
    cov = np.zeros((states, states))
    cov[0, 0], cov[1, 1] = LEVEL_PRIOR**2, SLOPE_PRIOR**2
    if seasonal:
        # Twelve seasons that add up to nothing.
        cov[2:, 2:] = SEASON_PRIOR**2 * (np.eye(states - 2) - 1 / 12)
    mean = np.zeros(states)
    mean[0] = np.nanmean(series[: 12 if np.isfinite(series[:12]).any() else None])
    found = []
    for noise, level, slope in grid:
        squares = [noise**2, level**2, slope**2, *([SEASON_STEP**2] if seasonal else [])]
        model.update(np.array(squares))
        model.ssm.initialize_known(mean, cov)
        seen = model.ssm.filter()
        found.append((float(seen.llf), squares[0], seen.predicted_state[:, -1], seen.predicted_state_cov[..., -1],
                      model.ssm["selection"] @ model.ssm["state_cov"] @ model.ssm["selection"].T))  # fmt: skip
    best = max(llf for llf, *_ in found)
    design, transition = np.array(model.ssm["design"]), np.array(model.ssm["transition"])
    return [
        (math.exp(llf - best), *_ahead(state, spread, drift, noise, design, transition, months))
        for llf, noise, state, spread, drift in found
        if llf - best > math.log(LEAST_WEIGHT)
    ]


def _ahead(
    state: Floats, spread: Floats, drift: Floats, noise: float, design: Floats, transition: Floats, months: int
) -> tuple[Floats, Floats]:
    """Mean and covariance of the observations of the next months, from the state predicted for the first of them."""
    means, cov = np.empty(months), np.eye(months) * noise
    for month in range(months):
        means[month] = (design @ state).item()
        carried = spread @ design.T
        for later in range(month, months):
            shared = (design @ carried).item()
            cov[month, later] += shared
            cov[later, month] = cov[month, later]
            carried = transition @ carried
        state, spread = transition @ state, transition @ spread @ transition.T + drift
    return means, cov
