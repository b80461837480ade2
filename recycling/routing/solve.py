"""The planner's front door: a checked plan within the time given, whatever the engines do.

First the floor, a plan by insertion or a standing one, which this process makes and checks itself. Then engines in
child processes improve on it; each report is timed exactly, completed, checked and only then taken. At the limit the
children are killed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from recycling.errors import InvalidInput
from recycling.routing.check import violations
from recycling.routing.construction import first_draft, standing_draft
from recycling.routing.cost import evaluate
from recycling.routing.day import Day
from recycling.routing.draft import Draft
from recycling.routing.engines import DEFAULT_ENGINES, engine_address
from recycling.routing.executor import ProcessExecutor
from recycling.routing.explain import explained
from recycling.routing.few import best_of_few
from recycling.routing.plan import NO_COST, Plan, Search, Unassigned
from recycling.routing.problem import Problem
from recycling.routing.search import Searching
from recycling.routing.timing import steps

REASONS_S = 2.0  # time for finding reasons, past the limit if need be
FRESH = 0.25  # largest share of the time for a first plan beside a standing one
CHECKING = 0.05  # largest share of the time for checking better plans while the search goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a search has come: wall seconds, cost of the best checked plan, stops on its routes out of all."""

    elapsed_s: float
    best_cost: int
    stops_planned: int
    stops_total: int


