"""Weeks of bookings played through: whatever was promised, a plan serves; promised by quotas, some of it none does."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from itertools import islice
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.settings import ROOT
from recycling.cli.demo_day import made_up_wishes
from recycling.errors import WindowFull
from recycling.gateways.config_files import read_district
from recycling.models.plan import Unassigned
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing.board import Board
from recycling.routing.check import violations
from recycling.routing.executor import ProcessExecutor
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem
from recycling.routing.solve import solve
from recycling.routing.standing import Visit, standing_plan, without
from recycling.usecases.bookings.book_pickup import confirm_hold, hold_pickup
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from recycling.usecases.bookings.offer_slots import offer_slots
from recycling.usecases.bookings.promise import Judged, Wish
from recycling.usecases.bookings.proposals import propose
from recycling.usecases.bookings.tentative import boards, changing
from recycling.usecases.planning.day_problem import day_problem, promised_bookings
from recycling.usecases.planning.improve_day import improve_day
from recycling.usecases.planning.plan_day import Solver
from tests.builders import a_resident
from tests.conftest import NOW
from tests.invariants import assert_invariants
from tests.planned_days import a_plan, generous
from tests.proof.bookings.played import board_of, judged_on, of_visits, optional
from tests.proof.bookings.quotas import Quotas
from tests.proof.harness import Proof, Size

# (days, requests a day): the fleet serves some 300 of 600.
DAYS = {"small": (1, 160), "full": (30, 600), "release": (120, 600)}
STORED_DAYS = {"small": (1, 30), "full": (1, 600), "release": (4, 600)}
QUOTA_DAYS, QUOTA_REQUESTS = {"small": 1, "full": 30, "release": 60}, 600  # a day that is not full proves nothing of it
IMPROVE_EVERY, WHOLE_EVERY = 100, 25  # bookings
ITERATIONS = 60
FIRST = date(2026, 3, 2)


@dataclass(slots=True)
class Lived:
    """What came of all days."""

    requests: int = 0
    accepted: int = 0
    changed: int = 0
    improved: int = 0
    broken: int = 0
    unproven: int = 0
    unserved: int = 0


@pytest.fixture(scope="module")
def real() -> District:
    """The district, without a database."""
    return read_district(ROOT / "config")


@pytest.fixture(scope="module")
def worker() -> Iterator[Executor]:
    """One process for all the planner's short turns: starting one takes longer than they do."""
    pool = ProcessExecutor(1)
    yield pool
    pool.shutdown()


class PlayedDay:
    """One day's tentative routes without a database, checked by the independent checker at every step."""

    def __init__(self, day: date, *, district: District, lived: Lived) -> None:
        self.day, self.district, self.lived = day, district, lived
        self.board = Board(day_problem(day, [], district=district))
        self.rng = random.Random(f"replay:{day}")
        self.promised: dict[str, tuple[Judged, Visit]] = {}

    def ask(self, number: int, wish: Wish) -> None:
        """Offer windows, and book one of those offered at random."""
        self.lived.requests += 1
        judged = judged_on(wish, self.day, district=self.district)
        if self._book(f"v{number}", judged):
            self.lived.accepted += 1
            if self.lived.accepted % WHOLE_EVERY == 0:
                self.check_whole()
        if self.rng.random() < 0.06 and self.promised:
            self._change(self.rng.choice(list(self.promised)))

    def _book(self, key: str, judged: Judged) -> bool:
        windows = self.district.network.pickup_windows
        spans = [window.window_s for window in windows.values()]
        fits = self.board.fits(judged.visit(key, spans[0]), spans)
        offered = [span for span, fit in zip(spans, fits, strict=True) if fit is not None]
        if not offered:
            return False
        span = self.rng.choice(offered)
        visit = judged.visit(key, span)
        proposal = propose(self.board, visit, span)
        if proposal is None:  # offered, and then not to be had, though nobody came between
            self.lived.unproven += 1
            return False
        self.board.put(proposal.route)
        self.promised[key] = (judged, visit)
        self._check(proposal.route.vehicle)
        return True

    def _change(self, key: str) -> None:
        """Cancel a booking, or move it to another window; the old place is kept until the new one is sure."""
        self.lived.changed += 1
        before, vehicle = self.board, self.board.vehicle_of(key)
        if vehicle is None:
            self.lived.broken += 1  # a promise has lost its place
            return
        judged, visit = self.promised.pop(key)
        self.board = before.copy()
        self.board.put(without(self.board.frame, self.board.route(vehicle), key))
        self._check(vehicle)
        if self.rng.random() < 0.5 and not self._book(key, judged):
            self.board, self.promised[key] = before, (judged, visit)

    def _check(self, vehicle: str) -> None:
        """Check the route that changed; the others are the same objects as before, and were checked then.

        What spans routes, the limits of stations, is checked by their sums here and in the whole plan now and then.
        """
        problem, plan = standing_plan(self.board.frame, [self.board.route(vehicle)])
        over = [used for used, most in self.board.taken.values() if any(a > b for a, b in zip(used, most, strict=True))]
        self.lived.broken += len(violations(problem, plan)) + len(over)

    def check_whole(self) -> None:
        """Check the whole plan, and that it visits each promise once, in the window promised."""
        problem, plan = standing_plan(self.board.frame, self.board.routes)
        self.lived.broken += len(violations(problem, plan))
        placed = sorted((v.key, v.windows_s, v.load) for route in self.board.routes for v in route.visits if not v.gone)
        wanted = sorted((v.key, v.windows_s, v.load) for _, v in self.promised.values())
        self.lived.broken += placed != wanted

    def improve(self, worker: Executor) -> None:
        """Let the planner work on the routes for a moment, and take what it finds when it is better."""
        problem, warm = standing_plan(self.board.frame, self.board.routes)
        better = solve(problem, seconds=20, workers=1, seed=1, warm=warm, iterations=ITERATIONS, executor=worker)
        if better.cost.total >= warm.cost.total:
            return
        board = board_of(self.board, better)
        if board is None:
            return
        self.board = board
        self.lived.improved += 1
        self.check_whole()

    def serve(self) -> None:
        """Plan the day from its tentative routes; what the plan leaves out was promised in vain."""
        self.check_whole()
        problem, warm = standing_plan(self.board.frame, self.board.routes)
        self.lived.unserved += left_out(problem, self.district, partial(solve, workers=0, seconds=20, warm=warm))


