"""PyVRP as a user writes it: the whole day, default settings, no warm start.

Unloads are its reloads, several windows a group of clients of which one is served, leaving a stop out costs its prize,
what a vehicle may not serve is too far away for it. A day with a break is planned on the clock without it. Intake
limits and overtime are left out.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from pyvrp import (
    Client,
    ClientGroup,
    Depot,
    IteratedLocalSearchCallbacks,
    IteratedLocalSearchParams,
    Location,
    ProblemData,
    Solution,
    SolveParams,
    VehicleType,
    solve,
)
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.stop import MaxRuntime

from benchmarks.support.peers import Clock, Report, Sequences, joined
from recycling.routing.breaks import Squeeze
from recycling.routing.problem import Problem, Stop, Vehicle
from recycling.routing.travel import travel_matrices

TOO_FAR = 10**8  # a leg to a stop that the vehicle may not serve
ENDLESS_S = 2**40
REPORT_EVERY_S = 1.0


def plan(problem: Problem, *, clock: Clock, seed: int, report: Report) -> None:
    """Search with one seed on one core."""
    model = _Model(joined(Squeeze.common(problem).problem(problem)))
    data = model.build()
    warnings.simplefilter("ignore", PenaltyBoundWarning)
    params = SolveParams(ils=IteratedLocalSearchParams(callbacks=_Reporter(lambda s: report(model.sequences(s)))))
    stop = MaxRuntime(clock.left(0.3 + len(problem.stops) / 5000))
    found = solve(data, stop, seed=seed, collect_stats=False, display=False, params=params)
    report(model.sequences(found.best))


class _Reporter(IteratedLocalSearchCallbacks):
    """Reports the best solution, once a second at most, so that writing costs the search nothing."""

    def __init__(self, report: Callable[[Solution], None]) -> None:
        self._report, self._last = report, 0.0

    def on_best(self, best: Solution) -> None:
        """Pass a feasible one on."""
        if best.is_feasible() and time.monotonic() - self._last >= REPORT_EVERY_S:
            self._last = time.monotonic()
            self._report(best)


class _Model:
    """Locations: one per stop, then one per station. Clients: one per stop and window."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._station = {s.key: n for n, s in enumerate(problem.stations)}
        self._clients = [(n, window) for n, stop in enumerate(problem.stops) for window in stop.windows_s]
        self._choices = [n for n, stop in enumerate(problem.stops) if len(stop.windows_s) > 1]
        self._types: dict[tuple[Any, ...], list[int]] = {}
        for v, vehicle in enumerate(problem.vehicles):
            alike = (vehicle.start_station, vehicle.end_station, vehicle.capacity, vehicle.skills, vehicle.shift_s)
            rates = (vehicle.fixed_cost, vehicle.cost_per_travel_s, vehicle.cost_per_m, vehicle.max_duration_s)
            self._types.setdefault((*alike, *rates), []).append(v)
        self._profiles = list(dict.fromkeys(map(_profile, problem.vehicles)))

    def build(self) -> ProblemData:
        """The whole day."""
        problem = self._problem
        places = [s.location for s in problem.stops] + [s.location for s in problem.stations]
        travel = travel_matrices(problem)
        seconds, metres = (cast(Any, cells[np.ix_(places, places)].astype(np.int64)) for cells in travel)
        costs: list[Any] = []
        for skills, per_s, per_m in self._profiles:
            cost = per_s * seconds + per_m * metres
            beyond = [n for n, stop in enumerate(problem.stops) if not stop.skills <= skills]
            cost[:, beyond] += TOO_FAR
            np.fill_diagonal(cost, 0)
            costs.append(cost)
        return ProblemData(
            locations=[Location(0, 0) for _ in places],
            clients=[self._client(n, window) for n, window in self._clients],
            depots=self._depots(),
            vehicle_types=[self._type(problem.vehicles[same[0]], len(same)) for same in self._types.values()],
            distance_matrices=costs,
            duration_matrices=[seconds] * len(costs),
            groups=[
                ClientGroup(
                    [c for c, (n, _) in enumerate(self._clients) if n == choice],
                    required=problem.stops[choice].skip_cost is None,
                )
                for choice in self._choices
            ],
        )

    def _client(self, n: int, window: tuple[int, int]) -> Client:
        stop: Stop = self._problem.stops[n]
        several = len(stop.windows_s) > 1
        return Client(
            location=n,
            pickup=list(stop.load),
            service_duration=stop.service_s,
            tw_early=window[0],
            tw_late=window[1],
            prize=stop.skip_cost or 0,
            required=stop.skip_cost is None and not several,
            group=self._choices.index(n) if several else None,
        )

    def _depots(self) -> list[Depot]:
        """Stations twice: where vehicles start and end, then where they unload."""
        first = len(self._problem.stops)
        homes = [Depot(first + n) for n in range(len(self._problem.stations))]
        unloads = [
            Depot(first + n, tw_early=s.open_s[0], tw_late=s.open_s[1] - s.unload_s, service_duration=s.unload_s)
            for n, s in enumerate(self._problem.stations)
            if s.can_unload
        ]
        return homes + unloads

    def _type(self, vehicle: Vehicle, number: int) -> VehicleType:
        start, end = (self._problem.station_by_key[key] for key in (vehicle.start_station, vehicle.end_station))
        ready, last = max(vehicle.shift_s[0], start.open_s[0]), min(vehicle.shift_s[1], start.open_s[1])
        home_by = max(ready, min(vehicle.shift_s[1], end.open_s[1]) - end.unload_s)
        longest = ENDLESS_S if vehicle.max_duration_s is None else max(0, vehicle.max_duration_s - end.unload_s)
        homes = len(self._problem.stations)
        return VehicleType(
            num_available=number,
            capacity=list(vehicle.capacity),
            start_depot=self._station[vehicle.start_station],
            end_depot=self._station[vehicle.end_station],
            fixed_cost=vehicle.fixed_cost,
            tw_early=ready,
            start_late=min(last, home_by),
            tw_late=home_by,
            shift_duration=longest,
            profile=self._profiles.index(_profile(vehicle)),
            reload_depots=list(range(homes, homes + sum(s.can_unload for s in self._problem.stations))),
        )

    def sequences(self, solution: Solution) -> Sequences:
        """The solution's stops per vehicle."""
        rows: Sequences = [[] for _ in self._problem.vehicles]
        free = [list(same) for same in self._types.values()]
        for route in solution.routes():
            visits = (visit.idx for visit in route if visit.is_client())
            rows[free[route.vehicle_type()].pop(0)] = [self._clients[c][0] for c in visits]
        return rows


def _profile(vehicle: Vehicle) -> tuple[frozenset[str], int, int]:
    return vehicle.skills, vehicle.cost_per_travel_s, vehicle.cost_per_m
