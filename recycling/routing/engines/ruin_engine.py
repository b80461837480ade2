"""Ruin and recreate on exactly timed routes: slow beside compiled engines, but every rule of the contract is in it.

Strings of stops near each other are taken out of a few routes and put back by regret, in simulated annealing
(J. Christiaens, G. Vanden Berghe, "Slack Induction by String Removals for Vehicle Routing Problems", Transportation
Science 54, 2020). It finds what engines with a coarser model cannot see: rests, intake limits, locks, unloads.
"""

from __future__ import annotations

import math
import time
from random import Random

import numpy as np

from recycling.routing.day import Day
from recycling.routing.draft import Draft, complete, fill, take_over
from recycling.routing.engines import Ask, Memory, Report
from recycling.routing.insertion import Kernel

SMALL_DAY = 12  # stops up to which even unlikely insertions are worth the time it takes to try them
STOPS_TAKEN = 12  # about how many stops one step takes out
LONGEST_STRING = 8
SHUFFLES = 0.1  # share of steps in which routes choose anew, in random sequence, which station's intake they use
WARM, COLD = 0.1, 0.001  # first and last temperature, as a share of the mean cost per stop


class Ruin:
    """Ruin and recreate. One iteration is one step."""

    def improve(self, ask: Ask, report: Report) -> Memory:
        """Improve the warm plan until time or iterations are used up."""
        began = time.monotonic()
        rng = Random(ask.seed)  # noqa: S311  # a search, not a secret
        day = Day(ask.problem)
        now = complete(Draft(day, kernel=Kernel(day, loose=len(day.place) <= SMALL_DAY)), ask.warm)
        near = _Neighbours(day)
        best, step, scale = now.cost, 0, _cost_per_stop(now)
        while True:
            spent = (time.monotonic() - began) / ask.seconds
            if ask.iterations is not None:
                spent = max(step / max(1, ask.iterations), float(spent >= 1))
            if spent >= 1:
                return None
            step += 1
            trial = now.copy()
            if day.limited and rng.random() < SHUFFLES:
                take_over(trial, now.sequences, rng.sample(range(len(day.rigs)), len(day.rigs)))
            if not _ruin(trial, near, rng):
                continue
            _recreate(trial, rng)
            heat = scale * WARM * (COLD / WARM) ** spent
            if trial.cost < now.cost - heat * math.log(1 - rng.random()):
                now = trial
            if now.cost < best:
                best = now.cost
                report(now.sequences)


def _cost_per_stop(draft: Draft) -> float:
    """Mean cost of a served stop: skip costs would make every step look acceptable."""
    cost = sum(timed.cost for timed in draft.routes if timed is not None)
    return max(1.0, cost / max(1, draft.served))


class _Neighbours:
    """Stops in the sequence of their distance from a stop, there and back."""

    def __init__(self, day: Day) -> None:
        self._place, self._travel = day.stop_table.place, day.travel_s

    def of(self, stop: int) -> list[int]:
        """All stops, the nearest first."""
        here = self._place[stop]
        way = self._travel[here, self._place].astype(np.int64) + self._travel[self._place, here]
        return [int(s) for s in np.argsort(way, kind="stable")]


def _ruin(draft: Draft, near: _Neighbours, rng: Random) -> bool:
    """Take strings around a random stop out of the routes they are on; false when what is left cannot be driven."""
    route_of = {stop: v for v, row in enumerate(draft.sequences) for stop in row}
    count = len(draft.day.place)
    locked = {stop for rig in draft.day.rigs for stop in rig.locked}
    wanted, touched = rng.randint(1, min(count, 2 * STOPS_TAKEN)), set()
    for stop in near.of(rng.randrange(count)):
        vehicle = route_of.get(stop)
        if vehicle is None or vehicle in touched or stop in locked:
            continue
        touched.add(vehicle)
        row = draft.sequences[vehicle]
        length = min(len(row), rng.randint(1, LONGEST_STRING), wanted)
        at = row.index(stop)
        first = max(0, min(at - rng.randrange(length), len(row) - length))
        left = [s for i, s in enumerate(row) if s in locked or not first <= i < first + length]
        timed = draft.time(vehicle, left)
        if left and timed is None:
            return False
        draft.put(vehicle, timed)
        wanted -= length
        if wanted <= 0:
            break
    return True


def _recreate(draft: Draft, rng: Random) -> None:
    """Put back what waits; at times some of it into some of the vehicles first, so that no ruin always ends alike."""
    locked = {stop for rig in draft.day.rigs for stop in rig.locked}
    waiting = [stop for stop in draft.waiting if stop not in locked]
    if rng.random() < 0.5:
        some = {v for v in range(len(draft.routes)) if rng.random() < 0.5}
        fill(draft, [stop for stop in waiting if rng.random() < 0.5], vehicles=some)
        waiting = [stop for stop in draft.waiting if stop not in locked]
    fill(draft, waiting)
