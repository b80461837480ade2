"""The checker, asked again and again about plans that share most of their routes: what stays is not judged anew.

A dispatcher who moves one stop changes two routes of fifty. Each route is walked, judged and priced once, and
remembered by the object that it is: routes are immutable, so the same object has the same findings. Rules over the
whole day are asked every time.
"""

from __future__ import annotations

from dataclasses import dataclass

from recycling.routing.check import DAY_RULES, Day
from recycling.routing.check_route import ROUTE_RULES
from recycling.routing.check_walk import Drive, Violation, walk
from recycling.routing.cost import added_up, driven, route_cost
from recycling.routing.plan import Cost, Plan, Route
from recycling.routing.problem import Problem

MOST_KEPT = 2000  # routes remembered; the oldest go first


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the checker found out about one route; ``drive`` is ``None`` where it cannot be followed."""

    route: Route
    drive: Drive | None
    violations: tuple[Violation, ...]
    cost: Cost
    travel_s: int
    distance_m: int


class Recheck:
    """The checker for one problem. ``violations`` and ``cost`` say what `check.violations` and `cost.evaluate` say."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._found: dict[int, Found] = {}

    def violations(self, plan: Plan) -> list[Violation]:
        """Every rule that the plan breaks: those of the whole day first, then route by route."""
        found = [self._of(route) for route in plan.routes]
        drives = tuple(one.drive for one in found if one.drive is not None)
        day = Day(problem=self.problem, plan=plan, drives=drives, cost=self.cost(plan.routes))
        of_the_day = [broken for rule in DAY_RULES for broken in rule(day)]
        return of_the_day + [broken for one in found for broken in one.violations]

    def cost(self, routes: tuple[Route, ...]) -> Cost:
        """What a plan of these routes costs, the stops on none of them included."""
        served = {step.stop for route in routes for step in route.steps if step.kind == "pickup"}
        return added_up((self._of(route).cost for route in routes), self.problem, served)

    def driven(self, routes: tuple[Route, ...]) -> tuple[int, int]:
        """Seconds and metres of all legs of these routes."""
        found = [self._of(route) for route in routes]
        return sum(one.travel_s for one in found), sum(one.distance_m for one in found)

    def _of(self, route: Route) -> Found:
        # By identity, since comparing the steps would take longer than judging them; the entry holds the route, so
        # that no other object can come to the same address.
        known = self._found.get(id(route))
        if known is None:
            known = self._found[id(route)] = self._judged(route)
            while len(self._found) > MOST_KEPT:
                del self._found[next(iter(self._found))]
        return known

    def _judged(self, route: Route) -> Found:
        vehicle = self.problem.vehicle_by_key.get(route.vehicle)
        if vehicle is None or not route.steps:
            cost = route_cost(self.problem, route)
            return Found(route=route, drive=None, violations=(), cost=cost, travel_s=0, distance_m=0)
        drive = walk(self.problem, vehicle, route)
        travel_s, distance_m = driven(self.problem, vehicle, route)
        return Found(
            route=route, drive=drive, violations=tuple(broken for rule in ROUTE_RULES for broken in rule(drive)),
            cost=route_cost(self.problem, route), travel_s=travel_s, distance_m=distance_m,
        )  # fmt: skip
