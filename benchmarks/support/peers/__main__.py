"""One peer's run in its own process: reads a problem, writes each better answer as a line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path


def main() -> int:
    """Plan until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.support.peers", description=__doc__)
    parser.add_argument("peer")
    parser.add_argument("problem", type=Path)
    parser.add_argument("answers", type=Path, help="one line each: seconds since --began, sequences")
    parser.add_argument("--began", type=float, required=True, help="instant of the monotonic clock")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # NumPy only builds matrices here; the cores are the peer's
    from benchmarks.support.peers import Clock, Sequences, joined, planner
    from recycling.routing.problem import load_problem

    with given.answers.open("w", encoding="utf-8") as file:

        def report(sequences: Sequences) -> None:
            json.dump([round(time.monotonic() - given.began, 3), sequences], file, separators=(",", ":"))
            file.write("\n")
            file.flush()

        planner(given.peer).plan(
            joined(load_problem(given.problem)),
            clock=Clock(began=given.began, until=given.began + given.seconds),
            seed=given.seed,
            report=report,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
