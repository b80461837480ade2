"""Days of bookings played without a database: what the replay proof and the benchmark's month both need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from recycling.policy.district import District
from recycling.routing.board import Board
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem, Stop
from recycling.routing.standing import Visit, timed_route
from recycling.usecases.bookings.promise import Judged, Wish, area_of, needs, place_of
from recycling.usecases.planning.day_problem import dearest_day


def judged_on(wish: Wish, day: date, *, district: District) -> Judged:
    """A wish sized for a day, whether or not that day can be booked."""
    need = needs(wish.items, floor=wish.floor, has_lift=wish.has_lift, day=day, district=district)
    return Judged(area=area_of(wish, district=district), need=need, place=place_of(wish))


def board_of(board: Board, plan: Plan) -> Board | None:
    """The board with a plan's routes in the place of its own; ``None`` when one of them cannot be timed."""
    visits = {visit.key: visit for route in board.routes for visit in route.visits}
    fresh = Board(board.frame)
    for route in plan.routes:
        on_it = [visits[step.stop] for step in route.steps if step.stop is not None]
        timed = timed_route(fresh.frame, route.vehicle, on_it, room=fresh.room(route.vehicle))
        if timed is None:
            return None
        fresh.put(timed)
    return fresh


def of_visits(frame: Problem, visits: Sequence[Visit]) -> Problem:
    """A day with these visits, on no route yet."""
    return replace(
        frame,
        locations=(*frame.locations, *((visit.lat, visit.lon) for visit in visits)),
        stops=tuple(
            Stop(
                key=visit.key, location=place, windows_s=visit.windows_s, service_s=visit.service_s, load=visit.load,
                skills=visit.skills, skip_cost=None, prefer=None,
            )
            for place, visit in enumerate(visits, start=len(frame.locations))
        ),
    )  # fmt: skip


def optional(problem: Problem, *, district: District) -> Problem:
    """The day with every stop to be left out only for want of a place: at more than all driving there is."""
    dear = dearest_day(district.network, speed_kmh=district.network.travel.speed_kmh) + 1
    return replace(problem, stops=tuple(replace(stop, skip_cost=dear) for stop in problem.stops))
