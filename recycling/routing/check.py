"""The independent checker: every rule of the planner's contract, judged from the problem and a plan's steps alone.

Shares no line with the search: own travel and cost (`cost.py`), own clock and sums (`check_walk.py`), one function
per rule (`check_route.py` for one route, here for the whole day). It also judges
plans that a person has edited: whatever a `Plan` holds, it is reported, never raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from recycling.routing.check_route import ROUTE_RULES
from recycling.routing.check_walk import Drive, Violation, walk
from recycling.routing.cost import evaluate, leg, start_place
from recycling.routing.plan import COST_PARTS, Cost, Plan, Route
from recycling.routing.problem import Problem, Vehicle

__all__ = ["RULES", "Violation", "violations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A plan beside its problem; ``drives`` are its routes of `known_routes`, ``cost`` what the checker makes it."""

    problem: Problem
    plan: Plan
    drives: tuple[Drive, ...]
    cost: Cost


def violations(problem: Problem, plan: Plan) -> list[Violation]:
    """Every rule of the contract that the plan breaks; an empty list is a valid plan.

    Parameters
    ----------
    problem, plan
        Any two, also when they do not belong together.

    Returns
    -------
    list of Violation
        In the sequence of `RULES`. One damage may break several rules.
    """
    day = Day(
        problem=problem, plan=plan, drives=tuple(walk(*known) for known in known_routes(problem, plan.routes)),
        cost=evaluate(problem, plan),
    )  # fmt: skip
    return [found for rule in RULES for found in rule(day)]


def known_routes(problem: Problem, routes: Iterable[Route]) -> Iterator[tuple[Problem, Vehicle, Route]]:
    """The routes that can be followed: their vehicle is known, and they have steps."""
    for route in routes:
        if route.vehicle in problem.vehicle_by_key and route.steps:
            yield problem, problem.vehicle_by_key[route.vehicle], route


# --- vehicles and stops over the whole plan -----------------------------------------------------------------------


def known_vehicles_once(day: Day) -> Iterator[Violation]:
    """Rule: a route's vehicle exists (``unknown_vehicle``) and has one route (``vehicle_twice``), which has steps
    (``route_form``).
    """
    for key, times in Counter(route.vehicle for route in day.plan.routes).items():
        if key not in day.problem.vehicle_by_key:
            yield Violation(cause="unknown_vehicle", vehicle=key, text=f"no vehicle has the key {key!r}")
        if times > 1:
            yield Violation(
                cause="vehicle_twice", vehicle=key, excess=times - 1, text=f"vehicle {key!r} has {times} routes"
            )
    for route in day.plan.routes:
        if not route.steps:
            yield Violation(cause="route_form", vehicle=route.vehicle, text="the route has no steps, not even a start")


def stops_once(day: Day) -> Iterator[Violation]:
    """Rule: each stop of the problem is served once or listed as left out once, never both and never neither
    (``stop_twice``, ``stop_listed_twice``, ``served_and_listed``, ``stop_missing``), and no other stop occurs
    (``unknown_stop``).

    Leaving a stop out is a cost, not a violation, also when it is mandatory.
    """
    served = Counter(s.stop or "" for route in day.plan.routes for s in route.steps if s.kind == "pickup")
    listed = Counter(left.stop for left in day.plan.unassigned)
    for key in served | listed:
        if key not in day.problem.stop_by_key:
            yield Violation(cause="unknown_stop", stop=key, text=f"no stop has the key {key!r}")
    for key in day.problem.stop_by_key:
        times, rows = served[key], listed[key]
        if times > 1:
            yield Violation(
                cause="stop_twice", stop=key, excess=times - 1, text=f"stop {key!r} is served {times} times"
            )
        if rows > 1:
            yield Violation(
                cause="stop_listed_twice", stop=key, excess=rows - 1, text=f"stop {key!r} is left out {rows} times"
            )
        if times and rows:
            yield Violation(cause="served_and_listed", stop=key, text=f"stop {key!r} is both served and left out")
        if not times and not rows:
            yield Violation(cause="stop_missing", stop=key, text=f"stop {key!r} is neither served nor left out")


def inside_intake_limits(day: Day) -> Iterator[Violation]:
    """Rule: what all vehicles unload at a station, on the way and at their end, and with what vehicles under way
    brought, is within its limit in every unit (``over_intake``).
    """
    units = day.problem.load_units
    taken = {station.key: [0] * len(units) for station in day.problem.stations}
    for drive in day.drives:
        for visit in drive.visits:
            if visit.station is not None:
                for u, amount in enumerate(visit.before):
                    taken[visit.station.key][u] += amount
    for station in day.problem.stations:
        for unit, amount, most in zip(units, taken[station.key], station.intake_limit or (), strict=False):
            if amount > most:
                text = f"{station.key!r} gets {amount} {unit}, it takes {most}"
                yield Violation(cause="over_intake", excess=amount - most, unit=unit, text=text)


