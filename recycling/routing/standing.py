"""A vehicle's tentative route (意向路线): what it has promised for a day, in sequence, timed exactly.

A promise is a place in such a route. Taking one more visit in and letting one go are exact steps on one vehicle; the
`board` says beforehand, for all vehicles at once, where a visit fits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from recycling.routing.cost import evaluate
from recycling.routing.course import Act
from recycling.routing.day import Day, Load, Windows
from recycling.routing.plan import NO_COST, Plan, Route, Search
from recycling.routing.problem import Problem, Stop, problem_to_json
from recycling.routing.timing import Timed, Timing, steps

WHOLE_DAY: Windows = ((0, 86_400),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One promised visit: a stop with its point instead of a location's number.

    Parameters
    ----------
    key
        Names the visit; unique within a day.
    lat, lon
        WGS-84 degrees.
    windows_s, service_s, load, skills
        As for `problem.Stop`.
    """

    key: str
    lat: float
    lon: float
    windows_s: Windows
    service_s: int
    load: Load
    skills: frozenset[str]

    @property
    def gone(self) -> bool:
        """Whether nothing is left to do here: a mere waypoint that keeps the seconds of a route as they were."""
        return not self.service_s and not any(self.load) and self.windows_s == WHOLE_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRoute:
    """A route that keeps every rule of its day.

    Parameters
    ----------
    vehicle
        Key of the vehicle.
    visits
        In sequence.
    acts
        Pickups, unloads and the break in sequence, as in `Timed`: a pickup's index is that of its visit; locations are
        the stations, then the visits.
    cost, begin_s, end_s, intake
        As in `Timed`; all 0 or empty for a route without visits.
    """

    vehicle: str
    visits: tuple[Visit, ...] = ()
    acts: tuple[Act, ...] = ()
    cost: int = 0
    begin_s: int = 0
    end_s: int = 0
    intake: tuple[Load, ...] = ()

    def position_of(self, key: str) -> int:
        """Where in the sequence a visit stands.

        Raises
        ------
        KeyError
            When the route does not hold it.
        """
        for position, visit in enumerate(self.visits):
            if visit.key == key:
                return position
        raise KeyError(key)


def can_serve(frame: Problem, vehicle: str, visit: Visit) -> bool:
    """Whether skills and capacity let the vehicle serve the visit at all."""
    able = frame.vehicle_by_key[vehicle]
    return visit.skills <= able.skills and all(x <= most for x, most in zip(visit.load, able.capacity, strict=True))


def timed_route(
    frame: Problem, vehicle: str, visits: Sequence[Visit], *, room: Sequence[Load] | None = None
) -> StandingRoute | None:
    """Time visits in sequence, with unloads and lunch placed exactly.

    Parameters
    ----------
    frame
        The day without stops: stations, vehicles and travel.
    room
        What each station with an intake limit takes from this vehicle; ``None`` = the whole limits.

    Returns
    -------
    StandingRoute or None
        ``None`` when a rule would be broken.
    """
    if not visits:
        return StandingRoute(vehicle=vehicle)
    if not all(can_serve(frame, vehicle, visit) for visit in visits):
        return None
    timed = _timing(frame, vehicle, visits).time(0, range(len(visits)), room)
    return None if timed is None else _standing(vehicle, visits, timed)


def with_visit(
    frame: Problem, route: StandingRoute, visit: Visit, position: int, *, room: Sequence[Load] | None = None
) -> StandingRoute | None:
    """The route with one visit more at a position of its sequence; ``None`` when a rule would be broken."""
    visits = (*route.visits[:position], visit, *route.visits[position:])
    return timed_route(frame, route.vehicle, visits, room=room)


def without(frame: Problem, route: StandingRoute, key: str) -> StandingRoute:
    """The route without a visit. It brings no station more than it did.

    Driving straight on can take a second longer than by way of the visit, since ways are rounded to seconds. A route
    with no second to spare then keeps driving by, with nothing to do there, until it is planned anew.
    """
    position = route.position_of(key)
    rest = (*route.visits[:position], *route.visits[position + 1 :])
    while rest and all(visit.gone for visit in rest):
        rest = ()
    room = route.intake or None
    shorter = timed_route(frame, route.vehicle, rest, room=room)
    if shorter is not None:
        return shorter
    visit = route.visits[position]
    # Under a name of its own: who was here is nobody's business any more.
    name = hashlib.sha256(visit.key.encode()).hexdigest()[:16]
    waypoint = replace(visit, key=f"gone:{name}", windows_s=WHOLE_DAY, service_s=0, load=tuple(0 for _ in visit.load))
    kept = timed_route(
        frame, route.vehicle, (*route.visits[:position], waypoint, *route.visits[position + 1 :]), room=room
    )
    if kept is None:
        raise RuntimeError(f"the route of {route.vehicle} cannot be kept without {key}, which no rule explains")
    return kept


