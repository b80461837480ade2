"""A plan in a dispatcher's hand: what breaks when stops are moved, what it costs, and where a stop fits best.

The search's timing makes the changed routes, the checker judges them; both remember, so that a verdict costs only the
routes that changed since the last one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recycling.errors import InvalidInput
from recycling.routing.check_walk import Violation
from recycling.routing.day import Day, Load
from recycling.routing.draft import Draft
from recycling.routing.forced import forced
from recycling.routing.plan import Plan, Route, Search, Unassigned
from recycling.routing.problem import Problem
from recycling.routing.recheck import Recheck
from recycling.routing.timing import Timed, steps

MOST_KEPT = 1000  # timed routes remembered; the oldest go first
BY_HAND = "手工移出 / taken off by hand"

Wish = Mapping[str, Sequence[str]]
"""The whole sequence of stop keys of each vehicle whose route is wanted otherwise; an empty one stays at home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the checker says of a plan with some routes changed.

    Parameters
    ----------
    plan
        The whole plan as it would be; stops on no route are listed in ``unassigned``.
    changed
        Its routes of the vehicles asked about, as far as they have any.
    violations
        Every rule that it breaks; empty when it may be kept.
    left_out
        Stops that the plan before served and this one does not.
    travel_s, distance_m
        Driving of all routes together.
    """

    plan: Plan
    changed: tuple[Route, ...]
    violations: tuple[Violation, ...]
    left_out: tuple[str, ...]
    travel_s: int
    distance_m: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a stop fits: index in the vehicle's sequence, start of service, and what the plan costs more by it."""

    vehicle: str
    position: int
    start_s: int
    added_cost: int


class Judge:
    """Judges changes of one plan. Not for two threads at once.

    Parameters
    ----------
    problem, plan
        A day and a checked plan of it; stops and vehicles of the plan are those of the day.
    """

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.plan = problem, plan
        self._day = Day(problem)
        self._recheck = Recheck(problem)
        self._route_of = {route.vehicle: route for route in plan.routes}
        self._draft = Draft(self._day)
        self._sequence: dict[int, tuple[int, ...]] = {}
        for route in plan.routes:
            vehicle = self._day.vehicle_index[route.vehicle]
            stops = tuple(self._day.stop_index[step.stop] for step in route.steps if step.stop is not None)
            self._sequence[vehicle] = stops
            self._draft.put(vehicle, self._draft.time(vehicle, stops))
        self._made: dict[tuple[int, tuple[int, ...], tuple[Load, ...]], tuple[Timed | None, Route]] = {}
        self._recheck.violations(plan)

    def verdict(self, wish: Wish) -> Verdict:
        """Judge the plan with these sequences in place of its own.

        Raises
        ------
        InvalidInput
            When a vehicle or stop is unknown, or a stop would be on two routes.
        """
        wanted = self._indexed(wish)
        _, made = self._drafted(wanted)
        routes = tuple(
            route
            for v, vehicle in enumerate(self.problem.vehicles)
            if (route := made[v] if v in made else self._route_of.get(vehicle.key)) is not None
        )
        served = {step.stop for route in routes for step in route.steps}
        before = {left.stop: left for left in self.plan.unassigned}
        missing = [stop.key for stop in self.problem.stops if stop.key not in served]
        plan = Plan(
            cost=self._recheck.cost(routes),
            routes=routes,
            unassigned=tuple(
                before.get(key) or Unassigned(stop=key, reason="fleet_full", detail=BY_HAND) for key in missing
            ),
            search=Search(seconds=0.0),
        )
        travel_s, distance_m = self._recheck.driven(routes)
        return Verdict(
            plan=plan,
            changed=tuple(route for route in made.values() if route is not None),
            violations=tuple(self._recheck.violations(plan)),
            left_out=tuple(key for key in missing if key not in before),
            travel_s=travel_s,
            distance_m=distance_m,
        )

    def places(self, stop: str, wish: Wish) -> list[Place]:
        """The best place for a stop on each vehicle that can take it, cheapest first.

        The cost is compared with the plan of ``wish`` without the stop. Vehicles whose wished sequence breaks a rule
        are passed over; a locked stop has its place already.

        Raises
        ------
        InvalidInput
            As for `verdict`.
        """
        wanted = self._indexed(wish)
        moved = self._day.stop_index.get(stop)
        if moved is None:
            raise InvalidInput(f"no stop has the key {stop!r}; take one from the plan / 计划中没有这个预约")
        if any(moved in rig.locked for rig in self._day.rigs):
            return []
        for v, stops in (self._sequence | wanted).items():
            if moved in stops:
                wanted[v] = tuple(one for one in stops if one != moved)
        draft, made = self._drafted(wanted)
        found = []
        for v, vehicle in enumerate(self.problem.vehicles):
            broken = made.get(v) is not None and draft.routes[v] is None
            inserted = None if broken or not self._day.can_carry(v, moved) else draft.insertion(v, moved)
            if inserted is not None:
                cost, timed = inserted
                start_s = next(step.start_s for step in steps(self._day, timed).steps if step.stop == stop)
                position = timed.stops.index(moved)
                found.append(Place(vehicle=vehicle.key, position=position, start_s=start_s, added_cost=cost))
        return sorted(found, key=lambda place: (place.added_cost, place.vehicle))

    def explainable(self, wish: Wish) -> Draft:
        """The draft behind a wish that breaks nothing, for `explain`."""
        return self._drafted(self._indexed(wish))[0]

    def _indexed(self, wish: Wish) -> dict[int, tuple[int, ...]]:
        try:
            wanted = {
                self._day.vehicle_index[vehicle]: tuple(self._day.stop_index[stop] for stop in stops)
                for vehicle, stops in wish.items()
            }
        except KeyError as unknown:
            raise InvalidInput(
                f"the plan's day has no vehicle or stop {unknown.args[0]!r}; take keys from the plan"
                " / 计划中没有这个车辆或预约"
            ) from None
        taken = [stop for stops in (self._sequence | wanted).values() for stop in stops]
        if len(set(taken)) != len(taken):
            twice = next(stop for stop in taken if taken.count(stop) > 1)
            raise InvalidInput(
                f"stop {self.problem.stops[twice].key} would be on two routes; send every route that it leaves as well"
                " / 同一预约不能在两条路线上"
            )
        return wanted

    def _drafted(self, wanted: Mapping[int, tuple[int, ...]]) -> tuple[Draft, dict[int, Route | None]]:
        """The routes wanted, each timed beside the others, and as they go; one that breaks a rule is in no draft."""
        draft = self._draft.copy()
        for vehicle in wanted:
            draft.put(vehicle, None)
        made: dict[int, Route | None] = {}
        for vehicle, stops in wanted.items():
            if not stops:
                made[vehicle] = None
                continue
            if stops == self._sequence.get(vehicle):
                draft.put(vehicle, self._draft.routes[vehicle])
                made[vehicle] = self._route_of[self.problem.vehicles[vehicle].key]
                continue
            key = (vehicle, stops, draft.room(vehicle))
            if key not in self._made:
                timed = draft.time(vehicle, stops)
                route = forced(self._day, vehicle, stops) if timed is None else steps(self._day, timed)
                self._made[key] = timed, route
                while len(self._made) > MOST_KEPT:
                    del self._made[next(iter(self._made))]
            timed, made[vehicle] = self._made[key]
            draft.put(vehicle, timed)
        return draft, made
