"""What was measured, kept in a local file, so that a long run can be resumed and its tables printed again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.table import ROOT

KEPT_IN = ROOT / "benchmarks" / "results" / "planner.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One planner on one instance.

    Parameters
    ----------
    key
        What makes it the same measurement: planner, code, instance, seconds.
    cost
        Of the checked plan; ``None`` when there is none, and ``note`` says why.
    left_out
        Stops on no route.
    trace
        Seconds and cost of each better plan, start-up included.
    search_s
        What the planner says it searched, without start-up; ours only.
    """

    key: str
    planner: str
    instance: str
    seconds: float
    cost: int | None
    wall_s: float
    peak_mib: float | None
    left_out: int = 0
    note: str = ""
    trace: tuple[tuple[float, int], ...] = ()
    search_s: float | None = None


class Store:
    """Results by key; a later line of the file replaces an earlier one."""

    def __init__(self, path: Path = KEPT_IN, *, fresh: bool = False) -> None:
        self.path = path
        self._results: dict[str, Result] = {}
        if path.exists() and not fresh:
            for line in path.read_text(encoding="utf-8").splitlines():
                raw = json.loads(line)
                self._results[raw["key"]] = Result(**raw | {"trace": tuple(map(tuple, raw["trace"]))})

    def get(self, key: str) -> Result | None:
        """The result of that key, if it was measured."""
        return self._results.get(key)

    def put(self, result: Result) -> None:
        """Keep a result, on disk at once."""
        self._results[result.key] = result
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), separators=(",", ":")) + "\n")


def code_of(*folders: str) -> str:
    """A short print of all Python files below these folders of the project: another print, another planner."""
    print_ = hashlib.sha256()
    for path in sorted(path for folder in folders for path in _sources(ROOT / folder)):
        print_.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return print_.hexdigest()[:12]


def _sources(place: Path) -> Iterable[Path]:
    return place.rglob("*.py") if place.is_dir() else [place]
