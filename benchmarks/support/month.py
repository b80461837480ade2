"""A month of requests, taken by routes and taken by quotas: the same residents, vans, and planner at night.

Each resident wants a day and a window, would also take another one nearby, and otherwise goes elsewhere. By routes a
window is offered when a place in it is proven; by quotas, as long as the counters of area, day and window allow.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from rich.console import Console
from rich.progress import track

from benchmarks.table import ROOT, Row
from recycling.cli.demo_day import made_up_wishes
from recycling.gateways.config_files import read_district
from recycling.policy.district import District
from recycling.policy.fleet import Shift
from recycling.routing.board import Board
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem, Stop
from recycling.routing.solve import solve
from recycling.routing.standing import Visit, standing_plan, timed_route
from recycling.usecases.bookings.promise import Judged, Wish, area_of, needs, place_of
from recycling.usecases.bookings.tentative import propose
from recycling.usecases.planning.day_problem import day_problem, dearest_day
from tests.proof.bookings.quotas import Quotas

FIRST, DAYS, AHEAD = date(2026, 3, 2), 30, 14  # served days; how far ahead a resident may book
REQUESTS = 400  # a day; the fleet serves some 300
TONIGHT_S, TURN_S, TURNS = 6.0, 2.0, 3  # planning tomorrow; improving the tentative routes of the next days
PATIENCE_DAYS = 2  # a resident takes another day as near as that
SEED = 20260302


@dataclass(slots=True)
class Month:
    """What came of one way of taking bookings."""

    accepted: int = 0
    served: int = 0
    left_out: int = 0
    refused: int = 0
    preferred: int = 0
    van_hours: float = 0.0
    driven_hours: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One resident: what they give away, and days and windows from the dearest to the last they would take."""

    wish: Wish
    choices: tuple[tuple[date, str], ...]


@dataclass(slots=True)
class ByRoutes:
    """Days of tentative routes."""

    district: District
    boards: dict[date, Board] = field(default_factory=dict)

    def take(self, day: date, window: str, judged: Judged, key: str) -> bool:
        """Promise a place, if there is one."""
        board = self._board(day)
        span = self.district.network.pickup_windows[window].window_s
        found = propose(board, judged.visit(key, span), span)
        if found is not None:
            board.put(found.route)
        return found is not None

    def night(self, day: date) -> None:
        """Improve the routes of the days to come."""
        for ahead in range(1, TURNS + 1):
            board = self._board(day + timedelta(days=ahead))
            problem, warm = standing_plan(board.frame, board.routes)
            if not problem.stops:
                continue
            better = solve(problem, seconds=TURN_S, workers=2, seed=1, warm=warm)
            if better.cost.total < warm.cost.total:
                self.boards[day + timedelta(days=ahead)] = _board_of(board, better)

    def plan(self, day: date) -> tuple[Problem, Plan]:
        """The plan of a day, from its tentative routes."""
        board = self._board(day)
        problem, warm = standing_plan(board.frame, board.routes)
        problem = _optional(problem, self.district)
        return problem, solve(problem, seconds=TONIGHT_S, workers=2, seed=1, warm=warm)

    def _board(self, day: date) -> Board:
        if day not in self.boards:
            self.boards[day] = Board(day_problem(day, [], district=self.district))
        return self.boards[day]


@dataclass(slots=True)
class ByQuotas:
    """Days of counters."""

    district: District
    quotas: dict[date, Quotas] = field(default_factory=dict)
    visits: dict[date, list[Visit]] = field(default_factory=dict)

    def take(self, day: date, window: str, judged: Judged, key: str) -> bool:
        """Count a booking, if the counters allow."""
        quota = self.quotas.setdefault(day, Quotas(self.district.network))
        if window not in quota.open_windows(judged.area, judged.need):
            return False
        quota.take(judged.area, window, judged.need)
        span = self.district.network.pickup_windows[window].window_s
        self.visits.setdefault(day, []).append(judged.visit(key, span))
        return True

    def night(self, day: date) -> None:
        """Counters need no thought."""

    def plan(self, day: date) -> tuple[Problem, Plan]:
        """The plan of a day, from nothing."""
        frame, visits = day_problem(day, [], district=self.district), self.visits.get(day, [])
        first = len(frame.locations)
        stops = tuple(
            Stop(
                key=visit.key, location=first + n, windows_s=visit.windows_s, service_s=visit.service_s,
                load=visit.load, skills=visit.skills, skip_cost=None, prefer=None,
            )
            for n, visit in enumerate(visits)
        )  # fmt: skip
        places = tuple((visit.lat, visit.lon) for visit in visits)
        problem = _optional(replace(frame, locations=(*frame.locations, *places), stops=stops), self.district)
        return problem, solve(problem, seconds=TONIGHT_S + TURN_S * TURNS, workers=2, seed=1)


