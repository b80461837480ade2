"""What a day still takes is what it then takes; a named gain is one that was tried."""

from __future__ import annotations

import random
from dataclasses import replace

from recycling.routing.board import Board
from recycling.routing.room import room_of
from recycling.routing.standing import Visit, with_visit
from tests.routing.standing_days import WINDOWS, a_frame, a_visit


def visits(count: int, seed: int) -> list[Visit]:
    draw = random.Random(seed)
    return [a_visit(f"x{n}", draw) for n in range(count)]


def test_a_day_takes_as_many_as_it_said_and_stays_as_it_was() -> None:
    board, wanted = Board(a_frame(3)), visits(40, 1)
    room = room_of(board, wanted)
    assert all(not route.visits for route in board.routes)
    taken = 0
    for visit in wanted:
        fit = board.fits(visit, [visit.windows_s[0]])[0]
        if fit is not None:
            route = with_visit(board.frame, board.route(fit.vehicle), visit, fit.position)
            assert route is not None
            board.put(route)
            taken += 1
    assert (room.visits, room.asked) == (taken, 40)
    assert 0 < taken < 40


def test_what_is_full_is_opened_by_what_it_lacks() -> None:
    # given one vehicle without any skill, and visits that all need one
    frame = a_frame(3, vehicles=2)
    plain, skilled = frame.vehicles
    frame = replace(
        frame,
        vehicles=(
            replace(plain, skills=frozenset(), shift_s=(28_800, 64_800)),
            replace(skilled, skills=frozenset({"two"}), shift_s=(28_800, 64_800)),
        ),
    )
    wanted = [replace(v, skills=frozenset({"two"}), windows_s=(WINDOWS[0],), service_s=3_000) for v in visits(12, 2)]
    room = room_of(Board(frame), wanted)
    gains = {gain.kind: gain for gain in room.gains}
    # two hours hold two or three visits of fifty minutes with the way between them
    assert 0 < room.visits <= 3
    assert gains["skills"].visits > 0
    assert "crew_hour" not in gains  # an hour in the evening opens no morning
    assert "trip" not in gains
    assert [gain.visits for gain in room.gains] == sorted((gain.visits for gain in room.gains), reverse=True)


def test_a_day_with_room_for_all_needs_nothing() -> None:
    room = room_of(Board(a_frame(5, vehicles=6)), visits(2, 3))
    assert (room.visits, room.gains) == (2, ())
