"""How many more visits a day takes, and what a van, an hour or a trip more would add: copies of its board, filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from recycling.routing.board import Board
from recycling.routing.problem import Problem, Vehicle
from recycling.routing.standing import Visit, with_visit

Kind = Literal["van", "crew_hour", "trip", "skills"]

MOST_TRIED = 60  # visits asked for; a day with room for more is not full, and the figure says "at least"
HOUR_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What one change of the fleet would add.

    Parameters
    ----------
    kind
        ``van``: one more vehicle at ``station``. ``crew_hour``: every crew an hour longer. ``trip``: every vehicle able
        to load twice as much before it unloads. ``skills``: every crew able to do everything.
    visits
        How many more of the visits asked for then find a place.
    """

    kind: Kind
    station: str | None
    visits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many of the visits asked for a day takes as it is, how many were asked for, and what would add more."""

    visits: int
    asked: int
    gains: tuple[Gain, ...]


def room_of(board: Board, wanted: Sequence[Visit]) -> Room:
    """Ask a day for visits, one after the other, as it is and after each change.

    Parameters
    ----------
    board
        The day; it is not changed.
    wanted
        Visits of the kind that people ask for, each with its window, in the sequence in which they come. The first
        `MOST_TRIED` are asked for.

    Returns
    -------
    Room
        Gains that add nothing are left out, the largest come first; of several stations the best.
    """
    asked = list(wanted[:MOST_TRIED])
    taken = _filled(board, asked)
    gains: list[Gain] = []
    if taken < len(asked):
        frame = board.frame
        vans = [(s.key, _with_vehicle(frame, s.key)) for s in frame.stations]
        tries: list[tuple[Kind, str | None, Problem]] = [("van", key, bigger) for key, bigger in vans]
        every = frame.vehicles
        skills = frozenset[str]().union(*(v.skills for v in every))
        tries += [
            ("crew_hour", None, replace(frame, vehicles=tuple(_longer(v, frame) for v in every))),
            ("trip", None, replace(frame, vehicles=tuple(_roomier(v) for v in every))),
            ("skills", None, replace(frame, vehicles=tuple(replace(v, skills=skills) for v in every))),
        ]
        found = [Gain(kind=k, station=s, visits=_filled(_moved(board, f), asked) - taken) for k, s, f in tries]
        best_van = max((gain for gain in found if gain.kind == "van"), key=lambda gain: gain.visits)
        gains = [gain for gain in found if gain.visits > 0 and (gain.kind != "van" or gain is best_van)]
    return Room(visits=taken, asked=len(asked), gains=tuple(sorted(gains, key=lambda gain: -gain.visits)))


def _filled(board: Board, wanted: Sequence[Visit]) -> int:
    """How many of the visits find a place."""
    board, taken = board.copy(), 0
    for number, visit in enumerate(wanted):
        asked = replace(visit, key=f"asked:{number}")
        fit = board.fits(asked, [asked.windows_s[0]])[0]
        if fit is None:
            continue
        route = with_visit(board.frame, board.route(fit.vehicle), asked, fit.position, room=board.room(fit.vehicle))
        if route is not None:
            board.put(route)
            taken += 1
    return taken


def _moved(board: Board, frame: Problem) -> Board:
    """The same routes in a day with more of something."""
    other = Board(frame)
    for route in board.routes:
        if route.visits:
            other.put(route)
    return other


def _with_vehicle(frame: Problem, station: str) -> Problem:
    """One vehicle more at a station, the twin of one that is at home there or else of the first."""
    twin = next((v for v in frame.vehicles if v.start_station == station), frame.vehicles[0])
    more = replace(twin, key="one-more", start_station=station, end_station=station)
    return replace(frame, vehicles=(*frame.vehicles, more))


def _longer(vehicle: Vehicle, frame: Problem) -> Vehicle:
    """An hour longer, as far as the home station is open."""
    begin_s, end_s = vehicle.shift_s
    closes_s = frame.station_by_key[vehicle.end_station].open_s[1]
    return replace(vehicle, shift_s=(begin_s, max(end_s, min(end_s + HOUR_S, closes_s))))


def _roomier(vehicle: Vehicle) -> Vehicle:
    return replace(vehicle, capacity=tuple(2 * most for most in vehicle.capacity))
