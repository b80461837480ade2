"""What a plan costs, summed from its steps alone: own travel, own sums, no line shared with the search.

The numbers a plan states about itself are not read, except the instants of its steps: when a vehicle comes home is the
plan's decision, and overtime follows from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import pairwise

from recycling.routing.plan import NO_COST, Cost, Plan, Route, Step
from recycling.routing.problem import (
    MANDATORY_SKIP_COST,
    Euclidean,
    GreatCircle,
    Problem,
    Vehicle,
)

EARTH_RADIUS_M = 6_371_008.8  # mean radius (2a + b) / 3 of WGS 84: the sphere of the planner's contract
ROUTE_PARTS = ("fixed", "travel", "distance", "overtime", "preferences")
ROUNDINGS: Mapping[str, Callable[[float], int]] = {"floor": math.floor, "round": round, "ceil": math.ceil}


def evaluate(problem: Problem, plan: Plan) -> Cost:
    """What the plan costs by the contract's formula.

    Parameters
    ----------
    problem, plan
        Any plan, also one that breaks rules: a route of an unknown vehicle and an unknown stop cost nothing, a stop
        counts as left out when no route serves it, whatever the plan's own list says.

    Returns
    -------
    Cost
        All parts >= 0 in the problem's money unit. ``travel`` and ``distance`` are already multiplied by the
        vehicles' rates. A route without pickups costs nothing.
    """
    served = {step.stop for route in plan.routes for step in route.steps if step.kind == "pickup"}
    return added_up((route_cost(problem, route) for route in plan.routes), problem, served)


def added_up(routes: Iterable[Cost], problem: Problem, served: Collection[str | None]) -> Cost:
    """What routes cost together, and beside them the stops that are none of ``served``."""
    skipped = sum(
        MANDATORY_SKIP_COST if stop.skip_cost is None else stop.skip_cost
        for stop in problem.stops
        if stop.key not in served
    )
    parts = dict.fromkeys(ROUTE_PARTS, 0)
    for cost in routes:
        for part in ROUTE_PARTS:
            parts[part] += getattr(cost, part)
    return Cost(total=sum(parts.values()) + skipped, skipped=skipped, **parts)


def route_cost(problem: Problem, route: Route) -> Cost:
    """What one route costs by itself: nothing when nobody knows its vehicle or it picks nothing up."""
    pickups = [step.stop for step in route.steps if step.kind == "pickup"]
    vehicle = problem.vehicle_by_key.get(route.vehicle)
    if vehicle is None or not pickups:
        return NO_COST
    seconds, metres = driven(problem, vehicle, route)
    wanted = [problem.stop_by_key[key] for key in pickups if key is not None and key in problem.stop_by_key]
    elsewhere = [stop.prefer for stop in wanted if stop.prefer is not None and stop.prefer.vehicle != vehicle.key]
    parts = {
        "fixed": vehicle.fixed_cost,
        "travel": vehicle.cost_per_travel_s * seconds,
        "distance": vehicle.cost_per_m * metres,
        "overtime": vehicle.overtime_cost_per_s * max(0, route.steps[-1].end_s - vehicle.shift_s[1]),
        "preferences": sum(prefer.cost for prefer in elsewhere),
    }
    return Cost(total=sum(parts.values()), skipped=0, **parts)


def driven(problem: Problem, vehicle: Vehicle, route: Route) -> tuple[int, int]:
    """Seconds and metres of all legs of a route, first step to last."""
    where = places(problem, vehicle, route)
    legs = [leg(problem, a, b) for a, b in pairwise(where)]
    return sum(s for s, _ in legs), sum(m for _, m in legs)


def places(problem: Problem, vehicle: Vehicle, route: Route) -> list[int]:
    """Where each step really happens, always an index into `Problem.locations`.

    The stop or station decides, not the location that the step states. A break happens where it says if the vehicle
    can stand there (where it is already, or where it goes next), else where the vehicle is already. So does a step
    at a stop or station that nobody knows, unless it states a location that exists.
    """
    known = [_place(problem, vehicle, step) for step in route.steps]
    ahead: list[int | None] = [None] * len(known)
    for i in reversed(range(len(known) - 1)):
        ahead[i] = ahead[i + 1] if known[i + 1] is None else known[i + 1]
    here = start_place(problem, vehicle)
    where: list[int] = []
    for step, place, coming in zip(route.steps, known, ahead, strict=True):
        if place is not None:
            here = place
        elif coming is not None and step.location == coming:
            here = coming
        where.append(here)
    return where


def _place(problem: Problem, vehicle: Vehicle, step: Step) -> int | None:
    """The location that the step's stop or station has; ``None`` for breaks and for what has none."""
    match step.kind:
        case "start":
            return start_place(problem, vehicle)
        case "end":
            return problem.station_by_key[vehicle.end_station].location
        case "break":
            return None
    visited = (
        problem.stop_by_key.get(step.stop or "")
        if step.kind == "pickup"
        else problem.station_by_key.get(step.station or "")
    )
    if visited is not None:
        return visited.location
    return step.location if 0 <= step.location < len(problem.locations) else None


def start_place(problem: Problem, vehicle: Vehicle) -> int:
    """Where the vehicle's route begins."""
    if vehicle.start is not None:
        return vehicle.start.location
    return problem.station_by_key[vehicle.start_station].location


def leg(problem: Problem, a: int, b: int) -> tuple[int, int]:
    """Seconds and metres from location ``a`` to location ``b``.

    Rounding is Python's ``round``: the nearest integer, halves to the even one. Halves do occur in seconds (at
    36 km/h a second is ten metres), so whoever computes travel elsewhere writes the contract's own expression,
    ``round(distance_m / (speed_kmh / 3.6))``, and rounds halves to even as well, as NumPy's ``rint`` does.

    Source
    ------
    Haversine: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984) 159.
    """
    travel = problem.travel
    if isinstance(travel, GreatCircle):
        metres = round(travel.factor * haversine_m(problem.locations[a], problem.locations[b]))
        return round(metres / (travel.speed_kmh / 3.6)), metres
    if isinstance(travel, Euclidean):
        (ax, ay), (bx, by) = problem.locations[a], problem.locations[b]
        way = ROUNDINGS[travel.rounding](travel.scale * math.sqrt((ax - bx) ** 2 + (ay - by) ** 2))
        return way, way
    return int(travel.travel_s[a, b]), int(travel.distance_m[a, b])


def haversine_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres along the great circle between two points given as latitude and longitude in degrees."""
    (lat, lon), (to_lat, to_lon) = ((math.radians(p[0]), math.radians(p[1])) for p in (one, other))
    h = math.sin((to_lat - lat) / 2) ** 2 + math.cos(lat) * math.cos(to_lat) * math.sin((to_lon - lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))
