"""The board's answers are proofs: every place it names can be timed exactly, and few places escape it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from recycling.routing.board import Board, Fit
from recycling.routing.check import violations
from recycling.routing.standing import StandingRoute, Visit, standing_plan, with_visit
from tests.routing.standing_days import WINDOWS, a_frame, a_visit

MOST_MISSED = {False: 0.05, True: 0.1}  # by whether a station has an intake limit: then unloads wander more
DAYS = 12


def exact(board: Board, visit: Visit, fit: Fit) -> StandingRoute | None:
    return with_visit(board.frame, board.route(fit.vehicle), visit, fit.position, room=board.room(fit.vehicle))


def exact_anywhere(board: Board, visit: Visit) -> bool:
    return any(
        with_visit(board.frame, route, visit, position, room=board.room(route.vehicle)) is not None
        for route in board.routes
        for position in range(len(route.visits) + 1)
    )


def assert_valid(board: Board) -> None:
    problem, plan = standing_plan(board.frame, board.routes)
    assert violations(problem, plan) == []


def filled(seed: int, *, limited: bool) -> tuple[int, int]:
    """Ask and fill a small day until it is full; how many places were possible, and how many the board missed."""
    draw = random.Random(1000 + seed)
    board = Board(a_frame(seed, limited=limited))
    possible = missed = 0
    for n in range(50):
        visit, taken = a_visit(f"x{n}", draw), None
        for window, fit in zip(WINDOWS, board.fits(visit, WINDOWS), strict=True):
            asked = replace(visit, windows_s=(window,))
            if fit is None:
                if n % 3 == 0:  # trying everything takes its time
                    found = exact_anywhere(board, asked)
                    possible, missed = possible + found, missed + found
                continue
            possible += n % 3 == 0
            route = exact(board, asked, fit)
            assert route is not None, (seed, n, window, fit)
            if asked.windows_s == visit.windows_s:
                taken = route
        if taken is not None:
            board.put(taken)
    assert sum(len(route.visits) for route in board.routes) > 5
    problem, plan = standing_plan(board.frame, board.routes)
    assert violations(problem, plan) == []
    return possible, missed


@pytest.mark.parametrize("limited", [False, True])
def test_every_place_the_board_names_is_proven_by_exact_timing_and_few_escape_it(*, limited: bool) -> None:
    counts = [filled(seed, limited=limited) for seed in range(DAYS)]
    possible, missed = (sum(column) for column in zip(*counts, strict=True))
    assert possible > 400
    assert missed <= MOST_MISSED[limited] * possible, (missed, possible)
