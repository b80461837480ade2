"""Re-optimise a day's tentative routes (意向路线优化) while bookings arrive, so that more of them find a place.

The planner works on a copy, from the routes as they stand, outside any transaction. What it finds takes their place in
one short transaction, with what was promised meanwhile worked into it, or not at all: no promise is ever moved out of
its window.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy.orm import Session

from recycling.errors import WindowClosed
from recycling.logs import logger
from recycling.models.ledger import days_to_improve, mark_improved
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.routing import plan as planner
from recycling.routing.board import Board
from recycling.routing.problem import Problem
from recycling.routing.standing import StandingRoute, Visit, standing_plan, timed_route, with_visit, without
from recycling.usecases.bookings.tentative import boards, changing
from recycling.usecases.planning.day_problem import day_problem, promised_bookings
from recycling.usecases.planning.plan_day import Solver

log = logger(__name__)

Outcome = Literal["improved", "no_better", "overtaken", "closed", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """What became of one day's turn.

    Parameters
    ----------
    cost_before, cost_after
        Of the tentative routes, in the planner's unit.
    locked_ms
        How long bookings of the day had to wait for the swap.
    """

    day: date
    outcome: Outcome
    cost_before: int = 0
    cost_after: int = 0
    locked_ms: float = 0.0


def days_in_need(days: Iterable[date], *, session: Session) -> list[date]:
    """Those of the bookable days whose promises changed since the planner last worked on them."""
    found = days_to_improve(session, days)
    session.rollback()
    return found


def improve_day(
    day: date, *, district: District, session: Session, now: datetime, seconds: float, workers: int, seed: int,
    solve: Solver,
) -> Improvement:  # fmt: skip
    """Let the planner work on a day's tentative routes and put what it finds in their place.

    Bookings that have no place, as after a move from counters, get one if the planner finds it.
    """
    session.rollback()
    before = boards(session, [day], district=district)[day]
    bookings = promised_bookings(session, day)
    problem = day_problem(day, bookings, district=district)
    session.rollback()
    if before is None:
        return Improvement(day=day, outcome="closed")
    if not problem.stops:
        return _noted(Improvement(day=day, outcome="nothing"), before, district=district, session=session, now=now)
    _, warm = standing_plan(before.frame, before.routes)
    answer = solve(problem, seconds=seconds, workers=workers, seed=seed, warm=warm, on_progress=None)
    better = _routes(before.frame, problem, answer)
    cost_before, cost_after = (sum(route.cost for route in some) for some in (before.routes, better.values()))
    placed = {visit.key for route in before.routes for visit in route.visits if not visit.gone}
    if len(answer.unassigned) >= len(problem.stops) - len(placed) and cost_after >= cost_before:
        result = Improvement(day=day, outcome="no_better", cost_before=cost_before, cost_after=cost_before)
        return _noted(result, before, district=district, session=session, now=now)
    return _swap(before, better, cost_before, district=district, session=session, now=now)


def _routes(frame: Problem, problem: Problem, answer: planner.Plan) -> dict[str, StandingRoute]:
    """The planner's routes as standing ones."""
    found = {}
    for route in answer.routes:
        visits = []
        for step in route.steps:
            if step.stop is not None:
                stop = problem.stop_by_key[step.stop]
                lat, lon = problem.locations[stop.location]
                visits.append(
                    Visit(
                        key=stop.key, lat=lat, lon=lon, windows_s=stop.windows_s, service_s=stop.service_s,
                        load=stop.load, skills=stop.skills,
                    )
                )  # fmt: skip
        timed = timed_route(frame, route.vehicle, visits)
        if timed is not None:
            found[route.vehicle] = timed
    return found


def _swap(
    before: Board, better: dict[str, StandingRoute], cost_before: int, *, district: District, session: Session,
    now: datetime,
) -> Improvement:  # fmt: skip
    """Work in what changed while the planner thought, and write; nothing when that does not go."""
    day = before.frame.day
    present = boards(session, [day], district=district)[day]
    planned = None if present is None else _replayed(before, better, present, _waiting(session, present))
    session.rollback()
    waited = time.monotonic()
    try:
        with atomic(session), changing(session, [day], district=district, now=now) as days:
            waited = time.monotonic()
            draft = days[day]
            # Seen under the lock: usually nothing has changed since the line above, and the work is done.
            fresh = planned is not None and planned[0] is draft.seen
            last = planned if fresh else _replayed(before, better, draft.board, _waiting(session, draft.board))
            if last is None:
                return Improvement(day=day, outcome="overtaken", cost_before=cost_before, cost_after=cost_before)
            draft.replace_all(last[1])
            mark_improved(session, day, version=draft.state.version)
    except WindowClosed:
        return Improvement(day=day, outcome="closed")
    locked_ms = round(1000 * (time.monotonic() - waited), 1)
    cost_after = sum(route.cost for route in last[1].values())
    log.info("day.improved", day=str(day), cost_before=cost_before, cost_after=cost_after, locked_ms=locked_ms)
    return Improvement(day=day, outcome="improved", cost_before=cost_before, cost_after=cost_after, locked_ms=locked_ms)


def _waiting(session: Session, board: Board) -> set[str]:
    """What is promised on the board's day and has no place on it, as after a move from counters or with a vehicle."""
    promised = {str(booking.id) for booking in promised_bookings(session, board.frame.day)}
    return promised - {visit.key for route in board.routes for visit in route.visits}


def _replayed(
    before: Board, better: dict[str, StandingRoute], present: Board, waiting: Collection[str]
) -> tuple[Board, dict[str, StandingRoute]] | None:
    """The better routes with the changes from ``before`` to ``present`` worked in; ``None`` when they do not fit.

    ``waiting`` are promises without a place in ``present``: the better routes may give them one.
    """
    old = {visit.key: visit for route in before.routes for visit in route.visits if not visit.gone}
    new = {visit.key: visit for route in present.routes for visit in route.visits if not visit.gone}
    board = present.copy()
    for each in board.frame.vehicles:
        board.put(better.get(each.key, StandingRoute(vehicle=each.key)))
    held = {visit.key for route in better.values() for visit in route.visits}
    for key in held:
        # One without a place before may have got one meanwhile, or be cancelled.
        stands = new.get(key) == old[key] if key in old else key in waiting
        if not stands:
            vehicle = board.vehicle_of(key)
            if vehicle is not None:
                board.put(without(board.frame, board.route(vehicle), key))
    for key, visit in new.items():
        if key in held and old.get(key) == visit:
            continue
        fit = board.fits(visit, list(visit.windows_s))[0]
        if fit is None:
            return None
        longer = with_visit(board.frame, board.route(fit.vehicle), visit, fit.position, room=board.room(fit.vehicle))
        if longer is None:
            return None
        board.put(longer)
    return present, {route.vehicle: route for route in board.routes}


def _noted(result: Improvement, before: Board, *, district: District, session: Session, now: datetime) -> Improvement:
    """Note that the planner has seen this version of the day; a later change asks for it again."""
    day = before.frame.day
    try:
        with atomic(session), changing(session, [day], district=district, now=now) as days:
            if days[day].seen is before:
                mark_improved(session, day, version=days[day].state.version)
    except WindowClosed:
        return Improvement(day=day, outcome="closed")
    return result