def solve(
    problem: Problem,
    *,
    seconds: float,
    workers: int = 2,
    seed: int = 1,
    engines: Sequence[str] = DEFAULT_ENGINES,
    warm: Plan | None = None,
    iterations: int | None = None,
    executor: Executor | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Plan:
    """Plan a day.

    Parameters
    ----------
    problem
        The day.
    seconds
        Wall time, start-up included, > 0 and finite. The answer comes by ``seconds`` + 5 at the latest.
    workers
        Engine processes at once, >= 0; none gives the first plan by insertion.
    seed
        From 0. Same problem, seed and ``iterations`` give the same cost.
    engines
        Names from `engines.ENGINES`, dealt out to the workers in turn; empty gives the first plan.
    warm
        A standing plan to start from, of this day or of what it was before something happened: what can be kept of it
        is kept until the search finds better. ``None`` = start from nothing.
    iterations
        Limit on each engine's own steps, for runs that must repeat; ``seconds`` stays the upper bound.
    on_progress
        Called with each better plan and about four times a second.
    should_stop
        Asked about four times a second; true ends the search with the best plan so far.

    Returns
    -------
    Plan
        It has passed the checker; every stop is on a route or listed with a reason.

    Raises
    ------
    InvalidInput
        When ``seconds``, ``workers`` or ``seed`` is out of range or an engine is unknown.
    """
    if not 0 < seconds < math.inf or workers < 0:
        raise InvalidInput(f"seconds is {seconds} and workers is {workers}; give finite seconds > 0 and workers >= 0")
    if seed < 0:
        raise InvalidInput(f"seed is {seed}; give an integer from 0")
    for name in engines:
        engine_address(name)
    search = _Search(problem, seconds=seconds, seed=seed, warm=warm, on_progress=on_progress, should_stop=should_stop)
    if engines and workers and problem.stops and problem.vehicles:
        own = ProcessExecutor(workers) if executor is None else executor
        try:
            search.improve(tuple(dict.fromkeys(engines)), own, workers, iterations=iterations)
        finally:
            if executor is None:
                own.shutdown(wait=False)
    return search.answer()


class _Search:
    """The state of one call: the best checked draft, its plan, and the clock."""

    def __init__(
        self,
        problem: Problem,
        *,
        seconds: float,
        seed: int,
        warm: Plan | None,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.problem, self.seed = problem, seed
        self._began = time.monotonic()
        # Room for the last report, the reasons and the last check, so that the limit is kept and not just nearly kept.
        self._limit = self._began + max(seconds / 2, seconds - 0.5 - len(problem.stops) / 2000)
        self._hard_limit = self._began + seconds
        self._on_progress, self._should_stop = on_progress, should_stop
        self._next_check = 0.0
        self.found: dict[str, int] = {}
        day = Day(problem)
        if warm is None:
            self.best = first_draft(day, until=self._limit)
        else:
            self.best = standing_draft(day, warm, until=self._limit)
            # Routes that grew visit by visit can be far from good: a quick look whether starting afresh is better.
            fresh = first_draft(day, until=self._began + (self._limit - self._began) * FRESH)
            if fresh.cost < self.best.cost:
                self.best = fresh
        self.plan = checked_plan(self.best)
        self._tell()

    @property
    def elapsed_s(self) -> float:
        """Wall seconds since the call."""
        return time.monotonic() - self._began

    def improve(self, engines: Sequence[str], executor: Executor, workers: int, *, iterations: int | None) -> None:
        """Search until it is done, the time is over or the caller says stop."""
        few = best_of_few(self.best, until=(time.monotonic() + self._limit) / 2)
        if few is not None:
            self._check(few)
            return
        search = Searching(
            self.best,
            engines=engines,
            executor=executor,
            workers=workers,
            seed=self.seed,
            until=self._limit,
            steps=iterations,
        )
        self.found = search.found

        def stopped() -> bool:
            self._tell()
            return self._should_stop is not None and self._should_stop()

        search.run(on_better=lambda: self._check_in(search.best), stopped=stopped)
        self._check(search.best)

    def _check_in(self, draft: Draft) -> None:
        """Check a better draft, unless checking large plans would take more than its share of the time."""
        now = time.monotonic()
        if now >= self._next_check:
            self._check(draft)
            self._next_check = now + (time.monotonic() - now) / CHECKING
            self._tell()

    def _check(self, draft: Draft) -> None:
        """Make a draft the standing plan if the checker has nothing to say."""
        if draft.cost < self.best.cost:
            plan = as_plan(draft)
            if not violations(self.problem, plan):
                self.best, self.plan = draft, plan

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(
                Progress(
                    elapsed_s=self.elapsed_s,
                    best_cost=self.plan.cost.total,
                    stops_planned=self.best.served,
                    stops_total=len(self.problem.stops),
                )
            )

    def answer(self) -> Plan:
        """The best plan, with a reason beside every stop left out."""
        told = explained(self.best, until=max(self._hard_limit, time.monotonic() + REASONS_S))
        if told.draft is not self.best:
            # Looking for a reason, it found a way to serve a stop for less than leaving it out costs.
            self.best, self.plan = told.draft, as_plan(told.draft)
        return replace(
            self.plan,
            unassigned=told.rows,
            search=Search(seconds=round(self.elapsed_s, 3), engines=self.found, seed=self.seed),
        )


def as_plan(draft: Draft) -> Plan:
    """The draft as a plan, its cost evaluated independently; stops left out have no reason yet."""
    problem = draft.day.problem
    plan = Plan(
        cost=NO_COST,
        routes=tuple(steps(draft.day, timed) for timed in draft.routes if timed is not None),
        unassigned=tuple(
            Unassigned(stop=problem.stops[s].key, reason="fleet_full", detail="not explained yet")
            for s in draft.waiting
        ),
        search=Search(seconds=0.0),
    )
    return replace(plan, cost=evaluate(problem, plan))


def checked_plan(draft: Draft) -> Plan:
    """The draft's plan; should the checker object to a route, that route is taken out of draft and plan."""
    plan = as_plan(draft)
    bad = {violation.vehicle for violation in violations(draft.day.problem, plan)}
    if not bad:
        return plan
    for rig, vehicle in zip(draft.day.rigs, draft.day.problem.vehicles, strict=True):
        if None in bad or vehicle.key in bad:
            draft.put(rig.index, None)
    return as_plan(draft)
