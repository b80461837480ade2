"""A route as the checker follows it: own places, travel times and loads beside what the steps claim."""

from __future__ import annotations

from dataclasses import dataclass

from recycling.routing.cost import leg, places, start_place
from recycling.routing.plan import Route, Step
from recycling.routing.problem import Problem, Station, Stop, Vehicle

Load = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule.

    Parameters
    ----------
    cause
        Stable word for programs, named in the rule that found it.
    vehicle, stop
        Keys as the plan states them; ``None`` when the breach is not about one.
    excess
        Size of the breach in the unit of the rule (seconds, load units, cost), >= 0; 0 or 1 where nothing is measured.
    unit
        The load unit of the excess, where it is a load.
    text
        One sentence with the values.
    """

    cause: str
    vehicle: str | None = None
    stop: str | None = None
    excess: int = 1
    unit: str | None = None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A step beside what the checker itself knows of it.

    Parameters
    ----------
    place
        Location by the checker's reckoning.
    travel_s
        Seconds from the previous step's place; 0 for the first.
    before, after
        Load on board by the checker's sums, one amount per load unit.
    stop, station
        What the step visits, ``None`` when nobody knows it. For the end: the vehicle's own end station.
    """

    step: Step
    place: int
    travel_s: int
    before: Load
    after: Load
    stop: Stop | None
    station: Station | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """One route of a known vehicle, walked by the checker. ``visits`` has at least one element."""

    problem: Problem
    vehicle: Vehicle
    visits: tuple[Visit, ...]

    @property
    def begun_s(self) -> int:
        """When the route begins: on leaving the start, or the instant a vehicle under way was given."""
        return self.visits[0].step.end_s if self.vehicle.start is None else self.vehicle.start.time_s

    @property
    def ended_s(self) -> int:
        """When the route is over, the final unload included."""
        return self.visits[-1].step.end_s

    def breach(
        self, cause: str, excess: int, text: str, visit: Visit | None = None, *, unit: str | None = None
    ) -> Violation:
        """A violation on this route."""
        stop = None if visit is None else visit.step.stop
        return Violation(cause=cause, vehicle=self.vehicle.key, stop=stop, excess=excess, unit=unit, text=text)


def walk(problem: Problem, vehicle: Vehicle, route: Route) -> Drive:
    """Follow a route with own places, travel and loads; the steps' own claims are kept beside them.

    An unknown stop adds no load. Only pickups, unloads and the end change what is on board.
    """
    load = vehicle.start.load if vehicle.start is not None else (0,) * len(problem.load_units)
    here = start_place(problem, vehicle)
    visits: list[Visit] = []
    for step, place in zip(route.steps, places(problem, vehicle, route), strict=True):
        stop = problem.stop_by_key.get(step.stop or "") if step.kind == "pickup" else None
        station = _station(problem, vehicle, step)
        before = load
        if stop is not None:
            load = tuple(a + b for a, b in zip(load, stop.load, strict=True))
        elif step.kind in ("unload", "end"):
            load = (0,) * len(load)
        visits.append(
            Visit(
                step=step, place=place, travel_s=leg(problem, here, place)[0] if visits else 0,
                before=before, after=load, stop=stop, station=station,
            )
        )  # fmt: skip
        here = place
    return Drive(problem=problem, vehicle=vehicle, visits=tuple(visits))


def _station(problem: Problem, vehicle: Vehicle, step: Step) -> Station | None:
    if step.kind == "end":
        return problem.station_by_key[vehicle.end_station]
    return problem.station_by_key.get(step.station or "") if step.kind == "unload" else None
