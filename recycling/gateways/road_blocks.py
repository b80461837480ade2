"""A whole matrix from an engine that answers a limited block at a time; what one block lacks costs no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from recycling.errors import Unavailable
from recycling.gateways.travel_matrix import Gap, Point, TravelMatrix, nothing_known
from recycling.logs import logger

log = logger(__name__)

FAILURES_IN_A_ROW = 2  # after so many lost blocks, each tried several times, the engine is taken to be gone
LONGEST_LEG = 10**7  # seconds or metres; what is longer is no leg of a day, and fits no cell

Floats = npt.NDArray[np.float64]


class NoRoadThere(Exception):
    """The engine refuses a block since one of its points lies by no road, or none leads to another."""


class BlockRefused(Exception):
    """The engine answered, but not what was asked; the message says what, without the points."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """One answer: seconds and metres, sources × targets, NaN where there is no way; metres to the road of each end."""

    seconds: Floats
    metres: Floats
    source_snap_m: Floats
    target_snap_m: Floats


AskBlock = Callable[[Sequence[Point], Sequence[Point], float], Block]


def by_blocks(points: Sequence[Point], *, side: int, ask: AskBlock, engine: str, until: float) -> TravelMatrix:
    """Ask for all ways between points in blocks of at most ``side`` by ``side``.

    Parameters
    ----------
    ask
        Answers one block of sources × targets by an instant; raises `Unavailable` when nothing whole came,
        `BlockRefused` and `NoRoadThere` for what the engine says instead.
    until
        Instant of `time.monotonic` after which no more block is asked for.

    Notes
    -----
    Cells are rounded here and nowhere else, to the nearest integer, halves to the even one.
    """
    asking = _Asking(points=points, ask=ask, engine=engine, until=until)
    pieces = [np.arange(first, min(first + side, len(points))) for first in range(0, len(points), side)]
    lost = 0
    for rows, columns in _pairs(pieces):
        if lost == FAILURES_IN_A_ROW or time.monotonic() >= until:
            break
        lost = 0 if asking.block(rows, columns) else lost + 1
    asking.known.gap[asking.known.gap == Gap.NO_ANSWER] = asking.last_loss
    return asking.known


def numbers(name: str, raw: Any, rows: int, columns: int) -> Floats:
    """A table of numbers and nulls as it came, NaN for null.

    Raises
    ------
    BlockRefused
        When it is no such table, or of another size.
    """
    try:
        found = np.array(raw, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise BlockRefused(f"{name} is no table of numbers") from None
    if found.shape != (rows, columns):
        raise BlockRefused(f"{name} is {'×'.join(map(str, found.shape))}, asked for {rows}×{columns}")
    return found


def _pairs(pieces: Sequence[npt.NDArray[np.intp]]) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    return ((rows, columns) for rows in pieces for columns in pieces)


@dataclass(slots=True, kw_only=True)
class _Asking:
    """One matrix under way."""

    points: Sequence[Point]
    ask: AskBlock
    engine: str
    until: float
    known: TravelMatrix = field(init=False)
    last_loss: Gap = Gap.NO_ANSWER  # what became of the blocks that nobody asked for any more
    by_a_road: dict[int, bool] = field(default_factory=dict)  # the points tried one by one so far

    def __post_init__(self) -> None:
        self.known = nothing_known(len(self.points), because=Gap.NO_ANSWER)

    def block(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> bool:
        """Ask for a block and write down what came; whether the engine said anything of use."""
        rows, columns = self._off_road_removed(rows, columns)
        if not len(rows) or not len(columns):
            return True
        try:
            self._write(rows, columns, self._asked(rows, columns))
        except NoRoadThere:
            return self._without_off_road(rows, columns)
        except (Unavailable, BlockRefused) as error:
            self._lose(rows, columns, error)
            return False
        return True

    def _without_off_road(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> bool:
        """One far field must not cost the others of its block their roads: find it, and ask for the rest."""
        try:
            for index in np.union1d(rows, columns):
                self._try_alone(int(index))
            left_rows, left_columns = self._off_road_removed(rows, columns)
            if (
                len(left_rows)
                and len(left_columns)
                and (len(left_rows), len(left_columns)) != (len(rows), len(columns))
            ):
                self._write(left_rows, left_columns, self._asked(left_rows, left_columns))
            else:
                self._mark(left_rows, left_columns, Gap.NO_ROAD)
        except NoRoadThere:
            self._mark(left_rows, left_columns, Gap.NO_ROAD)
        except (Unavailable, BlockRefused) as error:
            self._lose(rows, columns, error)
            return False
        return True

    def _try_alone(self, index: int) -> None:
        if index in self.by_a_road:
            return
        alone = np.array([index])
        try:
            self._asked(alone, alone)
            self.by_a_road[index] = True
        except NoRoadThere:
            self.by_a_road[index] = False
            self._mark(alone, np.arange(len(self.points)), Gap.NO_ROAD)
            self._mark(np.arange(len(self.points)), alone, Gap.NO_ROAD)

    def _off_road_removed(self, *sides: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
        return [side[[self.by_a_road.get(int(index), True) for index in side]] for side in sides]

    def _asked(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> Block:
        return self.ask([self.points[i] for i in rows], [self.points[j] for j in columns], self.until)

    def _write(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], block: Block) -> None:
        at = np.ix_(rows, columns)
        with np.errstate(invalid="ignore"):
            whole = [np.rint(cells) for cells in (block.seconds, block.metres)]
            usable = [(cells >= 0) & (cells <= LONGEST_LEG) for cells in whole]
        answered = usable[0] & usable[1] & (rows[:, None] != columns[None, :])  # the way to oneself stays none
        absent = np.isnan(block.seconds) | np.isnan(block.metres)
        gap = np.where(answered, Gap.NONE, np.where(absent, Gap.NO_ROAD, Gap.IMPLAUSIBLE))
        gap[rows[:, None] == columns[None, :]] = Gap.NONE
        for cells, values in zip((self.known.travel_s, self.known.distance_m), whole, strict=True):
            cells[at] = np.where(answered, np.where(answered, values, 0).astype(np.int32), cells[at])
        self.known.gap[at] = gap
        for side, snap_m in ((rows, block.source_snap_m), (columns, block.target_snap_m)):
            self.known.snap_m[side] = np.fmax(self.known.snap_m[side], snap_m)

    def _lose(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], error: Exception) -> None:
        self.last_loss = Gap.REFUSED if isinstance(error, BlockRefused) else Gap.NO_ANSWER
        self._mark(rows, columns, self.last_loss)
        log.warning("travel.block_lost", engine=self.engine, cells=len(rows) * len(columns), reason=str(error))

    def _mark(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], gap: Gap) -> None:
        self.known.gap[np.ix_(rows, columns)] = gap
        np.fill_diagonal(self.known.gap, Gap.NONE)
