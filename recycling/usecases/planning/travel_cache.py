"""Ways that a road engine answered before, found again by their rounded ends while they are fresh."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.gateways.travel_matrix import UNKNOWN, Cells, Point, TravelMatrix
from recycling.models.base import insert_rows
from recycling.models.travel import CachedTravel, origin_digest

GRID = 10_000  # squares to a degree: 11 m by 9 m here; whoever moves less far goes the same way
MOST_PLACES = 1_000  # a day of more is not kept: its rows would be hundreds of megabytes for one bad evening
ORIGINS_AT_ONCE = 500  # bound parameters of one statement
# What a row's cells hold of each way: the square it leads to, seconds, metres.
WAY = np.dtype([("lat", "<i4"), ("lon", "<i4"), ("travel_s", "<i4"), ("distance_m", "<i4")])

Squares = npt.NDArray[np.int32]


class StoredTravel:
    """The ways kept in the database that are not older than ``kept`` at ``now``."""

    def __init__(self, session: Session, *, now: datetime, kept: timedelta) -> None:
        self._session, self._since = session, now - kept

    def find(self, points: Sequence[Point], *, engine: str) -> tuple[Cells, Cells]:
        """Seconds and metres between the points, n × n, `UNKNOWN` in both where none is kept; the newest wins."""
        squares, square_of = _squares(points)
        size = len(squares)
        travel_s = np.full((size, size), UNKNOWN, dtype=np.int32)
        distance_m = travel_s.copy()
        place = _sort_key(squares)  # ascending, as `np.unique` leaves the squares
        row_of = {origin_digest(_name(engine, square)): row for row, square in enumerate(squares)}
        for origin, cells in self._rows(engine, list(row_of)):
            ways = np.frombuffer(zlib.decompress(cells), dtype=WAY)
            wanted = _sort_key(np.stack([ways["lat"], ways["lon"]], axis=1))
            column = np.minimum(np.searchsorted(place, wanted), size - 1)
            met = place[column] == wanted
            travel_s[row_of[origin], column[met]] = ways["travel_s"][met]
            distance_m[row_of[origin], column[met]] = ways["distance_m"][met]
        at = np.ix_(square_of, square_of)
        return travel_s[at], distance_m[at]

    def _rows(self, engine: str, origins: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for first in range(0, len(origins), ORIGINS_AT_ONCE):
            wanted = origins[first : first + ORIGINS_AT_ONCE]
            rows = self._session.execute(
                select(CachedTravel.origin, CachedTravel.cells)
                .where(
                    CachedTravel.engine == engine,
                    CachedTravel.origin.in_(wanted),
                    CachedTravel.asked_at >= self._since,
                )
                .order_by(CachedTravel.asked_at)
            )
            yield from ((bytes(origin), cells) for origin, cells in rows)


def keep_ways(points: Sequence[Point], live: TravelMatrix, *, engine: str, session: Session, now: datetime) -> int:
    """Keep what an engine answered, in the caller's transaction; returns how many ways."""
    if not 1 < len(points) <= MOST_PLACES:
        return 0
    squares, square_of = _squares(points)
    _, first = np.unique(square_of, return_index=True)  # of several points in one square, the first speaks for it
    at = np.ix_(first, first)
    travel_s, distance_m = live.travel_s[at], live.distance_m[at]
    known = (travel_s != UNKNOWN) & ~np.eye(len(first), dtype=bool)
    rows: list[CachedTravel] = []
    for row in range(len(squares)):
        columns = np.flatnonzero(known[row])
        if not len(columns):
            continue
        ways = np.empty(len(columns), dtype=WAY)
        ways["lat"], ways["lon"] = squares[columns].T
        ways["travel_s"], ways["distance_m"] = travel_s[row, columns], distance_m[row, columns]
        rows.append(
            CachedTravel(
                id=uuid4(),
                engine=engine,
                origin=origin_digest(_name(engine, squares[row])),
                asked_at=now,
                cells=zlib.compress(ways.tobytes()),
            )
        )
    # By digest, so that the sequence of the rows tells nothing of which places lie beside each other.
    rows.sort(key=lambda kept: kept.origin)
    insert_rows(session, rows)
    return int(known.sum())


def _squares(points: Sequence[Point]) -> tuple[Squares, npt.NDArray[np.intp]]:
    """The different squares of the grid, ascending, and which of them each point is in."""
    grid = np.rint(np.array(points, dtype=np.float64).reshape(-1, 2) * GRID).astype(np.int32)
    squares, square_of = np.unique(grid, axis=0, return_inverse=True)
    return squares, square_of.reshape(-1)


def _sort_key(squares: Squares) -> npt.NDArray[np.int64]:
    """One number a square, ascending as the pairs are."""
    return squares[:, 0].astype(np.int64) * (1 << 32) + squares[:, 1]


def _name(engine: str, square: Squares) -> str:
    return f"{engine}|{square[0]},{square[1]}"
