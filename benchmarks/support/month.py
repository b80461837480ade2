"""A month of requests, taken by routes and taken by quotas: the same residents, vans, and planner at night.

By routes a window is offered when a place in it is proven; by quotas, as long as the counters of area, day and window
allow. The residents are those of `residents`.

The quota is as good as such systems get: it counts places, minutes at doors and loads, per area, and is made as large
as ordinary days bear. It is enlarged step by step as long as days of ordinary residents, filled until nobody finds a
window, are all served by the planner; what it oversells in the month, it oversells to days that are not ordinary.

The book is not empty at first: requests begin `LEAD` days before the first day served. Each day is planned on the
evening before for the same seconds, by routes from its tentative ones. On two evenings earlier the planner has improved
those for a moment, as it does between bookings; counters leave it nothing to improve.

``python -m benchmarks.support.month 7`` plays seven days and prints the rows; a month takes twelve minutes.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from rich.console import Console
from rich.progress import track

from benchmarks.support.residents import Request, ordinary_wishes, requests_of
from benchmarks.table import HEADINGS, ROOT, Row, rendered
from recycling.gateways.config_files import read_district
from recycling.policy.district import District
from recycling.policy.fleet import Shift
from recycling.routing.board import Board
from recycling.routing.executor import ProcessExecutor, settle
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem
from recycling.routing.solve import solve
from recycling.routing.standing import Visit, standing_plan
from recycling.usecases.bookings.promise import Judged
from recycling.usecases.bookings.proposals import propose
from recycling.usecases.planning.day_problem import day_problem
from tests.proof.bookings.played import board_of, judged_on, of_visits, optional
from tests.proof.bookings.quotas import Quotas

FIRST, DAYS, LEAD = date(2026, 7, 1), 30, 7  # served days; days of requests before them
TONIGHT_S, TURN_S, TURNS = 5.0, 2.5, 2  # planning tomorrow; improving the tentative routes of the days after it
CORES = 2
AGAIN_S = 10.0  # a second look at a day on which somebody is left out, before we say that no plan serves them
SIZES = tuple(1 + step / 20 for step in range(11))  # of the quota
ORDINARY_DAYS, FILLING = 5, 800  # days that a size has to stand, and residents who want each


@dataclass(slots=True)
class Month:
    """What came of one way of taking bookings; ``spent_s`` of all vans, by what they do from leaving to coming home."""

    refused: int = 0
    preferred: int = 0
    asked: int = 0
    served: int = 0
    left_out: int = 0
    short_days: int = 0
    routes: int = 0
    spent_s: Counter[str] = field(default_factory=Counter)

    @property
    def road_hours(self) -> float:
        """From leaving the station to coming home, lunch and waiting included."""
        return self.spent_s.total() / 3600


class Resident(NamedTuple):
    """A request with what its stop needs, and a name."""

    key: str
    judged: Judged
    choices: tuple[tuple[date, str], ...]


@dataclass(slots=True)
class ByRoutes:
    """Days of tentative routes."""

    district: District
    workers: Executor
    boards: dict[date, Board] = field(default_factory=dict)

    def take(self, day: date, window: str, judged: Judged, key: str) -> bool:
        """Promise a place, if there is one."""
        board = self._board(day)
        span = self.district.network.pickup_windows[window].window_s
        found = propose(board, judged.visit(key, span), span)
        if found is not None:
            board.put(found.route)
        return found is not None

    def night(self, today: date) -> None:
        """Improve the routes of the days after tomorrow, which is planned tonight."""
        for ahead in range(TURNS):
            day = today + timedelta(days=2 + ahead)
            board = self._board(day)
            problem, warm = standing_plan(board.frame, board.routes)
            if not problem.stops:
                continue
            better = solve(problem, seconds=TURN_S, workers=CORES, seed=1, warm=warm, executor=self.workers)
            if better.cost.total < warm.cost.total:
                self.boards[day] = board_of(board, better) or board

    def plan(self, day: date) -> tuple[Problem, Plan]:
        """The plan of a day, from its tentative routes."""
        board = self._board(day)
        problem, warm = standing_plan(board.frame, board.routes)
        return _planned(problem, seconds=TONIGHT_S, warm=warm, district=self.district, workers=self.workers)

    def _board(self, day: date) -> Board:
        if day not in self.boards:
            self.boards[day] = Board(day_problem(day, [], district=self.district))
        return self.boards[day]


@dataclass(slots=True)
class ByQuotas:
    """Days of counters."""

    district: District
    workers: Executor
    size: float
    quotas: dict[date, Quotas] = field(default_factory=dict)
    visits: dict[date, list[Visit]] = field(default_factory=dict)

    def take(self, day: date, window: str, judged: Judged, key: str) -> bool:
        """Count a booking, if the counters allow."""
        quota = self.quotas.setdefault(day, Quotas(self.district.network, size=self.size))
        if window not in quota.open_windows(judged.area, judged.need):
            return False
        quota.take(judged.area, window, judged.need)
        span = self.district.network.pickup_windows[window].window_s
        self.visits.setdefault(day, []).append(judged.visit(key, span))
        return True

    def night(self, today: date) -> None:
        """Counters need no thought."""

    def plan(self, day: date) -> tuple[Problem, Plan]:
        """The plan of a day, from nothing."""
        problem = of_visits(day_problem(day, [], district=self.district), self.visits.get(day, []))
        return _planned(problem, seconds=TONIGHT_S, warm=None, district=self.district, workers=self.workers)


def month_rows(console: Console, *, days: int = DAYS) -> Iterator[Row]:
    """Play so many days both ways."""
    district = read_district(ROOT / "config")
    evenings = [FIRST + timedelta(days=n) for n in range(-LEAD, days - 1)]
    asking = {day: _residents(requests_of(day, district=district), district) for day in evenings}
    # Starting a worker takes longer than some of its turns: both ways get the same two, started before.
    workers = ProcessExecutor(CORES)
    try:
        for started in [workers.submit(settle) for _ in range(CORES)]:
            started.result()  # the planner goes on without a worker that cannot start, and would be measured idle
        size = _ordinary_size(district, workers, console)
        routes = _played(ByRoutes(district, workers), asking, console, "a month by routes")
        quotas = _played(ByQuotas(district, workers, size), asking, console, "a month by quotas")
    finally:
        workers.shutdown()
    paid_hours = days * sum(_paid_s(shift) for shift in district.network.shifts()) / 3600
    for name, mine, theirs in (
        (
            f"{days} days, {routes.asked:,} requests, the quota {size:.2f} times what we counted with:"
            f" pickups served per van hour paid, the fleet's {paid_hours:,.0f}",
            routes.served / paid_hours,
            quotas.served / paid_hours,
        ),
        (
            "the same: pickups served per van hour on the road, lunch and waiting included",
            routes.served / routes.road_hours,
            quotas.served / quotas.road_hours,
        ),
    ):
        yield Row(
            name=name, figure=mine, unit="/h", target="> per-day quota", ok=mine > theirs, peer="quota",
            peer_figure=theirs, places=3,
        )  # fmt: skip
    yield Row(
        name="the same: accepted bookings left out of the plan after a second look"
        f" (by quotas on {quotas.short_days} days)",
        figure=routes.left_out, unit="", target="0, quota > 0", ok=routes.left_out == 0 < quotas.left_out,
        peer="quota", peer_figure=quotas.left_out,
    )  # fmt: skip
    for name, one, other in (
        ("pickups served", routes.served, quotas.served),
        ("residents who got the day and window they wanted", routes.preferred, quotas.preferred),
        ("residents who went elsewhere", routes.refused, quotas.refused),
        ("vans sent out", routes.routes, quotas.routes),
    ):
        yield Row(name=f"the same: {name}", figure=one, unit="", target="–", ok=True, peer="quota", peer_figure=other)
    for name, kind in (("driving", "travel"), ("at the door", "pickup"), ("waiting for a window", "wait")):
        yield Row(
            name=f"the same: {name}, per pickup served", figure=routes.spent_s[kind] / 60 / routes.served, unit="min",
            target="–", ok=True, peer="quota", peer_figure=quotas.spent_s[kind] / 60 / quotas.served,
        )  # fmt: skip


def _ordinary_size(district: District, workers: Executor, console: Console) -> float:
    """The largest quota with which ordinary days, as full as it lets them be, are all served."""
    days = [FIRST - timedelta(days=90 + n) for n in range(ORDINARY_DAYS)]
    asking = [_residents(ordinary_wishes(day, FILLING, district=district), district) for day in days]
    found = SIZES[0]
    for size in track(SIZES, description="the quota's size", console=console):
        for day, residents in zip(days, asking, strict=True):
            way = ByQuotas(district, workers, size)
            for resident in residents:
                _taken(way, resident)
            if way.plan(day)[1].unassigned:
                return found
        found = size
    return found


def _paid_s(shift: Shift) -> int:
    return shift.shift_s[1] - shift.shift_s[0] - shift.break_duration_s


def _residents(requests: Iterable[Request], district: District) -> list[Resident]:
    return [
        Resident(f"{one.wish.day}:{n}", judged_on(one.wish, one.wish.day, district=district), one.choices)
        for n, one in enumerate(requests)
    ]


def _played(way: ByRoutes | ByQuotas, asking: Mapping[date, Sequence[Resident]], console: Console, title: str) -> Month:
    month = Month()
    for today, residents in track(asking.items(), description=title, console=console):
        tomorrow = today + timedelta(days=1)
        for resident in residents:
            taken = _taken(way, resident)
            if tomorrow >= FIRST:
                month.asked += 1
                month.refused += taken is None
                month.preferred += taken == resident.choices[0]
        if tomorrow + timedelta(days=TURNS) >= FIRST:
            way.night(today)
        if tomorrow >= FIRST:
            _serve(month, *way.plan(tomorrow))
    return month


def _taken(way: ByRoutes | ByQuotas, resident: Resident) -> tuple[date, str] | None:
    """The first of the resident's choices that is to be had."""
    return next((choice for choice in resident.choices if way.take(*choice, resident.judged, resident.key)), None)


