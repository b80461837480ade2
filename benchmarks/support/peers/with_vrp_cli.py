"""vrp-cli, the solver of the Rust project ``vrp``, through its Python wheel and its "pragmatic" format.

It knows unloads (reloads), breaks, skills, several windows, longest durations and several load units. Cost is travel by
way of its distance matrix, since its price of time would count waiting and service too. It cannot weigh a stop against
the price of leaving it out, so it plans all it can; what is not worth its way is taken out afterwards, for free.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import vrp_cli

from benchmarks.support.peers import Clock, Report, Sequences
from recycling.routing.problem import Problem, Stop, Vehicle
from recycling.routing.travel import table, travel_matrices

UNLOADS = 6  # on the way, per vehicle, at least: each reload written into a shift can be used once
DAY = datetime(2026, 1, 5, tzinfo=UTC)


def plan(problem: Problem, *, clock: Clock, seed: int, report: Report) -> None:
    """Run once with all threads; the wheel takes no seed."""
    model, matrices = json.dumps(_model(problem)), _matrices(problem)
    left = clock.left(1.0 + len(problem.stops) / 1000)
    settings = {"termination": {"maxTime": max(1, int(left))}}
    answer = json.loads(vrp_cli.solve_pragmatic(model, matrices, json.dumps(settings)))
    report(_sequences(problem, answer))


def _model(problem: Problem) -> dict[str, Any]:
    alike: dict[str, list[int]] = {}
    for v, vehicle in enumerate(problem.vehicles):
        alike.setdefault(json.dumps(_type(problem, vehicle), sort_keys=True), []).append(v)
    types = [
        {"typeId": f"t{n}", "vehicleIds": [str(v) for v in same]} | json.loads(written)
        for n, (written, same) in enumerate(alike.items())
    ]
    return {
        "plan": {"jobs": [_job(n, stop) for n, stop in enumerate(problem.stops)]},
        "fleet": {"vehicles": types, "profiles": [{"name": name} for name in _rates(problem)]},
        # Without its usual "fewest tours first": a tour has its price.
        "objectives": [[{"type": "minimize-unassigned"}], [{"type": "minimize-cost"}]],
    }


def _job(n: int, stop: Stop) -> dict[str, Any]:
    place = {
        "location": {"index": stop.location},
        "duration": stop.service_s,
        "times": [_span(w) for w in stop.windows_s],
    }
    job: dict[str, Any] = {"id": str(n), "pickups": [{"places": [place], "demand": list(stop.load)}]}
    return job | ({"skills": {"allOf": sorted(stop.skills)}} if stop.skills else {})


def _type(problem: Problem, vehicle: Vehicle) -> dict[str, Any]:
    start, end = (problem.station_by_key[key] for key in (vehicle.start_station, vehicle.end_station))
    first = max(vehicle.shift_s[0], start.open_s[0])
    home_by = max(first + 1, min(vehicle.shift_s[1], end.open_s[1]) - end.unload_s)
    shift: dict[str, Any] = {
        "start": {"earliest": _time(first), "location": {"index": start.location}},
        "end": {"latest": _time(home_by), "location": {"index": end.location}},
    }
    open_stations = [s for s in problem.stations if s.can_unload]
    if open_stations:
        times = -(-UNLOADS // len(open_stations))
        shift["reloads"] = [
            {
                "location": {"index": s.location},
                "duration": s.unload_s,
                "times": [_span((s.open_s[0], max(s.open_s[0] + 1, s.open_s[1] - s.unload_s)))],
            }
            for s in open_stations
            for _ in range(times)
        ]
    if vehicle.break_ is not None:
        shift["breaks"] = [
            {
                "time": _span(vehicle.break_.window_s),
                "places": [{"duration": vehicle.break_.duration_s}],
                "policy": "skip-if-arrival-before-end",
            }
        ]
    written: dict[str, Any] = {
        "profile": {"matrix": _rate(vehicle)},
        "costs": {"fixed": vehicle.fixed_cost, "distance": 1, "time": 0},
        "shifts": [shift],
        "capacity": list(vehicle.capacity),
        "skills": sorted(vehicle.skills),
    }
    if vehicle.max_duration_s is not None:
        written["limits"] = {"maxDuration": max(0, vehicle.max_duration_s - end.unload_s)}
    return written


def _rate(vehicle: Vehicle) -> str:
    return f"{vehicle.cost_per_travel_s}/{vehicle.cost_per_m}"


def _rates(problem: Problem) -> dict[str, Vehicle]:
    return {_rate(vehicle): vehicle for vehicle in problem.vehicles}


def _matrices(problem: Problem) -> list[str]:
    """One matrix per price of a leg: its "distance" is what the leg costs."""
    every = range(len(problem.locations))
    seconds, metres = (table(cells, every) for cells in travel_matrices(problem))
    times = json.dumps(seconds.ravel().tolist())
    out = []
    for name, vehicle in _rates(problem).items():
        cost = json.dumps((vehicle.cost_per_travel_s * seconds + vehicle.cost_per_m * metres).ravel().tolist())
        out.append(f'{{"profile":{json.dumps(name)},"travelTimes":{times},"distances":{cost}}}')
    return out


def _span(window: tuple[int, int]) -> list[str]:
    return [_time(window[0]), _time(window[1])]


def _time(second: int) -> str:
    return (DAY + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sequences(problem: Problem, answer: dict[str, Any]) -> Sequences:
    rows: Sequences = [[] for _ in problem.vehicles]
    for tour in answer["tours"]:
        visits = chain.from_iterable(stop["activities"] for stop in tour["stops"])
        rows[int(tour["vehicleId"])] = [int(visit["jobId"]) for visit in visits if visit["type"] == "pickup"]
    return rows
