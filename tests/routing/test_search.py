"""The search over any executor: what goes out, what is taken of what comes back, and when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from benchmarks.district import district_day
from recycling.routing import search as search_module
from recycling.routing.check import violations
from recycling.routing.construction import first_draft
from recycling.routing.day import Day
from recycling.routing.draft import Draft
from recycling.routing.search import Searching
from recycling.routing.solve import Progress, as_plan, solve
from recycling.routing.unit import MOST_POOLED_S, Unit, choose, improve
from tests.routing.days import a_day
from tests.routing.hostile import BAD_EXECUTORS

A_LONG_TIME_S = 120.0  # the searches here end by themselves; only a machine without a moment to spare needs it


class Keeps(Executor):
    """Keeps what it is given and answers nothing, or does it at once when it is told to."""

    def __init__(self, *, works: bool = False) -> None:
        self.units: list[Unit] = []
        self.others: list[Callable[..., Any]] = []
        self.at = time.monotonic()
        self._works = works

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Keep the unit."""
        if args and isinstance(args[0], Unit):
            self.units.append(args[0])
        else:
            self.others.append(fn)
        future: Future[Any] = Future()
        if self._works:
            future.set_result(fn(*args, **kwargs))
        return future


def _searching(draft: Draft, executor: Executor, *, seconds: float, **how: Any) -> Searching:
    usual: dict[str, Any] = {"engines": ("ruin",), "workers": 2, "seed": 1, "steps": None}
    return Searching(draft, executor=executor, until=time.monotonic() + seconds, **(usual | how))


def _run(search: Searching) -> None:
    search.run(on_better=lambda: None, stopped=lambda: False)


# --- the executor seam --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [lambda: ThreadPoolExecutor(2), lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn"))],
    ids=["threads", "processes"],
)
def test_any_executor_of_the_standard_library_carries_the_work(make: Callable[[], Executor]) -> None:
    # given a day that insertion alone leaves dear, planned until an engine has made it cheaper
    problem, costs = a_day(1, stops=40, vehicles=6), list[int]()

    def note(progress: Progress) -> None:
        costs.append(progress.best_cost)

    with make() as executor:
        plan = solve(
            problem, seconds=A_LONG_TIME_S, workers=2, engines=("ruin",), executor=executor, on_progress=note,
            should_stop=lambda: costs[-1] < costs[0],
        )  # fmt: skip
        # then the executor is left as it was: its owner may go on with it
        assert executor.submit(abs, -1).result(timeout=A_LONG_TIME_S) == 1
    assert plan.cost.total < costs[0]
    assert violations(problem, plan) == []


@pytest.mark.parametrize("make", BAD_EXECUTORS, ids=lambda make: make.__name__)
def test_an_executor_that_misbehaves_leaves_the_first_plan(make: Callable[[], Executor]) -> None:
    problem = a_day(2, stops=20)
    began = time.monotonic()
    plan = solve(problem, seconds=1.5, executor=make())
    assert time.monotonic() - began < 1.5 + 5
    assert violations(problem, plan) == []


def test_no_more_is_in_work_than_there_are_workers() -> None:
    kept = Keeps()
    _run(_searching(first_draft(Day(district_day(500, 7))), kept, seconds=2.0, workers=3))
    assert len(kept.units) == 3


# --- what goes out ------------------------------------------------------------------------------------------------


def test_parts_in_work_at_once_share_no_vehicle_and_no_stop() -> None:
    # given a day large enough to be cut, and an executor that answers nothing
    kept = Keeps()
    _run(_searching(first_draft(Day(district_day(600, 7))), kept, seconds=2.0, workers=4))
    problems = [unit.ask.problem for unit in kept.units]
    stops = [stop.key for problem in problems for stop in problem.stops]
    vehicles = [vehicle.key for problem in problems for vehicle in problem.vehicles]
    assert len(problems) >= 2
    assert len(stops) == len(set(stops))
    assert len(vehicles) == len(set(vehicles))


