"""OSRM's ``/table``: seconds and metres by road, https://project-osrm.org/docs/."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import numpy as np

from recycling.gateways.json_client import JsonClient
from recycling.gateways.road_blocks import Block, BlockRefused, Floats, NoRoadThere, by_blocks, numbers
from recycling.gateways.travel_matrix import Point, TravelMatrix

NO_ROAD_CODES = ("NoSegment", "NoTable")  # a point is by no road; nothing leads anywhere


class OsrmEngine:
    """A running ``osrm-routed``.

    Parameters
    ----------
    profile
        Whatever the server was started for; OSRM itself reads it from its files and ignores this word.
    table_limit
        Most points in one request, ``--max-table-size`` of the server.
    """

    def __init__(self, client: JsonClient, *, profile: str, table_limit: int) -> None:
        self._client, self._profile, self._table_limit = client, profile, table_limit

    @property
    def name(self) -> str:
        """Kind and profile."""
        return f"osrm/{self._profile}"

    def matrix(self, points: Sequence[Point], *, until: float) -> TravelMatrix:
        """Ask for every way between the points; what was not answered by ``until`` is unknown."""
        side = len(points) if len(points) <= self._table_limit else max(1, self._table_limit // 2)
        return by_blocks(points, side=max(1, side), ask=self._ask, engine=self.name, until=until)

    def _ask(self, sources: Sequence[Point], targets: Sequence[Point], until: float) -> Block:
        same = list(sources) == list(targets)
        points = [*sources] if same else [*sources, *targets]
        path = f"/table/v1/{self._profile}/{';'.join(_lon_lat(point) for point in points)}"
        options = "annotations=duration,distance&generate_hints=false"
        if not same:
            first = len(sources)
            options += f"&sources={_indices(0, first)}&destinations={_indices(first, len(points))}"
        answer = self._client.ask(f"{path}?{options}", until=until)
        code = answer.content.get("code")
        if code in NO_ROAD_CODES:
            raise NoRoadThere
        if answer.status != HTTPStatus.OK or code != "Ok":
            raise BlockRefused(f"status {answer.status}, code {str(code)[:40]!r}")
        size = len(sources), len(targets)
        return Block(
            seconds=numbers("durations", answer.content.get("durations"), *size),
            metres=numbers("distances", answer.content.get("distances"), *size),
            source_snap_m=_snaps(answer.content.get("sources"), len(sources)),
            target_snap_m=_snaps(answer.content.get("destinations"), len(targets)),
        )


def _lon_lat(point: Point) -> str:
    """A point as OSRM wants it: longitude first, to the decimetre."""
    return f"{point[1]:.6f},{point[0]:.6f}"


def _indices(first: int, end: int) -> str:
    return ";".join(map(str, range(first, end)))


def _snaps(raw: Any, count: int) -> Floats:
    """How far each point was moved onto its road; zeros from a server that leaves its waypoints out."""
    if not isinstance(raw, list) or len(raw) != count:
        return np.zeros(count)
    found = [one.get("distance") if isinstance(one, dict) else None for one in raw]
    return np.array([value if isinstance(value, (int, float)) else 0.0 for value in found], dtype=np.float64)
