"""A plan being made: routes timed exactly, stops still waiting, and what the stations' intake limits leave."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from operator import add, sub

import numpy as np
import numpy.typing as npt

from recycling.routing.day import Day, Flags, Ints, Load, Sequences
from recycling.routing.insertion import NEVER, Gaps, Kernel
from recycling.routing.timing import Timed, Timing

TRIED_SEQUENCES = 4  # how often routes that compete for a station's intake are timed in another sequence
MOST_FAILURES = 25  # routes that may turn a stop down before it is given up: each costs some exact timings
NEAREST = 800  # stops whose costs are looked at again after an insertion
OWN_COST = 1.5  # how much a stop's own cost weighs against its regret; 1 to 2 is best on days of 150 to 1,000 stops
MOST_MENDED = 400  # stops of a route up to which each is tried left out to mend it: such tries grow with the square
TRIED_GAPS = 5  # how many of a route's best gaps are timed exactly before the route is given up for a stop


class Draft:
    """Routes of one day, each valid by itself and all together within the intake limits."""

    def __init__(self, day: Day, *, timing: Timing | None = None, kernel: Kernel | None = None) -> None:
        self.day = day
        self.timing, self.kernel = timing or Timing(day), kernel or Kernel(day)
        self.routes: list[Timed | None] = [None] * len(day.rigs)
        self._gaps: list[Gaps | None] = [self.kernel.gaps(v, None) for v in range(len(day.rigs))]
        self._taken: list[Load] = [day.nothing] * len(day.limits)

    def emptied(self) -> Draft:
        """A draft of the same day without routes, sharing what this one has learnt about the day."""
        return Draft(self.day, timing=self.timing, kernel=self.kernel)

    def copy(self) -> Draft:
        """The same routes in a draft of their own."""
        twin = copy(self)
        twin.routes, twin._gaps, twin._taken = list(self.routes), list(self._gaps), list(self._taken)
        return twin

    # --- what stands ----------------------------------------------------------------------------------------------

    @property
    def sequences(self) -> Sequences:
        """The stops of each vehicle."""
        return tuple(() if timed is None else timed.stops for timed in self.routes)

    @property
    def served(self) -> int:
        """How many stops are on a route."""
        return sum(len(timed.stops) for timed in self.routes if timed is not None)

    @property
    def waiting(self) -> list[int]:
        """Stops on no route, ascending."""
        served = {stop for timed in self.routes if timed is not None for stop in timed.stops}
        return [stop for stop in range(len(self.day.place)) if stop not in served]

    @property
    def cost(self) -> int:
        """Cost of the plan as it stands, stops left out included."""
        used = [timed for timed in self.routes if timed is not None]
        skipped = int(self.day.stop_table.skip_cost[self.waiting].sum())
        return sum(t.cost for t in used) + self.day.preference_cost((t.vehicle, t.stops) for t in used) + skipped

    # --- change ---------------------------------------------------------------------------------------------------

    def time(self, vehicle: int, stops: Sequence[int]) -> Timed | None:
        """Time a route beside all others as they stand."""
        return self.timing.time(vehicle, stops, self.room(vehicle))

    def put(self, vehicle: int, timed: Timed | None) -> None:
        """Give the vehicle this route."""
        old = self.routes[vehicle]
        for n in range(len(self._taken)):
            if old is not None:
                self._taken[n] = tuple(map(sub, self._taken[n], old.intake[n]))
            if timed is not None:
                self._taken[n] = tuple(map(add, self._taken[n], timed.intake[n]))
        self.routes[vehicle] = timed
        self._gaps[vehicle] = self.kernel.gaps(vehicle, timed)

    def room(self, vehicle: int) -> tuple[Load, ...]:
        """What the limited stations take from this vehicle, beside all other routes."""
        own = self.routes[vehicle]
        room = [tuple(map(sub, most, taken)) for most, taken in zip(self.day.limits, self._taken, strict=True)]
        if own is not None:
            room = [tuple(map(add, left, mine)) for left, mine in zip(room, own.intake, strict=True)]
        return tuple(room)

    def intake_of(self, vehicles: Iterable[int]) -> tuple[Load, ...]:
        """What the routes of these vehicles bring to the limited stations."""
        taken = [self.day.nothing] * len(self._taken)
        for timed in (self.routes[v] for v in vehicles):
            if timed is not None:
                taken = [tuple(map(add, sum_, mine)) for sum_, mine in zip(taken, timed.intake, strict=True)]
        return tuple(taken)

    def room_for(self, vehicles: Iterable[int]) -> tuple[Load, ...]:
        """What the limited stations take from these vehicles, beside all other routes."""
        own = self.intake_of(vehicles)
        return tuple(
            tuple(most_ - all_ + mine for most_, all_, mine in zip(*amounts, strict=True))
            for amounts in zip(self.day.limits, self._taken, own, strict=True)
        )

    def costs(self, vehicle: int, stops: Ints) -> Ints:
        """Cheapest estimated insertion of each stop into the vehicle's route."""
        gaps = self._gaps[vehicle]
        if gaps is None or not len(stops):
            return np.full(len(stops), NEVER, dtype=np.int64)
        best: Ints = self.kernel.costs(vehicle, gaps, stops).min(axis=1)
        return best

    def insertion(self, vehicle: int, stop: int) -> tuple[int, Timed] | None:
        """What inserting the stop adds to the cost, and the new route; ``None`` when no gap tried takes it.

        The gaps that look best are timed exactly until one takes the stop; with a loose kernel, whose looks deceive,
        the cheapest of all tried wins.
        """
        gaps = self._gaps[vehicle]
        if gaps is None:
            return None
        estimates = self.kernel.costs(vehicle, gaps, np.array([stop], dtype=np.int64))[0]
        likely = [int(gap) for gap in np.argsort(estimates, kind="stable") if estimates[gap] < NEVER]
        positions = list(dict.fromkeys(int(gaps.position[gap]) for gap in likely))
        old = self.routes[vehicle]
        stops, cost = ((), 0) if old is None else (old.stops, old.cost)
        best: Timed | None = None
        for position in positions if self.kernel.loose else positions[:TRIED_GAPS]:
            timed = self.time(vehicle, (*stops[:position], stop, *stops[position:]))
            if timed is not None and (best is None or timed.cost < best.cost):
                best = timed
                if not self.kernel.loose:
                    break
        if best is None:
            return None
        return best.cost - cost + self.day.preference_cost([(vehicle, (stop,))]), best