def left_out(problem: Problem, district: District, planner: Callable[[Problem], Plan]) -> int:
    """How many stops a checked plan of the day leaves out, each of them dearer than all driving there is."""
    problem = optional(problem, district=district)
    plan = planner(problem)
    assert violations(problem, plan) == []
    return len(plan.unassigned)


def test_every_promise_has_a_place_in_a_plan(real: District, worker: Executor, size: Size, proof: Proof) -> None:
    # given so many days of wishes, each resident taking one of the offered windows at random, some changing their mind
    days, requests = DAYS[size]
    lived = Lived()
    quota = Lived()
    for number in range(days):
        day = FIRST + timedelta(days=number)
        played = PlayedDay(day, district=real, lived=lived)
        before = lived.accepted
        for turn, wish in enumerate(wishes_of(number, day, requests, district=real)):
            played.ask(turn, wish)
            # and the planner working on the routes in between
            if lived.accepted - before >= IMPROVE_EVERY:
                before = lived.accepted
                played.improve(worker)
        # when the day is planned
        played.serve()
        # and when the same residents book by counters
        if number < QUOTA_DAYS[size]:
            stream = wishes_of(number, day, QUOTA_REQUESTS, district=real)
            _by_quota(day, stream, district=real, quota=quota, worker=worker)
    # then every promise is served; what the counters promised is not
    proof.record(
        name="promises no plan serves",
        figure=f"{lived.unserved} of {lived.accepted}; {lived.broken} rules broken, {lived.unproven} offers void,"
        f" {days} days × {requests}, {lived.changed} changes, {lived.improved} improvements",
        target="0",
        control=f"by quotas: {quota.unserved} of {quota.accepted} not served, {QUOTA_DAYS[size]} days",
        ok=lived.unserved == lived.broken == lived.unproven == 0 < quota.unserved and lived.improved > 0,
    )


def wishes_of(number: int, day: date, count: int, *, district: District) -> Iterator[Wish]:
    """The wishes of a day; on every third, when air conditioners are traded in, only of those who give one away."""
    everybody = made_up_wishes(district, day, count=count * 20)
    some = (wish for wish in everybody if any(item.item_type.startswith("ac-") for item in wish.items))
    return islice(everybody if number % 3 else some, count)


def _by_quota(day: date, wishes: Iterator[Wish], *, district: District, quota: Lived, worker: Executor) -> None:
    """One day of the same residents, each taking one of the windows whose counters are not used up."""
    counters, rng = Quotas(district.network), random.Random(f"replay:{day}")
    frame = day_problem(day, [], district=district)
    accepted: list[Visit] = []
    for number, wish in enumerate(wishes):
        quota.requests += 1
        judged = judged_on(wish, day, district=district)
        offered = counters.open_windows(judged.area, judged.need)
        if offered:
            key = rng.choice(offered)
            counters.take(judged.area, key, judged.need)
            accepted.append(judged.visit(f"v{number}", district.network.pickup_windows[key].window_s))
    problem = of_visits(frame, accepted)
    quota.accepted += len(accepted)
    # What insertion alone serves is served; the rest is the planner's to try, for as long as it takes.
    if left_out(problem, district, partial(solve, workers=0, seconds=60)):
        quota.unserved += left_out(
            problem, district, partial(solve, workers=1, seconds=60, iterations=10 * ITERATIONS, executor=worker)
        )


