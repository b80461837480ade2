"""The search: parts of the day improved side by side, and all routes found recombined, over any executor.

A part is a handful of routes near each other. A worker that is free gets the part around the route tried least; what
comes back is timed exactly and taken when it is cheaper. Now and then the best choice among all routes ever found
is looked for. Days small enough are one part: then the workers compete on the whole, and recombination joins them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from random import Random
from typing import ParamSpec

from recycling.routing.day import Load
from recycling.routing.draft import Draft, fill
from recycling.routing.engines import Ask, Memory, engine_address
from recycling.routing.odds import Odds
from recycling.routing.parts import Neighbourhoods, Part, cut
from recycling.routing.pool import Pooled, RoutePool
from recycling.routing.unit import GRACE_S, MOST_POOLED_S, Unit, choose, improve, read_answer, read_numbers

WHOLE = 450  # stops up to which the whole day is one part
PARTS = (120, 180, 260)  # stops of a part otherwise, by chance: small ones settle soon, large ones lose vehicles
PASSES = 25.0  # how often each stop is worked on over the whole search: many short units beat few long ones
SHORTEST_UNIT_S, LONGEST_UNIT_S = 0.8, 10.0
UNIT_STEPS = 1000  # engine steps of a unit, when steps are what limits the search
HANDED_OVER_S = 0.1  # to a worker and back
CHOICE = 1200  # stops of a recombination: most such choices are proven best within seconds
CHOICE_S = 4.0
CHOICE_EVERY = 6  # units between two recombinations
PULSE_S = 0.25  # how often cancelling and the clock are looked at

RECOMBINE = "recombine"

P = ParamSpec("P")

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Work:
    """One unit in work.

    Parameters
    ----------
    rows
        The vehicles it is about, and their routes as they stood.
    part
        The part an engine works on; ``None`` for a recombination, which has ``routes`` to choose from.
    until
        Instant after which nobody waits for it any more.
    """

    engine: str
    rows: Mapping[int, tuple[int, ...]]
    until: float
    part: Part | None = None
    routes: tuple[Pooled, ...] = ()


class Searching:
    """Improves a draft over an executor.

    Parameters
    ----------
    draft
        A valid draft; it is not changed, ``best`` becomes another one.
    engines
        Engine names, the most trusted first.
    executor, workers
        Where units go, and how many at once.
    until
        Instant of `time.monotonic` at which the search ends.
    steps
        Engine steps that may be spent altogether; ``None`` = only time counts. With one worker such a search repeats.
    """

    def __init__(
        self,
        draft: Draft,
        *,
        engines: Sequence[str],
        executor: Executor,
        workers: int,
        seed: int,
        until: float,
        steps: int | None,
    ) -> None:
        self.best, self.day = draft, draft.day
        self.found = dict.fromkeys(engines, 0)
        self._executor, self._workers, self._steps = executor, workers, steps
        self._until, self._whole = until, len(self.day.place) <= WHOLE
        self._refused = False  # the executor takes no more work
        self._search_s = until - time.monotonic()
        self._rng = Random(seed)  # noqa: S311  # a search, not a secret
        self._near, self._odds = Neighbourhoods(self.day, self._rng), Odds(engines, self._rng)
        self._pool = RoutePool(self.day)
        self._pool.add_timed(draft.routes)
        self._memories: dict[str, Memory] = {}
        self._works: dict[Future[bytes], Work] = {}
        self._locked = {stop for rig in self.day.rigs for stop in rig.locked}
        self._units = self._units_at_choice = self._pooled_at_choice = 0
        self._seed = seed * 1000

    def _unit_s(self, part: Part) -> float:
        """How long to work on a part, so that every stop has its turn `PASSES` times."""
        share = len(part.stops) / max(1, len(self.day.place))
        return min(max(self._search_s * self._workers * share / PASSES, SHORTEST_UNIT_S), LONGEST_UNIT_S)

    def run(self, *, on_better: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """Work until time or steps are used up, no engine is left, or the caller says stop."""
        try:
            while time.monotonic() < self._until and not stopped():
                while len(self._works) < self._workers and self._submit():
                    pass
                if not self._works:
                    return
                pulse_s = max(0.0, min(PULSE_S, self._until - time.monotonic()))
                for future in wait(self._works, timeout=pulse_s, return_when=FIRST_COMPLETED).done:
                    if self._take(self._works.pop(future), future):
                        on_better()
                self._give_up_late()
        finally:
            for future in self._works:
                future.cancel()

    # --- work goes out --------------------------------------------------------------------------------------------

    def _submit(self) -> bool:
        # What comes back after the search's end comes for nothing: the way and the timing of routes take time too.
        left = (self._until - time.monotonic() - HANDED_OVER_S) / (1 + MOST_POOLED_S)
        if self._refused or left < SHORTEST_UNIT_S / 2 or (self._steps is not None and self._steps <= 0):
            return False
        return self._submit_choice(min(CHOICE_S, left - SHORTEST_UNIT_S / 2)) or self._submit_part(left)

    def _submit_part(self, left: float) -> bool:
        engine, group = self._odds.pick(), self._group()
        if engine is None or group is None:
            return False
        vehicles, stops = group
        part = cut(self.best, vehicles, stops, self._room(vehicles))
        # A unit that would leave a sliver of time behind takes it along; one that counts steps is not ended by time.
        seconds, steps = self._unit_s(part), None
        if left <= 1.6 * seconds:
            seconds = left
        if self._steps is not None:
            seconds, steps = left, min(UNIT_STEPS, self._steps)
            self._steps -= steps
        ask = Ask(
            problem=part.problem,
            warm=part.warm,
            seconds=seconds,
            seed=self._next_seed(),
            iterations=steps,
            memory=self._memories.get(engine),
        )
        self._units += 1
        work = Work(engine=engine, rows=self._rows(vehicles), until=time.monotonic() + seconds + 2 * GRACE_S, part=part)
        return self._send(work, improve, Unit(address=engine_address(engine), ask=ask))

    def _submit_choice(self, seconds: float) -> bool:
        if self._units < self._units_at_choice + CHOICE_EVERY or self._pool.added == self._pooled_at_choice:
            return False
        if seconds < SHORTEST_UNIT_S or any(work.engine == RECOMBINE for work in self._works.values()):
            return False
        self._units_at_choice, self._pooled_at_choice = self._units, self._pool.added
        group = self._everything() if len(self.day.place) <= CHOICE else self._near.next(self.best, CHOICE)
        choice = None if group is None else self._pool.choice(self.best, *group)
        if choice is None or group is None:
            return False
        effort = None
        if self._steps is not None:
            seconds, effort = max(seconds, self._until - time.monotonic()), CHOICE_S
        work = Work(
            engine=RECOMBINE, rows=self._rows(group[0]), until=time.monotonic() + seconds + 2 * GRACE_S,
            routes=choice.routes,
        )  # fmt: skip
        return self._send(work, choose, choice, seconds, self._next_seed(), effort=effort)

    def _send(self, work: Work, fn: Callable[P, bytes], /, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Hand a unit to the executor; one that refuses it, for whatever reason, gets no more, and the plan stands."""
        if self._refused:
            return False
        try:
            future = self._executor.submit(fn, *args, **kwargs)
        except Exception as failure:  # what stands behind an executor fails in ways of its own
            log.warning("executor.refused %s: %s %s", work.engine, type(failure).__name__, failure)
            self._refused = True
            return False
        self._works[future] = work
        return True

    def _next_seed(self) -> int:
        self._seed += 1
        return self._seed % 2**31

    def _everything(self) -> tuple[set[int], set[int]]:
        return set(range(len(self.day.rigs))), set(range(len(self.day.place)))

    def _group(self) -> tuple[set[int], set[int]] | None:
        """Vehicles and stops of the next part; ``None`` when nothing is free."""
        if self._whole:
            return self._everything()
        works = [work for work in self._works.values() if work.part is not None]
        busy = {v for work in works for v in work.rows}
        busy_stops = {stop for work in works if work.part is not None for stop in work.part.stops}
        return self._near.next(self.best, self._rng.choice(PARTS), busy=busy, busy_stops=busy_stops)

    def _rows(self, vehicles: Collection[int]) -> dict[int, tuple[int, ...]]:
        sequences = self.best.sequences
        return {v: sequences[v] for v in sorted(vehicles)}

    def _room(self, vehicles: Collection[int]) -> tuple[Load, ...]:
        """What limited stations take from a part: what it brings them now, and its share of what nobody uses."""
        share = 1 if self._whole else self._workers
        return tuple(
            tuple(mine + max(0, most - mine) // share for most, mine in zip(station, now, strict=True))
            for station, now in zip(self.best.room_for(vehicles), self.best.intake_of(vehicles), strict=True)
        )

    # --- work comes back ------------------------------------------------------------------------------------------

    def _take(self, work: Work, future: Future[bytes]) -> bool:
        """Whether what came back makes the plan cheaper; then it is in ``best``."""
        failure = None if future.cancelled() else future.exception()
        if future.cancelled() or failure is not None:
            log.warning("engine.failed %s: %s %s", work.engine, type(failure).__name__, failure)
            self._odds.strike(work.engine)
            return False
        raw = future.result()
        rows = self._chosen(work, raw) if work.part is None else self._answered(work, work.part, raw)
        better = None if rows is None else self._merged(work, rows)
        if rows is not None:
            self._odds.credit(work.engine, 0 if better is None else self.best.cost - better.cost)
        if rows is None or better is None:
            return False
        self.best = better
        self._pool.add_timed(better.routes[v] for v in rows)
        self.found[work.engine] = self.found.get(work.engine, 0) + 1
        return True

    def _chosen(self, work: Work, raw: bytes) -> dict[int, tuple[int, ...]] | None:
        numbers = read_numbers(raw, len(work.routes))
        return None if numbers is None else self._pool.dealt([work.routes[n] for n in numbers], work.rows)

    def _answered(self, work: Work, part: Part, raw: bytes) -> dict[int, tuple[int, ...]] | None:
        answer = read_answer(raw, part.problem)
        if answer is None:
            self._odds.strike(work.engine)
            return None
        self._memories[work.engine] = answer.memory
        for route in answer.routes:
            vehicle, stops = part.vehicles[route.vehicle], tuple(part.stops[s] for s in route.stops)
            if all(self.day.can_carry(vehicle, s) for s in stops):
                self._pool.add(vehicle, stops, route.cost, route.intake)
        return part.outside(answer.best)

    def _merged(self, work: Work, rows: Mapping[int, tuple[int, ...]]) -> Draft | None:
        """The best draft with these routes in it, if that is valid and cheaper."""
        before = self.best.sequences
        partly = len(rows) < len(self.day.rigs)
        if partly and any(before[v] != work.rows[v] for v in rows):
            return None  # somebody else changed these routes meanwhile; the pool remembers what was found
        changed = [v for v, row in rows.items() if row != before[v]]
        trial = self.best.copy()
        for v in changed:
            trial.put(v, None)
        taken = {s for timed in trial.routes if timed is not None for s in timed.stops}
        for v in changed:
            row = [s for s in dict.fromkeys(rows[v]) if s not in taken and self.day.can_carry(v, s)]
            timed = trial.time(v, row)
            if timed is not None:
                trial.put(v, timed)
                taken.update(row)
        lost = {s for v in changed for s in (*before[v], *rows[v])} - taken - self._locked
        fill(trial, lost, vehicles=set(rows), until=self._until)
        return trial if trial.cost < self.best.cost and self._keeps_locks(trial, changed) else None

    def _keeps_locks(self, draft: Draft, vehicles: Sequence[int]) -> bool:
        """Whether locked stops that were served are still served, and first."""
        held = {v: [s for s in self.best.sequences[v] if s in self._locked] for v in vehicles}
        return all(list(draft.sequences[v][: len(stops)]) == stops for v, stops in held.items())

    def _give_up_late(self) -> None:
        """Wait no longer for a worker that does not come back; where the executor can, end it."""
        now = time.monotonic()
        for future in [future for future, work in self._works.items() if now > work.until]:
            self._odds.strike(self._works.pop(future).engine)
            getattr(self._executor, "abandon", Future.cancel)(future)