def test_what_parts_in_work_may_bring_to_a_station_stays_within_its_limit() -> None:
    # given a day with limited stations, planned; when several parts are in work at once
    draft = first_draft(Day(district_day(600, 7)))
    kept, day = Keeps(), draft.day
    _run(_searching(draft, kept, seconds=2.0, workers=4))
    inside = {day.vehicle_index[v.key] for unit in kept.units for v in unit.ask.problem.vehicles}
    outside = draft.intake_of(set(range(len(day.rigs))) - inside)
    # then what they may bring and what the others bring is within the limit together
    for number, (station, used) in enumerate(zip(day.limited, outside, strict=True)):
        for unit_of_load, most in enumerate(day.limits[number]):
            allowed = [unit.ask.problem.stations[station].intake_limit for unit in kept.units]
            assert sum(room[unit_of_load] for room in allowed if room is not None) + used[unit_of_load] <= most
    assert day.limited


def test_a_small_day_goes_out_whole_to_every_worker() -> None:
    kept = Keeps()
    _run(_searching(first_draft(Day(district_day(100, 7))), kept, seconds=2.0))
    assert [len(unit.ask.problem.stops) for unit in kept.units] == [100, 100]
    # with seeds of their own: two workers do not do the same twice
    assert len({unit.ask.seed for unit in kept.units}) == 2


def test_a_unit_comes_back_before_the_search_is_over() -> None:
    # given a search of 2 s; when its units are asked for as much time as they may take, and their routes are timed
    kept = Keeps()
    _run(_searching(first_draft(Day(district_day(100, 7))), kept, seconds=2.0))
    # then that is less than the search has
    assert all(unit.ask.seconds * (1 + MOST_POOLED_S) < 2.0 for unit in kept.units)


def test_steps_are_what_limits_a_search_that_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "UNIT_STEPS", 40)
    kept = Keeps(works=True)
    _run(_searching(first_draft(Day(a_day(1, stops=15))), kept, seconds=A_LONG_TIME_S, workers=1, steps=100))
    assert [unit.ask.iterations for unit in kept.units] == [40, 40, 20]


# --- what comes back ----------------------------------------------------------------------------------------------


def test_a_search_only_gets_cheaper_and_its_best_is_always_valid() -> None:
    first = first_draft(Day(a_day(3, stops=30)))
    costs, bad = [first.cost], 0
    search = _searching(first, Keeps(works=True), seconds=A_LONG_TIME_S, workers=1, steps=400)

    def better() -> None:
        nonlocal bad
        costs.append(search.best.cost)
        bad += len(violations(first.day.problem, as_plan(search.best)))

    search.run(on_better=better, stopped=lambda: False)
    assert costs == sorted(costs, reverse=True)
    assert len(costs) > 1
    assert bad == 0
    assert first.cost == costs[0]  # the draft it was given is not changed


def test_routes_of_different_searches_are_recombined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "UNIT_STEPS", 30)
    kept = Keeps(works=True)
    search = _searching(first_draft(Day(a_day(1, stops=30))), kept, seconds=A_LONG_TIME_S, workers=1, steps=600)
    _run(search)
    # then after every sixth of the 20 units, as long as the pool has grown, something is chosen from it
    assert 1 <= len(kept.others) <= 3
    assert set(kept.others) == {choose}


def test_an_answer_to_routes_that_have_changed_meanwhile_is_not_taken() -> None:
    # given two workers on parts of a large day, and a part whose routes another plan has changed since
    draft = first_draft(Day(district_day(500, 7)))
    kept = Keeps()
    search = _searching(draft, kept, seconds=1.5, workers=1)
    _run(search)
    unit = kept.units[0]
    answer = improve(Unit(address=unit.address, ask=unit.ask))
    work = next(iter(search._works.values()))
    changed = draft.copy()
    vehicle = next(v for v, row in work.rows.items() if len(row) > 1)
    changed.put(vehicle, changed.time(vehicle, changed.sequences[vehicle][1:]))
    search.best = changed
    future: Future[bytes] = Future()
    future.set_result(answer)
    # when the old answer comes in
    assert not search._take(work, future)
    # then the plan is the changed one; what was found is in the pool for the next choice
    assert search.best is changed


def test_an_engine_that_only_fails_ends_the_search_early() -> None:
    began = time.monotonic()
    executor = BAD_EXECUTORS[2]()
    _run(_searching(first_draft(Day(a_day(1, stops=10))), executor, seconds=A_LONG_TIME_S))
    assert time.monotonic() - began < A_LONG_TIME_S / 2
