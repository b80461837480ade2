"""PyVRP: iterated local search that may pass through infeasible plans, which OR-Tools' cannot.

It plans the day on the clock without the break. Unloads are its reloads, several windows are groups of clients of which
one is served, and what a vehicle may not serve is too far away for it. Intake limits are left to the exact timing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from pyvrp import (
    Activity,
    ActivityType,
    Client,
    ClientGroup,
    Depot,
    IteratedLocalSearch,
    IteratedLocalSearchCallbacks,
    IteratedLocalSearchParams,
    Location,
    PenaltyManager,
    PenaltyParams,
    ProblemData,
    RandomNumberGenerator,
    Route,
    Solution,
    VehicleType,
)
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.search import OPERATORS, LocalSearch, PerturbationManager, PerturbationParams, compute_neighbours
from pyvrp.stop import MaxIterations, MaxRuntime, MultipleCriteria, StoppingCriterion

from recycling.routing.day import Day, Ints, Rig, Sequences, skip_cost
from recycling.routing.draft import Draft
from recycling.routing.engines import Ask, Memory, Report
from recycling.routing.engines.plain import PlainDay
from recycling.routing.plan import Step
from recycling.routing.timing import steps
from recycling.routing.travel import table

TOO_FAR = 10**8  # cost of a leg to a stop that the vehicle may not serve: above any route, far from the end of 64 bits
MOST_PRIZE = 10**7  # what a mandatory stop is worth: above any route as well, and below `TOO_FAR`
ENDLESS_S = 2**40
MOST_PERTURBED = 25  # stops moved at random before each local search, PyVRP's own; fewer in small parts
UPDATED_EVERY = 50  # iterations between two changes of the penalties
DEARER, CHEAPER = 1.35, 0.85  # by how much; finer steps than PyVRP's own, for they come more often
LATE = 5.0  # price of a second late, in seconds of travel
OVERLOAD = 3.0  # price of carrying a whole capacity too much, in routes
METRES_PER_S = 8  # about 30 km/h: what a second of travel costs where metres are what is paid for
DEAREST = 100_000.0  # PyVRP's own ceiling: above it its integers may overflow
MOST_CELLS = 50_000_000  # over all cost matrices, eight bytes each


class PyVrp:
    """PyVRP on the plain day. One iteration is one of its own."""

    def improve(self, ask: Ask, report: Report) -> Memory:
        """Search from the warm plan and report each better one."""
        plain = PlainDay(ask)
        model = _Model(plain.day)
        if not model.worth_building:
            return ask.memory
        data = model.build()
        stop: list[StoppingCriterion] = [MaxRuntime(ask.seconds)]
        if ask.iterations is not None:
            stop.append(MaxIterations(ask.iterations))
        # A day that cannot be planned whole is nothing to warn about: what does not fit is left out.
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        better = _Better(lambda solution: report(plain.whole(model.sequences(solution))))
        moves = LocalSearch(
            data,
            RandomNumberGenerator(seed=ask.seed),
            compute_neighbours(data),
            PerturbationManager(PerturbationParams(1, min(MOST_PERTURBED, 1 + len(plain.day.place) // 8))),
        )
        for operator in OPERATORS:
            if operator.supports(data):
                moves.add_operator(operator(data))
        warm = plain.warm(ask.warm)
        penalties = _penalties(plain.day, warm, ask.memory)
        search = IteratedLocalSearch(
            data,
            penalties,
            moves,
            model.solution(data, warm),
            IteratedLocalSearchParams(callbacks=better),
        )
        search.run(MultipleCriteria(stop), collect_stats=False)
        loads, late, _ = penalties.penalties()
        return (*loads, late)


def _penalties(day: Day, warm: Draft, settled: Memory) -> PenaltyManager:
    """Prices of a second late and a unit of load too much, near where the search settles.

    PyVRP starts in the middle of its range, at 50,000 each, and comes down by a tenth every 500 iterations: a search of
    seconds would be over before it dared to pass through an infeasible plan. What has settled on other parts of the day
    is better than any guess.
    """
    rigs = [rig for rig in day.rigs if rig.starts_s is not None]
    routes = [timed for timed in warm.routes if timed is not None]
    route_cost = max(1.0, sum(timed.cost for timed in routes) / max(1, len(routes)))
    second = max(1.0, max(rig.cost_per_travel_s + rig.cost_per_m * METRES_PER_S for rig in rigs))
    late = LATE * second
    most = [max(1, *(rig.capacity[unit] for rig in rigs)) for unit in range(len(day.nothing))]
    over = [min(OVERLOAD * route_cost / amount, DEAREST) for amount in most]
    if settled is not None and len(settled) == len(over) + 1 and all(0 < x <= DEAREST for x in settled):
        *over, late = settled
    cheapest = min([late, *over]) / 1000
    params = PenaltyParams(
        solutions_between_updates=UPDATED_EVERY,
        penalty_increase=DEARER,
        penalty_decrease=CHEAPER,
        min_penalty=cheapest,
        max_penalty=max(DEAREST, cheapest),
    )
    return PenaltyManager((over, min(late, DEAREST), min(late, DEAREST)), params)


class _Better(IteratedLocalSearchCallbacks):
    """Reports each best solution."""

    def __init__(self, report: Callable[[Solution], None]) -> None:
        self._report = report

    def on_best(self, best: Solution) -> None:
        """Pass it on; infeasible ones are none."""
        if best.is_feasible():
            self._report(best)


class _Model:
    """The plain day in PyVRP's terms, and the way back.

    Locations: one per stop, then one per depot. Clients: one per stop and window. Depots: the stations to unload at,
    then where vehicles start, then where they end. A profile is what one kind of vehicle pays for each leg.
    """

    def __init__(self, day: Day) -> None:
        self._day, stations = day, day.problem.stations
        self._rigs = [rig for rig in day.rigs if rig.starts_s is not None]
        self._stops = [s for s in range(len(day.place)) if day.stop_table.allowed[:, s].any()]
        self._clients = [(n, window) for n, s in enumerate(self._stops) for window in day.windows[s]]
        self._unloads = [i for i, s in enumerate(stations) if s.can_unload and s.open_s[0] <= s.open_s[1] - s.unload_s]
        self._starts = list(dict.fromkeys(rig.start for rig in self._rigs))
        self._ends = list(dict.fromkeys((rig.end, rig.end_open_s[0]) for rig in self._rigs))
        # Vehicles that differ in nothing but their number are one type; types that pay alike for legs share a profile.
        self._types: dict[tuple[Rig, bytes], list[Rig]] = {}
        self._profiles: dict[tuple[int, int, bytes], list[int]] = {}
        for rig in self._rigs:
            tolls = self._tolls(rig)
            self._types.setdefault((replace(rig, index=-1), tolls.tobytes()), []).append(rig)
            self._profiles.setdefault((rig.cost_per_travel_s, rig.cost_per_m, tolls.tobytes()), tolls.tolist())

    def _tolls(self, rig: Rig) -> Ints:
        """What serving each stop costs the vehicle beside the way: preferences, and `TOO_FAR` for what it may not."""
        table = self._day.stop_table
        away = np.where(table.prefer_vehicle == rig.index, 0, table.prefer_cost)
        return np.where(table.allowed[rig.index], away, TOO_FAR)[self._stops]

    @property
    def worth_building(self) -> bool:
        """Whether there is something to plan, and memory for it."""
        return bool(self._clients and self._types) and len(self._places) ** 2 * len(self._profiles) <= MOST_CELLS

    @property
    def _places(self) -> list[int]:
        """Where each location is."""
        stations = self._day.problem.stations
        return [
            *(self._day.place[s] for s in self._stops),
            *(stations[i].location for i in self._unloads),
            *self._starts,
            *(place for place, _ in self._ends),
        ]

    # --- the model ------------------------------------------------------------------------------------------------

    def build(self) -> ProblemData:
        """The whole day."""
        places = self._places
        seconds: Any = table(self._day.travel_s, places)
        metres = table(self._day.distance_m, places)
        costs: list[Any] = []
        for (per_s, per_m, _), tolls in self._profiles.items():
            cost = per_s * seconds + per_m * metres
            cost[:, : len(tolls)] += np.array(tolls, dtype=np.int64)
            np.fill_diagonal(cost, 0)
            costs.append(cost)
        groups = [
            ClientGroup([c for c, (n, _) in enumerate(self._clients) if n == stop], required=False)
            for stop in self._choices()
        ]
        return ProblemData(
            locations=[Location(0, 0) for _ in places],
            clients=self._all_clients(),
            depots=self._all_depots(),
            vehicle_types=self._vehicle_types(),
            distance_matrices=costs,
            duration_matrices=[seconds] * len(costs),
            groups=groups,
        )

    def _choices(self) -> list[int]:
        """Stops with several windows."""
        return [n for n, s in enumerate(self._stops) if len(self._day.windows[s]) > 1]

    def _all_clients(self) -> list[Client]:
        group = {stop: g for g, stop in enumerate(self._choices())}
        return [
            Client(
                location=n,
                pickup=list(self._day.load[self._stops[n]]),
                service_duration=self._day.service[self._stops[n]],
                tw_early=opens,
                tw_late=closes,
                prize=min(skip_cost(self._day.problem.stops[self._stops[n]]), MOST_PRIZE),
                required=False,
                group=group.get(n),
            )
            for n, (opens, closes) in self._clients
        ]

    def _all_depots(self) -> list[Depot]:
        first = len(self._stops)
        stations = [self._day.problem.stations[i] for i in self._unloads]
        unloads = [
            Depot(first + d, tw_early=s.open_s[0], tw_late=s.open_s[1] - s.unload_s, service_duration=s.unload_s)
            for d, s in enumerate(stations)
        ]
        first += len(unloads)
        starts = [Depot(first + d) for d in range(len(self._starts))]
        first += len(starts)
        return unloads + starts + [Depot(first + d, tw_early=opens) for d, (_, opens) in enumerate(self._ends)]

    def _vehicle_types(self) -> list[VehicleType]:
        profile = {key: p for p, key in enumerate(self._profiles)}
        first_start = len(self._unloads)
        first_end = first_start + len(self._starts)
        types = []
        for (rig, tolls), members in self._types.items():
            begin, last = rig.starts_s or (0, 0)
            # Overtime is left to the stops inserted afterwards, unless it costs nothing.
            latest = min(rig.shift_end_s if rig.overtime_cost_per_s else rig.latest_s, rig.end_open_s[1])
            home_by = max(latest - rig.end_unload_s, rig.ready_s)
            types.append(
                VehicleType(
                    num_available=len(members),
                    capacity=list(rig.capacity),
                    start_depot=first_start + self._starts.index(rig.start),
                    end_depot=first_end + self._ends.index((rig.end, rig.end_open_s[0])),
                    fixed_cost=rig.fixed_cost,
                    tw_early=rig.ready_s,
                    start_late=min(max(last, rig.ready_s), home_by),
                    tw_late=home_by,
                    shift_duration=self._longest(rig, begin),
                    profile=profile[rig.cost_per_travel_s, rig.cost_per_m, tolls],
                    initial_load=list(rig.begins_with),
                    reload_depots=list(range(len(self._unloads))),
                )
            )
        return types

    @staticmethod
    def _longest(rig: Rig, begin: int) -> int:
        """Longest duration without the final unload, and without what a vehicle under way has waited."""
        if rig.max_duration_s is None:
            return ENDLESS_S
        return max(0, rig.max_duration_s - rig.end_unload_s - max(0, rig.ready_s - begin))

    # --- in and out -----------------------------------------------------------------------------------------------

    def solution(self, data: ProblemData, warm: Draft) -> Solution:
        """The warm plan as a solution."""
        client = {(self._stops[n], window): c for c, (n, window) in enumerate(self._clients)}
        routes = []
        for kind, members in enumerate(self._types.values()):
            for rig in members:
                timed = warm.routes[rig.index]
                if timed is not None:
                    acts = [self._activity(step, client) for step in steps(self._day, timed).steps[1:-1]]
                    routes.append(Route(data, acts, kind))
        return Solution(data, routes)

    def _activity(self, step: Step, client: dict[tuple[int, tuple[int, int]], int]) -> Activity:
        if step.stop is None:
            unload = self._unloads.index(self._day.station_index[step.station or ""])
            return Activity(ActivityType.DEPOT, unload)
        stop = self._day.stop_index[step.stop]
        window = next((a, b) for a, b in self._day.windows[stop] if a <= step.start_s <= b)
        return Activity(ActivityType.CLIENT, client[stop, window])

    def sequences(self, solution: Solution) -> Sequences:
        """The solution's stops per vehicle of the plain day."""
        rows: list[tuple[int, ...]] = [()] * len(self._day.rigs)
        free = [list(members) for members in self._types.values()]
        for route in solution.routes():
            rig = free[route.vehicle_type()].pop(0)
            visits = (visit.idx for visit in route if visit.is_client())
            rows[rig.index] = tuple(self._stops[self._clients[c][0]] for c in visits)
        return tuple(rows)
