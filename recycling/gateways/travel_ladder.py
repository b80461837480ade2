"""The ladder of travel times: live from the road engine, else a cell kept from before, else estimated from the line.

Each cell falls by itself, so one unreachable yard costs no other its road. What it came to is said with the plan.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from recycling.gateways.travel_matrix import UNKNOWN, Cells, Gap, Point, RoadEngine, TravelMatrix
from recycling.logs import logger

log = logger(__name__)

MOST_STOPS = 5_000  # above it no full matrix is made: 5,010² cells of seconds and metres already fill 200 MB
FASTEST_M_PER_S = 56  # 200 km/h: no vehicle of ours, on any road
LONGEST_S = 86_400  # a leg of a whole day is a fault of the map
SLACK_M = 50  # what rounding and the sphere may make of a short way
SLACK_SHARE = 0.98  # and of a long one: the sphere differs from the ellipsoid by up to half a percent

TravelWord = Literal["live", "cached", "mixed", "great_circle"]
TRAVEL_WORDS: tuple[TravelWord, ...] = get_args(TravelWord)
NOTES: tuple[str, ...] = tuple(gap.code for gap in Gap if gap is not Gap.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelQuality:
    """From where the ways of a plan are known.

    Parameters
    ----------
    live, cached, great_circle
        How many ways between two different places each rung gave.
    note
        Why most of those that are not live are not, a code of `NOTES`; ``None`` when all are.
    engine
        Kind and profile of the engine that was asked.
    """

    live: int
    cached: int
    great_circle: int
    note: str | None
    engine: str

    @property
    def word(self) -> TravelWord:
        """The rung that gave all, or ``mixed``."""
        if self.live + self.cached == 0:
            return "great_circle"
        if self.cached + self.great_circle == 0:
            return "live"
        return "cached" if self.live + self.great_circle == 0 else "mixed"

    @property
    def counts(self) -> dict[str, int]:
        """Ways by rung."""
        return {"live": self.live, "cached": self.cached, "great_circle": self.great_circle}


class TravelCache(Protocol):
    """Ways that an engine answered before."""

    def find(self, points: Sequence[Point], *, engine: str) -> tuple[Cells, Cells]:
        """Seconds and metres between the points, n × n, `UNKNOWN` in both where none is kept or it is too old."""


class NullCache:
    """Keeps nothing."""

    def find(self, points: Sequence[Point], *, engine: str) -> tuple[Cells, Cells]:
        """Know nothing."""
        cells = np.full((len(points), len(points)), UNKNOWN, dtype=np.int32)
        return cells, cells.copy()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Climbed:
    """What the ladder came to.

    Parameters
    ----------
    travel_s, distance_m
        n × n over the places as they were given; every cell known.
    points
        The different places among them.
    live
        What the engine said of the ways between `points`, faults taken out.
    """

    travel_s: npt.NDArray[np.int64]
    distance_m: npt.NDArray[np.int64]
    quality: TravelQuality
    points: tuple[Point, ...]
    live: TravelMatrix


def climb(
    places: Sequence[Point],
    *,
    estimate: tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]],
    factor: float,
    engine: RoadEngine,
    cache: TravelCache,
    most_snap_m: float,
    seconds: float,
) -> Climbed:
    """Find seconds and metres between all places, each cell from the highest rung that has it.

    Parameters
    ----------
    estimate
        The lowest rung: seconds and metres from straight lines, n × n.
    factor
        Road over straight line in it.
    most_snap_m
        A point farther from the nearest road than this is not believed to lie by that road.
    seconds
        Most time for the engine, over all it is asked.
    """
    points, first, place_of = _different(places)
    live = _judged(
        engine.matrix(points, until=time.monotonic() + seconds),
        straight_m=np.asarray(estimate[1])[np.ix_(first, first)] / factor,
        most_snap_m=most_snap_m,
    )
    rung = np.where(live.travel_s != UNKNOWN, 2, 0).astype(np.int8)
    travel_s, distance_m = live.travel_s.copy(), live.distance_m.copy()
    if not rung.all():
        kept_s, kept_m = cache.find(points, engine=engine.name)
        kept = (rung == 0) & (kept_s != UNKNOWN) & (kept_m != UNKNOWN)
        travel_s[kept], distance_m[kept], rung[kept] = kept_s[kept], kept_m[kept], 1
    quality = _quality(rung, live.gap, engine.name)
    found = []
    for cells, guess in zip((travel_s, distance_m), estimate, strict=True):
        full = cells.astype(np.int64)[np.ix_(place_of, place_of)]
        found.append(np.where(full == UNKNOWN, guess, full))
    return Climbed(travel_s=found[0], distance_m=found[1], quality=quality, points=points, live=live)


def not_climbed(places: Sequence[Point], *, because: Gap, engine: str) -> TravelQuality:
    """The quality of a plan whose ways are all estimated, since nobody was asked."""
    size = len({_rounded(place) for place in places})
    return TravelQuality(live=0, cached=0, great_circle=size * (size - 1), note=because.code, engine=engine)


def _rounded(place: Point) -> Point:
    """To the decimetre, which is as exactly as an engine is asked."""
    return round(place[0], 6), round(place[1], 6)


def _different(places: Sequence[Point]) -> tuple[tuple[Point, ...], list[int], npt.NDArray[np.intp]]:
    """The different places, where each first occurs, and which of them each place is."""
    number: dict[Point, int] = {}
    first: list[int] = []
    for index, place in enumerate(places):
        if number.setdefault(_rounded(place), len(number)) == len(first):
            first.append(index)
    return tuple(number), first, np.array([number[_rounded(place)] for place in places], dtype=np.intp)


def _judged(found: TravelMatrix, *, straight_m: npt.NDArray[np.float64], most_snap_m: float) -> TravelMatrix:
    """What of an engine's answers can be true: the rest becomes unknown, with its reason."""
    size = len(found.snap_m)
    travel_s, distance_m = found.travel_s.copy(), found.distance_m.copy()
    gap = found.gap.copy()
    known = (travel_s != UNKNOWN) & ~np.eye(size, dtype=bool)
    far = found.snap_m > most_snap_m
    snapped_m = np.where(far, 0.0, found.snap_m)
    reach_m = distance_m + snapped_m[:, None] + snapped_m[None, :] + SLACK_M
    broken = (reach_m < SLACK_SHARE * straight_m) | (distance_m > FASTEST_M_PER_S * travel_s.astype(np.int64) + SLACK_M)
    broken |= travel_s > LONGEST_S
    if known.any() and not (travel_s[known].any() and distance_m[known].any()):
        # Latitude and longitude exchanged put every point on one spot of the map, and all ways between them are none.
        broken |= True
    for wrong, reason in (
        (known & broken, Gap.IMPLAUSIBLE),
        (known & (far[:, None] | far[None, :]), Gap.FAR_FROM_ROAD),
    ):
        gap[wrong] = reason
        travel_s[wrong] = distance_m[wrong] = UNKNOWN
    return TravelMatrix(travel_s=travel_s, distance_m=distance_m, gap=gap, snap_m=found.snap_m)


def _quality(rung: npt.NDArray[np.int8], gap: npt.NDArray[np.int8], engine: str) -> TravelQuality:
    ways = ~np.eye(len(rung), dtype=bool)
    great_circle, cached, live = (int(count) for count in np.bincount(rung[ways], minlength=3))
    reasons = np.bincount(gap[ways & (rung < 2)], minlength=len(Gap))
    note = Gap(int(reasons.argmax())).code if reasons.any() else None
    quality = TravelQuality(live=live, cached=cached, great_circle=great_circle, note=note, engine=engine)
    if note not in (None, Gap.NO_ENGINE.code):
        why = {Gap(number).code: int(count) for number, count in enumerate(reasons) if count}
        log.warning("travel.not_all_live", engine=engine, quality=quality.word, why=why, **quality.counts)
    return quality
