"""What the planner is measured on: days made up from seeds, and the public instances of a folder."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.district import Variant, district_day
from benchmarks.support import readers
from recycling.routing.problem import FORMAT, Problem, load_problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One problem to plan.

    Parameters
    ----------
    family
        ``one_trip``, ``no_lunch``, ``full``, ``mdvrptw``, ``homberger``, ``sdvrptw``, ``crevier`` or ``multi_trip``.
    load
        Reads or makes the problem.
    scale
        Cost of the problem over cost as the family's literature prints it.
    best_known
        Cost in the literature's own unit, or ``None``.
    """

    name: str
    family: str
    load: Callable[[], Problem]
    scale: int = 1
    best_known: float | None = None

    @property
    def stops(self) -> int:
        """How many stops there are."""
        return len(self.load().stops)


def district(stops: int, seed: int, variant: Variant) -> Instance:
    """A made-up district day."""
    return Instance(name=f"{variant}-{stops}-{seed}", family=variant, load=lambda: district_day(stops, seed, variant))


def public(folder: Path) -> Iterator[Instance]:
    """Every instance below a folder, told by its format; other files are passed over.

    Raises
    ------
    FileNotFoundError
        When there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"INSTANCES={folder} is no folder; give the one that holds the public instances")
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".txt", ".vrp", ".json", ".gz"}):
        found = _sniffed(path)
        if found is not None:
            yield found


def _sniffed(path: Path) -> Instance | None:
    if path.suffix == ".gz":
        return _own(path)
    text = path.read_text(encoding="utf-8")
    first = text.split("\n", 1)[0].split()
    if path.suffix == ".json":
        return (
            _own(path)
            if f'"{FORMAT}"' in text
            else _read(path, "crevier", readers.crevier, 1000, "central_depot_index")
        )
    if path.suffix == ".vrp":
        family = next((f for f in ("MDVRPTW", "SDVRPTW") if f"TYPE: {f}" in text), None)
        return None if family is None else _read(path, family.lower(), readers.vrplib_dialect, 1000)
    if len(first) == 4 and all(cell.isdigit() for cell in first):
        return _read(path, "mdvrptw", readers.cordeau, 1000)
    return _read(path, "homberger", readers.homberger, 10, "CUST NO.")


def _read(path: Path, family: str, reader: Callable[[str], Problem], scale: int, mark: str = "") -> Instance | None:
    if mark not in path.read_text(encoding="utf-8"):
        return None
    return Instance(
        name=path.stem,
        family=family,
        load=lambda: reader(path.read_text(encoding="utf-8")),
        scale=scale,
        best_known=_best_known(path),
    )


def _own(path: Path) -> Instance:
    """A problem in our own format: which variant it is of shows in its vehicles and stations."""
    problem = load_problem(path)
    family = "no_lunch" if any(s.can_unload for s in problem.stations) else "one_trip"
    if any(v.break_ is not None for v in problem.vehicles):
        family = "full"
    return Instance(name=path.name.split(".")[0], family=family, load=lambda: load_problem(path))


def _best_known(path: Path) -> float | None:
    """The value beside the file's name in the ``bks.csv`` of its folder."""
    table = path.parent / "bks.csv"
    if not table.exists():
        return None
    with table.open(encoding="utf-8", newline="") as lines:
        costs = {row["instance"]: row["bks_cost"] for row in csv.DictReader(lines)}
    return float(costs[path.stem]) if costs.get(path.stem) else None


def multi_trip(instance: Instance) -> Instance:
    """The same day with a quarter of the capacity and unloading at the depot: vehicles go out several times."""
    return Instance(
        name=f"{instance.name}-trips",
        family="multi_trip",
        load=lambda: readers.multi_trip(instance.load()),
        scale=instance.scale,
    )
