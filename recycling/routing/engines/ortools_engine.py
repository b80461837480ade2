"""OR-Tools' routing solver: guided local search over the whole contract but break and intake limits.

Breaks are left to the squeezed clock and intake limits to the exact timing of its answers. Unloads on the way are
optional visits to copies of the stations, at which the load on board may fall.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from recycling.routing.course import PICKUP, UNLOAD
from recycling.routing.day import Day, Rig, Sequences, skip_cost
from recycling.routing.draft import Draft
from recycling.routing.engines import Ask, Memory, Report
from recycling.routing.engines.plain import PlainDay
from recycling.routing.travel import table

SPARE_UNLOADS = 2  # copies per station beyond those that the first plan uses
MOST_NODES = 2500  # above it the matrices alone would cost more than the search can give back


class OrTools:
    """The routing model of record."""

    def improve(self, ask: Ask, report: Report) -> Memory:
        """Search from the warm plan and report each better one."""
        plain = PlainDay(ask)
        warm = plain.warm(ask.warm)
        model = _Model(plain.day, warm)
        if model.nodes <= MOST_NODES:
            model.search(warm, ask, lambda sequences: report(plain.whole(sequences)))
        return None


class _Model:
    """One routing model. Nodes: stops, then copies of stations to unload at, then starts, then ends."""

    def __init__(self, day: Day, warm: Draft) -> None:
        self._day = day
        self._rigs = [rig for rig in day.rigs if rig.starts_s is not None]
        self._unloads = self._copies(warm)
        stops, copies, fleet = len(day.place), len(self._unloads), len(self._rigs)
        self._first_copy, self._first_start = stops, stops + copies
        self._first_end = self._first_start + fleet
        self.nodes = self._first_end + fleet
        stations = day.problem.stations
        self._place = [
            *day.place,
            *(stations[s].location for s in self._unloads),
            *(rig.start for rig in self._rigs),
            *(rig.end for rig in self._rigs),
        ]

    def _copies(self, warm: Draft) -> list[int]:
        """Stations to unload at, once per copy."""
        acts = [act for timed in warm.routes if timed is not None for act in timed.acts]
        used = Counter(index for kind, index, _ in acts if kind == UNLOAD)
        stations = self._day.problem.stations
        horizon = max(rig.latest_s for rig in self._rigs)
        return [
            i
            for i, s in enumerate(stations)
            if s.can_unload and s.open_s[0] <= min(s.open_s[1] - s.unload_s, horizon)
            for _ in range(used[i] + SPARE_UNLOADS)
        ]

    def search(self, warm: Draft, ask: Ask, report: Report) -> None:
        """Build the solver's model, start from the warm plan, report better sequences."""
        starts = list(range(self._first_start, self._first_end))
        ends = list(range(self._first_end, self.nodes))
        self._manager = pywrapcp.RoutingIndexManager(self.nodes, len(self._rigs), starts, ends)
        self._routing = pywrapcp.RoutingModel(self._manager)
        self._add_costs()
        self._add_time()
        self._add_loads()
        self._add_choices()
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        parameters.time_limit.FromMilliseconds(max(1, int(ask.seconds * 1000)))
        if ask.iterations is not None:
            parameters.solution_limit = ask.iterations
        self._routing.CloseModelWithParameters(parameters)
        self._report_better(report)
        first = self._routing.ReadAssignmentFromRoutes(self._warm_routes(warm), True)
        if first is None:
            self._routing.SolveWithParameters(parameters)
        else:
            self._routing.SolveFromAssignmentWithParameters(first, parameters)

    # --- the model ------------------------------------------------------------------------------------------------

    def _add_costs(self) -> None:
        travel = table(self._day.travel_s, self._place)
        metres = table(self._day.distance_m, self._place) if self._day.uses_metres else 0
        evaluators: dict[tuple[int, int], int] = {}
        for v, rig in enumerate(self._rigs):
            rates = rig.cost_per_travel_s, rig.cost_per_m
            if rates not in evaluators:
                cost = rates[0] * travel + rates[1] * metres
                evaluators[rates] = self._routing.RegisterTransitMatrix(cost.tolist())
            self._routing.SetArcCostEvaluatorOfVehicle(evaluators[rates], v)
            self._routing.SetFixedCostOfVehicle(rig.fixed_cost, v)

    def _add_time(self) -> None:
        day, stations = self._day, self._day.problem.stations
        seconds = table(day.travel_s, self._place)
        spent = [*day.service, *(stations[s].unload_s for s in self._unloads), *(0 for _ in range(2 * len(self._rigs)))]
        seconds += [[s] for s in spent]
        for v, rig in enumerate(self._rigs):
            seconds[:, self._first_end + v] += rig.end_unload_s
        horizon = max(rig.latest_s for rig in self._rigs)
        transit = self._routing.RegisterTransitMatrix(seconds.tolist())
        self._routing.AddDimension(transit, horizon, horizon, False, "time")
        self._time = time = self._routing.GetDimensionOrDie("time")
        for stop, windows in enumerate(day.windows):
            at = time.CumulVar(self._index(stop))
            reachable = [(opens, min(closes, horizon)) for opens, closes in windows if opens <= horizon]
            if not reachable:
                self._routing.VehicleVar(self._index(stop)).SetValues([-1])
                continue
            at.SetRange(reachable[0][0], reachable[-1][1])
            for (_, closed), (opens, _) in pairwise(reachable):
                at.RemoveInterval(closed + 1, opens - 1)
        for copy, s in enumerate(self._unloads):
            opens, closes = stations[s].open_s
            last = min(closes - stations[s].unload_s, horizon)
            time.CumulVar(self._index(self._first_copy + copy)).SetRange(opens, last)
        for v, rig in enumerate(self._rigs):
            self._bound_route(v, rig, horizon)

    def _bound_route(self, v: int, rig: Rig, horizon: int) -> None:
        first, last = rig.starts_s or (0, 0)
        self._time.CumulVar(self._routing.Start(v)).SetRange(rig.ready_s, max(last, rig.ready_s))
        end = self._routing.End(v)
        latest = min(rig.latest_s, rig.end_open_s[1])
        # An unused vehicle still needs a consistent clock: never end before it may begin.
        self._time.CumulVar(end).SetRange(min(rig.end_open_s[0], latest), max(latest, rig.ready_s))
        if rig.latest_s > rig.shift_end_s and rig.overtime_cost_per_s:
            self._time.SetCumulVarSoftUpperBound(end, rig.shift_end_s, rig.overtime_cost_per_s)
        if rig.max_duration_s is not None:
            span = max(0, rig.max_duration_s - (rig.ready_s - first if first == last else 0))
            self._time.SetSpanUpperBoundForVehicle(min(span, horizon), v)

    def _add_loads(self) -> None:
        for unit, name in enumerate(self._day.problem.load_units):
            most = max(rig.capacity[unit] for rig in self._rigs)
            amounts = [load[unit] for load in self._day.load] + [-most] * len(self._unloads)
            amounts += [0] * (self.nodes - len(amounts))
            transit = self._routing.RegisterUnaryTransitVector(amounts)
            capacities = [max(rig.capacity[unit], rig.begins_with[unit]) for rig in self._rigs]
            self._routing.AddDimensionWithVehicleCapacity(transit, most, capacities, False, f"load {name}")
            dimension = self._routing.GetDimensionOrDie(f"load {name}")
            for node in range(self._first_copy):
                dimension.SlackVar(self._index(node)).SetValue(0)
            for v, rig in enumerate(self._rigs):
                start = self._routing.Start(v)
                dimension.SlackVar(start).SetValue(0)
                dimension.CumulVar(start).SetValue(rig.begins_with[unit])

    def _add_choices(self) -> None:
        allowed = self._day.stop_table.allowed
        for node, stop in enumerate(self._day.problem.stops):
            self._routing.AddDisjunction([self._index(node)], skip_cost(stop))
            fleet = [v for v, rig in enumerate(self._rigs) if allowed[rig.index, node]]
            if len(fleet) < len(self._rigs):
                self._routing.VehicleVar(self._index(node)).SetValues([-1, *fleet])
        for node in range(self._first_copy, self._first_start):
            self._routing.AddDisjunction([self._index(node)], 0)
        self._add_preferences()

    def _add_preferences(self) -> None:
        table = self._day.stop_table
        if not table.prefer_cost.any():
            return
        evaluators = []
        for rig in self._rigs:
            row = np.where(table.prefer_vehicle == rig.index, 0, table.prefer_cost).tolist()
            evaluators.append(self._routing.RegisterUnaryTransitVector(row + [0] * (self.nodes - len(row))))
        total = int(table.prefer_cost.sum())
        self._routing.AddDimensionWithVehicleTransits(evaluators, 0, total, True, "preferences")
        self._routing.GetDimensionOrDie("preferences").SetSpanCostCoefficientForAllVehicles(1)

    # --- in and out -----------------------------------------------------------------------------------------------

    def _index(self, node: int) -> int:
        return int(self._manager.NodeToIndex(node))

    def _warm_routes(self, warm: Draft) -> list[list[int]]:
        free: dict[int, list[int]] = {}
        for copy, station in enumerate(self._unloads):
            free.setdefault(station, []).append(self._first_copy + copy)
        routes: list[list[int]] = []
        for rig in self._rigs:
            timed = warm.routes[rig.index]
            acts: Sequence[tuple[int, int, int]] = () if timed is None else timed.acts
            routes.append([index if kind == PICKUP else free[index].pop() for kind, index, _ in acts])
        return routes

    def _report_better(self, report: Report) -> None:
        best: list[int] = []

        def look() -> None:
            cost = self._routing.CostVar().Value()
            if not best or cost < best[-1]:
                best.append(cost)
                report(self._sequences())

        self._routing.AddAtSolutionCallback(look)

    def _sequences(self) -> Sequences:
        rows: list[tuple[int, ...]] = [()] * len(self._day.rigs)
        for v, rig in enumerate(self._rigs):
            row: list[int] = []
            index: Any = self._routing.Start(v)
            while not self._routing.IsEnd(index):
                node = self._manager.IndexToNode(index)
                if node < self._first_copy:
                    row.append(node)
                index = self._routing.NextVar(index).Value()
            rows[rig.index] = tuple(row)
        return tuple(rows)