def month_rows(console: Console) -> Iterator[Row]:
    """Play the month both ways."""
    district = read_district(ROOT / "config")
    routes = _played(ByRoutes(district), district, console, "a month by routes")
    quotas = _played(ByQuotas(district), district, console, "a month by quotas")
    paid_hours = DAYS * sum(_paid_s(shift) for shift in district.network.shifts()) / 3600
    per_hour, beside = routes.served / paid_hours, quotas.served / paid_hours
    yield Row(
        name=f"{DAYS} days of {REQUESTS} requests: pickups served per van hour paid, the fleet's {paid_hours:,.0f}",
        figure=per_hour, unit="/h", target="> per-day quota", ok=per_hour > beside, peer="quota", peer_figure=beside,
        places=3,
    )  # fmt: skip
    yield Row(
        name="the same: pickups served per van hour on the road", figure=routes.served / routes.van_hours, unit="/h",
        target="> per-day quota", ok=routes.served / routes.van_hours > quotas.served / quotas.van_hours, peer="quota",
        peer_figure=quotas.served / quotas.van_hours, places=3,
    )  # fmt: skip
    yield Row(
        name="the same: accepted bookings that no plan serves", figure=routes.left_out, unit="", target="0, quota > 0",
        ok=routes.left_out == 0 < quotas.left_out, peer="quota", peer_figure=quotas.left_out,
    )  # fmt: skip
    for name, mine, theirs in (
        ("pickups served", routes.served, quotas.served),
        ("residents who got the day and window they wanted", routes.preferred, quotas.preferred),
        ("residents who went elsewhere", routes.refused, quotas.refused),
    ):
        yield Row(name=f"the same: {name}", figure=mine, unit="", target="–", ok=True, peer="quota", peer_figure=theirs)
    yield Row(
        name="the same: driving per pickup served", figure=60 * routes.driven_hours / routes.served, unit="min",
        target="–", ok=True, peer="quota", peer_figure=60 * quotas.driven_hours / quotas.served,
    )  # fmt: skip


def _paid_s(shift: Shift) -> int:
    return shift.shift_s[1] - shift.shift_s[0] - shift.break_duration_s


def _played(way: ByRoutes | ByQuotas, district: District, console: Console, title: str) -> Month:
    month = Month()
    number = 0
    for today in track([FIRST + timedelta(days=n) for n in range(DAYS)], description=title, console=console):
        for request in _requests(district, today):
            number += 1
            judged = _judged(request.wish, district)
            taken = next((c for c in request.choices if way.take(*c, judged, f"r{number}")), None)
            month.accepted += taken is not None
            month.refused += taken is None
            month.preferred += taken == request.choices[0]
        way.night(today)
        _serve(month, *way.plan(today + timedelta(days=1)))
    return month


def _serve(month: Month, problem: Problem, plan: Plan) -> None:
    month.served += len(problem.stops) - len(plan.unassigned)
    month.left_out += len(plan.unassigned)
    month.driven_hours += plan.cost.travel / 3600  # one second of driving costs 1
    for route in plan.routes:
        month.van_hours += (route.steps[-1].end_s - route.steps[0].start_s) / 3600


def _requests(district: District, today: date) -> Iterator[Request]:
    """The requests of a day, the same for both ways: most for the days at hand."""
    rng = random.Random(f"{SEED}:{today}")  # a benchmark wants the same month again
    keys = list(district.network.pickup_windows)
    for wish in made_up_wishes(district, today, count=REQUESTS):
        wanted = today + timedelta(days=min(AHEAD, 1 + int(rng.expovariate(1 / 4))))
        near = [d for d in range(-PATIENCE_DAYS, PATIENCE_DAYS + 1) if 1 <= (wanted - today).days + d <= AHEAD]
        days = [wanted + timedelta(days=d) for d in sorted(near, key=lambda d: (abs(d), d))]
        windows = [wish.pickup_window, *rng.sample([key for key in keys if key != wish.pickup_window], k=2)]
        yield Request(wish=wish, choices=tuple((day, window) for day in days for window in windows))


def _judged(wish: Wish, district: District) -> Judged:
    need = needs(wish.items, floor=wish.floor, has_lift=wish.has_lift, day=wish.day, district=district)
    return Judged(area=area_of(wish, district=district), need=need, place=place_of(wish))


def _board_of(board: Board, plan: Plan) -> Board:
    """The board with a plan's routes on it."""
    visits = {visit.key: visit for route in board.routes for visit in route.visits}
    fresh = Board(board.frame)
    for route in plan.routes:
        on_it = [visits[step.stop] for step in route.steps if step.stop is not None]
        timed = timed_route(board.frame, route.vehicle, on_it)
        if timed is None:
            return board
        fresh.put(timed)
    return fresh


def _optional(problem: Problem, district: District) -> Problem:
    """Every stop may be left out, at more than all driving there is."""
    dear = dearest_day(district.network) + 1
    return replace(problem, stops=tuple(replace(stop, skip_cost=dear) for stop in problem.stops))
