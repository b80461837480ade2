"""Builders with defaults for days small enough to plan by hand.

Places lie on a line, one second and one metre per unit, so the leg from 0 to 600 takes 600 s and measures 600 m.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from recycling.routing.check import violations
from recycling.routing.cost import evaluate
from recycling.routing.plan import Cost, Plan, Route, Search, Step, Unassigned
from recycling.routing.problem import Euclidean, Problem, Station, Stop, Vehicle

LINE = Euclidean(scale=1, rounding="round")
DAY = date(2026, 11, 24)


def a_station(key: str, location: int, **changes: Any) -> Station:
    """A station open 8:00–19:00 that unloads in 100 s and takes everything."""
    station = Station(
        key=key, location=location, open_s=(28_800, 68_400), unload_s=100, can_unload=True, intake_limit=None
    )
    return replace(station, **changes)


def a_vehicle(key: str, home: str = "home", **changes: Any) -> Vehicle:
    """A vehicle for 100 units, 8:00–18:00 without break or overtime; 1,000 a day and 1 a second of travel."""
    vehicle = Vehicle(
        key=key,
        start_station=home,
        end_station=home,
        capacity=(100,),
        skills=frozenset(),
        shift_s=(28_800, 64_800),
        max_duration_s=None,
        max_overtime_s=0,
        overtime_cost_per_s=0,
        break_=None,
        fixed_cost=1_000,
        cost_per_travel_s=1,
        cost_per_m=0,
        start=None,
        locked=(),
    )
    return replace(vehicle, **changes)


def a_stop(key: str, location: int, **changes: Any) -> Stop:
    """A stop of 10 units and 300 s, to be served any time of the day, skipped for 5,000."""
    stop = Stop(
        key=key,
        location=location,
        windows_s=((28_800, 64_800),),
        service_s=300,
        load=(10,),
        skills=frozenset(),
        skip_cost=5_000,
        prefer=None,
    )
    return replace(stop, **changes)


def a_problem(
    line: tuple[float, ...], stations: tuple[Station, ...], vehicles: tuple[Vehicle, ...], stops: tuple[Stop, ...],
    **changes: Any,
) -> Problem:  # fmt: skip
    """A day on a line, with grams as its one load unit."""
    parts: dict[str, Any] = {
        "day": DAY, "load_units": ("g",), "locations": tuple((x, 0.0) for x in line), "travel": LINE,
        "stations": stations, "vehicles": vehicles, "stops": stops,
    }  # fmt: skip
    return Problem(**(parts | changes))


def a_step(kind: Any, location: int, times_s: tuple[int, int, int], load: tuple[int, ...], key: str = "") -> Step:
    """A step with arrival, start and end; ``key`` is the stop of a pickup, the station of an unload or end."""
    return Step(
        kind=kind,
        location=location,
        arrival_s=times_s[0],
        start_s=times_s[1],
        end_s=times_s[2],
        load=load,
        stop=key if kind == "pickup" else None,
        station=key if kind in ("unload", "end") else None,
    )


def a_cost(**parts: int) -> Cost:
    """A cost from its parts, the rest 0, with their total."""
    names = ("fixed", "travel", "distance", "overtime", "preferences", "skipped")
    return Cost(total=sum(parts.values()), **{name: parts.get(name, 0) for name in names})


def a_plan(cost: Cost, *routes: Route, left_out: tuple[str, ...] = ()) -> Plan:
    """A plan of these routes; what is left out is so for want of vehicles."""
    return Plan(
        cost=cost,
        routes=routes,
        unassigned=tuple(Unassigned(stop=key, reason="fleet_full", detail="no room") for key in left_out),
        search=Search(seconds=0.0),
    )


def a_route(vehicle: str, *steps: Step) -> Route:
    """A route of these steps."""
    return Route(vehicle=vehicle, steps=steps)


def with_step(plan: Plan, route: int, step: int, **changes: Any) -> Plan:
    """The plan with one step changed."""
    steps = list(plan.routes[route].steps)
    steps[step] = replace(steps[step], **changes)
    return with_steps(plan, route, *steps)


def with_steps(plan: Plan, route: int, *steps: Step) -> Plan:
    """The plan with one route's steps exchanged."""
    routes = list(plan.routes)
    routes[route] = replace(routes[route], steps=steps)
    return replace(plan, routes=tuple(routes))


def with_vehicle(problem: Problem, index: int, **changes: Any) -> Problem:
    """The problem with one vehicle changed."""
    vehicles = list(problem.vehicles)
    vehicles[index] = replace(vehicles[index], **changes)
    return replace(problem, vehicles=tuple(vehicles))


def with_station(problem: Problem, index: int, **changes: Any) -> Problem:
    """The problem with one station changed."""
    stations = list(problem.stations)
    stations[index] = replace(stations[index], **changes)
    return replace(problem, stations=tuple(stations))


def with_stop(problem: Problem, index: int, **changes: Any) -> Problem:
    """The problem with one stop changed."""
    stops = list(problem.stops)
    stops[index] = replace(stops[index], **changes)
    return replace(problem, stops=tuple(stops))


Found = list[tuple[str, str | None, str | None, int]]
"""Cause, vehicle, stop and excess of violations."""


def judged(problem: Problem, plan: Plan) -> Found:
    """What the checker says when the plan states the cost that it has."""
    found = violations(problem, replace(plan, cost=evaluate(problem, plan)))
    return [(one.cause, one.vehicle, one.stop, one.excess) for one in found]