def alone(frame: Problem, vehicle: str, visits: Sequence[Visit]) -> Problem:
    """The day of one vehicle with its visits, for timing and for the checker."""
    first = len(frame.locations)
    return Problem(
        day=frame.day,
        load_units=frame.load_units,
        locations=(*frame.locations, *((visit.lat, visit.lon) for visit in visits)),
        travel=frame.travel,
        stations=frame.stations,
        vehicles=(frame.vehicle_by_key[vehicle],),
        stops=tuple(
            Stop(
                key=visit.key, location=place, windows_s=visit.windows_s, service_s=visit.service_s, load=visit.load,
                skills=visit.skills, skip_cost=None, prefer=None,
            )
            for place, visit in enumerate(visits, start=first)
        ),
    )  # fmt: skip


def itinerary(frame: Problem, route: StandingRoute) -> Route:
    """The route's steps with their clock, locations numbered as in `alone`."""
    timed = Timed(
        vehicle=0, stops=tuple(range(len(route.visits))), cost=route.cost, begin_s=route.begin_s, end_s=route.end_s,
        acts=route.acts, intake=route.intake,
    )  # fmt: skip
    return steps(Day(alone(frame, route.vehicle, route.visits)), timed)


def standing_plan(frame: Problem, routes: Iterable[StandingRoute]) -> tuple[Problem, Plan]:
    """The whole day, every visit mandatory, and its routes as a plan: for the checker, or to start the planner from."""
    used = [route for route in routes if route.visits]
    locations, stops, planned = list(frame.locations), list[Stop](), list[Route]()
    first = len(frame.locations)
    for route in used:
        shift = len(locations) - first
        single = alone(frame, route.vehicle, route.visits)
        locations += single.locations[first:]
        stops += (replace(stop, location=stop.location + shift) for stop in single.stops)
        moved = (
            replace(step, location=step.location + (shift if step.location >= first else 0))
            for step in itinerary(frame, route).steps
        )
        planned.append(Route(vehicle=route.vehicle, steps=tuple(moved)))
    problem = replace(frame, locations=tuple(locations), stops=tuple(stops))
    plan = Plan(cost=NO_COST, routes=tuple(planned), unassigned=(), search=Search(seconds=0.0))
    return problem, replace(plan, cost=evaluate(problem, plan))


def _timing(frame: Problem, vehicle: str, visits: Sequence[Visit]) -> Timing:
    return Timing(Day(alone(frame, vehicle, visits)))


def _standing(vehicle: str, visits: Sequence[Visit], timed: Timed) -> StandingRoute:
    return StandingRoute(
        vehicle=vehicle, visits=tuple(visits), acts=timed.acts, cost=timed.cost, begin_s=timed.begin_s,
        end_s=timed.end_s, intake=timed.intake,
    )  # fmt: skip


# --- JSON ---------------------------------------------------------------------------------------------------------


def frame_mark(frame: Problem) -> str:
    """A short name of stations, vehicles and travel: a stored timetable holds only for the fleet it was made for."""
    raw = problem_to_json(frame) | {"day": None}
    return hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()[:16]


def route_to_json(route: StandingRoute) -> dict[str, Any]:
    """A route as plain JSON values, its vehicle apart."""
    return {
        "visits": [
            [v.key, v.lat, v.lon, v.windows_s, v.service_s, v.load, sorted(v.skills)] for v in route.visits
        ],
        "acts": route.acts,
        "clock": [route.cost, route.begin_s, route.end_s],
        "intake": route.intake,
    }  # fmt: skip


def route_from_json(vehicle: str, raw: Mapping[str, Any]) -> StandingRoute:
    """The route of a vehicle as `route_to_json` wrote it."""
    cost, begin_s, end_s = raw["clock"]
    return StandingRoute(
        vehicle=vehicle,
        visits=tuple(
            Visit(
                key=key, lat=lat, lon=lon, windows_s=tuple((a, b) for a, b in windows), service_s=service_s,
                load=tuple(load), skills=frozenset(skills),
            )
            for key, lat, lon, windows, service_s, load, skills in raw["visits"]
        ),
        acts=tuple((kind, index, place) for kind, index, place in raw["acts"]),
        cost=cost,
        begin_s=begin_s,
        end_s=end_s,
        intake=tuple(tuple(load) for load in raw["intake"]),
    )  # fmt: skip
