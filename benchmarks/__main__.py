"""Measures one area, or all: ``python -m benchmarks [area]`` prints its table and keeps it in docs/benchmarks.md."""

import argparse
import importlib
import sys
from functools import partial
from pathlib import Path

from benchmarks import table

_NOT_AREAS = {"__init__", "__main__", "district", "table"}


def areas() -> list[str]:
    """Return the areas: each module beside this one that has ``rows()``, and ``keep(rows)`` where it keeps more."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _NOT_AREAS)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("area", nargs="?", help=f"one of: {', '.join(areas())}; all when left out")
    parser.add_argument("--dry", action="store_true", help="print only, leave docs/benchmarks.md as it is")
    given = parser.parse_args(arguments)
    if given.area and given.area not in areas():
        print(f"There is no benchmark area {given.area!r}. Areas: {', '.join(areas()) or 'none yet'}.", file=sys.stderr)
        return 2
    for area in [given.area] if given.area else areas():
        module = importlib.import_module(f"benchmarks.{area}")
        rows = list(module.rows())
        lines = [((area, *row.cells()), row.ok) for row in rows]
        print(table.rendered(("area", *table.HEADINGS), lines, colour=sys.stdout.isatty()), flush=True)
        if not given.dry:
            getattr(module, "keep", partial(table.keep, area))(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