def test_every_stored_promise_has_a_place_in_a_plan(
    session: Session, district: District, worker: Executor, size: Size, proof: Proof
) -> None:
    district = generous(district)
    # given a day of wishes through the use cases: asked, held and confirmed, at times amended, cancelled, or dropped
    days, requests = STORED_DAYS[size]
    bookable = district.booking_rules.bookable_days(now=NOW, calendar=district.calendar)[:days]
    lived, planner = Lived(), partial(solve, iterations=ITERATIONS, executor=worker)
    for day in bookable:
        resident, rng, live = a_resident(session, now=NOW), random.Random(f"stored:{day}"), dict[UUID, int]()
        for number, made_up in enumerate(made_up_wishes(district, day, count=requests)):
            lived.requests += 1
            wish = replace(made_up, address=f"清泉路 {number} 号")  # a door takes each kind of item once a day
            offered = offer_slots(wish, by=resident, district=district, session=session, now=NOW, explain=False)
            windows = [one.pickup_window for one in offered[bookable.index(day)].windows if one.fit is not None]
            if windows:
                chosen = replace(wish, pickup_window=rng.choice(windows))
                held = hold_pickup(chosen, by=resident, district=district, session=session, now=NOW)
                booking = confirm_hold(held.id, by=resident, district=district, session=session, now=NOW)
                live[booking.id] = booking.version
                lived.accepted += 1
                if lived.accepted % WHOLE_EVERY == 0:
                    _check_stored(session, day, district=district, lived=lived)
                if lived.accepted % IMPROVE_EVERY == 0:
                    _improve_stored(session, day, district=district, lived=lived, planner=planner)
            if live and rng.random() < 0.06:
                _change_stored(session, rng, live, by=resident, district=district, lived=lived)
        _improve_stored(session, day, district=district, lived=lived, planner=planner)
        # when its tentative routes and rows are looked at, and the day is planned
        _check_stored(session, day, district=district, lived=lived)
        assert_invariants(session)
        plan = a_plan(session, district=district, now=NOW, day=day)
        lived.unserved += session.scalar(select(func.count()).where(Unassigned.plan_id == plan.id)) or 0
    # and, for the control, planned again with a promise beside the routes, as where one was made without asking them
    beside = _beside(session, bookable[0], district=district)
    # then no promise is without its place, and the one made beside the routes is seen
    proof.record(
        name="stored promises no plan serves",
        figure=f"{lived.unserved} of {lived.accepted}; {lived.broken} rules broken, {lived.changed} changes,"
        f" {lived.improved} improvements",
        target="0",
        control=f"promised beside the routes: {beside} seen",
        ok=lived.unserved == lived.broken == 0 < beside and lived.accepted > 0,
    )


def _check_stored(session: Session, day: date, *, district: District, lived: Lived) -> None:
    """Check the whole tentative plan, and that it holds what the rows promise."""
    board = boards(session, [day], district=district)[day]
    assert board is not None
    problem, plan = standing_plan(board.frame, board.routes)
    lived.broken += len(violations(problem, plan))
    placed = {v.key: (v.windows_s[0], v.service_s, v.load) for r in board.routes for v in r.visits if not v.gone}
    windows = district.network.pickup_windows
    wanted = {
        str(one.id): (windows[one.pickup_window].window_s, one.service_s, (one.declared_g, one.declared_l))
        for one in promised_bookings(session, day)
    }
    lived.broken += placed != wanted
    session.rollback()


def _improve_stored(session: Session, day: date, *, district: District, lived: Lived, planner: Solver) -> None:
    done = improve_day(
        day, district=district, session=session, now=NOW, seconds=20, workers=1, seed=1, solve=planner
    )  # fmt: skip
    assert done.outcome in ("improved", "no_better")
    lived.improved += done.outcome == "improved"


def _change_stored(
    session: Session, rng: random.Random, live: dict[UUID, int], *, by: Principal, district: District, lived: Lived
) -> None:
    """Cancel a booking, or ask for another window, which may be full."""
    lived.changed += 1
    booking_id = rng.choice(list(live))
    version = live.pop(booking_id)
    if rng.random() < 0.5:
        cancel_pickup(booking_id, version=version, by=by, district=district, session=session, now=NOW)
        return
    window = rng.choice(list(district.network.pickup_windows))
    with contextlib.suppress(WindowFull):
        version = amend_pickup(
            booking_id, {"pickup_window": window}, version=version, by=by, district=district, session=session, now=NOW
        ).version
    live[booking_id] = version


def _beside(session: Session, day: date, *, district: District) -> int:
    """Forget the place of one promise, and count what the check then finds."""
    board = boards(session, [day], district=district)[day]
    assert board is not None
    route = next(route for route in board.routes if route.visits)
    with atomic(session), changing(session, [day], district=district, now=NOW) as drafts:
        drafts[day].release(route.visits[0].key)
    lived = Lived()
    _check_stored(session, day, district=district, lived=lived)
    return lived.broken
