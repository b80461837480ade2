"""The same problem, seed and limit of iterations give the same plan, on one core."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.district import district_day
from recycling.routing import search
from recycling.routing.engines import DEFAULT_ENGINES, ENGINES
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem
from recycling.routing.solve import solve
from tests.proof.harness import Proof, Size
from tests.routing.days import a_day

SECONDS = 600.0  # far beyond what the iterations take, so that they are what ends the search
STEPS = 100  # of one unit; many short units take part, recombinations among them

# Stops, iterations: a whole day is one part up to 450 stops, beyond that many parts are cut out of it.
RUNS = ((20, 2000), (100, 1500), (400, 1000), (600, 1500))


def test_the_same_seed_and_iterations_give_the_same_plan(size: Size, proof: Proof) -> None:
    # given days of every size, each engine alone and the usual ones together
    chosen: list[tuple[str, ...]] = [(name,) for name in ENGINES]
    chosen.append(tuple(DEFAULT_ENGINES))
    runs = [(stops, steps, engines) for stops, steps in RUNS for engines in chosen]
    runs = [(100, 1000, tuple(DEFAULT_ENGINES))] if size == "small" else runs
    # when each is planned twice, in processes that order their sets of words differently, and some with another seed
    with ThreadPoolExecutor(2) as at_once:
        first, again = (
            list(at_once.map(lambda run, words=words: _in_a_process(*run, seed=7, words=words), runs))
            for words in (1, 2)
        )
        others = list(at_once.map(lambda run: _in_a_process(*run, seed=8, words=1), runs[:8]))
    # then the same seed gives the same plan, and another one a search of its own
    same = sum(one == other for one, other in zip(first, again, strict=True))
    elsewhere = sum(one != other for one, other in zip(first, others, strict=False))
    improved = sum(found > 0 for _, _, found in first)
    proof.record(
        figure=f"{same} of {len(runs)} runs of {RUNS[0][0]} to {RUNS[-1][0]} stops; {improved} improved the first plan",
        target=f"{len(runs)} the same",
        control=f"another seed gives another plan in {elsewhere} of {len(others)}",
        ok=same == len(runs) and elsewhere > len(others) // 2 and improved > len(runs) // 2,
    )


def _in_a_process(stops: int, steps: int, engines: Sequence[str], *, seed: int, words: int) -> tuple[int, str, int]:
    """Cost, digest of the routes, and improvements of a search in an interpreter of its own."""
    code = f"from {__name__} import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, str(stops), str(steps), ",".join(engines), str(seed)],
        check=True, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": str(words)},
    )  # fmt: skip
    cost, digest, found = json.loads(done.stdout)
    return cost, digest, found


def main() -> None:
    """Plan the day of the arguments and print what came of it."""
    stops, steps, engines, seed = sys.argv[1:]
    search.UNIT_STEPS = STEPS
    plan = solve(
        _day(int(stops)), seconds=SECONDS, workers=1, seed=int(seed), engines=engines.split(","), iterations=int(steps)
    )
    print(json.dumps([plan.cost.total, _digest(plan), sum(plan.search.engines.values())]))


def _day(stops: int) -> Problem:
    """A day with every rule of the contract; from 100 stops on it is the district's."""
    return a_day(4, stops=stops) if stops < 100 else district_day(stops, 7)


def _digest(plan: Plan) -> str:
    routes = [(route.vehicle, [step.stop or step.station for step in route.steps]) for route in plan.routes]
    return hashlib.sha256(json.dumps(routes).encode()).hexdigest()[:12]
