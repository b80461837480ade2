"""The lines of the speed table: which instances, how long, against whom, and how good ours has to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.district import Variant
from benchmarks.support.instances import Instance, district, multi_trip, public
from benchmarks.support.peers import PEERS

BEST = "best peer"
BEST_KNOWN = "best known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What ours has to reach.

    Parameters
    ----------
    against
        `BEST`, `BEST_KNOWN` or a peer's name.
    most
        Largest geometric mean of cost ratios; against `BEST_KNOWN` the largest mean gap in percent.
    """

    against: str
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One kind of work.

    Parameters
    ----------
    key
        As ``PART=`` names it.
    peers
        Whom to run beside ours; those that cannot plan an instance say so.
    made
        District days of its own: variant, stops and seeds.
    family, stops
        Public instances that belong to it: their family, and least and most stops.
    every
        Of the public instances every such one, so that a whole run takes two hours.
    usual
        Whether it is measured when no part is asked for.
    """

    key: str
    title: str
    seconds: float
    peers: tuple[str, ...]
    targets: tuple[Target, ...]
    made: tuple[Variant, int, tuple[int, ...]] | None = None
    family: str = ""
    stops: tuple[int, int] = (0, 10**9)
    every: int = 1
    usual: bool = True

    def instances(self, folder: Path | None) -> Iterator[Instance]:
        """Its made-up days, then what a folder of public instances has for it."""
        if self.made is not None:
            variant, stops, seeds = self.made
            yield from (district(stops, seed, variant) for seed in seeds)
        if folder is not None and self.family:
            yield from islice(self._public(folder), None, None, self.every)

    def _public(self, folder: Path) -> Iterator[Instance]:
        for one in public(folder):
            if self.family == "multi_trip" and one.family == "homberger" and self._holds(one) and _long(one):
                yield multi_trip(one)
            elif one.family == self.family and self._holds(one):
                yield one

    def _holds(self, one: Instance) -> bool:
        return self.stops[0] <= len(one.load().stops) <= self.stops[1]

    @property
    def needs_folder(self) -> bool:
        """Whether it has no instances of its own."""
        return self.made is None


def _long(one: Instance) -> bool:
    """Gehring and Homberger's second kind: large vehicles on a long day, of which a quarter makes several trips."""
    return one.load().vehicles[0].capacity[0] >= 500


def _day(
    variant: Variant, stops: int, seconds: float, seeds: Sequence[int], targets: dict[str, float], **more: bool
) -> Line:
    sizes = {200: (100, 500), 1000: (501, 2500), 5000: (2501, 7500)}
    name = {"one_trip": "one trip a vehicle", "no_lunch": "no lunch", "full": "whole problem"}[variant]
    peers = tuple(p for p in PEERS if p != "vroom" or variant == "one_trip")
    return Line(
        key=f"{variant}-{stops}", title=f"{name}, {stops:,} stops", seconds=seconds,
        # OR-Tools would need minutes and gigabytes for one matrix of 5,000 stops.
        peers=tuple(p for p in peers if p != "ortools" or stops < 5000),
        targets=tuple(Target(against=against, most=most) for against, most in targets.items()),
        made=(variant, stops, tuple(seeds)), family=variant, stops=sizes[stops], **more,
    )  # fmt: skip


ABLE = ("pyvrp", "vrp-cli")  # of unloading on the way; plain OR-Tools is far behind there
LINES: tuple[Line, ...] = (
    _day("one_trip", 200, 20, (21, 22), {BEST: 1.0}),
    _day("one_trip", 1000, 60, (21, 22), {BEST: 0.985}),
    _day("one_trip", 5000, 300, (21,), {BEST: 0.96}),
    _day("no_lunch", 200, 20, (31, 32), {BEST: 1.0}),
    _day("no_lunch", 1000, 60, (31, 32), {BEST: 0.985}),
    _day("full", 200, 20, (41, 42), {"pyvrp": 0.995, "vrp-cli": 0.89}),
    _day("full", 1000, 60, (41, 42), {"pyvrp": 0.975, "vrp-cli": 0.76}),
    _day("full", 5000, 300, (41,), {"pyvrp": 0.975}, usual=False),
    Line(
        key="mdvrptw", title="Cordeau and Vidal MDVRPTW", seconds=60, peers=(), family="mdvrptw", every=2,
        targets=(Target(against=BEST_KNOWN, most=1.5),),
    ),
    Line(
        key="homberger-200", title="Gehring–Homberger, 200 customers", seconds=60, peers=("pyvrp",),
        family="homberger", stops=(100, 300), targets=(Target(against="pyvrp", most=1.0),),
    ),
    Line(
        key="homberger-400", title="Gehring–Homberger, 400 customers", seconds=60, peers=("pyvrp",),
        family="homberger", stops=(301, 700), targets=(Target(against="pyvrp", most=1.0),), usual=False,
    ),
    Line(
        key="homberger-1000", title="Gehring–Homberger, 1,000 customers", seconds=60, peers=("pyvrp",),
        family="homberger", stops=(701, 1500), targets=(Target(against="pyvrp", most=0.99),),
    ),
    Line(
        key="sdvrptw", title="SDVRPTW", seconds=60, peers=("pyvrp",), family="sdvrptw",
        targets=(Target(against=BEST, most=1.0),),
    ),
    Line(
        key="multi_trip", title="multi-trip", seconds=60, peers=ABLE, family="multi_trip", stops=(100, 500),
        targets=(Target(against=BEST, most=1.0),),
    ),
    Line(
        key="crevier", title="Crevier's unloading at any depot", seconds=60, peers=ABLE, family="crevier",
        targets=(Target(against=BEST, most=1.0),),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """A line about our own first plan and largest day, which no peer stands beside."""

    key: str
    title: str
    sizes: tuple[int, ...]
    seconds: float
    workers: int
    seed: int = 51


FIRST_S = {1000: 3.0, 10_000: 30.0}
EXPONENT = 1.3
DAY_MIB, DAY_RATIO = 4096.0, 0.93
SPEEDS: tuple[Speed, ...] = (
    Speed(key="first", title="first checked plan", sizes=(500, 1000, 2000, 5000, 10_000), seconds=120, workers=0),
    Speed(key="day-10000", title="10,000 stops", sizes=(10_000,), seconds=600, workers=2),
)


def chosen(parts: Sequence[str]) -> tuple[list[Line], list[Speed]]:
    """The lines of these parts, all usual ones for none.

    Raises
    ------
    ValueError
        When a part is none of the lines.
    """
    known = [line.key for line in LINES] + [speed.key for speed in SPEEDS]
    for part in parts:
        if part not in known:
            raise ValueError(f"PART names {part!r}; the parts are {', '.join(known)}")
    lines = [line for line in LINES if (line.key in parts if parts else line.usual)]
    return lines, [speed for speed in SPEEDS if not parts or speed.key in parts]