def fill(
    draft: Draft, stops: Iterable[int], *, vehicles: Collection[int] | None = None, until: float = math.inf
) -> None:
    """Insert stops by regret: first those that lose most when their best route is taken from them, and cost little.

    Without the ceiling, far stops, which always regret much, would all come first, each opening a vehicle of its own.
    A stop is left out where serving it costs more than leaving it out, and when ``until`` has passed.

    Parameters
    ----------
    stops
        Indices of stops on no route.
    vehicles
        Vehicles that may take them; ``None`` = all.
    until
        Instant of `time.monotonic` after which no more stops are inserted.
    """
    waiting = np.array(sorted(stops), dtype=np.int64)
    if not len(waiting) or not draft.routes:
        return
    nobody, columns = np.full(len(waiting), NEVER, dtype=np.int64), []
    for v in range(len(draft.routes)):
        if time.monotonic() >= until:
            return
        columns.append(draft.costs(v, waiting) if _among(v, vehicles) else nobody)
    board = _Board(np.stack(columns, axis=1))
    skip = draft.day.stop_table.skip_cost[waiting]
    ceiling = board.regret_ceiling
    exact: dict[tuple[int, int], Timed] = {}
    failed = [0] * len(waiting)
    while time.monotonic() < until:
        second = np.minimum(board.second, skip)
        regret = np.where(board.second < NEVER, np.minimum(second - board.best, ceiling), skip - board.best)
        row = int(np.argmax(np.where(board.best < skip, regret - OWN_COST * board.best, -math.inf)))
        if board.best[row] >= skip[row]:
            return
        vehicle, stop = int(board.best_at[row]), int(waiting[row])
        timed = exact.pop((stop, vehicle), None)
        if timed is None:
            found = draft.insertion(vehicle, stop)
            if found is None:
                board.set_cell(row, vehicle, NEVER)
                failed[row] += 1
                if failed[row] == MOST_FAILURES:
                    board.drop_row(row)
                continue
            added, timed = found
            if added > second[row]:
                # The estimate was too kind: another route, or leaving the stop out, may be better.
                board.set_cell(row, vehicle, added)
                exact[stop, vehicle] = timed
                continue
        draft.put(vehicle, timed)
        # What was timed for this vehicle is out of date; with intake limits, so is everything else.
        exact = {} if draft.day.limited else {key: value for key, value in exact.items() if key[1] != vehicle}
        board.drop_row(row)
        rows = _near(draft.day, stop, waiting, np.flatnonzero(board.open))
        board.set_column(vehicle, rows, draft.costs(vehicle, waiting[rows]))


