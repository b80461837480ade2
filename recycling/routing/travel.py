"""Travel times and distances between all locations of a problem, rounded as the planner contract says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recycling.routing.fields import FARTHEST
from recycling.routing.problem import Euclidean, GreatCircle, Matrix, Problem

EARTH_RADIUS_M = 6_371_008.8  # mean radius of the sphere the contract measures on
_ROWS_AT_ONCE = 256  # bounds the scratch memory of one pass

MOST_TABLED = 5000  # locations up to which every cell is computed beforehand; two tables of them take 200 MB
_MOST_KEPT = 1_000_000  # cells remembered one by one

_Floats = npt.NDArray[np.float64]
_Between = Callable[[_Floats, _Floats], _Floats]


class Cells(Protocol):
    """Seconds or metres by location: ``cells[rows, columns]`` for index arrays that broadcast against each other."""

    def __getitem__(self, index: tuple[Any, ...], /) -> Any:
        """An array of integers for arrays, an integer for two integers."""


class Cell(Protocol):
    """Seconds or metres by location, one at a time."""

    def __getitem__(self, index: tuple[int, int], /) -> int:
        """From the first to the second."""


class Computed:
    """Cells of a large day, computed when they are asked for: its whole table would be larger than all else together.

    Parameters
    ----------
    points
        n × 2, in whatever ``between`` measures.
    between
        Cell values, whole numbers as floats, for two arrays of points that broadcast against each other.
    """

    def __init__(self, points: _Floats, between: _Between) -> None:
        self._points, self._between = points, between
        self._kept: dict[tuple[int, int], int] = {}

    def __getitem__(self, index: tuple[Any, ...], /) -> Any:
        """An array of integers for arrays, an integer for two integers."""
        rows, columns = index
        if type(rows) is not int or type(columns) is not int:
            rows, columns = np.broadcast_arrays(rows, columns)
            cells = self._between(self._points[rows], self._points[columns])
            return np.where(rows == columns, 0, np.minimum(cells, FARTHEST)).astype(np.int64)
        found = self._kept.get((rows, columns))
        if found is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            found = (
                0
                if rows == columns
                else int(min(float(self._between(self._points[rows], self._points[columns])), FARTHEST))
            )
            self._kept[rows, columns] = found
        return found


def travel_matrices(problem: Problem) -> tuple[Cells, Cells]:
    """Seconds and metres from every location to every other.

    Returns
    -------
    tuple
        ``travel_s`` and ``distance_m``, row = from, column = to: n × n integers, 32 bits wide when they fit; above
        `MOST_TABLED` locations, unless the problem brings its own, computed cell by cell.
    """
    match problem.travel:
        case Matrix(travel_s=travel_s, distance_m=distance_m):
            return _narrow(travel_s), _narrow(distance_m)
        case GreatCircle(speed_kmh=speed_kmh) as sphere:
            points, per_s = np.radians(_points(problem)), speed_kmh / 3.6
            seconds, metres = ways(sphere)

            if len(points) > MOST_TABLED:
                return Computed(points, seconds), Computed(points, metres)
            whole_m = _by_rows(points, metres)
            return _narrow(np.rint(whole_m / per_s)), _narrow(whole_m)
        case Euclidean(scale=scale, rounding=rounding):
            whole = {"floor": np.floor, "round": np.rint, "ceil": np.ceil}[rounding]

            def way(a: _Floats, b: _Floats) -> _Floats:
                return np.asarray(whole(scale * _straight(a, b)))

            if len(problem.locations) > MOST_TABLED:
                cells = Computed(_points(problem), way)
                return cells, cells
            table = _narrow(_by_rows(_points(problem), way))
            return table, table


def ways(sphere: GreatCircle) -> tuple[_Between, _Between]:
    """Seconds and metres between arrays of ``(latitude, longitude)`` in radians that broadcast against each other.

    Whole numbers as floats, the same either way, and the same as in the tables of a problem with this travel.
    """
    per_s = sphere.speed_kmh / 3.6

    def metres(a: _Floats, b: _Floats) -> _Floats:
        return np.rint(sphere.factor * _haversine_m(a, b))

    def seconds(a: _Floats, b: _Floats) -> _Floats:
        return np.rint(metres(a, b) / per_s)

    return seconds, metres


def table(cells: Cells, places: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The square of cells between some locations."""
    here = np.asarray(places, dtype=np.int64)
    return np.asarray(cells[here[:, None], here[None, :]], dtype=np.int64)


def _points(problem: Problem) -> _Floats:
    return np.array(problem.locations, dtype=np.float64).reshape(-1, 2)


def _by_rows(points: _Floats, between: _Between) -> _Floats:
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


def _narrow(cells: npt.NDArray[np.generic]) -> npt.NDArray[np.integer]:
    if not cells.size or float(cells.max()) < 2**31:
        return np.ascontiguousarray(cells, dtype=np.int32)
    return np.ascontiguousarray(np.minimum(cells, FARTHEST), dtype=np.int64)
