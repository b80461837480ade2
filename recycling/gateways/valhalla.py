"""Valhalla's ``/sources_to_targets``: seconds and metres by road, https://valhalla.github.io/valhalla/."""

from __future__ import annotations

import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import numpy as np

from recycling.gateways.json_client import JsonClient
from recycling.gateways.road_blocks import Block, BlockRefused, Floats, NoRoadThere, by_blocks, numbers
from recycling.gateways.travel_matrix import Point, TravelMatrix

METRES_PER_DEGREE = 111_195.0  # along a meridian of a sphere of 6,371 km; a snap is short, so the plane will do
# Points in regions that no road joins, no road near a point, no path: the block is refused for one such point.
NO_ROAD_CODES = (170, 171, 442)


class ValhallaEngine:
    """A running ``valhalla_service``.

    Parameters
    ----------
    profile
        Costing model, such as ``auto`` or ``truck``.
    pairs_limit
        Most sources × targets in one request, ``service_limits.<costing>.max_matrix_location_pairs`` of the server.
    """

    def __init__(self, client: JsonClient, *, profile: str, pairs_limit: int) -> None:
        self._client, self._profile, self._pairs_limit = client, profile, pairs_limit

    @property
    def name(self) -> str:
        """Kind and profile."""
        return f"valhalla/{self._profile}"

    def matrix(self, points: Sequence[Point], *, until: float) -> TravelMatrix:
        """Ask for every way between the points; what was not answered by ``until`` is unknown."""
        side = max(1, math.isqrt(self._pairs_limit))
        return by_blocks(points, side=side, ask=self._ask, engine=self.name, until=until)

    def _ask(self, sources: Sequence[Point], targets: Sequence[Point], until: float) -> Block:
        # The long form: only it tells onto which road each point was put.
        wish = {
            "sources": [_place(point) for point in sources],
            "targets": [_place(point) for point in targets],
            "costing": self._profile,
            "units": "kilometers",
            "verbose": True,
        }
        answer = self._client.ask("/sources_to_targets", until=until, body=wish)
        code = answer.content.get("error_code")
        if code in NO_ROAD_CODES:
            raise NoRoadThere
        if answer.status != HTTPStatus.OK or code is not None:
            raise BlockRefused(f"status {answer.status}, error {str(code)[:40]}")
        rows = _rows(answer.content.get("sources_to_targets"))
        size = len(sources), len(targets)
        return Block(
            seconds=numbers("time", [[cell.get("time") for cell in row] for row in rows], *size),
            metres=1000 * numbers("distance", [[cell.get("distance") for cell in row] for row in rows], *size),
            source_snap_m=_snaps(sources, rows, "begin"),
            target_snap_m=_snaps(targets, list(zip(*rows, strict=True)), "end"),
        )


def _place(point: Point) -> dict[str, float]:
    return {"lat": round(point[0], 6), "lon": round(point[1], 6)}


def _rows(raw: Any) -> list[list[dict[str, Any]]]:
    if isinstance(raw, list) and all(isinstance(row, list) for row in raw):
        cells = [cell for row in raw for cell in row]
        if all(isinstance(cell, dict) for cell in cells):
            return raw
    raise BlockRefused("sources_to_targets is no table of cells")


def _snaps(asked: Sequence[Point], lines: Sequence[Sequence[dict[str, Any]]], end: str) -> Floats:
    """How far each point was moved onto its road, at most over its ways; zero where the server does not say.

    The answer's own lists of sources and targets tell the first road tried, which need not be the one driven on.
    """
    moved = [max(_moved_m(point, cell, end) for cell in line) for point, line in zip(asked, lines, strict=True)]
    return np.array(moved, dtype=np.float64)


def _moved_m(point: Point, cell: dict[str, Any], end: str) -> float:
    lat, lon = cell.get(f"{end}_lat"), cell.get(f"{end}_lon")
    if not isinstance(lat, (int, float)) or not isinstance(lon, (int, float)):
        return 0.0
    north, east = lat - point[0], (lon - point[1]) * math.cos(math.radians(point[0]))
    return METRES_PER_DEGREE * math.hypot(north, east)