def _near(day: Day, stop: int, waiting: Ints, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """The rows whose stops a route passing through ``stop`` now may suit better; those far off keep their old costs."""
    if len(rows) <= NEAREST:
        return rows
    here, there = day.place[stop], day.stop_table.place[waiting[rows]]
    way = day.travel_s[here, there].astype(np.int64) + day.travel_s[there, here]
    return rows[np.argpartition(way, NEAREST)[:NEAREST]]


def _among(vehicle: int, vehicles: Collection[int] | None) -> bool:
    return vehicles is None or vehicle in vehicles


class _Board:
    """Cost of the cheapest insertion per stop (row) and vehicle (column), with the best two of each row kept up."""

    def __init__(self, cost: Ints) -> None:
        self._cost = np.concatenate([cost, np.full((len(cost), 2), NEVER, dtype=np.int64)], axis=1)
        self.open: Flags = np.ones(len(cost), dtype=np.bool_)
        self.best, self.second, self.best_at = (np.zeros(len(cost), dtype=np.int64) for _ in range(3))
        self._rank(np.arange(len(cost)))

    @property
    def regret_ceiling(self) -> float:
        """Regret above which a stop is no more urgent: twice the usual cost of an insertion."""
        possible = self.best[self.best < NEVER]
        return 2 * float(np.median(possible)) if len(possible) else 0.0

    def _rank(self, rows: npt.NDArray[np.integer]) -> None:
        two = np.partition(self._cost[rows], 1, axis=1)
        self.best[rows], self.second[rows] = two[:, 0], two[:, 1]
        self.best_at[rows] = self._cost[rows].argmin(axis=1)

    def set_cell(self, row: int, column: int, cost: int) -> None:
        self._cost[row, column] = cost
        self._rank(np.array([row]))

    def set_column(self, column: int, rows: npt.NDArray[np.integer], cost: Ints) -> None:
        old = self._cost[rows, column]
        self._cost[rows, column] = cost
        # A cell that is, or was, among its row's best two changes them; others do not.
        self._rank(rows[np.minimum(old, cost) <= self.second[rows]])

    def drop_row(self, row: int) -> None:
        self.open[row] = False
        self._cost[row] = NEVER
        self.best[row] = self.second[row] = NEVER


def complete(draft: Draft, sequences: Sequences, *, until: float = math.inf) -> Draft:
    """Take over sequences as far as they can be kept, drop what breaks a rule, insert what is left out.

    Parameters
    ----------
    draft
        An empty draft; it is filled and returned.
    sequences
        Wishes of whatever origin: stops a vehicle may not serve and stops already on a route are passed over, locked
        stops come first whatever the wish.
    """
    locked = {stop for rig in draft.day.rigs for stop in rig.locked}
    sequence = sorted(range(len(draft.routes)), key=lambda v: not draft.day.rigs[v].locked)
    for _ in range(TRIED_SEQUENCES if draft.day.limited else 1):
        short = take_over(draft, sequences, sequence, until=until)
        if not short or time.monotonic() >= until:
            break
        # Another vehicle took the intake that this one needs: let it choose first.
        sequence = [*short, *(v for v in sequence if v not in short)]
    fill(draft, [stop for stop in draft.waiting if stop not in locked], until=until)
    return draft


def take_over(draft: Draft, sequences: Sequences, vehicles: Iterable[int], *, until: float = math.inf) -> list[int]:
    """Give vehicles, one after the other, the routes wished for them; returns those that could not keep all stops.

    After ``until`` a route that breaks a rule is no more mended, only cut short.
    """
    day = draft.day
    taken = {stop for rig in day.rigs for stop in rig.locked}
    short: list[int] = []
    for vehicle in range(len(draft.routes)):
        draft.put(vehicle, None)
    for vehicle in vehicles:
        allowed, locked = day.stop_table.allowed[vehicle], day.rigs[vehicle].locked
        wished = [s for s in dict.fromkeys(sequences[vehicle]) if s not in taken and allowed[s]]
        taken.update(wished)
        kept = [s for s in locked if allowed[s]]
        timed = _feasible(draft, vehicle, kept + wished, first=len(kept), until=until)
        draft.put(vehicle, timed)
        if (0 if timed is None else len(timed.stops)) < len(kept) + len(wished):
            short.append(vehicle)
    return short


def _feasible(draft: Draft, vehicle: int, stops: list[int], *, first: int, until: float) -> Timed | None:
    """The route, or what is left of it: without the one stop that mends it, or else without each that comes late."""
    timed = draft.time(vehicle, stops)
    if timed is not None or not stops:
        return timed
    best: Timed | None = None
    for i in range(first, len(stops) if len(stops) <= MOST_MENDED else first):
        if time.monotonic() >= until:
            break
        mended = draft.time(vehicle, stops[:i] + stops[i + 1 :])
        if mended is not None and (best is None or mended.cost < best.cost):
            best = mended
    return best or _without_late(draft, vehicle, stops, until=until)


def _without_late(draft: Draft, vehicle: int, stops: list[int], *, until: float) -> Timed | None:
    """The route that takes one stop after the other and passes over each that it cannot take.

    Stops are tried by ones, twos, fours … while that goes well: a long route with one bad stop takes few timings.
    """
    timed: Timed | None = None
    kept: list[int] = []
    at, stride, growing = 0, 1, True
    while at < len(stops) and (time.monotonic() < until or timed is None):
        ahead = stops[at : at + stride]
        longer = draft.time(vehicle, [*kept, *ahead])
        if longer is not None:
            timed, kept, at = longer, [*kept, *ahead], at + len(ahead)
            stride = 2 * stride if growing else max(1, stride // 2)
        elif stride > 1:
            stride, growing = stride // 2, False
        else:
            at, growing = at + 1, True
    return timed
