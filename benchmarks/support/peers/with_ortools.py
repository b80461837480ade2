"""Plain OR-Tools: one routing model of the whole day, guided local search, default first solution.

Unloads are optional visits to copies of the stations, breaks are break intervals of the time dimension. Intake limits
are left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from benchmarks.support.peers import Clock, Report, Sequences
from recycling.routing.problem import MANDATORY_SKIP_COST, Break, Problem
from recycling.routing.travel import table, travel_matrices

REPORT_EVERY_S = 1.0


def plan(problem: Problem, *, clock: Clock, seed: int, report: Report) -> None:
    """Search on one core; of two seeds, one builds by arcs and one by insertions, for want of a seed of its own."""
    model = _Model(problem)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    first, way = routing_enums_pb2.FirstSolutionStrategy, routing_enums_pb2.LocalSearchMetaheuristic
    parameters.first_solution_strategy = first.PARALLEL_CHEAPEST_INSERTION if seed % 2 else first.PATH_CHEAPEST_ARC
    parameters.local_search_metaheuristic = way.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(int(1000 * clock.left(0.3 + len(problem.stops) / 2500)))
    best: list[int] = []
    last = [0.0]

    def look() -> None:
        cost = model.routing.CostVar().Value()
        if (not best or cost < best[-1]) and time.monotonic() - last[0] >= REPORT_EVERY_S:
            best.append(cost)
            last[0] = time.monotonic()
            report(model.sequences(lambda index: model.routing.NextVar(index).Value()))

    model.routing.AddAtSolutionCallback(look)
    found = model.routing.SolveWithParameters(parameters)
    if found is not None:
        report(model.sequences(lambda index: found.Value(model.routing.NextVar(index))))


class _Model:
    """Nodes: stops, then copies of stations to unload at, then starts, then ends."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        fleet, stops = len(problem.vehicles), len(problem.stops)
        stations = [n for n, s in enumerate(problem.stations) if s.can_unload]
        # As many copies as there are vehicles, spread over the stations, and two each at least.
        self._unloads = [n for n in stations for _ in range(max(2, -(-fleet // len(stations))))]
        self._first_copy, self._first_start = stops, stops + len(self._unloads)
        self._nodes = self._first_start + 2 * fleet
        key = problem.station_by_key
        self._place = [
            *(s.location for s in problem.stops),
            *(problem.stations[n].location for n in self._unloads),
            *(key[v.start_station].location for v in problem.vehicles),
            *(key[v.end_station].location for v in problem.vehicles),
        ]
        starts = list(range(self._first_start, self._first_start + fleet))
        ends = list(range(self._first_start + fleet, self._nodes))
        self.manager = pywrapcp.RoutingIndexManager(self._nodes, fleet, starts, ends)
        self.routing = pywrapcp.RoutingModel(self.manager)
        seconds, metres = (table(cells, self._place) for cells in travel_matrices(problem))
        self._add_costs(seconds, metres)
        self._add_time(seconds)
        self._add_loads()
        self._add_choices()

    def _add_costs(self, seconds: Any, metres: Any) -> None:
        known: dict[tuple[int, int], int] = {}
        for v, vehicle in enumerate(self.problem.vehicles):
            rates = vehicle.cost_per_travel_s, vehicle.cost_per_m
            if rates not in known:
                cost = rates[0] * seconds + rates[1] * metres
                known[rates] = self.routing.RegisterTransitMatrix(cost.tolist())
            self.routing.SetArcCostEvaluatorOfVehicle(known[rates], v)
            self.routing.SetFixedCostOfVehicle(vehicle.fixed_cost, v)

    def _add_time(self, seconds: Any) -> None:
        stations, vehicles = self.problem.stations, self.problem.vehicles
        spent = [s.service_s for s in self.problem.stops] + [stations[n].unload_s for n in self._unloads]
        spent += [0] * (self._nodes - len(spent))
        timed = seconds + [[s] for s in spent]
        for v, vehicle in enumerate(vehicles):
            # A vehicle that served somebody unloads at the end.
            timed[:, self._first_start + len(vehicles) + v] += self.problem.station_by_key[vehicle.end_station].unload_s
        horizon = max(v.shift_s[1] for v in vehicles)
        transit = self.routing.RegisterTransitMatrix(timed.tolist())
        self.routing.AddDimension(transit, horizon, horizon, False, "time")
        clock = self.routing.GetDimensionOrDie("time")
        for node, stop in enumerate(self.problem.stops):
            at = clock.CumulVar(self._index(node))
            at.SetRange(stop.windows_s[0][0], min(horizon, stop.windows_s[-1][1]))
            for (_, closed), (opens, _) in pairwise(stop.windows_s):
                if closed + 1 < opens:
                    at.RemoveInterval(closed + 1, opens - 1)
        for copy, n in enumerate(self._unloads):
            opens, closes = stations[n].open_s
            clock.CumulVar(self._index(self._first_copy + copy)).SetRange(opens, closes - stations[n].unload_s)
        for v in range(len(vehicles)):
            self._bound(clock, v)
            rest = vehicles[v].break_
            if rest is not None:
                self._add_break(clock, v, rest, spent)

    def _bound(self, clock: Any, v: int) -> None:
        vehicle = self.problem.vehicles[v]
        start, end = (self.problem.station_by_key[key] for key in (vehicle.start_station, vehicle.end_station))
        first = max(vehicle.shift_s[0], start.open_s[0])
        clock.CumulVar(self.routing.Start(v)).SetRange(first, min(vehicle.shift_s[1], start.open_s[1]))
        last = min(vehicle.shift_s[1], end.open_s[1])
        clock.CumulVar(self.routing.End(v)).SetRange(min(last, first), last)
        if vehicle.max_duration_s is not None:
            clock.SetSpanUpperBoundForVehicle(vehicle.max_duration_s, v)

    def _add_break(self, clock: Any, v: int, rest: Break, spent: list[int]) -> None:
        """Optional: the solver performs it where the route spans it, and leaves it out of unused vehicles."""
        solver = self.routing.solver()
        opens, closes = rest.window_s
        interval = solver.FixedDurationIntervalVar(opens, closes, rest.duration_s, False, f"rest {v}")
        # By index, not by node: starts and ends have indices of their own.
        by_index = [spent[self.manager.IndexToNode(i)] for i in range(self.routing.Size() + len(self.problem.vehicles))]
        clock.SetBreakIntervalsOfVehicle([interval], v, by_index)

    def _add_loads(self) -> None:
        for unit, name in enumerate(self.problem.load_units):
            most = max(v.capacity[unit] for v in self.problem.vehicles)
            amounts = [s.load[unit] for s in self.problem.stops] + [-most] * len(self._unloads)
            amounts += [0] * (self._nodes - len(amounts))
            transit = self.routing.RegisterUnaryTransitVector(amounts)
            capacities = [v.capacity[unit] for v in self.problem.vehicles]
            self.routing.AddDimensionWithVehicleCapacity(transit, most, capacities, True, name)
            dimension = self.routing.GetDimensionOrDie(name)
            # Only an unload empties by less than the largest capacity.
            for node in range(self._first_copy):
                dimension.SlackVar(self._index(node)).SetValue(0)

    def _add_choices(self) -> None:
        for node, stop in enumerate(self.problem.stops):
            price = MANDATORY_SKIP_COST if stop.skip_cost is None else stop.skip_cost
            self.routing.AddDisjunction([self._index(node)], price)
            fleet = [v for v, vehicle in enumerate(self.problem.vehicles) if stop.skills <= vehicle.skills]
            if len(fleet) < len(self.problem.vehicles):
                self.routing.VehicleVar(self._index(node)).SetValues([-1, *fleet])
        for node in range(self._first_copy, self._first_start):
            self.routing.AddDisjunction([self._index(node)], 0)

    def _index(self, node: int) -> int:
        return int(self.manager.NodeToIndex(node))

    def sequences(self, following: Callable[[int], int]) -> Sequences:
        """The stops of each vehicle."""
        rows: Sequences = []
        for v in range(len(self.problem.vehicles)):
            row, index = [], self.routing.Start(v)
            while not self.routing.IsEnd(index):
                node = self.manager.IndexToNode(index)
                if node < self._first_copy:
                    row.append(node)
                index = following(index)
            rows.append(row)
        return rows
