"""Re-optimise a day's tentative routes (意向路线优化) while bookings arrive, so that more of them find a place.

The planner works on a copy, from the routes as they stand, outside any transaction. What it finds takes their place in
one short transaction, with what was promised meanwhile worked into it, or not at all: no promise is ever moved out of
its window.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from sqlalchemy.orm import Session

from recycling.errors import Busy, WindowClosed
from recycling.logs import logger
from recycling.models.ledger import days_to_improve, mark_improved
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.routing import plan as planner
from recycling.routing.board import Board
from recycling.routing.problem import Problem
from recycling.routing.standing import StandingRoute, Visit, standing_plan, timed_route, with_visit, without
from recycling.usecases.bookings.tentative import boards, changing, exchange
from recycling.usecases.planning.day_problem import day_problem, promised_bookings, promised_keys
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
    better = _board(before, problem, answer)
    cost_before, cost_after = _cost(before), _cost(better)
    placed = {visit.key for route in before.routes for visit in route.visits if not visit.gone}
    if len(answer.unassigned) >= len(problem.stops) - len(placed) and cost_after >= cost_before:
        result = Improvement(day=day, outcome="no_better", cost_before=cost_before, cost_after=cost_before)
        return _noted(result, before, district=district, session=session, now=now)
    return _swap(before, better, district=district, session=session, now=now)


def _cost(board: Board) -> int:
    return sum(route.cost for route in board.routes)


def _board(before: Board, problem: Problem, answer: planner.Plan) -> Board:
    """The planner's routes as standing ones, each within what the others leave of a station's intake."""
    board = before.copy()
    for each in before.routes:
        if each.visits:
            board.put(StandingRoute(vehicle=each.vehicle))
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
        timed = timed_route(before.frame, route.vehicle, visits, room=board.room(route.vehicle))
        if timed is not None:
            stood = before.route(route.vehicle)
            board.put(stood if timed == stood else timed)  # the same object is known to be written already
    return board


def _swap(before: Board, better: Board, *, district: District, session: Session, now: datetime) -> Improvement:
    """Work in what changed while the planner thought, and write; nothing when that does not go.

    All that is done for a whole day comes before its lock. What is promised until then is worked in under it.
    """
    day = before.frame.day
    present = boards(session, [day], district=district)[day]
    if present is None:
        return Improvement(day=day, outcome="closed")
    cost_before = _cost(present)
    overtaken = Improvement(day=day, outcome="overtaken", cost_before=cost_before, cost_after=cost_before)
    planned = _replayed(before, better, present, session=session)
    if planned is None:
        return overtaken
    ready = exchange(present, planned)
    session.rollback()
    if _cost(planned) >= cost_before and not ready.moved:
        result = replace(overtaken, outcome="no_better")
        return _noted(result, present, district=district, session=session, now=now)
    waited = time.monotonic()
    try:
        with atomic(session), changing(session, [day], district=district, now=now) as days:
            waited = time.monotonic()
            draft = days[day]
            if draft.seen is not present or not draft.is_written:  # or holds that lapsed have just been dropped
                planned = _replayed(present, planned, draft.board, session=session)
                if planned is None:
                    return overtaken
                ready = exchange(draft.board, planned, known=ready)
            draft.replace_all(ready)
            mark_improved(session, day, version=draft.state.version)
    except WindowClosed:
        return Improvement(day=day, outcome="closed")
    except Busy:
        return overtaken  # by a change of the fleet; the next round goes by it
    locked_ms = round(1000 * (time.monotonic() - waited), 1)
    cost_after = _cost(planned)
    log.info("day.improved", day=str(day), cost_before=cost_before, cost_after=cost_after, locked_ms=locked_ms)
    return Improvement(day=day, outcome="improved", cost_before=cost_before, cost_after=cost_after, locked_ms=locked_ms)


def _replayed(before: Board, better: Board, present: Board, *, session: Session) -> Board | None:
    """The better routes with the changes from ``before`` to ``present`` worked in; ``None`` when they do not fit."""
    old = {visit.key: visit for route in before.routes for visit in route.visits if not visit.gone}
    new = {visit.key: visit for route in present.routes for visit in route.visits if not visit.gone}
    board = better.copy()
    held = {visit.key for route in better.routes for visit in route.visits if not visit.gone}
    # Without a place before, as after a move from counters or with a vehicle: it may be cancelled or have one since.
    given = held - old.keys()
    waiting = given & promised_keys(session, present.frame.day) - new.keys() if given else set()
    for key in held:
        if not (new.get(key) == old[key] if key in old else key in waiting):
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
    return board


def _noted(result: Improvement, before: Board, *, district: District, session: Session, now: datetime) -> Improvement:
    """Note that the planner has seen this version of the day; a later change asks for it again."""
    day = before.frame.day
    try:
        with atomic(session), changing(session, [day], district=district, now=now) as days:
            if days[day].seen is before:
                mark_improved(session, day, version=days[day].state.version)
    except WindowClosed:
        return Improvement(day=day, outcome="closed")
    except Busy:
        return replace(result, outcome="overtaken")
    return result