def _planned(
    problem: Problem, *, seconds: float, warm: Plan | None, district: District, workers: Executor
) -> tuple[Problem, Plan]:
    """The plan of a day; looked for once more, and longer, when it leaves somebody out."""
    problem = optional(problem, district=district)
    plan = solve(problem, seconds=seconds, workers=CORES, seed=1, warm=warm, executor=workers)
    if plan.unassigned:
        plan = solve(problem, seconds=AGAIN_S, workers=CORES, seed=2, warm=plan, executor=workers)
    return problem, plan


def _serve(month: Month, problem: Problem, plan: Plan) -> None:
    month.served += len(problem.stops) - len(plan.unassigned)
    month.left_out += len(plan.unassigned)
    month.short_days += bool(plan.unassigned)
    month.routes += len(plan.routes)
    for route in plan.routes:
        last = route.steps[0]
        for step in route.steps:
            month.spent_s["travel"] += max(0, step.arrival_s - last.end_s)
            month.spent_s["wait"] += step.start_s - step.arrival_s
            month.spent_s[step.kind] += step.end_s - step.start_s
            last = step


if __name__ == "__main__":
    played = list(month_rows(Console(stderr=True), days=int(sys.argv[1]) if sys.argv[1:] else DAYS))
    print(rendered(HEADINGS, [(row.cells(), row.ok) for row in played], colour=sys.stdout.isatty()))
