"""Runs one area's proofs, or all: ``python -m tests.proof [area] [--size small|full|release]``."""

import argparse
import os
import sys
from typing import get_args

from tests.proof.harness import FOLDER, Size, areas


def main(arguments: list[str] | None = None) -> int:
    """Run the proofs and answer 0 only when none is short."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("area", nargs="?", help=f"one of: {', '.join(areas())}; all when left out")
    parser.add_argument("--size", choices=get_args(Size), default="full")
    given = parser.parse_args(arguments)
    if given.area and given.area not in areas():
        print(f"There is no proof area {given.area!r}. Areas: {', '.join(areas()) or 'none yet'}.", file=sys.stderr)
        return 2
    folder = FOLDER / given.area if given.area else FOLDER
    # A fresh interpreter: pytest rewrites the plugins' assertions, which it cannot do to modules loaded here.
    # Full proofs run for minutes; a stack dump after two would only look like a fault.
    pytest = [sys.executable, "-m", "pytest", "-o", "faulthandler_timeout=1800"]
    os.execv(sys.executable, [*pytest, str(folder), "--size", given.size, "-q"])  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
