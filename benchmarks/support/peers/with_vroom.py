"""VROOM through pyvroom: one trip a vehicle, both cores, explored as deeply as the time allows.

VROOM is no anytime search: a level of exploration takes what it takes, and cut short it is worse than a lower one that
was not. So a part of the day is solved first, which tells how long the levels take on the whole, and the deepest one
that fits is run.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import numpy as np
import vroom

from benchmarks.support.peers import Clock, Report, Sequences
from recycling.routing.problem import Problem
from recycling.routing.travel import table, travel_matrices

# Time of each level over that of level 0, measured on days of 200 stops; and how it grows with the stops: 200 to 1,000.
TIMES = (1.0, 2.5, 4.3, 6.2, 8.7, 11.5)
GROWTH = 1.85
PART = 200
THREADS = 2


def plan(problem: Problem, *, clock: Clock, seed: int, report: Report) -> None:
    """Run the deepest level that fits; VROOM has no seed."""
    part = problem.stops[:PART]
    began = time.monotonic()
    found = _solved(replace(problem, stops=part), 0, clock.left())
    quickest_s = (time.monotonic() - began) * (len(problem.stops) / len(part)) ** GROWTH
    whole = len(part) == len(problem.stops)
    if whole:
        report(_sequences(problem, found))
    left = clock.left(0.3 + len(problem.stops) / 5000)
    level = max((n for n, times in enumerate(TIMES) if times * quickest_s <= 0.9 * left), default=0)
    if level or not whole:
        deeper = _solved(problem, level, left)
        if not whole or _rank(deeper) < _rank(found):
            report(_sequences(problem, deeper))


def _solved(problem: Problem, level: int, seconds: float) -> vroom.Solution:
    limit = timedelta(milliseconds=int(seconds * 1000))
    return _model(problem).solve(exploration_level=level, nb_threads=THREADS, timeout=limit)


def _rank(found: vroom.Solution) -> tuple[int, int]:
    """Fewest left out first, as VROOM ranks its own."""
    return len(found.unassigned), int(found.summary.cost)


def _model(problem: Problem) -> vroom.Input:
    """VROOM's input, built anew for each run: solving uses it up."""
    seconds = table(travel_matrices(problem)[0], range(len(problem.locations)))
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
