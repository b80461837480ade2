"""Seconds and metres between points by road: what a road engine is asked, and what is known afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]  # latitude and longitude in degrees, WGS-84
Cells = npt.NDArray[np.int32]

UNKNOWN = -1  # in a cell: nobody said how far it is


class Gap(IntEnum):
    """Why a cell was not answered live; the name is stored with the plan as its note."""

    NONE = 0
    NO_ENGINE = 1  # none is set up
    TOO_MANY_STOPS = 2  # a matrix of that size is not made
    NO_ANSWER = 3  # silent, late, broken, or its time was over
    REFUSED = 4  # it answered, but not to the question
    NO_ROAD = 5  # it knows of no way from the one to the other
    FAR_FROM_ROAD = 6  # the nearest road is farther than we believe a door to be
    IMPLAUSIBLE = 7  # shorter than a straight line, faster than any vehicle, or all zero

    @property
    def code(self) -> str:
        """As it is stored and served."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TravelMatrix:
    """What is known of the ways between n points.

    Parameters
    ----------
    travel_s, distance_m
        n × n; row = from, column = to; whole seconds and metres, or `UNKNOWN`, in both alike.
    gap
        n × n of `Gap`; why a cell is unknown.
    snap_m
        n; metres from each point to the road it was put on, 0 where the engine did not say.
    """

    travel_s: Cells
    distance_m: Cells
    gap: npt.NDArray[np.int8]
    snap_m: npt.NDArray[np.float64]


class RoadEngine(Protocol):
    """Knows the roads. `name` tells its kind and profile, as stored with what it answered."""

    @property
    def name(self) -> str:
        """Kind and profile, such as ``osrm/driving``."""

    def matrix(self, points: Sequence[Point], *, until: float) -> TravelMatrix:
        """Ask for every way between the points.

        Never raises for what the engine does: what it did not say in time, by ``until`` of `time.monotonic`, is
        unknown.
        """


class NullEngine:
    """Knows no roads: for a district without an engine, whose ways are estimated from straight lines."""

    name = "none"

    def matrix(self, points: Sequence[Point], *, until: float) -> TravelMatrix:
        """Know nothing."""
        return nothing_known(len(points), because=Gap.NO_ENGINE)


def nothing_known(size: int, *, because: Gap) -> TravelMatrix:
    """The matrix before anybody was asked; the way from a point to itself is known to be none."""
    cells = np.full((size, size), UNKNOWN, dtype=np.int32)
    np.fill_diagonal(cells, 0)
    gap = np.full((size, size), because, dtype=np.int8)
    np.fill_diagonal(gap, Gap.NONE)
    return TravelMatrix(travel_s=cells, distance_m=cells.copy(), gap=gap, snap_m=np.zeros(size))
