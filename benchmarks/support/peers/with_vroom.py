"""VROOM through pyvroom: one trip a vehicle, both cores, explored as deeply as the time allows.

VROOM is no anytime search: a level of exploration takes what it takes. The levels are run from the quickest to the
deepest with the time left as their limit, and the cheapest answer counts.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import vroom

from benchmarks.support.peers import Clock, Report, Sequences
from recycling.routing.problem import Problem
from recycling.routing.travel import travel_matrices

LEVELS = (1, 5)  # quick, for the case that nothing deeper ends in time; then VROOM's deepest
THREADS = 2
MOST = 2**31 - 1


def plan(problem: Problem, *, clock: Clock, seed: int, report: Report) -> None:
    """Run the levels; VROOM has no seed."""
    best: tuple[int, int] | None = None
    for level in LEVELS:
        left = clock.left(0.3 + len(problem.stops) / 5000)
        if best is not None and left <= 0.2:
            return
        found = _model(problem).solve(
            exploration_level=level, nb_threads=THREADS, timeout=timedelta(milliseconds=int(left * 1000))
        )
        cost = (len(found.unassigned), int(found.summary.cost))
        if best is None or cost < best:
            best = cost
            report(_sequences(problem, found))


def _model(problem: Problem) -> vroom.Input:
    """VROOM's input, built anew for each level: solving uses it up."""
    seconds, _ = travel_matrices(problem)
    skill = {name: n for n, name in enumerate(sorted({s for v in problem.vehicles for s in v.skills}))}
    model = vroom.Input()
    for rate in {v.cost_per_travel_s for v in problem.vehicles}:
        model.set_durations_matrix(profile=f"rate{rate}", matrix_input=seconds.astype(np.uint32))
    for n, stop in enumerate(problem.stops):
        if not all(name in skill for name in stop.skills):
            continue
        model.add_job(
            vroom.Job(
                n,
                location=stop.location,
                default_service=stop.service_s,
                pickup=list(stop.load),
                skills={skill[name] for name in stop.skills},
                time_windows=[vroom.TimeWindow(*window) for window in stop.windows_s],
            )
        )
    for v, vehicle in enumerate(problem.vehicles):
        start, end = (problem.station_by_key[key] for key in (vehicle.start_station, vehicle.end_station))
        first = max(vehicle.shift_s[0], start.open_s[0])
        last = min(vehicle.shift_s[1], end.open_s[1]) - end.unload_s
        model.add_vehicle(
            vroom.Vehicle(
                v,
                start=start.location,
                end=end.location,
                profile=f"rate{vehicle.cost_per_travel_s}",
                capacity=list(vehicle.capacity),
                skills={skill[name] for name in vehicle.skills},
                time_window=vroom.TimeWindow(first, max(first, last)),
                costs=vroom.VehicleCosts(fixed=vehicle.fixed_cost, per_hour=3600 * vehicle.cost_per_travel_s),
            )
        )
    return model


def _sequences(problem: Problem, found: vroom.Solution) -> Sequences:
    rows: Sequences = [[] for _ in problem.vehicles]
    routes = found.routes
    for vehicle, kind, job in zip(routes["vehicle_id"], routes["type"], routes["id"], strict=True):
        if kind == "job":
            rows[int(vehicle)].append(int(job))
    return rows
