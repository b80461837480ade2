"""Travel times and distances between all locations of a problem, rounded as the planner contract says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from recycling.routing.problem import Euclidean, GreatCircle, Matrix, Problem

EARTH_RADIUS_M = 6_371_008.8  # mean radius of the sphere the contract measures on
FARTHEST = 2**59  # seconds or metres; whatever is farther is as far, and sums of two stay within 64 bits
_ROWS_AT_ONCE = 256  # bounds the scratch memory of one pass

Cells = npt.NDArray[np.integer]
_Floats = npt.NDArray[np.float64]


def travel_matrices(problem: Problem) -> tuple[Cells, Cells]:
    """Seconds and metres from every location to every other.

    Returns
    -------
    tuple
        ``travel_s`` and ``distance_m``, both n × n integers, row = from, column = to; 32 bits wide when they fit.
    """
    match problem.travel:
        case Matrix(travel_s=travel_s, distance_m=distance_m):
            return _narrow(travel_s), _narrow(distance_m)
        case GreatCircle(factor=factor, speed_kmh=speed_kmh):
            metres = _by_rows(np.radians(_points(problem)), lambda a, b: np.rint(factor * _haversine_m(a, b)))
            return _narrow(np.rint(metres / (speed_kmh / 3.6))), _narrow(metres)
        case Euclidean(scale=scale, rounding=rounding):
            whole = {"floor": np.floor, "round": np.rint, "ceil": np.ceil}[rounding]
            cells = _narrow(_by_rows(_points(problem), lambda a, b: whole(scale * _straight(a, b))))
            return cells, cells


def _points(problem: Problem) -> _Floats:
    return np.array(problem.locations, dtype=np.float64).reshape(-1, 2)


def _by_rows(points: _Floats, between: Callable[[_Floats, _Floats], _Floats]) -> _Floats:
    n = len(points)
    cells = np.zeros((n, n))
    for first in range(0, n, _ROWS_AT_ONCE):
        cells[first : first + _ROWS_AT_ONCE] = between(points[first : first + _ROWS_AT_ONCE, None], points[None, :])
    return cells


def _haversine_m(a: _Floats, b: _Floats) -> _Floats:
    """Great-circle metres between ``(latitude, longitude)`` pairs in radians."""
    half = np.sin((b - a) / 2) ** 2
    h = half[..., 0] + np.cos(a[..., 0]) * np.cos(b[..., 0]) * half[..., 1]
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(h, 1.0))))


def _straight(a: _Floats, b: _Floats) -> _Floats:
    """Plane distance as the root of the squares' sum: the last bit decides where a floor falls, so not ``hypot``."""
    d = b - a
    return np.asarray(np.sqrt(d[..., 0] ** 2 + d[..., 1] ** 2))


def _narrow(cells: npt.NDArray[np.generic]) -> Cells:
    if not cells.size or float(cells.max()) < 2**31:
        return np.ascontiguousarray(cells, dtype=np.int32)
    return np.ascontiguousarray(np.minimum(cells, FARTHEST), dtype=np.int64)