# --- locks --------------------------------------------------------------------------------------------------------


def locks_are_kept(day: Day) -> Iterator[Violation]:
    """Rule: locked stops are their vehicle's first pickups, in their sequence, and nobody else's (``lock_broken``).

    A lock that cannot be kept must not forbid the whole day: its stop may be left out, at its cost. That excuse does
    not count when the vehicle could simply have driven its locked stops and gone home.
    """
    listed = {left.stop for left in day.plan.unassigned}
    by_vehicle: dict[str, list[str | None]] = {}
    for route in day.plan.routes:
        by_vehicle.setdefault(route.vehicle, []).extend(s.stop for s in route.steps if s.kind == "pickup")
    for vehicle in day.problem.vehicles:
        wanted = [key for key in vehicle.locked if key not in listed]
        left = [key for key in vehicle.locked if key in listed]
        first = by_vehicle.get(vehicle.key, [])[: len(wanted)]
        missed = next((key for i, key in enumerate(wanted) if first[i : i + 1] != [key]), None)
        if missed is not None:
            text = f"the first pickups are {first}, locked are {wanted}"
            yield Violation(cause="lock_broken", vehicle=vehicle.key, stop=missed, text=text)
        if left and _plain_drive_works(day.problem, vehicle):
            text = f"the locked {left} are left out, although {list(vehicle.locked)} and then home keeps every rule"
            yield Violation(cause="lock_broken", vehicle=vehicle.key, stop=left[0], excess=len(left), text=text)


def _plain_drive_works(problem: Problem, vehicle: Vehicle) -> bool:
    """Whether leaving as early as possible, serving the locked stops without unload or break and going home is a valid
    route beside any other routes. ``False`` proves nothing: another way may exist.
    """
    home, origin = problem.station_by_key[vehicle.end_station], problem.station_by_key[vehicle.start_station]
    clock_s, here = max(vehicle.shift_s[0], origin.open_s[0]), start_place(problem, vehicle)
    if vehicle.start is not None:
        clock_s = max(vehicle.shift_s[0], vehicle.start.time_s)
    elif clock_s > min(vehicle.shift_s[1], origin.open_s[1]):
        return False
    begun_s = clock_s if vehicle.start is None else vehicle.start.time_s
    load = vehicle.start.load if vehicle.start is not None else (0,) * len(problem.load_units)
    for stop in (problem.stop_by_key[key] for key in vehicle.locked):
        clock_s += leg(problem, here, stop.location)[0]
        load = tuple(a + b for a, b in zip(load, stop.load, strict=True))
        openings = [max(a, clock_s) for a, b in stop.windows_s if clock_s <= b]
        full = any(a > b for a, b in zip(load, vehicle.capacity, strict=True))
        if full or not openings or not stop.skills <= vehicle.skills:
            return False
        clock_s, here = min(openings) + stop.service_s, stop.location
    clock_s = max(clock_s + leg(problem, here, home.location)[0], home.open_s[0])
    ended_s = clock_s + (home.unload_s if any(load) else 0)
    rest = vehicle.break_
    return (
        ended_s <= min(home.open_s[1], vehicle.shift_s[1] + vehicle.max_overtime_s)
        and (vehicle.max_duration_s is None or ended_s - begun_s <= vehicle.max_duration_s)
        and (rest is None or not (begun_s < rest.window_s[0] and ended_s > rest.window_s[1]))
        and home.intake_limit is None  # what others bring could fill it
    )


# --- cost ---------------------------------------------------------------------------------------------------------


def right_cost(day: Day) -> Iterator[Violation]:
    """Rule: every part of the stated cost, and their total, is what the checker's own evaluation gives
    (``wrong_cost``).
    """
    for part in COST_PARTS:
        stated, want = getattr(day.plan.cost, part), getattr(day.cost, part)
        if stated != want:
            yield Violation(
                cause="wrong_cost", excess=abs(stated - want), text=f"cost.{part} is stated {stated}, it is {want}"
            )


def _on_every_route(rule: Callable[[Drive], Iterator[Violation]]) -> Callable[[Day], Iterator[Violation]]:
    def over_the_day(day: Day) -> Iterator[Violation]:
        for drive in day.drives:
            yield from rule(drive)

    over_the_day.__name__, over_the_day.__doc__ = rule.__name__, rule.__doc__
    return over_the_day


DAY_RULES: tuple[Callable[[Day], Iterator[Violation]], ...] = (
    known_vehicles_once,
    stops_once,
    inside_intake_limits,
    locks_are_kept,
    right_cost,
)
RULES: tuple[Callable[[Day], Iterator[Violation]], ...] = (
    *DAY_RULES[:2],
    *map(_on_every_route, ROUTE_RULES),
    *DAY_RULES[2:],
)
